"""A room of a class: what has happened in it, kept as a journal of events, and what follows from them. No streamlit here.

The state is folded from the events and from nothing else, so a restart of the server changes nothing. An event is in the
journal before anybody hears that it happened: it outlives the server, though not a power cut. One server keeps one folder of
runs; one that ends beside its successor takes nothing away, but neither hears what the other writes.
"""

import hashlib
import hmac
import json
import math
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

from maml_core.reading import json_object
from ui.shared import learners
from ui.shared.incoming import legible

ALPHABET = "BCDGHJKMNPQRTVWX"
"""Of codes: no vowel, so that they spell nothing, and no letter that is taken for another or for a digit."""
LETTERS = 6
"""Of a new code: twelve million there are, since a right one is let in however many wrong ones come from its network."""
CODE = re.compile(rf"[{ALPHABET}]{{5,{LETTERS}}}")
"""Rooms that were opened before have five letters."""
LASTS = 24 * 3600
"""Seconds after the last thing that happened in a room until it ends by itself: the evening is left to fetch the answers."""
MAX_ROOMS = 20
"""As many classes as a school has at one time; their polls cost two cores less than one of them."""
MAX_STUDENTS = 120
"""Twice the class that the figures in the README are for: who comes back with another browser is counted again."""
MAX_NAME = 40
MAX_QUERY = 2000
"""Characters of a lab's address: forty shots and every setting."""
MAX_STEP = 10_000
MAX_JOURNAL = 8 * 2**20
"""Bytes. What a class answers comes to far less than one."""
SHARE = {"held": 1 / 2, "joined": 3 / 4, "left": 3 / 4}
"""Of it, what these may fill: neither a teacher's hand on the scrubber nor who comes and goes keeps a class from answering."""
OFF = 60
"""Seconds that the date of a journal may be off."""
MAX_OPENING = 2000
"""Bytes of a journal's first line, several times over."""

Event = Mapping[str, Any]
"""What happened: `do` says what, the rest depends on it. Nothing but JSON."""


class RoomError(ValueError):
    """Why something cannot be, in one sentence."""


class NoRoom(RoomError):
    """There is no room of this code, or not any more."""


class Student(NamedTuple):
    """Who joined, as the room knows them: the number in the order of joining, and a name or nothing."""

    number: int
    name: str
    named: bool
    """Whether they gave a name, which is done once: the teacher may have taken it away."""

    @property
    def label(self) -> str:
        """What they are called before others. Plain text."""
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

    def has_answered(self, who: str) -> bool:
        """Whether this student has answered any card."""
        return any(who in answers for answers in self.answers.values())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# What follows from an event


def begin(event: Event) -> Room:
    """The room that the first event of a journal opens. Raises RoomError if it is none."""
    try:
        if event["do"] != "opened" or not CODE.fullmatch(event["code"]) or not math.isfinite(event["at"]):
            raise RoomError("The journal of a room must begin with its opening")
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
        raise RoomError("This is not something that can happen in a room") from None
    if after is room:
        return room
    seen = event["do"] not in ("joined", "left", "vote")
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
    who, name = _text(event["who"], 64), legible(event["name"], MAX_NAME)
    before = room.students.get(who)
    if before is None and len(room.students) >= MAX_STUDENTS:
        raise RoomError(f"This room is full: it holds {MAX_STUDENTS} students")
    if before and (before.named or not name):
        return room
    number = before.number if before else 1 + max((student.number for student in room.students.values()), default=0)
    return replace(room, students=_with(room.students, who, Student(number, name, bool(name))))


def _left(room: Room, event: Event) -> Room:
    """Somebody makes room: not who has answered, since answers would then belong to nobody."""
    who = _text(event["who"], 64)
    if room.has_answered(who):
        raise RoomError("A student who has answered stays in the room")
    rest = {other: student for other, student in room.students.items() if other != who}
    return replace(room, students=MappingProxyType(rest)) if who in room.students else room


def _unnamed(room: Room, event: Event) -> Room:
    number = event["number"]
    who, student = next(((who, each) for who, each in room.students.items() if each.number == number), (None, None))
    if who is None or student is None:
        raise RoomError("There is no such student in this room")
    return replace(room, students=_with(room.students, who, student._replace(name=""))) if student.name else room


def _card(room: Room, event: Event) -> Room:
    card = _text(event["card"], 100)
    return room if card == room.card else replace(room, card=card, held=None, following=False)


