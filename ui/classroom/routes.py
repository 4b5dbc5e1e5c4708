"""The routes by which a teacher and a class act in a room, wait for what happens in it, and take it home. No streamlit here.

A browser's question for the state of its room waits here until there is news, so that a class costs next to nothing while it
thinks. All of this runs on the server's one event loop, and nothing in it takes long.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ui.classroom import live, take_home
from ui.classroom.live import TEACHER, Live
from ui.classroom.room import MAX_NAME, NoRoom
from ui.classroom.told import for_student, for_teacher
from ui.classroom.who import newcomers, openings, taught_by, visit_of
from ui.lessons import shelf
from ui.shared import turns, visitors
from ui.shared.incoming import Refused, json_object, legible
from ui.shared.routes import route
from ui.shared.tables import csv_download

POLL = 25.0
"""Seconds that a question for the state waits at most: shorter than proxies and browsers give up."""
COALESCE = 0.25
"""Seconds that news for the teacher gather: the count of answers need not be drawn more often while a class votes."""
ANSWERED = "x-classroom"
"""A header of every answer: a refusal without it came from something in between, and says nothing about the room."""
MAX_ADDRESS = 200


def routes() -> list[Route]:
    """The routes, below /classroom."""

    def below(name: str, act: Callable[[Request], Awaitable[Response]], method: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            try:
                return await act(request)
            except NoRoom as error:
                raise Refused(404, str(error)) from None
            except OSError:  # a browser in the room asks again, where a refusal would turn it away
                raise Refused(500, "The room cannot be read or saved now") from None

        return route(f"/classroom/{name}", answer, method=method, headers={ANSWERED: "answered"})

    return [
        below("open", _open, "POST"),
        below("join", _join, "POST"),
        below("vote", _vote, "POST"),
        below("act", _act, "POST"),
        below("room.json", _room),
        below("answers.csv", _answers_csv),
        below("tally.csv", _tally_csv),
        below("qr.svg", _qr),
    ]


def _field(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise Refused(400, f"{name} is expected, as text")
    return value


async def _open(request: Request) -> Response:
    """A new room: its code, and the secret that makes the asker its teacher."""
    await json_object(request)
    address, local = visitors.network_of(request), visitors.asks_here(request)
    if not local:
        await openings.wait(address)
        openings.take(address)
    room, secret = live.open_room(address, visitors.owner(visitors.token_of(request)), local)
    return JSONResponse({"room": room.code, "secret": secret})


async def _join(request: Request) -> Response:
    """Be a student of the room: {room, name}. Whoever has joined before stays the same student."""
    asked = await json_object(request)
    visit, name = await visit_of(request, _field(asked, "room")), legible(_field(asked, "name"), MAX_NAME)
    here, who, headers = visit.live, visit.who, {}
    if visit.is_removed:
        return JSONResponse(for_student(visit, ""))
    if not who:
        word = visitors.new_word()
        who, headers = here.room.knows(word), {"Set-Cookie": visitors.new_cookie(word)}
    network = visitors.network_of(request)
    if who not in here.room.students:
        here.room.check_door(who, visit.code)
        if not visitors.asks_here(request):
            place = f"{here.room.opened_as} {network}"
            await newcomers.wait(place)
            newcomers.take(place)
            here.room.check_door(who, visit.code)
        here.free_a_place()
    here.add({"do": "joined", "who": who, "name": name, "network": here.room.network(network), "at": time.time()})
    return JSONResponse(for_student(visit._replace(who=who, teaches=False), ""), headers=headers)


async def _vote(request: Request) -> Response:
    """Commit an answer: {room, card, answer}. The same one again changes nothing, another one is refused."""
    asked = await json_object(request)
    visit, card = await visit_of(request, _field(asked, "room")), _field(asked, "card")
    if visit.who not in visit.live.room.students:
        raise Refused(403, "Join the room first")
    lesson = shelf.find(card)
    answer = lesson.write_answer(lesson.read_answer(_field(asked, "answer")))
    visit.live.add({"do": "vote", "who": visit.who, "card": card, "answer": answer})
    return JSONResponse(for_student(visit._replace(teaches=False), card))


async def _act(request: Request) -> Response:
    """What the teacher does: {room, do, value}."""
    asked = await json_object(request)
    visit, do, value = await taught_by(request, _field(asked, "room")), _field(asked, "do"), asked.get("value")
    here = visit.live
    if do == "card":
        card = _field(asked, "value")
        if card:
            shelf.find(card)
        here.add({"do": "card", "card": card})
    elif do == "reveal":
        here.add({"do": "reveal", "card": _field(asked, "value")})
    elif do == "follow":
        here.add({"do": "follow", "on": value})
    elif do == "held" and isinstance(value, dict):
        here.add({"do": "held", "query": value.get("query"), "step": value.get("step")})
    elif do == "unnamed":
        here.add({"do": "unnamed", "number": value})
    elif do in ("removed", "restored"):
        here.add({"do": do, "numbers": value})
    elif do == "door":
        here.add({"do": "door", "open": value})
    elif do == "code":
        live.change_code(here)
    elif do == "end":
        here.end()
    else:
        raise Refused(400, "What a teacher can do is card, reveal, follow, held, unnamed, removed, restored, door, code or end")
    return JSONResponse(for_teacher(visit, str(asked.get("has", "")), request))


async def _room(request: Request) -> Response:
    """The state for who asks, at once if it is not `since`; `has`: the tally that is there already, as `tallied` says."""
    query = request.query_params
    visit, since, has = await visit_of(request, query.get("room", "")), query.get("since"), query.get("has", "")
    if visit.is_known:
        visit.live.see(TEACHER if visit.teaches else visit.who)
    until = time.monotonic() + POLL
    while visit.is_known and since == visit.version and not live.is_stopping():
        if not await visit.live.news(TEACHER if visit.teaches else visit.who, until - time.monotonic()):
            break
        if visit.teaches and not live.is_stopping():
            await asyncio.sleep(COALESCE)
    return JSONResponse(for_teacher(visit, has, request) if visit.teaches else for_student(visit, has))


async def _answers_csv(request: Request) -> Response:
    room = (await _with_answers(request)).room
    return csv_download(take_home.answers_csv(room), f"answers-{room.code}.csv")


async def _tally_csv(request: Request) -> Response:
    here = await _with_answers(request)
    return csv_download(take_home.tally_csv(here), f"tally-{here.room.code}.csv")


async def _with_answers(request: Request) -> Live:
    """Raises Refused for anybody but the teacher, and where the answers are gone."""
    here = (await taught_by(request, request.query_params.get("room", ""))).live
    if here.room.ended:
        raise Refused(404, "This room has ended, and its answers were deleted")
    return here


async def _qr(request: Request) -> Response:
    """The address of a room as a QR code."""
    address = request.query_params.get("address", "")
    if not address.startswith(("http://", "https://")) or len(address) > MAX_ADDRESS or not address.isascii():
        raise Refused(400, f"An address of at most {MAX_ADDRESS} characters that begins with http is expected")
    room = re.search(r"[?&]room=(\w*)", address)
    await visit_of(request, room[1] if room else "")
    drawn = await turns.answered(request, lambda: take_home.qr_code(address), turns.answering)
    return Response(drawn, media_type="image/svg+xml")
