"""Turns: whose is next, how much one visitor may ask for, and that nothing is done for somebody who has left."""

import asyncio
import os
import socket
import threading
import time

import pytest
import uvicorn
from starlette.applications import Starlette

from ui.lessons.routes import LESSONS
from ui.shared import turns
from ui.shared.incoming import Refused
from ui.shared.routes import route
from ui.shared.turns import TOO_MANY, WAITING, Desk, Place, Visitor

AT_WORK = 2
MANY, ONE, OTHER = (Visitor(name, True) for name in ("many", "one", "other"))


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
        desk, work = Desk("desk", 1, AT_WORK), Work()
        many = [asyncio.ensure_future(desk.done(MANY, work.piece(f"many {i}"))) for i in range(5)]
        await begun(work, 1)
        one = asyncio.ensure_future(desk.done(ONE, work.piece("one")))
        await asyncio.sleep(0)
        work.free.set()
        assert await one == "one"
        assert await asyncio.gather(*many) == [f"many {i}" for i in range(5)]
        return work.begun

    assert asyncio.run(main()).index("one") <= 2


def test_one_visitor_has_few_at_a_time_and_few_more_waiting():
    async def main() -> None:
        desk, work = Desk("desk", 8, AT_WORK), Work()
        asked = [asyncio.ensure_future(desk.done(MANY, work.piece(str(i)))) for i in range(AT_WORK + WAITING)]
        await begun(work, AT_WORK)
        with pytest.raises(Refused, match="try again in a moment") as refused:
            await desk.done(MANY, work.piece("more"))
        assert refused.value.status == TOO_MANY
        other = asyncio.ensure_future(desk.done(OTHER, work.piece("other")))
        await begun(work, AT_WORK + 1)
        work.free.set()
        assert await other == "other"
        assert len(await asyncio.gather(*asked)) == AT_WORK + WAITING
        assert desk._rings == ({}, {}), "who has nothing left is forgotten"
        assert not desk._at_work

    asyncio.run(main())


def test_every_other_turn_is_for_somebody_who_has_a_page_open():
    """However many names somebody makes up."""

    async def main() -> list[str]:
        desk, work = Desk("desk", 1, AT_WORK), Work()
        made_up = [asyncio.ensure_future(desk.done(Visitor(f"word {i}", False), work.piece(f"word {i}"))) for i in range(40)]
        await begun(work, 1)
        here = [asyncio.ensure_future(desk.done(Visitor(name, True), work.piece(name))) for name in ("a", "b")]
        await asyncio.sleep(0)
        work.free.set()
        await asyncio.gather(*made_up, *here)
        return work.begun

    order = asyncio.run(main())
    assert order.index("a") <= 2
    assert order.index("b") <= 4


def test_when_much_waits_nobody_has_more_than_one_piece_waiting_and_nobody_is_shut_out(monkeypatch):
    monkeypatch.setattr(turns, "ALL_WAITING", 3)

    async def main() -> None:
        desk, work = Desk("desk", 1, AT_WORK), Work()
        made_up = [Visitor(f"word {i}", False) for i in range(9)]
        asked = [asyncio.ensure_future(desk.done(each, work.piece(each.name))) for each in made_up]
        await begun(work, 1)
        with pytest.raises(Refused):
            await desk.done(made_up[5], work.piece("more"))
        here = asyncio.ensure_future(desk.done(ONE, work.piece("here")))
        more = asyncio.ensure_future(desk.done(ONE, work.piece("more of who is here")))
        await asyncio.sleep(0)
        work.free.set()
        assert await here == "here"
        assert await more
        assert await asyncio.gather(*asked) == [each.name for each in made_up]

    asyncio.run(main())


def test_a_name_that_somebody_makes_up_is_no_other_visitors():
    names = {Visitor.named("lessons", True).name, Visitor.nameless("10.0.0.7", True).name, Visitor.named("10.0.0.7", True).name}
    assert len(names | {LESSONS.name}) == 4


def test_what_nobody_waits_for_is_not_begun():
    async def main() -> list[str]:
        desk, work = Desk("desk", 1, AT_WORK), Work()
        first, second, third = (asyncio.ensure_future(desk.done(ONE, work.piece(name))) for name in "abc")
        await begun(work, 1)
        second.cancel()
        await asyncio.sleep(0)
        work.free.set()
        await asyncio.gather(first, third)
        return work.begun

    assert asyncio.run(main()) == ["a", "c"]