def _vote(room: Room, event: Event) -> Room:
    who, card, answer = _text(event["who"], 64), _text(event["card"], 100), _text(event["answer"], 1000)
    before = room.answers.get(card, {})
    if who not in room.students:
        raise RoomError("Join the room first")
    if before.get(who) == answer:
        return room
    if who in before:
        raise RoomError("Your prediction is committed and cannot be changed")
    if card != room.card or not card:
        raise RoomError("This card is no longer open in the room")
    if card in room.revealed:
        raise RoomError("The predictions have been revealed, so no more can be given")
    return replace(room, answers=_with(room.answers, card, _with(before, who, answer)))


def _reveal(room: Room, event: Event) -> Room:
    if _text(event["card"], 100) != room.card or not room.card:
        raise RoomError("Give this card to the room before you reveal its predictions")
    return room if room.card in room.revealed else replace(room, revealed=room.revealed | {room.card})


def _follow(room: Room, event: Event) -> Room:
    if not isinstance(event["on"], bool):
        raise RoomError("Following must be true or false")
    return room if event["on"] == room.following else replace(room, following=event["on"])


def _held(room: Room, event: Event) -> Room:
    query, step = _text(event["query"], MAX_QUERY), event["step"]
    if not isinstance(step, int) or not 0 <= step <= MAX_STEP:
        raise RoomError(f"A step is a whole number from 0 to {MAX_STEP}")
    held = Held(query, int(step))
    return room if held == room.held else replace(room, held=held)


def _ended(room: Room, event: Event) -> Room:
    """What is left says to who was in it that it is over, and nothing else."""
    nameless = {who: Student(student.number, "", False) for who, student in room.students.items()}
    gone = Room(room.code, room.salt, room.secret, room.opened, MappingProxyType(nameless), ended=True)
    return replace(gone, version=room.version, news=room.news)


_RULES: dict[str, Callable[[Room, Event], Room]] = {
    "joined": _joined,
    "card": _card,
    "vote": _vote,
    "reveal": _reveal,
    "follow": _follow,
    "held": _held,
    "left": _left,
    "unnamed": _unnamed,
    "ended": _ended,
}


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise RoomError(f"One line of text with at most {most:,} characters is expected")
    return value


def _with(mapping: Mapping[str, Any], key: str, value: Any) -> Mapping[str, Any]:
    return MappingProxyType({**mapping, key: value})


def code_in(text: str) -> str:
    """The code that somebody typed, however it was written; what cannot be one gives nothing."""
    code = re.sub(r"[\s-]", "", text[:100]).upper()
    return code if CODE.fullmatch(code) else ""


# The journals


def folder() -> Path:
    """Where the journals are, one for each room."""
    return learners.runs_folder() / ".rooms"


class Standing(NamedTuple):
    """A room as the beginning of its journal has it."""

    code: str
    opened: float
    unused: bool
    """Whether nothing has happened in it."""


def open_room(now: float | None = None) -> tuple[Room, str]:
    """A new room and its teacher's secret, which is kept nowhere here. Raises RoomError if there can be no more."""
    now = time.time() if now is None else now
    secret = secrets.token_urlsafe(32)
    where = folder()
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        if len(standing()) >= MAX_ROOMS:
            raise RoomError(
                f"This server has {MAX_ROOMS} open rooms, the most that it can hold: end one that is no longer needed"
            )
        while True:
            code = _new_code()
            event = {"do": "opened", "code": code, "salt": secrets.token_hex(16), "secret": _digest(secret), "at": now}
            with suppress(FileExistsError):
                _begin_journal(code, _line(event))
                return begin(event), secret
    except OSError as error:
        raise RoomError(f"Rooms cannot be kept in {where}: {error.strerror}") from None


def _begin_journal(code: str, line: bytes) -> None:
    """Raises OSError, FileExistsError where there is such a room; nothing is left behind."""
    try:
        with _path(code).open("xb") as journal:
            journal.write(line)
    except FileExistsError:
        raise
    except OSError:
        delete(code)
        raise


def standing() -> list[Standing]:
    """The rooms there are, the oldest first; damaged journals are none. Reads the beginning of each alone: some are long."""
    found = []
    for path in folder().glob("*.jsonl"):
        with suppress(OSError, RoomError):
            found.append(_standing(path))
    return sorted(found, key=lambda room: room.opened)


def _standing(path: Path) -> Standing:
    """Raises OSError, RoomError."""
    with path.open("rb") as journal:
        first, more = journal.readline(MAX_OPENING), journal.read(1)
    room = begin(next(iter(_events(first)), {}))
    if room.code != path.stem:
        raise RoomError(f"The journal of the room {path.stem} is that of another")
    return Standing(room.code, room.opened, not more)


