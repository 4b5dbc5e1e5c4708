"""Classroom: the routes by which a teacher and a class act in a room, wait for what happens in it, and take it home.

A browser's question for the state of its room waits here until there is news, so that a class costs next to nothing while it
thinks. All of this runs on the server's one event loop, and nothing in it takes long. No streamlit here.
"""

import asyncio
import io
import math
import re
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ui.classroom import rooms
from ui.classroom.rooms import NoRoom, Room
from ui.lessons import routes as lessons
from ui.lessons.answers import Choice
from ui.lessons.format import Lesson
from ui.shared import visitors
from ui.shared.incoming import Refused, json_object, legible
from ui.shared.routes import route
from ui.shared.tables import csv_text, download

POLL = 25.0
"""Seconds that a question for the state waits at most: shorter than proxies and browsers give up."""
COALESCE = 0.25
"""Seconds that news for the teacher gather: the count of answers need not be drawn more often while a class votes."""
TABS = 4
"""Questions of one person that wait in a room at once. The oldest is answered when there is one more."""
TEACHER = "teacher"
"""Who waits, beside the students. None of them is known by this: theirs are digests."""
SECRET = "x-teacher"
"""The header that carries the teacher's secret. An address would end up in a log or on the projector."""
OURS = "x-classroom"
"""A header of every answer: a refusal without it came from something in between, and says nothing about the room."""
NO_TEACHER = "This is not this room’s teacher address"
SWEEP = 60
"""Seconds between two looks for rooms whose day is over, and at the date of the others."""
MAX_ADDRESS = 200
MOST_OPEN = 5
"""Rooms of one address that are open at once. Whoever is at the server may open all of them."""
TURN, PATIENCE = 0.5, 10.0
"""Seconds between two in a line, and those that anybody waits in it at most."""
MOST_WAIT = 500
"""Questions of one address that wait in a line at once; the next ones are answered without."""
OPENS = 2
"""Seconds that a browser has to come to the room that it opened."""
THERE = 10
"""Seconds that somebody counts as there after their last question was answered: the next one comes sooner."""
HELD = 0.5
"""Seconds between two settings of the lab that are written down while a teacher's hand is on it."""


class Line:
    """So many at once from each address, and one more every so many seconds; when they are used up, who comes waits for a turn.

    Nobody is sent away: a whole school may have one address, and one prankster there must not keep the others out. All that much
    asking brings about is that everybody new from there waits, a few seconds at most.
    """

    def __init__(self, most: int, every: float):
        self.most, self.every = most, every
        self._full: dict[str, float] = {}
        """Address -> when it has its whole allowance again."""
        self._waiting: Counter[str] = Counter()

    def is_long(self, address: str) -> bool:
        """Whether the allowance of this address is used up."""
        return self._full.get(address, 0) > time.monotonic() + (self.most - 1) * self.every

    async def wait(self, address: str) -> None:
        """Join the line, if there is one, and return when it is one's turn."""
        if not self.is_long(address) or self._waiting[address] >= MOST_WAIT:
            return
        self._waiting[address] += 1
        try:
            await asyncio.sleep(min(TURN * self._waiting[address], PATIENCE))
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

    def take(self, address: str) -> None:
        """Use one."""
        now = time.monotonic()
        self._full[address] = max(self._full.pop(address, 0), now) + self.every
        while len(self._full) > 10_000:
            del self._full[next(iter(self._full))]


