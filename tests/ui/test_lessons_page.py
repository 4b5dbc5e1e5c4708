"""The Lessons page without a browser: it opens, and gives its component the look of everything that cards draw."""

from pathlib import Path

from shown import data
from streamlit.testing.v1 import AppTest

from maml_core.palette import NEUTRAL, ROLES

ROOT = Path(__file__).parents[2]


def test_opens_with_a_look_for_every_role():
    app = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=30).run()
    app.switch_page(str(ROOT / "pages" / "lessons.py")).run()
    assert not app.exception
    looks = data(app)[0]["looks"]
    assert {role: look["light"] for role, look in looks.items()} == {r: look.light for r, look in (ROLES | NEUTRAL).items()}
