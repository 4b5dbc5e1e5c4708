"""Who asks, and for which room: a teacher by a secret, a student by a cookie; and how many strangers are let in at once.

No streamlit here.
"""

from contextlib import suppress
from typing import NamedTuple

from starlette.requests import Request

from ui.classroom import journal, live
from ui.classroom.line import Line
from ui.classroom.live import Live
from ui.classroom.room import NoRoom, RoomError, code_in, no_longer
from ui.shared import visitors
from ui.shared.incoming import Refused

SECRET = "x-teacher"
"""The header that carries the teacher's secret. An address would end up in a log or on the projector."""
NO_TEACHER = "This is not this room’s teacher address"
misses = Line(40, 6)
"""Wrong codes: a class may mistype. Who tries all twelve million from one address, twenty at a time, is at it for 70 days."""
openings = Line(5, 300)
newcomers = Line(60, 2)
"""Students who join a room for the first time: a class behind one address comes at once."""


class Visit(NamedTuple):
    """Somebody at the door of a room or in it."""

    live: Live
    who: str
    """What the room knows them by; nothing for a browser without a cookie."""
    teaches: bool
    code: str
    """The one that they came by, perhaps one that the room has no more."""

    @property
    def inside(self) -> bool:
        """Whether they are in the room already."""
        return self.teaches or self.who in self.live.room.students

    @property
    def is_removed(self) -> bool:
        """Whether the teacher has removed them, and they did not come by a code that the room was given since."""
        removed = self.live.room.removed.get(self.who)
        return removed is not None and not self.code == self.live.room.code != removed.code

    @property
    def is_known(self) -> bool:
        """Whether they may wait for news: who is inside, and who may be taken back in."""
        return self.inside or self.is_removed

    @property
    def version(self) -> str:
        """Grows when what they are shown changes: a student's own answer and name too, which may come from any tab."""
        room = self.live.room
        student = room.students.get(self.who)
        own = (self.who in room.answers.get(room.card, {})) + bool(student and student.named)
        return f"{room.news}.{room.version if self.teaches else own}"


async def visit_of(request: Request, code: str) -> Visit:
    """Who asks. Raises Refused for a code or a secret that is none: one that the room has no more is good for who is in it alone.

    At an address from which many of these came, whoever is not in a room yet waits for the answer. A right code waits as long as
    a wrong one, and is always let in: so guessing is slow, and keeps nobody out.
    """
    secret, token, address = request.headers.get(SECRET, ""), visitors.token_of(request), visitors.network_of(request)
    code, why = code_in(code), ""
    try:
        found = live.find(code)
    except NoRoom as error:
        why = f"{error}. Check the code; a room ends after a day without use."
    else:
        who = found.room.knows(token) if token else ""
        visit = Visit(found, who, bool(secret) and found.room.is_teacher(secret), code)
        if visit.teaches or (visit.is_known and not secret):
            return visit
        if visit.is_known:
            raise Refused(403, NO_TEACHER)
        if code != found.room.code:
            why = f"{no_longer(code)}."
    await misses.wait(address)
    if why:
        misses.take(address)
        raise Refused(404, why)
    if secret:
        misses.take(address)
        raise Refused(403, NO_TEACHER)
    return visit


def withholds(token: str, card: str) -> bool:
    """Whether a student with this token is in a room, or removed from it, that still waits for predictions on this card."""
    if not token:
        return False
    for standing in journal.standing():
        with suppress(RoomError):
            room = live.find(standing.code).room
            who = room.knows(token)
            if room.card == card and card not in room.revealed and (who in room.students or who in room.removed):
                return True
    return False


async def taught_by(request: Request, code: str) -> Visit:
    """The teacher's visit. Raises Refused for anybody else."""
    visit = await visit_of(request, code)
    if not visit.teaches:
        raise Refused(403, "Only the teacher of this room can do this")
    return visit