class Live:
    """A room that is in use, and who waits for news of it."""

    def __init__(self, room: Room, address: str = "", opener: str = ""):
        self.room, self.address, self.opener = room, address, opener
        """From where it was opened and by which browser, as far as this server has seen it."""
        self.opened = time.monotonic() if address else -math.inf
        self.changed = time.monotonic()
        """When something last happened in it, as far as this server has seen it."""
        self._waiting: dict[str, list[asyncio.Future[bool]]] = {}
        self._seen: dict[str, float] = {}
        """Who -> when they were there, on the clock that nobody sets."""
        self._tallies: dict[str, dict[str, Any]] = {}
        self._unwritten: rooms.Event | None = None

    def add(self, event: rooms.Event) -> None:
        """Let something happen, and tell those whom it concerns. Raises RoomError if it cannot."""
        before, held = self.room, event["do"] == "held"
        if not held:
            self.write()
        self.room = (rooms.apply if held else rooms.add)(before, event)
        if self.room is before:
            return
        self.changed = time.monotonic()
        if held:
            self._write_soon(event)
        if self.room.ended:
            self._tallies.clear()
        self.tell(() if self.room.news != before.news else (TEACHER, event["who"]))

    def _write_soon(self, event: rooms.Event) -> None:
        """Write the lab on show down when it rests, and now and then before."""
        if self._unwritten is None:
            asyncio.get_running_loop().call_later(HELD, self.write)
        self._unwritten = event

    def write(self) -> None:
        """Write down what is not. The lab on show goes on without: after a restart it is an older one."""
        event, self._unwritten = self._unwritten, None
        if event:
            with suppress(rooms.RoomError):
                rooms.keep(self.room.code, event)

    def tell(self, whom: Collection[str] = ()) -> None:
        """Answer those who wait: these alone, if any are given."""
        for who, asked in self._waiting.items():
            if not whom or who in whom:
                _answer(asked, True)

    def see(self, who: str) -> None:
        """Know that somebody is there."""
        self._seen[who] = time.monotonic()

    def is_there(self, who: str) -> bool:
        """Whether they wait for news, or will again in a moment."""
        return who in self._waiting or time.monotonic() < self._seen.get(who, -math.inf) + THERE

    @property
    def is_taught(self) -> bool:
        """Whether its teacher is there, or has just opened it."""
        return self.is_there(TEACHER) or time.monotonic() < self.opened + OPENS

    @property
    def is_attended(self) -> bool:
        """Whether anybody is there."""
        return self.is_taught or any(map(self.is_there, self.room.students))

    @property
    def is_over(self) -> bool:
        """Whether it was ended, or ends by itself now."""
        return self.room.ended or rooms.age(self.room.code) > rooms.LASTS

    def free_a_place(self) -> None:
        """Let somebody go who is not there and has answered nothing, where the room is full."""
        full = len(self.room.students) >= rooms.MAX_STUDENTS
        idle = (who for who in self.room.students if not self.is_there(who) and not self.room.has_answered(who))
        if full and (who := next(idle, None)):
            self._seen.pop(who, None)
            self.add({"do": "left", "who": who})

    async def news(self, who: str, seconds: float) -> bool:
        """Wait until there is some, and say whether there is: not if it took too long, or somebody asks in too many tabs."""
        asked, mine = asyncio.get_running_loop().create_future(), self._waiting.setdefault(who, [])
        _answer(mine[: 1 - TABS], False)
        mine.append(asked)
        self.see(who)
        try:
            await asyncio.wait([asked], timeout=seconds)
            return asked.done() and asked.result()
        finally:
            self.see(who)
            mine.remove(asked)
            if not mine:
                self._waiting.pop(who, None)

    def tally(self, card: str) -> dict[str, Any] | None:
        """The answers to a card that was revealed, together; None if there is no such card (any more) or it is another."""
        if card not in self._tallies:
            try:
                lesson = lessons.find(card)
                given = self.room.answers.get(card, {}).values()
                self._tallies[card] = lesson.tally([lesson.read_answer(text) for text in given])
            except ValueError:
                return None  # its file may come back
        return self._tallies[card]


def _answer(asked: Iterable[asyncio.Future[bool]], news: bool) -> None:
    for future in asked:
        if not future.done():
            future.set_result(news)


_live: dict[str, Live] = {}
_misses = Line(40, 6)
"""Wrong codes: a class may mistype. Who tries all twelve million from one address, twenty at a time, is at it for 70 days."""
_openings = Line(5, 300)
_newcomers = Line(60, 2)
"""Students who join a room for the first time: a class behind one address comes at once."""
_loop: asyncio.AbstractEventLoop | None = None
_stopping = False
_listens: str | None = None
"""The address that the server listens on, as its settings say."""


def start(listens: str | None) -> None:
    """Keep rooms from now on, on the event loop that runs. listens: the server's own address, None for all."""
    global _loop, _listens, _stopping
    _loop, _listens, _stopping = asyncio.get_running_loop(), listens, False
    _sweep()


