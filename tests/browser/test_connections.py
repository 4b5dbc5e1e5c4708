"""A server that may open few files, and connections that ask slowly, take nothing, or are too many."""

import contextlib
import http.client
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import NGINX, Lab, Server, answer, behind_nginx

from ui import connections
from ui.chart import plotly_file

SOFT, HARD = 256, 512
"""Descriptors that the server is given, and those that it may give itself."""
OF_ONE = 60
PATIENCE = 2
HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
CLASSMATE, STRANGER = "127.0.0.2", "127.0.0.3"
"""Addresses that are no proxy's."""
ANSWERED, SWITCHED, REFUSED = (
    f"HTTP/1.1 {each}".encode() for each in ("200 OK", "101 Switching Protocols", "429 Too Many Requests")
)
TOO_BIG = (1009).to_bytes(2, "big")
FEW = 10
FEWER = {"=300r": "=1r", "=20000": f"={2 * FEW}", "720": f"{FEW}", "20s": "2s"}
"""What the guide says of a class, and what is enough to see that nginx does it."""
LONG = 60
"""Seconds in which a busy machine does anything."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("small")
    server = Server(folder)
    server.started_by = ["sh", "-c", f'ulimit -Sn {SOFT} && ulimit -Hn {HARD} && exec "$@"', "sh"]
    server.environment |= {"MAML_LAB_CONNECTIONS_PER_ADDRESS": str(OF_ONE), "MAML_LAB_PATIENCE_SECONDS": str(PATIENCE)}
    with (folder / "log.txt").open("wb") as server.log:
        yield server.start()
        server.stop()


Opens = Callable[..., socket.socket]


@pytest.fixture
def opened(small: Server) -> Iterator[Opens]:
    """Opens a connection from an address, to our server if to no other, and says something."""
    all_of_them: list[socket.socket] = []

    def opens(said: bytes = b"", source: str = "127.0.0.1", room: int = 0, port: int = small.port) -> socket.socket:
        line = socket.socket()
        all_of_them.append(line)
        if room:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        try:
            line.bind((source, 0))
        except OSError:
            pytest.skip(f"{source} is no address of this machine")
        line.settimeout(LONG)
        line.connect(("127.0.0.1", port))
        with contextlib.suppress(ConnectionError):  # closed while we speak
            line.sendall(said)
        return line

    yield opens
    for line in all_of_them:
        line.close()


def heard(line: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := line.recv(2**16):
            found += part
    return found


def is_open(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        line.settimeout(LONG)


def ask(line: socket.socket, port: int, *more: str) -> bytes:
    """The first line of an answer."""
    path = "/_stcore/health" if not more else "/_stcore/stream"
    line.sendall("\r\n".join([f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *more, "", ""]).encode())
    with contextlib.suppress(ConnectionError):
        return line.recv(2**16).partition(b"\r\n")[0]
    return b""


def page(line: socket.socket, port: int) -> bytes:
    """What a page's socket is answered."""
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: streamlit")
    return ask(line, port, *upgrade, f"Sec-WebSocket-Key: {'A' * 22}==", f"Origin: http://127.0.0.1:{port}")


def until(is_so: Callable[[], bool]) -> None:
    """On a machine as slow as it likes."""
    end = time.monotonic() + LONG
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def trickles(line: socket.socket) -> bool:
    """Whether it takes one byte more."""
    try:
        line.sendall(b"x")
    except ConnectionError:
        return False
    return is_open(line)


def test_a_page_opens_and_a_click_counts_while_one_browser_half_asks_for_twice_what_there_is(small, opened, browser):
    half = [opened(HALF) for _ in range(2 * HARD)]
    context = browser.new_context()
    lab = Lab(context.new_page(), small.base).open()
    before = len(lab.shots)
    lab.page.get_by_role("button", name="Clear").click()
    lab.settled()
    assert before > len(lab.shots) == 0
    assert lab.problems == []
    context.close()
    assert [heard(line) for line in half] == [b""] * len(half)
    said = Path(small.log.name).read_text("utf-8")
    assert len(said) < 3000
    assert 1 <= said.count("too many connections are open") < 5  # once a minute


