"""What of connections can be seen without a browser: settings, bytes that nobody takes, what is logged."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from maml_core.errors import ConfigError
from ui import connections
from ui.shared import visitors

MUCH = 2**24
"""Bytes of an answer: more than the system itself keeps for one who takes nothing."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server of uvicorn's that keeps two answers at most for those who do not take them."""
    monkeypatch.setattr(connections, "UNTAKEN", 2 * MUCH)

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("x" * MUCH)

    @asynccontextmanager
    async def lifespan(app: Starlette):
        async with connections.bounded(connections.Bounds.read()):
            yield

    app = Starlette(routes=[Route("/", answer)], lifespan=lifespan)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listening]),))
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(60)


def test_of_answers_that_nobody_takes_few_are_kept_those_of_the_last(port):
    lines = [socket.socket() for _ in range(12)]
    for line in lines:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(60)
        line.connect(("127.0.0.1", port))
        line.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        line.recv(1)
    came = []
    for line in lines:
        with line, line.makefile("rb") as answer:
            came.append(len(answer.read()) > MUCH)
    assert came[-1]
    assert not came[0]
    assert sum(came) < 6


@pytest.mark.parametrize("said", ["many", "-1", "10001"])
def test_a_setting_that_cannot_be_is_refused_in_a_sentence(said, monkeypatch):
    monkeypatch.setenv("MAML_LAB_CONNECTIONS_PER_ADDRESS", said)
    with pytest.raises(ConfigError, match=f"MAML_LAB_CONNECTIONS_PER_ADDRESS={said} is not possible"):
        connections.Bounds.read()


def test_a_network_is_where_one_browser_has_as_many_addresses_as_it_likes():
    hosts = ("10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "2001:db8::2", "fe80::1%eth0", "here")
    assert [visitors.network(host) for host in hosts] == [
        *("10.0.0.1", "10.0.0.1", "2001:db8::/64", "2001:db8::/64", "fe80::/64", "here")
    ]


def test_what_anybody_can_have_logged_is_logged_once_a_minute():
    records = [logging.makeLogRecord({"msg": text}) for text in ("socket.accept() out of system resource\nsocket: 3", "a fault")]
    accepting, fault = ([connections.OFTEN["asyncio"].filter(record) for _ in range(3)] for record in records)
    assert accepting == [True, False, False]
    assert fault == [True, True, True]
