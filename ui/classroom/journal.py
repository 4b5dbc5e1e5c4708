"""The rooms of a server as files: a journal of events for each, read, written, dated and deleted. No streamlit here.

A room is what its journal says, so a restart of the server changes nothing. An event is in the journal before anybody hears
that it happened: it outlives the server, though not a power cut. One server keeps one folder of runs; one that ends beside its
successor takes nothing away, but neither hears what the other writes.
"""

import json
import os
import secrets
import time
from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from maml_core.reading import json_object
from ui.classroom.events import Event, apply, begin, fold
from ui.classroom.room import ALPHABET, CODE, LETTERS, NoRoom, Room, RoomError, digest
from ui.shared.learners import runs_folder

LASTS = 24 * 3600
"""Seconds after the last thing that happened in a room until it ends by itself: the evening is left to fetch the answers."""
MAX_ROOMS = 20
"""As many classes as a school has at one time; their polls cost two cores less than one of them."""
MAX_JOURNAL = 8 * 2**20
"""Bytes. What a class answers comes to far less than one."""
SHARE = {"held": 1 / 2, "joined": 3 / 4, "left": 3 / 4}
"""Of it, what these may fill: neither a teacher's hand on the scrubber nor who comes and goes keeps a class from answering."""
OFF = 60
"""Seconds that the date of a journal may be off."""
MAX_OPENING = 2000
"""Bytes of a journal's first line, several times over."""


def folder() -> Path:
    """Where the journals are, one for each room."""
    return runs_folder() / ".rooms"


class Standing(NamedTuple):
    """A room as the beginning of its journal has it."""

    code: str
    opened: float
    unused: bool
    """Whether nothing has happened in it."""


def open_room(now: float | None = None, taken: Container[str] = ()) -> tuple[Room, str]:
    """A new room and its teacher's secret, which is kept nowhere here. Raises RoomError if there can be no more.

    taken: codes that it may not have.
    """
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
            code = new_code(taken)
            event = {"do": "opened", "code": code, "salt": secrets.token_hex(16), "secret": digest(secret), "at": now}
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


def new_code(taken: Container[str] = ()) -> str:
    """At random, none of these and of no journal; no letter twice in a row, which is hard to read out and to type."""
    code = ""
    while not code or code in taken or has(code):
        code = secrets.choice(ALPHABET)
        while len(code) < LETTERS:
            code += secrets.choice(ALPHABET.replace(code[-1], ""))
    return code


def has(code: str) -> bool:
    """Whether a room was opened with this code and has not ended."""
    return bool(CODE.fullmatch(code)) and _path(code).is_file()


def find(code: str) -> Room:
    """The room that was opened with this code, as its journal has it.

    Raises:
        NoRoom: there is none (any more).
        RoomError: it cannot be read.
    """
    if not has(code):
        raise NoRoom(f"There is no room {code[:LETTERS]}" if code else f"A code has {LETTERS} letters from {ALPHABET}")
    try:
        content = _path(code).read_bytes()
    except OSError as error:
        raise RoomError(f"The room {code} cannot be read: {error.strerror}") from None
    room = fold(_events(content))
    if room.opened_as != code:
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
        keep(room.opened_as, event)
    return after


def keep(code: str, event: Event) -> None:
    """Write down an event that happened in the room that was opened with this code. Raises RoomError if it cannot be kept."""
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
