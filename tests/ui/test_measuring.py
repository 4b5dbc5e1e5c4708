"""Measuring: whose turn it is, how much one visitor may ask for, and that nothing is measured for somebody who has left."""

import asyncio
import os
import socket
import threading
import time

import pytest
import uvicorn
from starlette.applications import Starlette

from ui.shared import measuring
from ui.shared.incoming import Refused
from ui.shared.measuring import AT_WORK, TOO_MANY, WAITING, Desk
from ui.shared.routes import route


class Work:
    """Pieces of work that end when they are let go, and what has begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.free = threading.Event()

    def piece(self, name: str):
        def work() -> str:
            self.begun.append(name)
            assert self.free.wait(20)
            return name

        return work


async def begun(work: Work, count: int) -> None:
    """Until so many pieces have begun, and no more."""
    for _ in range(400):
        if len(work.begun) >= count:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    assert len(work.begun) == count


def test_turns_go_round_by_visitor_and_not_by_arrival():
    async def main() -> list[str]:
        desk, work = Desk(1), Work()
        many = [asyncio.ensure_future(desk.measured("many", work.piece(f"many {i}"))) for i in range(5)]
        await begun(work, 1)
        one = asyncio.ensure_future(desk.measured("one", work.piece("one")))
        await asyncio.sleep(0)
        work.free.set()
        assert await one == "one"
        assert await asyncio.gather(*many) == [f"many {i}" for i in range(5)]
        return work.begun

    assert asyncio.run(main()).index("one") <= 2


def test_one_visitor_has_few_at_a_time_and_few_more_waiting():
    async def main() -> None:
        desk, work = Desk(8), Work()
        asked = [asyncio.ensure_future(desk.measured("many", work.piece(str(i)))) for i in range(AT_WORK + WAITING)]
        await begun(work, AT_WORK)
        with pytest.raises(Refused, match="asks again in a moment") as refused:
            await desk.measured("many", work.piece("more"))
        assert refused.value.status == TOO_MANY
        other = asyncio.ensure_future(desk.measured("other", work.piece("other")))
        await begun(work, AT_WORK + 1)
        work.free.set()
        assert await other == "other"
        assert len(await asyncio.gather(*asked)) == AT_WORK + WAITING
        assert not desk._lines, "who has nothing left is forgotten"
        assert not desk._at_work

    asyncio.run(main())


def test_there_is_an_end_to_what_waits_in_all(monkeypatch):
    monkeypatch.setattr(measuring, "ALL_WAITING", 3)

    async def main() -> None:
        desk, work = Desk(1), Work()
        asked = [asyncio.ensure_future(desk.measured(f"visitor {i}", work.piece(str(i)))) for i in range(4)]
        await begun(work, 1)
        with pytest.raises(Refused):
            await desk.measured("one more", work.piece("more"))
        work.free.set()
        await asyncio.gather(*asked)

    asyncio.run(main())


def test_what_nobody_waits_for_is_not_begun():
    async def main() -> list[str]:
        desk, work = Desk(1), Work()
        first, second, third = (asyncio.ensure_future(desk.measured("one", work.piece(name))) for name in "abc")
        await begun(work, 1)
        second.cancel()
        await asyncio.sleep(0)
        work.free.set()
        await asyncio.gather(first, third)
        return work.begun

    assert asyncio.run(main()) == ["a", "c"]


def test_what_fails_is_told_and_takes_no_place():
    async def main() -> None:
        desk = Desk(1)

        def fails() -> None:
            raise ValueError("there is no such learner")

        for _ in range(3):
            with pytest.raises(ValueError, match="no such learner"):
                await desk.measured("one", fails)
        assert await desk.measured("one", lambda: 5) == 5

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="threads have no priority of their own here")
def test_measuring_steps_back_for_everything_else():
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    here = priority()
    there = asyncio.run(Desk(1).measured("one", priority))
    assert there > here or there == 19


@pytest.fixture
def served():
    """A real server with a route that measures, and the work asked of it."""
    work = Work()
    app = Starlette(routes=[route("/it", lambda request: {"name": work.piece(request.query_params["name"])()}, measures=True)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1], work
    work.free.set()
    server.should_exit = True
    thread.join()


def test_a_browser_that_has_left_gets_nothing_measured(served, monkeypatch):
    monkeypatch.setattr(measuring, "desk", Desk(1))
    port, work = served

    def ask(name: str) -> socket.socket:
        asker = socket.create_connection(("127.0.0.1", port))
        asker.sendall(f"GET /it?name={name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return asker

    stays = ask("first")
    while work.begun != ["first"]:
        time.sleep(0.01)
    leaves, last = ask("left"), ask("last")
    time.sleep(0.3)
    leaves.close()
    time.sleep(0.3)
    work.free.set()
    for asker in (stays, last):
        asker.settimeout(10)
        assert b"200 OK" in asker.recv(1000)
        asker.close()
    assert work.begun == ["first", "last"]
