"""What can happen in a room, and what it is after that. Pure: folded from events and from nothing else.

No streamlit here.
"""

import math
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ui.classroom.room import (
    ALPHABET,
    CODE,
    FULL,
    LETTERS,
    MAX_CODES,
    MAX_NAME,
    MAX_STUDENTS,
    Held,
    NoRoom,
    Removed,
    Room,
    RoomError,
    Student,
)
from ui.shared.incoming import legible

MAX_QUERY = 2000
"""Characters of a lab's address: forty shots and every setting."""
MAX_STEP = 10_000
MAX_TIME = 1e11
"""Seconds since 1970: three thousand years."""
NO_SUCH = "There is no such student in this room"
QUIET = frozenset({"joined", "left", "vote", "door"})
"""What may happen without news for every student."""
Event = Mapping[str, Any]
"""What happened: `do` says what, the rest depends on it. Nothing but JSON."""


def begin(event: Event) -> Room:
    """The room that the first event of a journal opens. Raises RoomError if it is none."""
    try:
        if event["do"] != "opened" or not CODE.fullmatch(event["code"]) or not math.isfinite(event["at"]):
            raise RoomError("The journal of a room must begin with its opening")
        return Room((event["code"],), str(event["salt"]), str(event["secret"]), float(event["at"]))
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
    seen = event["do"] not in QUIET
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
    if before is None:
        room.check_door(who, room.code)
        student = Student(1 + max(_numbers_given(room), default=0), name, bool(name), *_arrival(event))
        if room.is_full:
            raise RoomError(FULL)
        return replace(room, students=_with(room.students, who, student), removed=_without(room.removed, [who]))
    if before.named or not name:
        return room
    return replace(room, students=_with(room.students, who, before._replace(name=name, named=True)))


def _numbers_given(room: Room) -> list[int]:
    return [student.number for student in (*room.students.values(), *(each.student for each in room.removed.values()))]


def _arrival(event: Event) -> tuple[str, float]:
    """From where and when somebody came; journals of before do not say it."""
    network, at = _text(event.get("network", ""), 16), event.get("at", 0)
    if not isinstance(at, int | float) or not abs(at) < MAX_TIME:
        raise RoomError("A time is a number of seconds since 1970")
    return network, float(at)


def _left(room: Room, event: Event) -> Room:
    """Somebody makes room: not who has answered, since answers would then belong to nobody."""
    who = _text(event["who"], 64)
    if room.has_answered(who):
        raise RoomError("A student who has answered stays in the room")
    return replace(room, students=_without(room.students, [who])) if who in room.students else room


def _removed(room: Room, event: Event) -> Room:
    """The teacher removes students, and with them their answers."""
    numbers = _numbers(event, room)
    gone = {who: student for who, student in room.students.items() if student.number in numbers}
    if not gone:
        return room
    kept = {
        who: Removed(
            student,
            MappingProxyType({card: given[who] for card, given in room.answers.items() if who in given}),
            room.code,
            room.version,
        )
        for who, student in gone.items()
    }
    return replace(
        room,
        students=_without(room.students, gone),
        removed=MappingProxyType({**room.removed, **kept}),
        answers=MappingProxyType({card: _without(given, gone) for card, given in room.answers.items()}),
        recounts=room.recounts + 1,
    )


def _restored(room: Room, event: Event) -> Room:
    """Students whom the teacher has removed are back, with their answers."""
    numbers = _numbers(event, room)
    back = {who: each for who, each in room.removed.items() if each.student.number in numbers}
    if not back:
        return room
    if len(room.students) + len(back) > MAX_STUDENTS:
        raise RoomError(f"This room holds {MAX_STUDENTS} students: remove others before you take these back in")
    students = {**room.students, **{who: each.student for who, each in back.items()}}
    answers = {
        card: MappingProxyType({**given, **{who: each.answers[card] for who, each in back.items() if card in each.answers}})
        for card, given in room.answers.items()
    }
    return replace(
        room,
        students=MappingProxyType(dict(sorted(students.items(), key=lambda item: item[1].number))),
        removed=_without(room.removed, back),
        answers=MappingProxyType(answers),
        recounts=room.recounts + 1,
    )


def _numbers(event: Event, room: Room) -> Container[int]:
    """The numbers of students that are, or were, in the room."""
    numbers = event["numbers"]
    if (
        not isinstance(numbers, list)
        or len(numbers) > MAX_STUDENTS
        or not any(number in numbers for number in _numbers_given(room))
    ):
        raise RoomError(NO_SUCH)
    return numbers


def _door(room: Room, event: Event) -> Room:
    if not isinstance(event["open"], bool):
        raise RoomError("A door is open or closed: true or false")
    return replace(room, closed=not event["open"]) if event["open"] == room.closed else room


def _code(room: Room, event: Event) -> Room:
    """Newcomers need another code from now on; who is in the room stays."""
    code = event["code"]
    if code == room.code:
        return room
    if not CODE.fullmatch(code) or code in room.codes:
        raise RoomError(f"A new code has {LETTERS} letters from {ALPHABET} and was not used before")
    if len(room.codes) >= MAX_CODES:
        raise RoomError(f"This room has had {MAX_CODES} codes, the most that it can have: close its door instead")
    return replace(room, codes=(*room.codes, code))


def _unnamed(room: Room, event: Event) -> Room:
    number = event["number"]
    who, student = next(((who, each) for who, each in room.students.items() if each.number == number), (None, None))
    if who is None or student is None:
        raise RoomError(NO_SUCH)
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
    gone = Room(room.codes, room.salt, room.secret, room.opened, MappingProxyType(nameless), ended=True)
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
    "removed": _removed,
    "restored": _restored,
    "door": _door,
    "code": _code,
    "ended": _ended,
}


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise RoomError(f"One line of text with at most {most:,} characters is expected")
    return value


def _with(mapping: Mapping[str, Any], key: str, value: Any) -> Mapping[str, Any]:
    return MappingProxyType({**mapping, key: value})


def _without(mapping: Mapping[str, Any], keys: Container[str]) -> Mapping[str, Any]:
    return MappingProxyType({key: value for key, value in mapping.items() if key not in keys})
