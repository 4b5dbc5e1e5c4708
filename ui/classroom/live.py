"""The rooms in use: who waits for news of one, who is there, and when one ends. No streamlit here.

All of this runs on the server's one event loop, and nothing in it takes long.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from ui.classroom import journal
from ui.classroom.events import Event, apply
from ui.classroom.room import Room, RoomError
from ui.lessons import shelf
from ui.shared.incoming import Refused

TABS = 4
"""Questions of one person that wait in a room at once. The oldest is answered when there is one more."""
TEACHER = "teacher"
"""Who waits, beside the students. None of them is known by this: theirs are digests."""
SWEEP = 60
"""Seconds between two looks for rooms whose day is over, and at the date of the others."""
MOST_OPEN = 5
"""Rooms of one address that are open at once. Whoever is at the server may open all of them."""
OPENS = 2
"""Seconds that a browser has to come to the room that it opened."""
THERE = 10
"""Seconds that somebody counts as there after their last question was answered: the next one comes sooner."""
HELD = 0.5
"""Seconds between two settings of the lab that are written down while a teacher's hand is on it."""


class Live:
    """A room that is in use, and who waits for news of it."""

    def __init__(self, room: Room, address: str = "", opener: str = ""):
        self.room, self.address, self.opener = room, address, opener
        """From where it was opened and by which browser, as far as this server has seen it."""
        self.opened = time.monotonic() if address else -math.inf
        self.changed = time.monotonic()
        """When something last happened in it, as far as this server has seen it."""
        self._waiting: dict[str, list[asyncio.Future[bool]]] = {}
        self._seen: dict[str, float] = {}
        """Who -> when they were there, on the clock that nobody sets."""
        self._tallies: dict[str, dict[str, Any]] = {}
        self._unwritten: Event | None = None

    def add(self, event: Event) -> None:
        """Let something happen, and tell those whom it concerns. Raises RoomError if it cannot."""
        before, held = self.room, event["do"] == "held"
        if not held:
            self.write()
        self.room = (apply if held else journal.add)(before, event)
        if self.room is before:
            return
        self.changed = time.monotonic()
        if held:
            self._write_soon(event)
        if self.room.ended:
            self._tallies.clear()
        if self.room.recounts != before.recounts:
            self._tallies.clear()
        self.tell(() if self.room.news != before.news else (TEACHER, event.get("who", "")))

    def end(self) -> None:
        """End the room, unless it has."""
        if not self.room.ended:
            self.add({"do": "ended"})

    def _write_soon(self, event: Event) -> None:
        """Write the lab on show down when it rests, and now and then before."""
        if self._unwritten is None:
            asyncio.get_running_loop().call_later(HELD, self.write)
        self._unwritten = event

    def write(self) -> None:
        """Write down what is not. The lab on show goes on without: after a restart it is an older one."""
        event, self._unwritten = self._unwritten, None
        if event:
            with suppress(RoomError):
                journal.keep(self.room.opened_as, event)

    def tell(self, whom: Collection[str] = ()) -> None:
        """Answer those who wait: these alone, if any are given."""
        for who, asked in self._waiting.items():
            if not whom or who in whom:
                _answer(asked, True)

    def see(self, who: str) -> None:
        """Know that somebody is there."""
        self._seen[who] = time.monotonic()

    def is_there(self, who: str) -> bool:
        """Whether they wait for news, or will again in a moment."""
        return who in self._waiting or time.monotonic() < self._seen.get(who, -math.inf) + THERE

    @property
    def is_taught(self) -> bool:
        """Whether its teacher is there, or has just opened it."""
        return self.is_there(TEACHER) or time.monotonic() < self.opened + OPENS

    @property
    def is_attended(self) -> bool:
        """Whether anybody is there."""
        return self.is_taught or any(map(self.is_there, self.room.students))

    @property
    def is_over(self) -> bool:
        """Whether it was ended, or ends by itself now."""
        return self.room.ended or journal.age(self.room.opened_as) > journal.LASTS

    def free_a_place(self) -> None:
        """Where the room is full, let somebody go who is not there and has answered nothing: who was away for longest."""
        if not self.room.is_full:
            return
        idle = [who for who in self.room.students if not self.is_there(who) and not self.room.has_answered(who)]
        if idle:
            who = min(idle, key=lambda who: self._seen.get(who, -math.inf))
            self._seen.pop(who, None)
            self.add({"do": "left", "who": who})

    async def news(self, who: str, seconds: float) -> bool:
        """Wait until there is some, and say whether there is: not if it took too long, or somebody asks in too many tabs."""
        asked, mine = asyncio.get_running_loop().create_future(), self._waiting.setdefault(who, [])
        _answer(mine[: 1 - TABS], False)
        mine.append(asked)
        self.see(who)
        try:
            await asyncio.wait([asked], timeout=seconds)
            return asked.done() and asked.result()
        finally:
            self.see(who)
            mine.remove(asked)
            if not mine:
                self._waiting.pop(who, None)

    def tally(self, card: str) -> dict[str, Any] | None:
        """The answers to a card that was revealed, together; None if there is no such card (any more) or it is another."""
        if card not in self._tallies:
            try:
                lesson = shelf.find(card)
                given = self.room.answers.get(card, {}).values()
                self._tallies[card] = lesson.tally([lesson.read_answer(text) for text in given])
            except ValueError:
                return None  # its file may come back
        return self._tallies[card]


