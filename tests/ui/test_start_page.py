"""The wiring of the start page, and where old links to the lab lead, without a browser."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from ui.lab import old_links
from ui.lab.state import LabState

FRAME = str(Path(__file__).parents[2] / "ui" / "frame.py")


@pytest.fixture(scope="module")
def client():
    pages = [Route(path, lambda request: PlainTextResponse("the page itself")) for path in ("/", "/lab", "/explore")]
    return TestClient(Starlette(routes=pages, middleware=[Middleware(old_links.OldLinks)]), follow_redirects=False)


def test_opens_before_any_step_with_two_learners():
    page = AppTest.from_file(FRAME, default_timeout=30).run()
    assert not page.exception
    shown = json.loads(json.loads(next(n for n in page.main.children.values() if n.type == "bidi_component").proto.json))
    assert [learner["name"] for learner in shown["learners"]] == ["maml", "pretrained"]
    assert (shown["step"], len(shown["shots"])) == (0, 5)


@pytest.mark.parametrize("query", ["seed=7", "shots=1%2C2%3B-3%2C0.4&K=2", "utm=x&step=3", "alpha=seven", "present=1&panel=step"])
def test_a_link_from_when_the_lab_was_the_first_page_leads_to_the_lab(client, query):
    answer = client.get(f"/?{query}")
    assert answer.status_code == 307
    location = urlsplit(answer.headers["location"])
    assert (location.path, location.netloc) == ("lab", "")  # relative: right below any path of a proxy
    assert parse_qs(location.query) == parse_qs(query)


@pytest.mark.parametrize("name", sorted(old_links.PARAMETERS))
def test_every_setting_of_the_lab_is_recognised(client, name):
    assert client.get("/", params={name: "1"}).status_code == 307


@pytest.mark.parametrize("path", ["/", "/?panel=step", "/?card=x", "/lab?seed=7", "/explore?alpha=0.02"])
def test_nothing_else_is_redirected(client, path):
    assert client.get(path).text == "the page itself"


def test_a_redirect_below_a_path_stays_below_it():
    inner = Starlette(routes=[Route("/", lambda request: PlainTextResponse("no"))], middleware=[Middleware(old_links.OldLinks)])
    outer = Starlette()
    outer.mount("/class", inner)
    answer = TestClient(outer).get("/class/?seed=3", follow_redirects=False)
    assert answer.status_code == 307
    assert answer.next_request.url.path == "/class/lab"


def test_what_a_link_says_is_what_the_lab_shows(client):
    state = LabState(seed=3, alpha=0.02, hide=("names",), learners=("pretrained", "maml"), step=0).place([(1, 2), (-3, 0.4)])
    answer = client.get("/", params=state.to_query())
    found, problems = LabState.from_query(
        {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    )
    assert (found, problems) == (state, [])
