"""How pages ask the server: through one module, which tells every failure in one way."""

import json
import re
import socket
import subprocess
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

UI = Path(__file__).parents[2] / "ui"
MODULE = UI / "shared" / "server.js"
AWAY = "The server does not answer."
UNANSWERED = "The server could not answer this. Reload the page to try again."
SAID = "name one learner"
ROOM = "X-Classroom"

SCRIPT = """
const [module, address, options] = JSON.parse(process.argv.at(-1));
globalThis.document = { hidden: false };
const { json, sentence } = await import(module);
const signal = options.aborted ? AbortSignal.abort() : undefined;
const told = await json(address, { ...options, signal }).then(
  (found) => ({ found }),
  (error) => ({ said: sentence(error), status: error.status, refused: error.refused, aborted: error.name === "AbortError" }),
);
console.log(JSON.stringify(told));
"""

UNSEEN = """
const [module, address] = JSON.parse(process.argv.at(-1));
globalThis.document = Object.assign(new EventTarget(), { hidden: true });
const { json } = await import(module);
const left = new AbortController();
const gone = json(`${address}/echo/gone`, { signal: left.signal }).catch((error) => error.name);
const waits = json(`${address}/echo/waits`);
await json(`${address}/echo/line`, { unseen: true });
await json(`${address}/echo/vote`, { body: {} });
left.abort();
document.hidden = false;
document.dispatchEvent(new Event("visibilitychange"));
await waits;
console.log(JSON.stringify(await gone));
"""

LEFT = """
const [module, address] = JSON.parse(process.argv.at(-1));
globalThis.document = { hidden: false };
const { json } = await import(module);
const found = await json(`${address}/429/`, { signal: AbortSignal.timeout(500) }).catch((error) => error.name);
console.log(JSON.stringify(found));
"""


def asked(address, script=SCRIPT, **options):
    """What a page is told: the answer, or how it failed."""
    node, _ = compute_driver_executable()
    arguments = [node, "--input-type=module", "--eval", script, "--", json.dumps([MODULE.as_uri(), address, options])]
    return json.loads(subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60).stdout)


@pytest.fixture
def heard():
    """The addresses that the server was asked for, in order."""
    return []


@pytest.fixture
def server(heard):
    """Answers as the address says, `/STATUS/HEADER`, with the body SAID; /echo with what it was asked; /busy at the third try."""

    busy = [True, False, False]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            heard.append(self.path)
            _, status, header = self.path.partition("?")[0].split("/")
            if status == "busy":  # twice
                status = "200" if busy.pop() else "429"
            self.send_response(200 if status == "echo" else int(status))
            if header:
                self.send_header(header, "answered")
            self.end_headers()
            echo = {"method": self.command, "path": self.path, "body": body, "teacher": self.headers.get("X-Teacher")}
            echo["type"] = self.headers.get("Content-Type")
            self.wfile.write((json.dumps(echo) if status == "echo" else SAID).encode())

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=partial(served.serve_forever, 0.01), daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def test_nothing_else_fetches_but_the_glossary_and_the_exports_font():
    found = {
        path.relative_to(UI).as_posix()
        for path in UI.rglob("*.js")
        if re.search(r"\bfetch\(|XMLHttpRequest|sendBeacon", path.read_text("utf-8"))
    }
    assert found == {"shared/server.js", "chart/save.js", "glossary/glossary.js"}


def test_a_server_with_no_room_is_asked_again_until_it_has(server):
    told = asked(f"{server}/busy/", read=None)
    assert told["said"] == UNANSWERED, "the answer came: its text is no JSON"


def test_while_nobody_looks_at_the_page_nothing_is_asked_but_a_vote_is_sent(server, heard):
    assert asked(server, UNSEEN) == "AbortError"
    assert heard == ["/echo/line", "/echo/vote", "/echo/waits"]


def test_a_question_that_nobody_waits_for_is_not_asked_again(server, heard):
    assert asked(server, LEFT) == "TimeoutError"
    assert len(heard) <= 1


def test_what_changes_something_is_never_sent_twice(server):
    assert asked(f"{server}/429/", body={"room": "x"})["status"] == 429


def test_a_question_is_a_get_and_one_with_a_body_a_post_of_json(server):
    got = asked(f"{server}/echo/", query={"K": 5, "of": "a b"}, headers={"X-Teacher": "secret"})["found"]
    assert got == {"method": "GET", "path": "/echo/?K=5&of=a+b", "body": "", "teacher": "secret", "type": None}
    got = asked(f"{server}/echo/", query=[["also", "a"], ["also", "b"]], body={"room": "x"})["found"]
    assert (got["method"], got["path"], json.loads(got["body"])) == ("POST", "/echo/?also=a&also=b", {"room": "x"})
    assert got["type"] == "application/json"
    assert asked(f"{server}/echo/", headers=None)["found"]["path"] == "/echo/"


@pytest.mark.parametrize(
    ("status", "header", "mark", "told"),
    [
        (400, "", None, {"said": f"{SAID}.", "refused": True}),
        (404, "", None, {"said": UNANSWERED, "refused": True}),
        (500, "", None, {"said": UNANSWERED, "refused": True}),
        (502, "", None, {"said": AWAY}),
        (504, "", None, {"said": AWAY}),
        (403, ROOM, ROOM, {"said": f"{SAID}.", "refused": True}),
        (404, ROOM, ROOM, {"said": f"{SAID}.", "refused": True}),
        (400, "", ROOM, {"said": AWAY}),
        (404, "", ROOM, {"said": AWAY}),
        (500, "", ROOM, {"said": UNANSWERED, "refused": True}),
        (503, "", ROOM, {"said": AWAY}),
    ],
)
def test_a_failure_has_its_words_its_status_and_whether_to_ask_again(server, status, header, mark, told):
    assert asked(f"{server}/{status}/{header}", mark=mark) == {"status": status, "aborted": False} | told


def test_no_answer_is_a_server_that_is_away_and_one_that_cannot_be_read_is_none_to_ask_again(server):
    assert asked(f"{server}/200/") == {"said": UNANSWERED, "status": 500, "refused": True, "aborted": False}
    with socket.create_server(("127.0.0.1", 0)) as closed:
        _, port = closed.getsockname()
    assert asked(f"http://127.0.0.1:{port}/") == {"said": AWAY, "aborted": False}


def test_who_aborts_hears_of_that(server):
    assert asked(f"{server}/echo/", aborted=True)["aborted"]