def _answer(asked: Iterable[asyncio.Future[bool]], news: bool) -> None:
    for future in asked:
        if not future.done():
            future.set_result(news)


_in_use: dict[str, Live] = {}
"""By each of the codes that a room has, or has had."""
_loop: asyncio.AbstractEventLoop | None = None
_stopping = False


def find(code: str) -> Live:
    """The room that has, or has had, this code. Raises NoRoom, RoomError."""
    if code not in _in_use and not journal.has(code):
        _read_all()
    live = _in_use.get(code) or _know(Live(journal.find(code)))
    if live.is_over:
        live.end()
    return live


def _know(live: Live) -> Live:
    """Have a room found by all its codes."""
    _in_use.update(dict.fromkeys(live.room.codes, live))
    return live


def _read_all() -> None:
    """Know the codes that rooms were given later, which no journal is called by."""
    for room in journal.standing():
        if room.code not in _in_use:
            with suppress(RoomError):
                _know(Live(journal.find(room.code)))


def change_code(live: Live) -> None:
    """Give a room a code that no other has or has had. Raises RoomError."""
    _read_all()
    live.add({"do": "code", "code": journal.new_code(_in_use)})
    _know(live)


def start() -> None:
    """Keep rooms from now on, on the event loop that runs."""
    global _loop, _stopping
    _loop, _stopping = asyncio.get_running_loop(), False
    _sweep()


def stop() -> None:
    """Answer everybody who waits, at once: a server ends when nobody waits any more. May be called from anywhere."""

    def let_go() -> None:
        global _stopping
        _stopping = True
        for live in _in_use.values():
            live.write()
            live.tell()
        journal.sweep()

    if _loop and not _loop.is_closed():
        _loop.call_soon_threadsafe(let_go)


def is_stopping() -> bool:
    """Whether the server is about to end, so that nobody may wait any more."""
    return _stopping


def _sweep() -> None:
    """End what is over, now and from time to time."""
    for code, live in list(_in_use.items()):
        with suppress(RoomError):  # a journal that cannot be deleted is tried again
            if live.is_over:
                live.end()
        if live.room.ended and time.monotonic() > live.changed + journal.LASTS:
            del _in_use[code]
    journal.sweep()
    if _loop:
        _loop.call_later(SWEEP, _sweep)


def open_room(address: str, opener: str, local: bool) -> tuple[Room, str]:
    """A new room and its teacher's secret. local: whether who opens it is at the server. Raises Refused, RoomError."""
    journal.sweep()
    _make_way(address, local)
    _read_all()
    room, secret = journal.open_room(taken=_in_use)
    _know(Live(room, address, opener))
    return room, secret


def _make_way(address: str, local: bool) -> None:
    """End a room that a new one may take the place of, where there can be no more, here or from this address.

    It is one that nobody has joined: one that its teacher has left, or else one of a browser that opened several; of these also
    one that everybody has left. The newest goes first, since who opens one after the other to keep others out has the newest.
    For who is at the server it may also be any room that its teacher has left, an empty one before others, and of these the one
    that was quiet for longest.
    Raises Refused if this address has as many as it can have, and none of these.
    """
    standing = sorted(journal.standing(), key=lambda room: journal.age(room.code))
    mine = [room for room in standing if room.code in _in_use and _in_use[room.code].address == address]
    many = not local and len(mine) >= MOST_OPEN
    if not many and len(standing) < journal.MAX_ROOMS:
        return
    rivals = mine if many else standing
    openers = Counter(_in_use[room.code].opener for room in rivals if room.code in _in_use)
    del openers[""]  # nobody knows any more who opened a room before a restart
    left = [room for room in rivals if not (room.code in _in_use and _in_use[room.code].is_taught)]
    empty = [room for room in left if not (room.code in _in_use and _in_use[room.code].is_attended)]
    several = [room for room in rivals if room.code in _in_use and openers[_in_use[room.code].opener] > 1]
    unused = [room for room in [*empty, *several] if room.unused or (room in empty and room in several)]
    for room in [*unused, *(reversed([*left, *empty]) if local else [])][:1]:
        if room.code in _in_use:
            _in_use[room.code].end()
        with suppress(OSError):
            journal.delete(room.code)
        return
    if many:
        raise Refused(
            429, f"Your network has {MOST_OPEN} rooms in use, the most that it can have: end one that is no longer needed"
        )
