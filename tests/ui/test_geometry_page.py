"""The geometry page without a browser: it opens, and its component gets the palette's looks."""

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from maml_core.palette import NEUTRAL, ROLES

ROOT = Path(__file__).parents[2]


def walk(node):
    for child in getattr(node, "children", {}).values():
        yield child
        yield from walk(child)


def test_opens_with_a_look_for_everything_it_draws():
    app = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=30).run()
    app.switch_page(str(ROOT / "pages" / "geometry.py")).run()
    assert not app.exception
    component = next(node for node in walk(app.main) if node.type == "bidi_component")
    looks = json.loads(json.loads(component.proto.json))["looks"]
    for role in ("maml", "fomaml", "reptile", "pretrained", *"ABCDEF"):
        assert looks[role]["light"] == (ROLES | NEUTRAL)[role].light
