"""What a class asks of the server: `python -m benchmarks.classroom [--rooms 3] [--students 60] [--seconds 30]`. Milliseconds.

Starts the real server and speaks to it as the Classroom page does, without browsers: every student keeps a question for the
state of the room open, commits an answer within 10 s of each other, sees the tally, follows the teacher's lab.
  vote     an answer is sent -> it is acknowledged, having been written down
  reveal   the teacher's press -> the last student has the tally
  follow   a step of the teacher's lab -> the last student has it
  waiting  processor seconds of the server a minute while everybody waits for news
The answers are fetched as CSV at the end: all of them must be there.
"""

import asyncio
import csv
import io
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from benchmarks import options
from benchmarks.serving import Serving, report, serving

WITHIN = 10.0
"""Seconds in which a class answers."""
KEPT = 4.0
"""Seconds that a connection nobody uses is good for: the server closes it after five."""
STEPS, PAUSE = 30, 0.2
"""Steps of the teacher's lab, and seconds between two."""


class Browser:
    """One visitor: connections that stay open, a cookie, and no picture."""

    def __init__(self, base: str, number: int):
        self.host, self.port = urlsplit(base).hostname, urlsplit(base).port
        self.headers = {"Host": f"{self.host}:{self.port}", "Cookie": f"maml_lab_visitor=a-long-word-{number}-{random.random()}"}
        self.lines: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, path: str, body: Any = None, **query: Any) -> bytes:
        """GET, or POST where there is a body. Raises RuntimeError for any answer but 200."""
        fresh = [line for line in self.lines if time.perf_counter() - line[0] < KEPT]
        _, reader, writer = fresh[-1] if fresh else (0.0, *await asyncio.open_connection(self.host, self.port))
        self.lines = fresh[:-1]
        sent = b"" if body is None else json.dumps(body).encode()
        headers = self.headers | ({} if body is None else {"Content-Type": "application/json", "Content-Length": str(len(sent))})
        first = f"{'GET' if body is None else 'POST'} /{path}{'?' + urlencode(query) if query else ''} HTTP/1.1"
        try:
            writer.write("\r\n".join([first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode() + sent)
            status, _, head = (await reader.readuntil(b"\r\n\r\n")).decode().partition("\r\n")
            length = next(
                int(line.partition(":")[2]) for line in head.split("\r\n") if line.lower().startswith("content-length:")
            )
            answer = await reader.readexactly(length)
        except BaseException:  # it has left
            writer.close()
            raise
        self.lines.append((time.perf_counter(), reader, writer))
        if " 200 " not in status:
            raise RuntimeError(f"{path}: {status}: {answer[:200]!r}")
        return answer

    async def json(self, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """The same, read."""
        return json.loads(await self.ask(path, body, **query))


class Student(Browser):
    """Keeps the state of the room, and calls for whom it may concern when there is news."""

    room, state = "", dict[str, Any]()

    async def enter(self, room: str) -> Self:
        """Join, and wait for news from now on."""
        self.room, self.news = room, asyncio.Event()
        self.state = await self.json("classroom/join", {"room": room, "name": ""})
        self.waiting = asyncio.create_task(self._wait())
        return self

    async def _wait(self) -> None:
        while True:
            has = self.state["tallied"] if "tally" in self.state else ""
            self.state = await self.json("classroom/room.json", room=self.room, since=self.state["version"], has=has)
            self.news.set()
            self.news = asyncio.Event()

    async def until(self, seen: Callable[[dict[str, Any]], Any]) -> float:
        """When this holds of the state for the first time."""
        while not seen(self.state):
            await self.news.wait()
        return time.perf_counter()


class Class:
    """A room, its teacher and its students."""

    def __init__(self, base: str, size: int):
        self.teacher, self.students = Browser(base, 0), [Student(base, at) for at in range(1, size + 1)]

    async def open(self) -> Self:
        """Until everybody is in."""
        opened = await self.teacher.json("classroom/open", {})
        self.room = opened["room"]
        self.teacher.headers["X-Teacher"] = opened["secret"]
        await asyncio.gather(*(student.enter(self.room) for student in self.students))
        return self

    async def act(self, do: str, value: Any) -> None:
        """An act of the teacher."""
        await self.teacher.json("classroom/act", {"room": self.room, "do": do, "value": value})

    async def put(self, card: str) -> None:
        """Until everybody has the card."""
        await self.act("card", card)
        await asyncio.gather(*(student.until(lambda state: state["card"] == card) for student in self.students))

    async def vote(self, card: str, answer: Callable[[], str], within: float) -> list[float]:
        """Everybody answers within so many seconds. Seconds until each is acknowledged."""

        async def one(student: Student) -> float:
            await asyncio.sleep(random.uniform(0, within))
            began = time.perf_counter()
            await student.json("classroom/vote", {"room": self.room, "card": card, "answer": answer()})
            return time.perf_counter() - began

        return await asyncio.gather(*map(one, self.students))

    async def reveal(self, card: str) -> float:
        """Seconds until the last one has the tally."""
        return await self._last(lambda: self.act("reveal", card), lambda state: "tally" in state)

    async def step(self, step: int) -> float:
        """Seconds until the last one has the step."""
        held = {"query": "seed=15&K=5&num_updates=10", "step": step}
        return await self._last(lambda: self.act("held", held), lambda state: state["held"] == held)

    async def _last(self, act: Callable[[], Awaitable[None]], seen: Callable[[dict[str, Any]], Any]) -> float:
        waiting = [asyncio.create_task(student.until(seen)) for student in self.students]
        began = time.perf_counter()
        await act()
        return max(await asyncio.gather(*waiting)) - began

    async def answers(self) -> int:
        """How many answers went home."""
        text = (await self.teacher.ask("classroom/answers.csv", room=self.room)).decode("utf-8-sig")
        return len(list(csv.reader(io.StringIO(text)))) - 1


def answering(asked: dict[str, Any]) -> Callable[[], str]:
    """Some answer or other to what a card asks."""
    if asked["kind"] == "choice":
        return lambda: str(random.randrange(len(asked["options"])))
    if asked["kind"] == "slider":
        return lambda: f"{random.uniform(asked['low'], asked['high']):.4g}"
    return lambda: ",".join(f"{random.uniform(-4, 4):.2f}" for _ in range(asked["points"]))


async def measure(it: Serving, rooms: int, students: int, seconds: float, within: float, steps_shown: int) -> None:
    """All figures for so many rooms at once. within: seconds in which a class answers; steps_shown: of the teacher's lab."""
    classes = list(await asyncio.gather(*(Class(it.base, students).open() for _ in range(rooms))))
    browser = classes[0].teacher
    listed = (await browser.json("lessons/cards.json"))["cards"]
    cards = list({card["answer"]: card["card"] for card in reversed(listed)}.values())  # one of each kind
    votes, reveals, steps = list[float](), list[float](), list[float]()
    for card in cards:
        answer = answering((await browser.json("lessons/card.json", card=card))["answer"])
        await asyncio.gather(*(each.put(card) for each in classes))
        for took in await asyncio.gather(*(each.vote(card, answer, within) for each in classes)):
            votes += took
        reveals += await asyncio.gather(*(each.reveal(card) for each in classes))
    await asyncio.gather(*(each.act("follow", True) for each in classes))
    for step in range(steps_shown):
        steps += await asyncio.gather(*(each.step(step) for each in classes))
        await asyncio.sleep(PAUSE)
    print(f"{rooms} room{'s'[: rooms > 1]} with {students} students each")
    for name, took in (("vote", votes), ("reveal", reveals), ("follow", steps)):
        report(name, [1000 * each for each in took])
    began, used = time.perf_counter(), it.cpu_seconds()
    await asyncio.sleep(seconds)
    print(f"waiting          {60 * (it.cpu_seconds() - used) / (time.perf_counter() - began):.2f} processor seconds a minute")
    wanted, got = students * len(cards), [await each.answers() for each in classes]
    print(f"answers          {got}, each of {wanted}")
    for each in classes:
        for student in each.students:
            student.waiting.cancel()
        await each.act("end", None)
    if any(count != wanted for count in got):
        raise SystemExit("answers were lost")


def main() -> None:
    """Measure one room, then several at once, and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--rooms", type=int, default=3)
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=30)
    asked = parser.parse_args()
    rooms, *rest = (2, 2, 0.2, 0.2, 2) if asked.quick else (asked.rooms, asked.students, asked.seconds, WITHIN, STEPS)
    with serving() as it:
        for at_once in dict.fromkeys((1, rooms)):
            asyncio.run(measure(it, at_once, *rest))


if __name__ == "__main__":
    main()
