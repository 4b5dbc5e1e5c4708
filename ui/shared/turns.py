"""Turns: whose work is done next, at three desks: for what answers, what draws pages, and what measures. No streamlit here.

What answers a click, a vote, a page or a file never waits behind what measures, whose threads are few and step back for all
others. At a desk one visitor has few pieces of work at a time and few more waiting; who asks for still more is told to ask again
soon, which a page does quietly. Turns go round by visitor, and every other one is for somebody who has a page open: a name of
one's own costs nothing here, a page does. What nobody waits for any more is not begun, and what measures ends at the next
`go_on`.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, NamedTuple, Self

from starlette.requests import Request

from ui.shared import visitors
from ui.shared.incoming import Refused

WAITING = 8
"""What waits of one visitor at most: a page of maps asks for as many at once."""
NAMELESS = 100
"""What waits at most of all browsers of a network that keep no cookies: a class that has the app in a frame."""
ALL_WAITING = 200
"""How much waits in all before nobody may have more than one piece waiting: of those who have a page open, and of the others."""
TOO_MANY = 429
"""The status of a refusal: a page asks again by itself."""
AGAIN = 1.5
"""Seconds until a page's own script asks again."""
REST, LONGEST_REST = 2, 0.1
"""Times as long as a page took to draw, or seconds, until its visitor's next turn: telling of it keeps the event loop busy."""
_LOOK = 0.2
"""Seconds between two looks whether a page's script still waits."""
_STEP_BACK = 10
"""How much lower the priority of a measuring thread is, where a thread can have one of its own."""


class Visitor(NamedTuple):
    """Who asks."""

    name: str
    is_here: bool
    """Whether they have a page open."""
    waiting: int = WAITING

    @classmethod
    def of(cls, request: Request) -> Self:
        """By the browser's cookie, or by its network where it keeps none."""
        token = visitors.token_of(request)
        return cls.named(token, visitors.is_here(token)) if token else cls.nameless(visitors.network_of(request), False)

    @classmethod
    def named(cls, token: str, is_here: bool) -> Self:
        """The browser of this cookie."""
        return cls(f"cookie {token}", is_here)

    @classmethod
    def nameless(cls, network: str, is_here: bool) -> Self:
        """All browsers of a network that keep no cookies."""
        return cls(f"network {network}", is_here, NAMELESS)