def _path(code: str) -> Path:
    return folder() / f"{code}.jsonl"


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
    if not CODE.fullmatch(code) or not _path(code).is_file():
        raise NoRoom(f"There is no room {code[:LETTERS]}" if code else f"A code has {LETTERS} letters from {ALPHABET}")
    try:
        content = _path(code).read_bytes()
    except OSError as error:
        raise RoomError(f"The room {code} cannot be read: {error.strerror}") from None
    room = fold(_events(content))
    if room.code != code:
        raise RoomError(f"The journal of the room {code} is that of another")
    return room


def _events(journal: bytes) -> Iterable[Event]:
    """What stands in it. A line that nobody can read, such as the last one of a server that was killed, is passed over."""
    for line in journal.splitlines():
        with suppress(ValueError):
            yield json_object(line)


def add(room: Room, event: Event) -> Room:
    """Write an event down and give what the room is then. One that changes nothing is not written.

    Raises:
        RoomError: it cannot happen in the room as it is, or cannot be kept.
    """
    after = apply(room, event)
    if after is not room:
        keep(room.code, event)
    return after


def keep(code: str, event: Event) -> None:
    """Write down an event that happened in the room of this code. Raises RoomError if it cannot be kept."""
    try:
        if event["do"] == "ended":
            return delete(code)
        # Not "ab": a journal that is gone must not begin in the middle. Two servers may write: each adds whole lines at the end.
        with open(_path(code), "r+b", buffering=0, opener=_at_the_end) as journal:
            size = journal.seek(0, os.SEEK_END)
            full = size > MAX_JOURNAL * SHARE.get(event["do"], 1)
            if full and event["do"] == "held":
                _known[_path(code)] = _Known(size, time.monotonic())
                return None  # the lab on show alone goes on, and is an older one after a restart
            if full:
                raise RoomError("This room has saved as much as it can: end it and open another")
            journal.seek(max(0, size - 1))
            torn = journal.read(1) != b"\n"  # a server ended in the middle of a line: what comes next begins one
            line = b"\n" * torn + _line(event)
            if journal.write(line) < len(line):
                journal.truncate(size)
                raise RoomError("The room cannot save this: the disk is full")
    except FileNotFoundError:
        raise NoRoom("This room was ended") from None
    except OSError as error:
        raise RoomError(f"The room cannot save this: {error.strerror}") from None


def _at_the_end(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_APPEND)


def delete(code: str) -> None:
    """Delete the journal of the room of this code. Raises OSError."""
    _path(code).unlink(missing_ok=True)
    _known.pop(_path(code), None)


def _line(event: Event) -> bytes:
    return json.dumps(event, allow_nan=False).encode() + b"\n"


# How old they are


class _Known(NamedTuple):
    """A journal as this server knows it."""

    size: int
    """Bytes. It grows with every event."""
    since: float
    """When it last did, on the clock that nobody sets."""


_known: dict[Path, _Known] = {}


def age(code: str) -> float:
    """Seconds since anything happened in the room of this code.

    They are counted on the clock that nobody sets. What was before this server first saw the journal, the other clocks say, and
    the one that says least is believed: nothing is deleted because a clock was wrong, or was set right.
    """
    path, now = _path(code), time.monotonic()
    known = _known.get(path)
    with suppress(OSError):  # a journal that is gone grows no more
        size = path.stat().st_size
        if known is None:
            known = _Known(size, now - _age_by_date(path))
        elif known.size != size:
            known = _Known(size, now)
        _known[path] = known
    return now - known.since if known else 0.0


def _age_by_date(path: Path) -> float:
    """Raises OSError."""
    dates, now = [path.stat().st_mtime], time.time()
    with suppress(RoomError):
        dates.append(_standing(path).opened)
    return min((now - date for date in dates if date <= now), default=0.0)  # a date to come is of a clock that was wrong


def sweep() -> None:
    """Delete the journals in which nothing has happened for a day, damaged ones too.

    The others are dated by their age, so that a server that starts later is not misled where the clock was set meanwhile.
    """
    for path in folder().glob("*.jsonl"):
        with suppress(OSError):
            quiet = age(path.stem)
            if quiet > LASTS:
                delete(path.stem)
            elif abs(time.time() - quiet - path.stat().st_mtime) > OFF:
                os.utime(path, (time.time() - quiet,) * 2)
