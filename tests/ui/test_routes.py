"""What is common to all routes: what they answer, where they work, and how they say why not."""

import asyncio
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.testclient import TestClient

from app import ROUTES
from maml_core.errors import RunError
from ui.classroom import journal
from ui.classroom.routes import routes as room_routes
from ui.explore import maps
from ui.lessons import routes as lessons
from ui.lessons import settle
from ui.shared.incoming import Refused
from ui.shared.routes import of_query, route
from ui.shared.turns import Desk


def ask(make, address="/it", **options):
    return TestClient(Starlette(routes=[route("/it", make, **options)])).get(address)


def failing(error):
    def make(request):
        raise error

    async def soon(request):
        raise error

    return make, soon


def test_a_response_is_answered_as_it_is_and_anything_else_as_json():
    answer = ask(of_query(lambda query: {"K": query["K"]}), "/it?K=5")
    assert (answer.json(), answer.headers["content-type"]) == ({"K": "5"}, "application/json")
    answer = ask(lambda request: Response(b"<svg/>", media_type="image/svg+xml"))
    assert (answer.text, answer.headers["content-type"]) == ("<svg/>", "image/svg+xml")


def test_nothing_is_kept_unless_the_response_says_so_and_headers_stand_in_every_answer():
    assert ask(lambda request: {}).headers["cache-control"] == "no-store"
    assert ask(failing(ValueError("no"))[0]).headers["cache-control"] == "no-store"
    assert ask(lambda request: Response(headers={"Cache-Control": "max-age=9"})).headers["cache-control"] == "max-age=9"
    for make in (lambda request: {}, *failing(Refused(403, "no"))):
        assert ask(make, headers={"x-ours": "answered"}).headers["x-ours"] == "answered"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("name one learner"), 400, "name one learner"),
        (RunError("There is no run x"), 400, "There is no run x"),
        (Refused(413, "That is too much"), 413, "That is too much"),
        (OSError(28, "No space left on device", "/a/path"), 400, "A file cannot be read or written now: No space left on device"),
        (TimeoutError("/a/path is locked"), 400, "A file cannot be read or written now: TimeoutError"),
    ],
)
def test_an_error_is_one_sentence_wherever_it_is_raised(error, status, said):
    for make in failing(error):
        answer = ask(make)
        assert (answer.status_code, answer.text) == (status, said)


def test_what_is_no_json_is_an_error_too():
    assert ask(lambda request: {"loss": float("nan")}).status_code == 400


def test_work_is_done_where_it_belongs():
    def where(request):
        return threading.current_thread().name

    async def soon(request):
        asyncio.get_running_loop()
        return "on the loop"

    own = Desk("own", 1, 1)
    assert ask(where, desk=own).json().startswith("own")
    assert ask(where, desk=lambda request: own).json().startswith("own")
    assert ask(where).json().startswith("answering")
    assert ask(soon).json() == "on the loop"


@pytest.mark.parametrize("found", ROUTES, ids=lambda found: found.path)
def test_every_route_has_no_answer_kept(found):
    client, (method,) = TestClient(Starlette(routes=[found])), found.methods - {"HEAD"}
    answer = client.request(method, found.path, params={"learner": "?", "learners": "?", "card": "?", "room": "?", "run": "?"})
    assert answer.headers["cache-control"] == "no-store"
    assert ("x-classroom" in answer.headers) == found.path.startswith("/classroom/")


def test_what_measures_and_what_answers_keep_threads_of_their_own(monkeypatch):
    seen = {}

    def noting(name):
        seen[name] = threading.current_thread().name.split("_")[0]
        return {}

    monkeypatch.setattr(maps.published, "measure", lambda query: noting("maps"))
    monkeypatch.setattr(lessons, "cards", lambda: noting("cards"))
    monkeypatch.setattr(settle, "settle", lambda lesson: noting("truth"))
    monkeypatch.setattr(settle, "answer", lambda lesson, given, settled: noting("answer"))
    monkeypatch.setattr(settle, "check", lambda query, token: noting("check"))
    asked = (
        "explore/published.json",
        "lessons/cards.json",
        "lessons/answer.json?card=beyond&answer=0",
        "lessons/check.json",
    )
    with TestClient(Starlette(routes=[*maps.routes(), *lessons.routes(lambda token, card: False)])) as client:
        for path in asked:
            assert client.get(f"/{path}").json() == {}, path
    assert seen == {
        "maps": "measuring",
        "cards": "answering",
        "truth": "measuring",
        "answer": "answering",
        "check": "measuring",
    }


def test_a_room_whose_file_cannot_be_read_is_asked_again(monkeypatch):
    """A refusal would turn the whole class away."""
    monkeypatch.setattr(journal, "find", lambda code: Path("/nowhere/at/all").read_bytes())
    answer = TestClient(Starlette(routes=room_routes())).get("/classroom/room.json?room=ABCD")
    assert answer.status_code == 500