def stop() -> None:
    """Answer everybody who waits, at once: a server ends when nobody waits any more. May be called from anywhere."""

    def let_go() -> None:
        global _stopping
        _stopping = True
        for live in _live.values():
            live.write()
            live.tell()
        rooms.sweep()

    if _loop and not _loop.is_closed():
        _loop.call_soon_threadsafe(let_go)


def _sweep() -> None:
    """End what is over, now and from time to time."""
    for code, live in list(_live.items()):
        with suppress(rooms.RoomError):  # a journal that cannot be deleted is tried again
            if live.is_over:
                _end(live)
        if live.room.ended and time.monotonic() > live.changed + rooms.LASTS:
            del _live[code]
    rooms.sweep()
    if _loop:
        _loop.call_later(SWEEP, _sweep)


def _end(live: Live) -> None:
    if not live.room.ended:
        live.add({"do": "ended"})


def _make_way(address: str, local: bool) -> None:
    """End a room that a new one may take the place of, where there can be no more, here or from this address.

    It is one that nobody has joined: one that its teacher has left, or else one of a browser that opened several. The newest goes
    first, since somebody who opens one after the other to keep others out has the newest. For who is at the server it may also be
    any room that its teacher has left, an empty one before others, and of these the one that was quiet for longest.
    Raises Refused if this address has as many as it can have, and none of these.
    """
    standing = sorted(rooms.standing(), key=lambda room: rooms.age(room.code))
    mine = [room for room in standing if room.code in _live and _live[room.code].address == address]
    many = not local and len(mine) >= MOST_OPEN
    if not many and len(standing) < rooms.MAX_ROOMS:
        return
    rivals = mine if many else standing
    openers = Counter(_live[room.code].opener for room in rivals if room.code in _live)
    del openers[""]  # nobody knows any more who opened a room before a restart
    left = [room for room in rivals if not (room.code in _live and _live[room.code].is_taught)]
    empty = [room for room in left if not (room.code in _live and _live[room.code].is_attended)]
    several = [room for room in rivals if room.code in _live and openers[_live[room.code].opener] > 1]
    unused = [room for room in [*empty, *several] if room.unused]
    for room in [*unused, *(reversed([*left, *empty]) if local else [])][:1]:
        if room.code in _live:
            _end(_live[room.code])
        with suppress(OSError):
            rooms.delete(room.code)
        return
    if many:
        raise Refused(
            429, f"Your network has {MOST_OPEN} rooms in use, the most that it can have: end one that is no longer needed"
        )


# Who asks, and for which room


class Visit(NamedTuple):
    """Somebody at the door of a room or in it."""

    live: Live
    who: str
    """What the room knows them by; nothing for a browser without a cookie."""
    teaches: bool

    @property
    def inside(self) -> bool:
        """Whether they are in the room already."""
        return self.teaches or self.who in self.live.room.students

    @property
    def version(self) -> str:
        """Grows when what they are shown changes: a student's own answer and name too, which may come from any tab."""
        room = self.live.room
        student = room.students.get(self.who)
        own = (self.who in room.answers.get(room.card, {})) + bool(student and student.named)
        return f"{room.news}.{room.version if self.teaches else own}"


async def _visit(request: Request, code: str) -> Visit:
    """Who asks. Raises Refused for a code or a secret that is none.

    At an address from which many of these came, whoever is not in a room yet waits for the answer. A right code waits as long as
    a wrong one, and is always let in: so guessing is slow, and keeps nobody out.
    """
    secret, token, address = request.headers.get(SECRET, ""), visitors.token_of(request), visitors.network_of(request)
    try:
        live = _find(rooms.code_in(code))
    except NoRoom as error:
        live, why = None, str(error)
    if live:
        who = live.room.knows(token) if token else ""
        visit = Visit(live, who, bool(secret) and live.room.is_teacher(secret))
        if visit.teaches or (visit.inside and not secret):
            return visit
        if visit.inside:
            raise Refused(403, NO_TEACHER)
    await _misses.wait(address)
    if live is None:
        _misses.take(address)
        raise Refused(404, f"{why}. Check the code; a room ends after a day without use.")
    if secret:
        _misses.take(address)
        raise Refused(403, NO_TEACHER)
    return visit