def test_the_server_gives_itself_what_descriptors_it_may_have(small):
    limits = Path(f"/proc/{small.process.pid}/limits")
    if not limits.exists():
        pytest.skip("only Linux tells the limits of another process")
    assert re.search(r"^Max open files +(\d+) ", limits.read_text("utf-8"), re.M)[1] == str(HARD)


def test_a_head_that_trickles_ends_the_connection(opened):
    silent, slow = opened(), opened(HALF)
    until(lambda: not trickles(slow))
    assert heard(silent) == b""


def test_a_body_that_trickles_ends_the_connection(opened):
    line = opened(
        b"POST /classroom/join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
    )
    until(lambda: not trickles(line))


def test_an_answer_that_nobody_takes_ends_the_connection(small, opened):
    asked, times = f"GET /{plotly_file.name()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 8
    for patience in (2 * PATIENCE, 6 * PATIENCE, LONG):
        line = opened(asked.encode() * times, room=4096)
        time.sleep(patience)
        if len(heard(line)) < times * plotly_file.FILE.stat().st_size:
            return
    pytest.fail("all of it has been kept for somebody who takes nothing")


def test_who_asks_again_and_again_and_a_page_at_rest_stay(small, opened):
    rests, asks = opened(), http.client.HTTPConnection("127.0.0.1", small.port, timeout=LONG)
    assert page(rests, small.port) == SWITCHED
    with contextlib.closing(asks):
        asks.connect()
        first = asks.sock
        for _ in range(4 * PATIENCE):
            asks.request("GET", "/_stcore/health")
            assert asks.getresponse().read() == b"ok"
            time.sleep(0.5)
        assert asks.sock is first
    assert is_open(rests)


def test_one_address_does_not_take_all(small, opened):
    half = [opened(HALF, CLASSMATE) for _ in range(2 * OF_ONE)]
    assert ask(opened(source=CLASSMATE), small.port) == ANSWERED
    until(lambda: sum(map(is_open, half)) < OF_ONE)
    pages = [page(opened(source=CLASSMATE), small.port) for _ in range(OF_ONE)]
    assert pages[0] == SWITCHED
    assert pages[-1] == b""
    assert page(opened(source=STRANGER), small.port) == SWITCHED
    assert ask(opened(), small.port) == ANSWERED


def test_what_a_page_says_at_once_has_an_end(small, opened):
    line = opened()
    assert page(line, small.port) == SWITCHED
    line.sendall(b"\x82\xff" + (connections.MOST_SAID + 1).to_bytes(8, "big") + bytes(4))
    assert TOO_BIG in heard(line)


def test_nginx_as_the_guide_sets_it_refuses_a_flood_and_nobody_else(small, opened, tmp_path):
    around, within = (
        re.sub(r"=300r|=20000|\b720|\b20s", lambda found: FEWER[found[0]], lines).replace("8501;", f"{small.port}/;")
        for lines in NGINX
    )
    with behind_nginx(tmp_path, around, within.replace("/school/class/", "/")) as address:
        port = urlsplit(address).port
        slow = opened(HALF, port=port)
        pages = [page(opened(source=CLASSMATE, port=port), port) for _ in range(2 * FEW)]
        assert pages == [SWITCHED] * FEW + [REFUSED] * FEW
        assert answer(address, "PUT", "x" * 6 * 10**6)[0].status == 413
        asked = [ask(opened(port=port), port) for _ in range(4 * FEW)]
        assert (asked[0], asked[-1]) == (ANSWERED, REFUSED)
        assert ask(opened(source=STRANGER, port=port), port) == ANSWERED
        assert b"200" not in heard(slow)
