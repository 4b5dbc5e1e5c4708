"""A room of a class: what has happened in it, kept as a journal of events, and what follows from them. No streamlit here.

The state is folded from the events and from nothing else, so a restart of the server changes nothing. An event is in the
journal before anybody hears that it happened: it outlives the server, though not a power cut.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ui import library
from ui.incoming import legible

ALPHABET = "BCDGHJKMNPQRTVWX"
"""Of codes: no vowel, so that they spell nothing, and no letter that is taken for another or for a digit."""
LETTERS = 5
CODE = re.compile(rf"[{ALPHABET}]{{{LETTERS}}}")
LASTS = 24 * 3600
"""Seconds until a room ends by itself: a school day, and the evening after it to fetch the answers."""
MAX_ROOMS = 20
"""As many classes as a school has at one time; their polls cost two cores less than one of them."""
UNUSED = 3600
"""Seconds after which a room that nobody has joined gives way to a new one, where there can be no more."""
MAX_STUDENTS = 120
"""Twice the class that the figures in the README are for: who comes back with another browser is counted again."""
MAX_NAME = 40
MAX_QUERY = 2000
"""Characters of a lab's address: forty shots and every setting."""
MAX_STEP = 10_000
MAX_JOURNAL = 8 * 2**20
"""Bytes. What a class answers comes to far less than one; the rest is for a teacher's hand on the scrubber."""

Event = Mapping[str, Any]
"""What happened: `do` says what, the rest depends on it. Nothing but JSON."""


class RoomError(ValueError):
    """Why something cannot be, in one sentence."""


class NoRoom(RoomError):
    """There is no room of this code, or not any more."""


class Student(NamedTuple):
    """Who joined, as the room knows him: the number in the order of joining, and a name or nothing."""

    number: int
    name: str

    @property
    def label(self) -> str:
        """What he is called before others. Plain text."""
        return self.name or f"student {self.number}"


class Held(NamedTuple):
    """The lab that everybody is shown: its settings as an address has them, and the step."""

    query: str
    step: int


@dataclass(frozen=True)
class Room:
    """One room at one moment."""

    code: str
    salt: str
    secret: str
    """The digest of the teacher's."""
    opened: float
    """Seconds since 1970."""
    students: Mapping[str, Student] = field(default_factory=lambda: MappingProxyType({}))
    """By what the room knows them by, in the order of joining."""
    card: str = ""
    """The card that is put to the room, or nothing."""
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Card -> student -> the answer committed, as text."""
    revealed: frozenset[str] = frozenset()
    """The cards whose tally everybody has seen. They take no more answers."""
    following: bool = False
    held: Held | None = None
    ended: bool = False
    version: int = 0
    """Grows with every event."""
    news: int = 0
    """Grows with the events that every student is shown."""

    def knows(self, token: str) -> str:
        """What this room knows the browser with this cookie by: no other room knows it by the same, and none knows the cookie."""
        return hmac.new(self.salt.encode(), token.encode(), hashlib.sha256).hexdigest()[:24]

    def is_teacher(self, secret: str) -> bool:
        """Whether this is the teacher's secret."""
        return hmac.compare_digest(_digest(secret), self.secret)

    def is_over(self, now: float) -> bool:
        """Whether it was ended, or ends by itself now."""
        return self.ended or now > self.opened + LASTS


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# What follows from an event