def _find(code: str) -> Live:
    """Raises NoRoom, RoomError."""
    live = _live.get(code)
    if live is None:
        live = _live[code] = Live(rooms.find(code))
    if live.is_over:
        _end(live)
    return live


def withholds(token: str, card: str) -> bool:
    """Whether a student with this token is in a room that still waits for predictions on this card."""
    if not token:
        return False
    for standing in rooms.standing():
        with suppress(rooms.RoomError):
            room = _find(standing.code).room
            if room.card == card and card not in room.revealed and room.knows(token) in room.students:
                return True
    return False


async def _teacher(request: Request, code: str) -> Live:
    """Raises Refused for anybody else."""
    visit = await _visit(request, code)
    if not visit.teaches:
        raise Refused(403, "Only the teacher of this room can do this")
    return visit.live


# What each is told


def _student(visit: Visit, has: str) -> dict[str, Any]:
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


def _for_teacher(visit: Visit, has: str, request: Request) -> dict[str, Any]:
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
        "reach": _reach() if host in ("localhost", "::1") or host.startswith("127.") else None,
        **_everybody(visit.live, has),
    }


def _reach() -> dict[str, Any]:
    """How others reach this machine: `hosts` in its networks, and `alone` if the server listens to nobody else."""
    return {"hosts": _hosts(), "alone": _listens in ("localhost", "127.0.0.1", "::1")}


