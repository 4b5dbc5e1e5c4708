"""A room of a class: what can happen in it, and what it is after that. Pure: folded from events and from nothing else.

No streamlit here.
"""

import hashlib
import hmac
import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from ui.shared.incoming import legible

ALPHABET = "BCDGHJKMNPQRTVWX"
"""Of codes: no vowel, so that they spell nothing, and no letter that is taken for another or for a digit."""
LETTERS = 6
"""Of a new code: twelve million there are, since a right one is let in however many wrong ones come from its network."""
CODE = re.compile(rf"[{ALPHABET}]{{5,{LETTERS}}}")
"""Rooms that were opened before have five letters."""
MAX_STUDENTS = 120
"""Twice the class that the figures in the README are for: who comes back with another browser is counted again."""
MAX_NAME = 40
MAX_QUERY = 2000
"""Characters of a lab's address: forty shots and every setting."""
MAX_STEP = 10_000
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

    @property
    def is_full(self) -> bool:
        """Whether nobody else can join."""
        return len(self.students) >= MAX_STUDENTS

    def knows(self, token: str) -> str:
        """What this room knows the browser with this cookie by: no other room knows it by the same, and none knows the cookie."""
        return hmac.new(self.salt.encode(), token.encode(), hashlib.sha256).hexdigest()[:24]

    def is_teacher(self, secret: str) -> bool:
        """Whether this is the teacher's secret."""
        return hmac.compare_digest(digest(secret), self.secret)

    def has_answered(self, who: str) -> bool:
        """Whether this student has answered any card."""
        return any(who in answers for answers in self.answers.values())


def digest(secret: str) -> str:
    """What is kept of a teacher's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


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
    if before is None and room.is_full:
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