def begin(event: Event) -> Room:
    """The room that the first event of a journal opens. Raises RoomError if it is none."""
    try:
        if event["do"] != "opened" or not CODE.fullmatch(event["code"]):
            raise RoomError("A room begins with its opening")
        return Room(event["code"], str(event["salt"]), str(event["secret"]), float(event["at"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise RoomError("The opening of this room cannot be read") from None


def apply(room: Room, event: Event) -> Room:
    """What the room is after an event. The same room, itself, if it changes nothing.

    Raises:
        RoomError: this cannot happen in the room as it is.
    """
    if room.ended:
        raise NoRoom("This room was ended")
    try:
        after = _RULES[event["do"]](room, event)
    except (KeyError, TypeError, AttributeError):
        raise RoomError("This is nothing that can happen in a room") from None
    if after is room:
        return room
    seen = event["do"] not in ("joined", "vote")
    return replace(after, version=room.version + 1, news=room.news + seen)


def fold(events: Iterable[Event]) -> Room:
    """The room that these events lead to; those that cannot be are passed over. Raises RoomError if the first opens none."""
    events = iter(events)
    room = begin(next(events, {}))
    for event in events:
        with suppress(RoomError):
            room = apply(room, event)
    return room


def _joined(room: Room, event: Event) -> Room:
    who, name = _text(event["who"], 64), legible(event["name"])[:MAX_NAME].strip()
    before = room.students.get(who)
    if before is None and len(room.students) >= MAX_STUDENTS:
        raise RoomError(f"This room has {MAX_STUDENTS} students, as many as it can hold")
    if before and (before.name or not name):  # a name is given once
        return room
    return replace(room, students=_with(room.students, who, Student(before.number if before else len(room.students) + 1, name)))


def _card(room: Room, event: Event) -> Room:
    card = _text(event["card"], 100)
    return room if card == room.card else replace(room, card=card, held=None)


def _vote(room: Room, event: Event) -> Room:
    who, card, answer = _text(event["who"], 64), _text(event["card"], 100), _text(event["answer"], 1000)
    before = room.answers.get(card, {})
    if who not in room.students:
        raise RoomError("Join the room first")
    if before.get(who) == answer:
        return room
    if who in before:
        raise RoomError("Your answer is committed and stays as it is")
    if card != room.card or not card:
        raise RoomError("This question is not before the room any more")
    if card in room.revealed:
        raise RoomError("The answers have been revealed: no more can be given")
    return replace(room, answers=_with(room.answers, card, _with(before, who, answer)))


def _reveal(room: Room, event: Event) -> Room:
    if _text(event["card"], 100) != room.card or not room.card:
        raise RoomError("Put this card to the room before you reveal its answers")
    return room if room.card in room.revealed else replace(room, revealed=room.revealed | {room.card})


def _follow(room: Room, event: Event) -> Room:
    if not isinstance(event["on"], bool):
        raise RoomError("Following is on or off: true or false")
    return room if event["on"] == room.following else replace(room, following=event["on"])


def _held(room: Room, event: Event) -> Room:
    query, step = _text(event["query"], MAX_QUERY), event["step"]
    if not isinstance(step, int) or not 0 <= step <= MAX_STEP:
        raise RoomError(f"A step is a whole number from 0 to {MAX_STEP}")
    held = Held(query, int(step))
    return room if held == room.held else replace(room, held=held)


_RULES: dict[str, Callable[[Room, Event], Room]] = {
    "joined": _joined,
    "card": _card,
    "vote": _vote,
    "reveal": _reveal,
    "follow": _follow,
    "held": _held,
    "ended": lambda room, event: replace(room, ended=True),
}


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise RoomError(f"One line of text with at most {most:,} characters is expected")
    return value


def _with(mapping: Mapping[str, Any], key: str, value: Any) -> Mapping[str, Any]:
    return MappingProxyType({**mapping, key: value})


def code_in(text: str) -> str:
    """The code that somebody typed, however he wrote it; nothing that could be one gives nothing."""
    code = re.sub(r"[\s-]", "", text[:100]).upper()
    return code if CODE.fullmatch(code) else ""


# The journals


def folder() -> Path:
    """Where the journals are, one for each room."""
    return library.runs_folder() / ".rooms"


def open_room(now: float | None = None) -> tuple[Room, str]:
    """A new room and its teacher's secret, which is kept nowhere here. Raises RoomError if there can be no more."""
    now = time.time() if now is None else now
    secret = secrets.token_urlsafe(32)
    where = folder()
    try:
        where.mkdir(parents=True, exist_ok=True)
        if len(list(where.glob("*.jsonl"))) >= MAX_ROOMS and not _make_way(now):
            raise RoomError(f"This server has {MAX_ROOMS} open rooms, as many as it can hold: end one that is over")
        while True:
            code = _new_code()
            event = {"do": "opened", "code": code, "salt": secrets.token_hex(16), "secret": _digest(secret), "at": now}
            with suppress(FileExistsError), (where / f"{code}.jsonl").open("xb") as journal:
                journal.write(_line(event))
                return begin(event), secret
    except OSError as error:
        raise RoomError(f"Rooms cannot be kept in {where}: {error.strerror}") from None


def _make_way(now: float) -> bool:
    """End the oldest of the rooms that nobody uses, and say whether there was one."""
    unused = []
    for path in folder().glob("*.jsonl"):
        with suppress(RoomError):
            room = find(path.stem)
            if not room.students and now > room.opened + UNUSED:
                unused.append((room.opened, path))
    if unused:
        min(unused)[1].unlink(missing_ok=True)
    return bool(unused)


def _new_code() -> str:
    """At random; no letter twice in a row, which is hard to read out and to type."""
    code = secrets.choice(ALPHABET)
    while len(code) < LETTERS:
        code += secrets.choice(ALPHABET.replace(code[-1], ""))
    return code


def find(code: str) -> Room:
    """The room of this code as its journal has it.

    Raises:
        NoRoom: there is none (any more).
        RoomError: it cannot be read.
    """
    path = folder() / f"{code}.jsonl"
    if not CODE.fullmatch(code) or not path.is_file():
        raise NoRoom(f"There is no room {code[:LETTERS]}" if code else "A code has five letters, such as those on the board")
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):  # a server ended in the middle of it: what comes next begins a line
            with path.open("ab") as journal:
                journal.write(b"\n")
    except OSError as error:
        raise RoomError(f"The room {code} cannot be read: {error.strerror}") from None
    room = fold(_events(content))
    if room.code != code:
        raise RoomError(f"The journal of the room {code} is that of another")
    return room


def _events(journal: bytes) -> Iterable[Event]:
    """What stands in it. A line that nobody can read, such as the last one of a server that was killed, is passed over."""
    for line in journal.splitlines():
        with suppress(ValueError, RecursionError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


def add(room: Room, event: Event) -> Room:
    """Write an event down and give what the room is then. One that changes nothing is not written.

    Raises:
        RoomError: it cannot happen in the room as it is, or cannot be kept.
    """
    after = apply(room, event)
    if after is room:
        return room
    path = folder() / f"{room.code}.jsonl"
    try:
        if after.ended:
            path.unlink(missing_ok=True)
            return after
        with path.open("r+b", buffering=0) as journal:  # not "ab": a journal that is gone must not begin in the middle
            size, line = journal.seek(0, os.SEEK_END), _line(event)
            if size < MAX_JOURNAL:
                if journal.write(line) < len(line):
                    journal.truncate(size)
                    raise RoomError("The room cannot keep this: the disk is full")
            elif event["do"] != "held":  # the lab on show alone goes on, and is an older one after a restart
                raise RoomError("This room has kept as much as it can: end it and open another")
    except FileNotFoundError:
        raise NoRoom("This room was ended") from None
    except OSError as error:
        raise RoomError(f"The room cannot keep this: {error.strerror}") from None
    return after


def _line(event: Event) -> bytes:
    return json.dumps(event, allow_nan=False).encode() + b"\n"


def sweep(now: float | None = None) -> list[str]:
    """Delete the journals of the rooms whose day is over, damaged ones too, and give the codes of those that are left."""
    now = time.time() if now is None else now
    left = []
    for path in sorted(folder().glob("*.jsonl")):
        with suppress(OSError):
            try:
                over = find(path.stem).is_over(now)
            except RoomError:
                over = now > path.stat().st_mtime + LASTS
            if over:
                path.unlink()
            else:
                left.append(path.stem)
    return left
