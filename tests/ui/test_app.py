"""The server as a whole: who it answers."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

import app
from ui import page_html


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("127.0.0.1:8501", 200), ("elsewhere.example", 400)])
def test_routes_answer_under_the_names_that_the_settings_allow_alone(host, status):
    client = TestClient(app.app)
    assert client.get("/lessons/cards.json", headers={"Host": host}).status_code == status


def test_every_page_has_an_html_of_its_own():
    pages = {path.stem for path in (Path(app.__file__).parent / "pages").glob("*.py")}
    assert {path.strip("/") or "start" for path in page_html.PAGES} == pages