def _hosts() -> list[str]:
    """This machine's own addresses: those that it would speak from. Nothing is sent to find out."""
    found = []
    for there in ("10.255.255.255", "172.31.255.255", "192.168.255.255"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((there, 9))
                host = probe.getsockname()[0]
            except OSError:
                continue
        if host not in found and not host.startswith(("127.", "0.")):
            found.append(host)
    return found


# What is served


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

        return route(f"/classroom/{name}", answer, method=method, headers={OURS: "answered"})

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
        await _openings.wait(address)
        _openings.take(address)
    rooms.sweep()
    _make_way(address, local)
    room, secret = rooms.open_room()
    _live[room.code] = Live(room, address, visitors.owner(visitors.token_of(request)))
    return JSONResponse({"room": room.code, "secret": secret})


async def _join(request: Request) -> Response:
    """Be a student of the room: {room, name}. Whoever has joined before stays the same student."""
    asked = await json_object(request)
    live, who, _ = await _visit(request, _field(asked, "room"))
    name, headers = legible(_field(asked, "name"), rooms.MAX_NAME), {}
    if not who:
        word = visitors.new_word()
        who, headers = live.room.knows(word), {"Set-Cookie": visitors.new_cookie(word)}
    if who not in live.room.students:
        place = f"{live.room.code} {visitors.network_of(request)}"
        if not visitors.asks_here(request):
            await _newcomers.wait(place)
            _newcomers.take(place)
        live.free_a_place()
    live.add({"do": "joined", "who": who, "name": name})
    return JSONResponse(_student(Visit(live, who, False), ""), headers=headers)


async def _vote(request: Request) -> Response:
    """Commit an answer: {room, card, answer}. The same one again changes nothing, another one is refused."""
    asked = await json_object(request)
    visit, card = await _visit(request, _field(asked, "room")), _field(asked, "card")
    if visit.who not in visit.live.room.students:
        raise Refused(403, "Join the room first")
    lesson = lessons.find(card)
    answer = lesson.write_answer(lesson.read_answer(_field(asked, "answer")))
    visit.live.add({"do": "vote", "who": visit.who, "card": card, "answer": answer})
    return JSONResponse(_student(visit._replace(teaches=False), card))


async def _act(request: Request) -> Response:
    """What the teacher does: {room, do, value}; put and take away a card, reveal, follow, held, unnamed, end."""
    asked = await json_object(request)
    live, do, value = await _teacher(request, _field(asked, "room")), _field(asked, "do"), asked.get("value")
    if do == "card":
        card = _field(asked, "value")
        if card:
            lessons.find(card)
        live.add({"do": "card", "card": card})
    elif do == "reveal":
        live.add({"do": "reveal", "card": _field(asked, "value")})
    elif do == "follow":
        live.add({"do": "follow", "on": value})
    elif do == "held" and isinstance(value, dict):
        live.add({"do": "held", "query": value.get("query"), "step": value.get("step")})
    elif do == "unnamed":
        live.add({"do": "unnamed", "number": value})
    elif do == "end":
        _end(live)
    else:
        raise Refused(400, "What a teacher can do is card, reveal, follow, held, unnamed or end")
    return JSONResponse(_for_teacher(Visit(live, "", True), str(asked.get("has", "")), request))


async def _room(request: Request) -> Response:
    """The state for who asks, at once if it is not `since`; `has`: the card whose tally is there already."""
    query = request.query_params
    visit, since, has = await _visit(request, query.get("room", "")), query.get("since"), query.get("has", "")
    if visit.inside:
        visit.live.see(TEACHER if visit.teaches else visit.who)
    until = time.monotonic() + POLL
    while visit.inside and since == visit.version and not _stopping:
        if not await visit.live.news(TEACHER if visit.teaches else visit.who, until - time.monotonic()):
            break
        if visit.teaches and not _stopping:
            await asyncio.sleep(COALESCE)
    return JSONResponse(_for_teacher(visit, has, request) if visit.teaches else _student(visit, has))


async def _answers_csv(request: Request) -> Response:
    """Who answered what, of the cards that were revealed; empty for who did not."""
    room, rows = (await _with_answers(request)).room, []
    for card, lesson in _revealed(room).items():
        title, words, answers = lesson.title if lesson else "", _words(lesson), room.answers.get(card, {})
        for who, student in room.students.items():
            answer = answers.get(who, "")
            rows.append((student.number, student.name, card, title, answer, words(answer)))
    return download(csv_text(("student", "name", "card", "title", "answer", "option"), rows), f"answers-{room.code}.csv")


async def _tally_csv(request: Request) -> Response:
    """How often each answer was given, of the cards that were revealed."""
    live, rows = await _with_answers(request), []
    for card, lesson in _revealed(live.room).items():
        given = list(live.room.answers.get(card, {}).values())
        options = (live.tally(card) or {}).get("counts")
        different = [str(at) for at in range(len(options))] if options else sorted(set(given), key=_by_number)
        title, words = lesson.title if lesson else "", _words(lesson)
        rows += [(card, title, answer, words(answer), given.count(answer)) for answer in different]
    return download(csv_text(("card", "title", "answer", "option", "students"), rows), f"tally-{live.room.code}.csv")


async def _with_answers(request: Request) -> Live:
    """Raises Refused for anybody but the teacher, and where the answers are gone."""
    live = await _teacher(request, request.query_params.get("room", ""))
    if live.room.ended:
        raise Refused(404, "This room has ended, and its answers were deleted")
    return live


def _revealed(room: Room) -> dict[str, Lesson | None]:
    """The cards that were revealed, in the order of lessons; those that there are no more last."""
    known = {card: lesson for card, lesson in lessons.shelf().lessons.items() if card in room.revealed}
    return known | dict.fromkeys(sorted(room.revealed - known.keys()))


def _by_number(answer: str) -> tuple[float, str]:
    try:
        return float(answer), answer
    except ValueError:
        return math.inf, answer


def _words(lesson: Lesson | None) -> Callable[[str], str]:
    """What the option says, for the answer to a choice, as it stands in the lesson's file; nothing for any other."""
    asked = lesson.answer if lesson else None

    def words(answer: str) -> str:
        if not isinstance(asked, Choice):
            return ""
        with suppress(ValueError):
            return asked.options[asked.read(answer)].text
        return ""

    return words


async def _qr(request: Request) -> Response:
    """The address of a room as a QR code, dark on light in both themes: phones read no other."""
    address = request.query_params.get("address", "")
    if not address.startswith(("http://", "https://")) or len(address) > MAX_ADDRESS or not address.isascii():
        raise Refused(400, f"An address of at most {MAX_ADDRESS} characters that begins with http is expected")
    room = re.search(r"[?&]room=(\w*)", address)
    await _visit(request, room[1] if room else "")
    return Response(await run_in_threadpool(_drawn, address), media_type="image/svg+xml")


@lru_cache(maxsize=64)
def _drawn(address: str) -> bytes:
    out = io.BytesIO()
    segno.make_qr(address).save(out, kind="svg", border=3, light="#fff", dark="#000", omitsize=True, xmldecl=False)
    return out.getvalue()