def test_what_takes_long_ends_when_nobody_waits_for_it():
    async def main() -> tuple[str, int]:
        desk, rounds = Desk("desk", 1, AT_WORK), [0]

        def long() -> None:
            while True:
                turns.go_on()
                rounds[0] += 1
                time.sleep(0.002)

        asked = asyncio.ensure_future(desk.done(ONE, long))
        while not rounds[0]:
            await asyncio.sleep(0.005)
        asked.cancel()
        return await desk.done(OTHER, lambda: "next"), rounds[0]

    said, rounds = asyncio.run(main())
    assert said == "next"
    assert rounds


def test_a_script_of_a_page_waits_for_its_turn_and_asks_again(monkeypatch):
    desk, work = Desk("desk", 1, 1), Work()
    monkeypatch.setattr(turns, "AGAIN", 0.01)
    monkeypatch.setattr(turns, "measuring", desk)

    async def main() -> list[str]:
        first = asyncio.ensure_future(desk.done(OTHER, work.piece("first")))
        await begun(work, 1)
        scripts = [
            asyncio.ensure_future(asyncio.to_thread(turns.in_turn, Visitor("page", True, 1), work.piece(f"{i}")))
            for i in range(3)
        ]
        await begun(work, 1)
        work.free.set()
        return [await first, *await asyncio.gather(*scripts)]

    assert asyncio.run(main()) == ["first", "0", "1", "2"]


def test_pages_are_drawn_in_turn_and_others_draw_while_one_measures(monkeypatch):
    monkeypatch.setattr(turns, "drawing", Desk("drawing", 1, 1))
    events, drawn, measured = [], threading.Event(), threading.Event()

    def measures() -> None:
        with Place(ONE):
            events.append("one draws")
            turns.in_turn(ONE, lambda: (events.append("one measures"), measured.set(), drawn.wait(20)))
            events.append("one draws on")

    def draws() -> None:
        with Place(OTHER):
            events.append("other draws")
            assert measured.wait(20)
            time.sleep(0.05)
            events.append("other has drawn")
        drawn.set()

    one = threading.Thread(target=measures)
    one.start()
    assert measured.wait(20)
    other = threading.Thread(target=draws)
    other.start()
    one.join(20)
    other.join(20)
    assert events == ["one draws", "one measures", "other draws", "other has drawn", "one draws on"]


def test_who_fails_to_draw_keeps_no_place(monkeypatch):
    monkeypatch.setattr(turns, "drawing", Desk("drawing", 1, 1))
    for _ in range(3):
        with pytest.raises(ValueError, match="fails"), Place(ONE):
            raise ValueError("fails")
    with Place(OTHER):
        pass


def test_what_a_page_measures_ends_where_its_script_is_no_longer_wanted(monkeypatch):
    class Elsewhere(Exception):
        """What Streamlit raises in a script whose page asks for something else."""

    def gone_on() -> None:
        nonlocal ended
        while not ended:
            try:
                turns.go_on()
            except Refused:
                ended = True
            time.sleep(0.005)

    def leaves() -> None:
        raise Elsewhere

    ended = False
    monkeypatch.setattr(turns, "_LOOK", 0.01)
    with pytest.raises(Elsewhere):
        turns.in_turn(ONE, gone_on, leaves)
    assert turns.in_turn(ONE, lambda: "the next") == "the next"
    for _ in range(400):
        if ended:
            break
        time.sleep(0.005)
    assert ended, "its work went on for nobody"


def test_what_fails_is_told_and_takes_no_place():
    async def main() -> None:
        desk = Desk("desk", 1, AT_WORK)

        def fails() -> None:
            raise ValueError("there is no such learner")

        for _ in range(3):
            with pytest.raises(ValueError, match="no such learner"):
                await desk.done(ONE, fails)
        assert await desk.done(ONE, lambda: 5) == 5

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="threads have no priority of their own here")
def test_measuring_steps_back_for_everything_else():
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    here = priority()
    there = asyncio.run(Desk("desk", 1, AT_WORK, step_back=True).done(ONE, priority))
    assert there == min(here + turns._STEP_BACK, 19)


@pytest.fixture
def served():
    """A real server with a route that measures, and the work asked of it."""
    work = Work()
    app = Starlette(
        routes=[route("/it", lambda request: {"name": work.piece(request.query_params["name"])()}, desk=Desk("desk", 1, AT_WORK))]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1], work
    work.free.set()
    server.should_exit = True
    thread.join()


def test_a_browser_that_has_left_gets_nothing_done(served):
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