class _Asked:
    """A piece of work, what comes of it, and whether somebody waits for that."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.done: Future[Any] = Future()
        self.is_wanted = True


class Desk:
    """Where work is asked for, by any thread."""

    def __init__(self, name: str, threads: int, at_work: int, step_back: bool = False) -> None:
        """threads: what is done at a time in all; at_work: of one visitor."""
        self.threads, self.at_work = threads, at_work
        self._pool = ThreadPoolExecutor(threads, name, _step_back if step_back else None)
        self._free = threads
        self._rings: tuple[OrderedDict[str, deque[_Asked]], ...] = OrderedDict(), OrderedDict()
        """Of those who have a page open, and of the others: whose turn is next stands first."""
        self._next_ring = 0
        self._at_work: Counter[str] = Counter()
        self._lock = threading.Lock()

    def ask(self, visitor: Visitor, work: Callable[[], Any]) -> Future[Any]:
        """What `work()` will give, when it is its turn. Raises Refused where too much is asked for."""
        return self._ask(visitor, work).done

    async def done(self, visitor: Visitor, work: Callable[[], Any]) -> Any:
        """What `work()` gives, unless who waits for it is cancelled before. Raises what it raises, and as `ask` does."""
        asked = self._ask(visitor, work)
        try:
            return await asyncio.wrap_future(asked.done)
        finally:
            asked.is_wanted = False
            self._leave(visitor, asked)

    def _ask(self, visitor: Visitor, work: Callable[[], Any]) -> _Asked:
        asked = _Asked(work)
        with self._lock:
            ring = self._rings[not visitor.is_here]
            waiting = len(ring.get(visitor.name, ()))
            if waiting >= visitor.waiting or (waiting and sum(map(len, ring.values())) >= ALL_WAITING):
                raise Refused(TOO_MANY, "Too much is being asked for at once: try again in a moment")
            ring.setdefault(visitor.name, deque()).append(asked)
            self._begin()
        return asked

    def _leave(self, visitor: Visitor, asked: _Asked) -> None:
        with self._lock, contextlib.suppress(KeyError, ValueError):  # it has begun
            self._rings[not visitor.is_here][visitor.name].remove(asked)
            self._forget(visitor.name)

    def _begin(self) -> None:
        """Give what is free to those whose turn it is."""
        while self._free and (found := self._next()):
            name, asked = found
            self._free -= 1
            self._at_work[name] += 1
            self._pool.submit(self._do, name, asked)
            self._forget(name)

    def _next(self) -> tuple[str, _Asked] | None:
        """What is next, and whose it is."""
        for at in (self._next_ring, 1 - self._next_ring):
            ring = self._rings[at]
            for name, line in ring.items():
                if self._at_work[name] < self.at_work:
                    self._next_ring = 1 - at
                    ring.move_to_end(name)
                    return name, line.popleft()
        return None

    def _do(self, name: str, asked: _Asked) -> None:
        _now.asked = asked
        tell: Callable[[], object] | None = None
        try:
            if asked.done.set_running_or_notify_cancel():
                tell = partial(asked.done.set_result, asked.work())
        except BaseException as error:
            tell = partial(asked.done.set_exception, error)
        del _now.asked
        with self._lock:
            self._free += 1
            self._at_work[name] -= 1
            self._begin()
            self._forget(name)
        if tell:
            tell()

    def _forget(self, name: str) -> None:
        for ring in self._rings:
            if not ring.get(name):
                ring.pop(name, None)
        if not self._at_work[name]:
            del self._at_work[name]


def _step_back() -> None:
    """Linux gives each thread a priority of its own."""
    with contextlib.suppress(AttributeError, OSError):
        this = os.PRIO_PROCESS, threading.get_native_id()
        os.setpriority(*this, min(os.getpriority(*this) + _STEP_BACK, 19))


answering = Desk("answering", 2, 1)
measuring = Desk("measuring", os.cpu_count() or 1, 2, step_back=True)
drawing = Desk("drawing", 8, 1)

_now = threading.local()


def go_on(*_: object) -> None:
    """To be called now and then by what takes long. Raises Refused, which ends it, where nobody waits for it any more."""
    asked = getattr(_now, "asked", None)
    if asked and not asked.is_wanted:
        raise Refused(TOO_MANY, "Nobody waits for this any more")


# One of several that ask for the same at once measures, and the others find it in the cache; locks are shared by what happens to
# have the same hash.
_same = [threading.Lock() for _ in range(64)]


def once(measure: Callable[..., Any], *asked: Any) -> Any:
    """What a cached function measures of `asked`, once for all who ask at the same time. It may not itself measure by this."""
    with _same[hash(asked) % len(_same)]:
        go_on()
        return measure(*asked)


async def answered(request: Request, work: Callable[[], Any], desk: Desk) -> Any:
    """What is done for a request, unless its browser leaves before. Raises as `Desk.done` does."""
    mine = asyncio.ensure_future(desk.done(Visitor.of(request), work))
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


Meanwhile = Callable[[], object]


class Place:
    """A visitor's turn at the desk where pages are drawn, by a script that has a thread of its own."""

    def __init__(self, visitor: Visitor, meanwhile: Meanwhile = lambda: None) -> None:
        """meanwhile: as `in_turn` has it."""
        self._visitor, self._meanwhile = visitor, meanwhile

    def __enter__(self) -> None:
        begun, self._over = threading.Event(), threading.Event()
        asked = _patiently(drawing, self._visitor, partial(_keep, begun, self._over), self._meanwhile)
        try:
            while not begun.wait(_LOOK):
                self._meanwhile()
        except BaseException:
            self._over.set()
            drawing._leave(self._visitor, asked)
            raise
        _now.place = self

    def __exit__(self, *_: object) -> None:
        _now.place = None
        self._over.set()


def _keep(begun: threading.Event, over: threading.Event) -> None:
    began = time.monotonic()
    begun.set()
    over.wait()
    time.sleep(min(REST * (time.monotonic() - began), LONGEST_REST))


def in_turn(visitor: Visitor, work: Callable[[], Any], meanwhile: Meanwhile = lambda: None) -> Any:
    """What a page's script measures for a visitor, when it is their turn. Others may draw meanwhile.

    meanwhile: called now and then until it is done. What that raises ends the work, and is raised.
    """
    at: Place | None = getattr(_now, "place", None)
    if at:
        at.__exit__()
    try:
        asked = _patiently(measuring, visitor, work, meanwhile)
        try:
            while not wait([asked.done], _LOOK).done:
                meanwhile()
            return asked.done.result()
        finally:
            asked.is_wanted = False
            measuring._leave(visitor, asked)
    finally:
        if at:
            at.__enter__()


def _patiently(desk: Desk, visitor: Visitor, work: Callable[[], Any], meanwhile: Meanwhile) -> _Asked:
    while True:
        try:
            return desk._ask(visitor, work)
        except Refused:
            meanwhile()
            time.sleep(AGAIN)
