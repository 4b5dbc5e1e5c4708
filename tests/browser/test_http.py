"""What goes over the wire: who leaves leaves no trace, and a browser is told what it may do, which hinders no page of ours."""

import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import ROOT, Lab, Server, Training, answer
from playwright.sync_api import Page, expect

from app import app
from maml_core import checkpoint
from maml_core.checkpoint import Checkpoint
from maml_core.config import TrainConfig
from maml_core.training import init
from ui import trust
from ui.lessons.answers import Choice
from ui.lessons.shelf import shelf

POSTED = sorted(route.path for route in app._user_routes if "POST" in route.methods)
"""The routes of ours that read a body."""
READ = ["/", "/lab", "/train/runs.json", "/lab/picture.json?seed=3", "/lab/code.zip", "/lab/checkpoint?learner=maml", "/nothing"]
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
});
"""


@pytest.fixture(scope="module", params=["", "school/class"], ids=["root", "base path"])
def logged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose log is read."""
    folder = tmp_path_factory.mktemp("logged")
    server = Server(folder / "runs", request.param)
    with open(folder / "log", "w+b") as server.log:
        yield server.start()
        server.stop()


def leave(
    server: Server, method: str, path: str, head: str = "", body: bytes = b"", read: int = 0, abruptly: bool = False
) -> None:
    """Send the beginning of a request, read so many bytes of the answer, and go away."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        if abruptly:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        lines = f"{method} {urlsplit(server.base).path}{path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", head
        line.sendall("\r\n".join(filter(None, lines)).encode() + b"\r\n\r\n" + body)
        if read:
            line.recv(read)
        else:
            time.sleep(0.02)


def said(server: Server) -> str:
    """What stands in its log, after a moment in which it could still write."""
    time.sleep(1)
    return Path(server.log.name).read_text("utf-8")


def test_whoever_leaves_in_the_middle_leaves_no_trace_in_the_log(logged):
    sends = "Content-Type: application/json\r\nContent-Length: 150"
    form = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 150"
    assert len(POSTED) >= 5
    for abruptly in (False, True):
        go = partial(leave, logged, abruptly=abruptly)
        for path in POSTED:
            go("POST", path, sends, b'{"room": "')
            go("POST", path, sends)
        go("PUT", "/_stcore/upload_file/a/b", form, b"--x\r\nConte")
        for path in READ:
            go("GET", path)
            go("GET", path, read=1)
            go("GET", path, "Accept-Encoding: gzip", read=1)
    assert answer(f"{logged.base}/train/runs.json")[0].status == 200
    assert said(logged) == ""


def test_whoever_leaves_a_room_while_they_wait_for_news_leaves_no_trace_in_the_log(logged):
    room, secret = json.loads(answer(f"{logged.base}/classroom/open", "POST", {})[1]).values()
    state = json.loads(answer(f"{logged.base}/classroom/room.json?room={room}", X_Teacher=secret)[1])
    for abruptly in (False, True):
        waiting = f"/classroom/room.json?room={room}&since={state['version']}"
        leave(logged, "GET", waiting, f"X-Teacher: {secret}", abruptly=abruptly)
    ended, _ = answer(f"{logged.base}/classroom/act", "POST", {"room": room, "do": "end"}, X_Teacher=secret)
    assert ended.status == 200, "there is news, and nobody left to be told"
    assert said(logged) == ""


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/lab", 200),
        ("/lab?seed=3", 200),
        ("/?seed=3", 307),
        ("/lab/", 307),
        ("/nowhere", 200),
        ("/train/runs.json", 200),
        ("/lab/picture.json?seed=x", 400),
        ("/lab/picture.html?seed=3", 200),
        ("/modules/old/lab.js", 404),
        ("/_stcore/health", 200),
        ("/_stcore/bidi-components/nothing/a.js", 404),
        ("/favicon.png", 200),
        ("MODULE", 200),
        ("STREAMLIT", 200),
    ],
)
def test_every_response_says_what_a_browser_may_do_with_it(logged, path, status):
    page = answer(f"{logged.base}/lab")[1]
    path = {
        "MODULE": re.search(r'href="\.(/modules/[^"]+\.js)"', page)[1],
        "STREAMLIT": re.search(r'src="\.(/static/js/[^"]+)"', page)[1],
    }.get(path, path)
    response, _ = answer(logged.base + path)
    assert response.status == status
    assert response.headers.get_all("x-content-type-options") == ["nosniff"]
    assert response.headers.get_all("referrer-policy") == ["same-origin"]
    (policy,) = response.headers.get_all("content-security-policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert (rules["default-src"], rules["frame-ancestors"]) == ("'none'", "'self'")
    for sources in rules.values():
        assert all(
            re.fullmatch(r"'(none|self|unsafe-inline|wasm-unsafe-eval|sha256-.{43}=)'|data:|blob:", each)
            for each in sources.split()
        )
    assert "'unsafe-" not in rules["script-src"]


def test_a_host_that_is_not_ours_is_told_the_same(logged):
    response, _ = answer(f"{logged.base}/lab", Host="elsewhere.example")
    assert response.status == 400
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/server/status.json"])
def test_figures_of_the_server_are_for_its_own_machine(logged, path):
    address = logged.base + path
    assert answer(address)[0].status == 200
    for method in ("GET", "OPTIONS", "HEAD"):
        for header in ("X_Forwarded_For", "Forwarded", "X_Real_IP"):
            response, words = answer(address, method, **{header: "127.0.0.1"})
            assert response.status == 403
            assert words == ("" if method == "HEAD" else "Only the machine that serves may read these figures")


def test_a_file_for_no_page_that_is_open_is_refused_before_it_is_read(logged):
    """Nothing of its 60 megabytes is sent."""
    address = f"{logged.base}/_stcore/upload_file/nobody/file"
    response, words = answer(address, "PUT", Content_Type="multipart/form-data; boundary=x", Content_Length="60000000")
    assert (response.status, words) == (403, "Only a page that is open can bring a file: reload it")


# In a browser


class Watched(Lab):
    """A page, and what the browser refused it."""

    def __init__(self, page: Page, base: str):
        super().__init__(page, base)
        page.add_init_script(VIOLATIONS)

    def visit(self, path: str, shown: str) -> None:
        self.judge()
        self.page.goto(self.base + path)
        expect(self.page.locator(shown).first).to_be_attached(timeout=60_000)

    def judge(self) -> None:
        assert self.page.evaluate("window.violations ?? []") == []
        assert self.problems == []


@pytest.fixture
def watched(page: Page, logged: Server) -> Iterator[Watched]:
    """The test fails if the browser refused anything."""
    watched = Watched(page, logged.base)
    yield watched
    watched.judge()


def test_what_comes_from_elsewhere_or_is_no_script_of_ours_is_refused_and_noticed(watched):
    watched.visit("/lab", ".task-chart .curve")
    for body in (
        "document.body.append(Object.assign(document.createElement('img'), {src: '//elsewhere.example/a.png'}))",
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = true'}))",
        "setTimeout(() => eval('window.ran = true'))",
        "fetch('//elsewhere.example/a.json').catch(() => {})",
    ):
        watched.page.evaluate(f"() => {{ {body} }}")
    watched.page.wait_for_function("() => window.violations.length >= 4")
    refused = {each.partition(":")[0] for each in watched.page.evaluate("window.violations")}
    assert refused >= {"img-src", "connect-src"}
    assert watched.page.evaluate("window.ran") is None
    watched.page.evaluate("window.violations = []")
    watched.problems.clear()


def test_the_lab_draws_shares_saves_and_takes_a_checkpoint(watched, tmp_path):
    watched.visit("/lab", ".task-chart .curve")
    watched.ready()
    before = watched.curve("maml")
    watched.click(1.0, 2.0)
    watched.settled()
    assert watched.curve("maml") != before
    watched.page.get_by_role("button", name="Share").click()
    dialog = watched.page.get_by_role("dialog", name="Share and export")
    dialog.get_by_role("button", name="Copy").first.click()
    files = {}
    for name in ("picture.png", "picture.svg", "losses.csv", "interactive page.html", "Python, with everything it needs"):
        with watched.page.expect_download() as download:
            dialog.get_by_text(name, exact=True).click()
        files[name] = download.value.path().read_bytes()
    assert files["picture.png"][:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(files["picture.png"][16:20], "big") > 2000
    watched.page.keyboard.press("Escape")
    config = TrainConfig(hidden=(12,), seed=3)
    checkpoint.save(tmp_path / "mine.safetensors", Checkpoint(init(config).learned, config, iterations=0))
    watched.page.get_by_role("button", name="your checkpoint").click()
    watched.page.locator(".st-key-upload input[type=file]").set_input_files(tmp_path / "mine.safetensors")
    expect(watched.page.locator(".task-chart [data-curve=own]")).to_be_visible()
    (tmp_path / "saved.html").write_bytes(files["interactive page.html"])
    saved = watched.page.context.new_page()
    saved.goto(f"file://{tmp_path}/saved.html")
    expect(saved.locator(".task-chart .curve").first).to_be_visible()


def test_the_start_page_and_the_maps_and_the_plane_and_the_chart_of_a_run_are_drawn(watched):
    page = watched.page
    watched.visit("/", ".start .task-chart .curve")
    page.get_by_role("button", name="Take one gradient step").click()
    expect(page.locator(".after p")).to_contain_text("After 1 step", timeout=30_000)
    watched.visit("/explore", ".heat-chart image")
    page.get_by_role("radio", name="curves").click()
    expect(page.locator("svg.slice")).to_have_count(3)
    page.locator(".take-away summary").click()
    with page.expect_download():
        page.get_by_role("button", name="picture.svg").click()
    watched.visit("/geometry", "svg.plane .contours ellipse")
    page.get_by_role("button", name="Play").first.click()
    watched.visit("/train", ".training .learning-chart .gridlayer path")
    Training(page, watched.base).ready().train_and_stop()


def test_checkpoints_are_compared_brought_and_taken_along(watched, tmp_path):
    page = watched.page
    watched.visit("/checkpoints", ".card svg.thumbnail")
    for name in ("maml", "pretrained"):
        page.locator(f'.card[data-name="{name}"]').get_by_role("button", name="Compare").click()
    expect(page.locator(".comparison-chart .curve").first).to_be_visible(timeout=30_000)
    page.locator(".comparison-chart").hover()
    with page.expect_download():
        page.get_by_role("button", name="All steps as CSV").click()
    with page.expect_download():
        page.locator('.card[data-name="maml"]').get_by_role("link", name="All as zip").click()
    (tmp_path / "pickle.safetensors").write_bytes(b"PK\x03\x04")
    page.get_by_role("button", name="Upload a checkpoint").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "pickle.safetensors")
    expect(page.get_by_role("alert").filter(has_text="pickle.safetensors")).to_be_visible()


def test_a_card_of_a_lesson_is_answered_and_a_room_taught(watched, browser):
    page, card = watched.page, next(each for each in shelf().lessons.values() if isinstance(each.answer, Choice))
    watched.visit("/lessons", ".lessons a")
    page.get_by_role("link", name=card.title).click()
    page.get_by_role("radio").first.click(force=True)
    page.get_by_role("button", name="Commit").click()
    expect(page.locator(".outcome .prose")).to_be_visible(timeout=30_000)
    watched.visit("/classroom", ".classroom h1")
    page.get_by_role("button", name="Open a room").click()
    picture = page.locator("img.qr")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    student = Watched(browser.new_page(), watched.base)
    student.visit(f"/classroom?{urlsplit(picture.get_attribute('alt').removeprefix('QR code of ')).query}", ".classroom")
    page.get_by_role("button", name=card.title).click()
    student.page.get_by_role("radio").first.click(force=True)
    student.page.get_by_role("button", name="Commit", exact=True).click()
    expect(page.locator(".classroom")).to_contain_text("1 of 1 has answered", timeout=15_000)
    page.get_by_role("button", name="Reveal", exact=True).click()
    expect(student.page.locator(".tally")).to_be_visible(timeout=30_000)
    student.judge()
    student.page.close()


# In a frame


@pytest.fixture(scope="module")
def school() -> Iterator[str]:
    """A site elsewhere, as a school's, that shows in a frame what its address ends in: its origin."""

    class Frames(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<iframe src="{self.path[1:]}" style="width: 100%; height: 700px"></iframe>'.encode())

        def log_message(self, *_: object) -> None:
            pass

    there = ThreadingHTTPServer(("127.0.0.1", 0), Frames)
    threading.Thread(target=there.serve_forever, daemon=True).start()
    yield f"http://localhost:{there.server_port}"  # another site than 127.0.0.1
    there.shutdown()
    there.server_close()


def test_a_page_is_framed_by_no_other_site(school, server, page):
    refused = []
    page.on("console", lambda message: refused.append(message.text) if "frame-ancestors" in message.text else None)
    page.goto(f"{school}/{server}/lab")
    for _ in range(100):
        if refused:
            break
        page.wait_for_timeout(100)
    assert refused
    assert page.frame_locator("iframe").locator("svg.task").count() == 0


def test_a_page_is_framed_by_us_and_by_a_site_that_is_named(school, page, tmp_path):
    server = Server(tmp_path)
    server.environment[trust.EMBED_IN] = f"https://moodle.school.example {school}"
    try:
        server.start()
        page.goto(f"{school}/{server.base}/lab")
        lab = page.frame_locator("iframe").locator(".maml-lab")
        expect(lab.locator(".task-chart .curve").first).to_be_visible(timeout=30_000)
        beside = (
            '<iframe src="lab" style="width: 100%; height: 700px"></iframe>'  # as on a host that we share with a school's site
        )
        page.route("**/beside", lambda route: route.fulfill(body=beside, content_type="text/html"))
        page.goto(f"{server.base}/beside")
        expect(lab.locator(".task-chart .curve").first).to_be_visible(timeout=30_000)
    finally:
        server.stop()


def test_the_server_does_not_start_with_what_is_no_list_of_origins(tmp_path):
    server = Server(tmp_path)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(server.port)]
    told = subprocess.run(
        command, cwd=ROOT, env=server.environment | {trust.EMBED_IN: "moodle.org"}, capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 1
    assert told.stderr.startswith("MAML_LAB_EMBED_IN names 'moodle.org', but must name origins")
    assert told.stderr.count("\n") == 1
