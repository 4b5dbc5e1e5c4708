"""Measuring: work that takes a core for long, on threads of its own and in turns by visitor. No streamlit here.

What answers a click, a vote, a page or a file never waits behind it: its threads are few and step back for all others. One
visitor has few of them at a time and few more waiting; who asks for still more is told to ask again soon, which a page does
quietly. What nobody waits for any more is not begun.
"""

import asyncio
import contextlib
import os
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from starlette.requests import Request

from ui.shared.incoming import Refused
from ui.shared.visitors import network_of, token_of

AT_WORK = 2
"""What is measured of one visitor at a time."""
WAITING = 8
"""What waits of one visitor at most: a page of maps asks for as many at once."""
ALL_WAITING = 400
"""What waits in all at most."""
TOO_MANY = 429
"""The status of a refusal: a page asks again by itself."""
_STEP_BACK = 10
"""How much lower the priority of a measuring thread is, where a thread can have one of its own."""


class _Asked(NamedTuple):
    work: Callable[[], Any]
    done: asyncio.Future[Any]


class Desk:
    """Where measurements are asked for. Its state belongs to one event loop; only the work itself leaves it."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="measuring", initializer=_step_back)
        self._free = threads
        self._lines: OrderedDict[str, deque[_Asked]] = OrderedDict()  # whose turn is next stands first
        self._at_work: Counter[str] = Counter()

    async def measured(self, visitor: str, work: Callable[[], Any]) -> Any:
        """What `work()` gives, when it is its turn. Raises what it raises, and Refused where too much is asked for."""
        line = self._lines.setdefault(visitor, deque())
        if len(line) >= WAITING or sum(map(len, self._lines.values())) >= ALL_WAITING:
            self._forget(visitor)
            raise Refused(TOO_MANY, "Too much is being measured at once. This page asks again in a moment")
        asked = _Asked(work, asyncio.get_running_loop().create_future())
        line.append(asked)
        self._begin()
        try:
            return await asked.done
        finally:
            with contextlib.suppress(ValueError):
                line.remove(asked)  # nobody waits for it any more
            self._forget(visitor)

    def _begin(self) -> None:
        """Give what is free to those whose turn it is."""
        for visitor in list(self._lines):
            if not self._free:
                return
            line = self._lines[visitor]
            if not line or self._at_work[visitor] >= AT_WORK:
                continue
            asked = line.popleft()
            self._lines.move_to_end(visitor)
            self._free -= 1
            self._at_work[visitor] += 1
            running = asyncio.get_running_loop().run_in_executor(self._threads, asked.work)
            running.add_done_callback(partial(self._ended, visitor, asked))

    def _ended(self, visitor: str, asked: _Asked, ended: asyncio.Future[Any]) -> None:
        self._free += 1
        self._at_work[visitor] -= 1
        error = ended.exception()
        if not asked.done.done():
            asked.done.set_exception(error) if error else asked.done.set_result(ended.result())
        self._begin()
        self._forget(visitor)

    def _forget(self, visitor: str) -> None:
        if not self._lines.get(visitor) and not self._at_work[visitor]:
            self._lines.pop(visitor, None)
            del self._at_work[visitor]


def _step_back() -> None:
    """Linux gives each thread a priority of its own."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _STEP_BACK)


desk = Desk(os.cpu_count() or 1)


async def answered(request: Request, work: Callable[[], Any]) -> Any:
    """What is measured for a request, unless its browser leaves before its turn. Raises as `Desk.measured` does."""
    mine = asyncio.ensure_future(desk.measured(token_of(request) or network_of(request), work))
    left = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((mine, left), return_when=asyncio.FIRST_COMPLETED)
        if mine.done():
            return mine.result()
        raise Refused(TOO_MANY, "Nobody waits for this any more")
    finally:
        mine.cancel()
        left.cancel()


async def _left(request: Request) -> None:
    """Until the browser is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
