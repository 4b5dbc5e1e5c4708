"""A room of a class, as it is at one moment. Pure: what leads to it, events.py says.

No streamlit here.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

ALPHABET = "BCDGHJKMNPQRTVWX"
"""Of codes: no vowel, so that they spell nothing, and no letter that is taken for another or for a digit."""
LETTERS = 6
"""Of a new code: twelve million there are, since a right one is let in however many wrong ones come from its network."""
CODE = re.compile(rf"[{ALPHABET}]{{5,{LETTERS}}}")
"""Rooms that were opened before have five letters."""
MAX_STUDENTS = 120
"""Twice the class that the figures in the README are for: who comes back with another browser is counted again."""
MAX_CODES = 30
"""That a room has one after the other: none of them is another room’s as long as it lasts."""
MAX_NAME = 40
FULL = f"This room is full: it holds {MAX_STUDENTS} students. Ask your teacher to remove who should not be there"


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
    network: str = ""
    """What the room knows the network by from which they joined; nothing where that was not written down."""
    at: float = 0
    """When they joined, in seconds since 1970."""

    @property
    def label(self) -> str:
        """What they are called before others. Plain text."""
        return self.name or f"student {self.number}"


class Removed(NamedTuple):
    """A student whom the teacher has removed, with what it takes to have them back."""

    student: Student
    answers: Mapping[str, str]
    """Card -> the answer that they had committed."""
    code: str
    """The room's at that time. With a later one they may join anew."""
    act: int
    """The same for those who were removed together."""


class Held(NamedTuple):
    """The lab that everybody is shown: its settings as an address has them, and the step."""

    query: str
    step: int


@dataclass(frozen=True)
class Room:
    """One room at one moment."""

    codes: tuple[str, ...]
    """All that it has had, the one on the board at the end."""
    salt: str
    secret: str
    """The digest of the teacher's."""
    opened: float
    """Seconds since 1970."""
    students: Mapping[str, Student] = field(default_factory=lambda: MappingProxyType({}))
    """By what the room knows them by, in the order of joining."""
    removed: Mapping[str, Removed] = field(default_factory=lambda: MappingProxyType({}))
    """Likewise, in the order of being removed."""
    closed: bool = False
    """Whether nobody new can join."""
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
    recounts: int = 0
    """Grows when answers that were committed go or come back."""

    @property
    def code(self) -> str:
        """The one that newcomers join by."""
        return self.codes[-1]

    @property
    def opened_as(self) -> str:
        """The code that its journal is called by."""
        return self.codes[0]

    @property
    def is_full(self) -> bool:
        """Whether nobody else can join."""
        return len(self.students) >= MAX_STUDENTS

    def knows(self, token: str) -> str:
        """What this room knows the browser with this cookie by: no other room knows it by the same, and none knows the cookie."""
        return hmac.new(self.salt.encode(), token.encode(), hashlib.sha256).hexdigest()[:24]

    def network(self, address: str) -> str:
        """What it knows a network by: enough to tell a few apart, too little to find the address again."""
        return hmac.new(self.salt.encode(), address.encode(), hashlib.sha256).hexdigest()[:4]

    def check_door(self, who: str, code: str) -> None:
        """Raises RoomError if somebody who is not in this room cannot join it by this code now, whether or not it is full."""
        if code != self.code:
            raise NoRoom(no_longer(code))
        if who in self.removed and self.removed[who].code == self.code:
            raise RoomError("The teacher has removed you from this room. Ask for a new code to join again")
        if self.closed:
            raise RoomError("The door of this room is closed. Ask your teacher to open it")

    def is_teacher(self, secret: str) -> bool:
        """Whether this is the teacher's secret."""
        return hmac.compare_digest(digest(secret), self.secret)

    def has_answered(self, who: str) -> bool:
        """Whether this student has answered any card."""
        return any(who in answers for answers in self.answers.values())


def no_longer(code: str) -> str:
    """Why nobody joins by a code that a room has no more."""
    return f"The code {code} is no longer used. Ask your teacher for the new one"


def digest(secret: str) -> str:
    """What is kept of a teacher's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def code_in(text: str) -> str:
    """The code that somebody typed, however it was written; what cannot be one gives nothing."""
    code = re.sub(r"[\s-]", "", text[:100]).upper()
    return code if CODE.fullmatch(code) else ""
