"""What a student and a teacher are told of their room. No streamlit here."""

from typing import Any

from starlette.requests import Request

from ui.classroom.arrivals import arrivals
from ui.classroom.live import Live
from ui.classroom.reach import reach
from ui.classroom.room import Removed, Room, Student
from ui.classroom.who import Visit

UNDO = 10
"""Removals that a teacher is offered to undo, the last ones."""


def for_student(visit: Visit, has: str) -> dict[str, Any]:
    room = visit.live.room
    student = room.students.get(visit.who)
    if student is None:  # whom it tells no code but the one they came by
        outside = {"version": visit.version, "room": visit.code, "ended": room.ended, "joined": False}
        return outside | ({"removed": True} if visit.is_removed else {})
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
    """has: what is `tallied` in the tally that the browser has already. It is large."""
    room = live.room
    revealed = room.card in room.revealed
    tallied = f"{room.card} {room.recounts}"
    return {
        "card": room.card,
        "revealed": revealed,
        "following": room.following,
        "held": room.held._asdict() if room.held and room.following else None,
        "tallied": tallied,
    } | ({"tally": live.tally(room.card)} if revealed and has != tallied else {})


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
        "missing": [_named(student) for who, student in room.students.items() if who not in answers and room.card],
        "people": [[_named(student) for student in together] for together in arrivals(room.students.values())],
        "removals": [[_named(each.student) for each in act] for act in _removals(room)[:UNDO]],
        "closed": room.closed,
        "done": sorted(room.revealed),
        "reach": reach() if host in ("localhost", "::1") or host.startswith("127.") else None,
        **_everybody(visit.live, has),
    }


def _named(student: Student) -> dict[str, Any]:
    return {"number": student.number, "label": student.label, "named": bool(student.name)}


def _removals(room: Room) -> list[list[Removed]]:
    """Those who were removed at once together, the last first."""
    acts: dict[int, list[Removed]] = {}
    for each in room.removed.values():
        acts.setdefault(each.act, []).append(each)
    return [acts[act] for act in sorted(acts, reverse=True)]
