"""A line lets so many pass at once, then one by one, and keeps nobody for long."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.classroom.line import Line


def through(coroutine):
    """Runs it to its end, in a thread of its own: the browser tests keep a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@pytest.mark.clock
def test_a_line_moves_one_by_one_and_nobody_waits_long(monkeypatch):
    monkeypatch.setattr("ui.classroom.line.TURN", 0.01)
    monkeypatch.setattr("ui.classroom.line.PATIENCE", 0.1)
    line, came = Line(1, 60), []

    async def come(at):
        began = time.monotonic()
        await line.wait("a")
        came.append((at, time.monotonic() - began))

    async def crowd():
        await line.wait("a")
        line.take("a")
        await asyncio.gather(*(come(at) for at in range(30)), line.wait("b"))

    began = time.monotonic()
    through(crowd())
    assert [at for at, _ in came[:9]] == list(range(9))
    assert time.monotonic() - began < 1
    assert all(took >= 0.01 * min(at + 1, 10) for at, took in came)
    assert not line._waiting


def test_a_line_holds_so_many_and_lets_the_others_pass(monkeypatch):
    monkeypatch.setattr("ui.classroom.line.MOST_WAIT", 2)
    line = Line(1, 60)
    line.take("a")

    async def crowd():
        waiting = [asyncio.create_task(line.wait("a")) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.wait_for(line.wait("a"), 0.2)
        for task in waiting:
            task.cancel()

    through(crowd())


def test_an_allowance_comes_back(monkeypatch):
    now = 0.0
    monkeypatch.setattr("ui.classroom.line.time.monotonic", lambda: now)
    line = Line(3, 10)
    for _ in range(3):
        assert not line.is_long("a")
        line.take("a")
    assert line.is_long("a")
    assert not line.is_long("b")
    now = 10.0
    assert not line.is_long("a")
    for i in range(20_000):
        line.take(str(i))
    assert len(line._full) <= 10_000
