"""What a student and a teacher are told of their room. No streamlit here."""

from typing import Any

from starlette.requests import Request

from ui.classroom.live import Live
from ui.classroom.reach import reach
from ui.classroom.who import Visit


def for_student(visit: Visit, has: str) -> dict[str, Any]:
    room = visit.live.room
    student = room.students.get(visit.who)
    if student is None:
        return {"version": visit.version, "room": room.code, "ended": room.ended, "joined": False}
    return {
        "version": visit.version,
        "room": room.code,
        "ended": room.ended,
        "joined": True,
        "number": student.number,
        "name": student.name,
        "named": student.named,
        "mine": room.answers.get(room.card, {}).get(visit.who),
        **_everybody(visit.live, has),
    }


def _everybody(live: Live, has: str) -> dict[str, Any]:
    """has: the card whose tally the browser has already. It is large."""
    room = live.room
    revealed = room.card in room.revealed
    return {
        "card": room.card,
        "revealed": revealed,
        "following": room.following,
        "held": room.held._asdict() if room.held and room.following else None,
    } | ({"tally": live.tally(room.card)} if revealed and has != room.card else {})


def for_teacher(visit: Visit, has: str, request: Request) -> dict[str, Any]:
    room = visit.live.room
    answers = room.answers.get(room.card, {})
    host = request.url.hostname or ""
    return {
        "version": visit.version,
        "room": room.code,
        "ended": room.ended,
        "teaches": True,
        "students": len(room.students),
        "answered": len(answers),
        "missing": [
            {"number": student.number, "label": student.label, "named": bool(student.name)}
            for who, student in room.students.items()
            if who not in answers and room.card
        ],
        "done": sorted(room.revealed),
        "reach": reach() if host in ("localhost", "::1") or host.startswith("127.") else None,
        **_everybody(visit.live, has),
    }
