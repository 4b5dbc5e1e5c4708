"""Thirty students while one more asks for much: `python -m benchmarks.crowd [--students 30] [--seconds 30]`. Milliseconds.

Each has a page open and is in one room. Each clicks in the lab once every three seconds, at a moment of its own: the question
that the browser asks the server then, for shots that nobody has placed before; a question before the first answer has come waits
for it, as in a browser. And each votes on every card.
  click    the question is sent -> the curves have come, in full
  vote     an answer is sent -> it is acknowledged, having been written down
Alone, while one more browser does what `ATTACKS` names, again and again, and beside a run that trains.
"""

import asyncio
import itertools
import multiprocessing
import random
import resource
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks import options
from benchmarks.classroom import Browser, Class, answering
from benchmarks.lab_latency import train_until_stopped
from benchmarks.serving import report, serving
from benchmarks.session import rerun, stream

EVERY = 3.0
"""Seconds between two clicks of one student."""
SHOTS = 10
AT_ONCE, HALVES, PAGES = 45, 1100, 40
ALL = "maml,fomaml,reptile,anil,meta_sgd,pretrained,oracle,random"


def opened(base: str, browser: Browser) -> connect:
    """The connection that each page keeps."""
    return connect(
        stream(base),
        additional_headers={"Cookie": browser.headers["Cookie"]},
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    )


async def clicking(browser: Browser, number: int, every: float, until: float) -> list[float]:
    """Seconds that each click took; there is one even where the first moment comes too late."""
    took = list[float]()
    places = [(random.uniform(-5, 5), random.uniform(-4, 4)) for _ in range(SHOTS)]
    await asyncio.sleep(random.uniform(0, every))
    while not took or time.perf_counter() < until:
        places[random.randrange(SHOTS)] = (random.uniform(-5, 5), random.uniform(-4, 4))
        began = time.perf_counter()
        await browser.ask("lab/picture.json", seed=number + 1, shots=";".join(f"{x:.3f},{y:.3f}" for x, y in places))
        took.append(time.perf_counter() - began)
        await asyncio.sleep(max(0, every - took[-1]))
    return took


async def voting(each: Class, seconds: float) -> list[float]:
    """Seconds until each vote was acknowledged, card after card."""
    took = list[float]()
    cards = [card["card"] for card in (await each.teacher.json("lessons/cards.json"))["cards"]]
    for card in cards:
        answer = answering((await each.teacher.json("lessons/card.json", card=card))["answer"])
        await each.put(card)
        took += await each.vote(card, answer, seconds / len(cards))
    return took


Attack = Callable[[str, str], Coroutine[Any, Any, None]]
"""What somebody does to the server at this address, and to the room of this code, until cancelled."""


def asking(question: Callable[[int], tuple[str, dict[str, Any]]], names: int = 1) -> Attack:
    """So many of these questions at once, each by its number. names: how many browsers it says it is."""

    async def attack(base: str, room: str) -> None:
        browsers = [Browser(base, 10_000 + at) for at in range(names)]
        path, query = question(0)
        await browsers[0].ask(path, **query)  # what is refused is no attack
        for first in itertools.count(1, AT_ONCE):
            now = [(browsers[at % names], *question(at)) for at in range(first, first + AT_ONCE)]
            await asyncio.gather(*(browser.ask(path, **query) for browser, path, query in now), return_exceptions=True)
            await asyncio.sleep(0.2)

    return attack


def fresh(at: int) -> tuple[str, dict[str, Any]]:
    """The longest measurement of the lab, for numbers that nobody has asked for."""
    return "lab/fresh.json", {"learners": ALL.split(",")[at % 8], "num_updates": 50, "K": 20, "alpha": 0.001 + at * 1e-6}


def picture(at: int) -> tuple[str, dict[str, Any]]:
    """The largest picture of the lab, of a task that nobody has looked at."""
    return "lab/picture.json", {"learners": ALL, "num_updates": 50, "alpha": 0.002 + at * 1e-6, "seed": 1 + at % 9000}


async def joining(base: str, room: str) -> None:
    """A name after the other, each by a browser of its own."""
    for at in itertools.count():
        with suppress(RuntimeError):
            await Browser(base, 20_000 + at).json("classroom/join", {"room": room, "name": f"Nobody {at}"})


async def holding(base: str, room: str) -> None:
    """Requests of which the second half never comes, as many as a server may have by Linux' default and some more."""
    at = urlsplit(base)
    held = list[asyncio.StreamWriter]()
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(at.hostname, at.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: ")
            held.append(writer)
        if len(held) == HALVES:
            await asyncio.sleep(5)
            for writer in held:
                writer.close()
            held.clear()


async def uploading(base: str, room: str) -> None:
    """Files of 63 MB, announced by nothing on a page, to where Streamlit takes them."""
    at, part = urlsplit(base), bytes(2**20)
    head = f"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(at.hostname, at.port)
            writer.write(f"{head}Content-Length: {63 * len(part)}\r\n\r\n".encode())
            for _ in range(63):
                writer.write(part)
                await writer.drain()
            writer.close()
        await asyncio.sleep(0.05)


async def rerunning(base: str, room: str) -> None:
    """Pages of one browser that ask for themselves again and again."""
    browser, numbers = Browser(base, 30_000), itertools.count(1)

    async def page() -> None:
        async with opened(base, browser) as socket:
            for at in numbers:
                await socket.send(rerun("lab", f"learners=maml,pretrained&seed={1 + at % 9000}"))
                for _ in range(20):
                    await socket.recv()

    await asyncio.gather(*(page() for _ in range(PAGES)))


ATTACKS: dict[str, Attack] = {
    "fresh": asking(fresh),
    "fresh, by many names": asking(fresh, names=1000),
    "picture": asking(picture),
    "plane": asking(lambda at: ("geometry/plane.json", {"learner": ALL.split(",")[at % 8]})),
    "card": asking(lambda at: ("lessons/card.json", {"card": "the-cliff"}), names=1000),
    "join": joining,
    "half a request": holding,
    "upload": uploading,
    "pages": rerunning,
}


@contextmanager
def attacking(attack: str, base: str, room: str) -> Iterator[None]:
    """By another program, as on another machine."""
    program = multiprocessing.get_context("spawn").Process(target=_attack, args=(attack, base, room))
    program.start()
    yield
    program.kill()
    program.join()


def _attack(attack: str, base: str, room: str) -> None:
    asyncio.run(ATTACKS[attack](base, room))


async def crowd(base: str, students: int, every: float, seconds: float, attack: str = "") -> None:
    """Measure while it lasts, and print."""
    until = time.perf_counter() + seconds
    async with AsyncExitStack() as pages:
        each = await Class(base, students).open()
        for browser in each.students:
            await pages.enter_async_context(opened(base, browser))
        if attack:
            pages.enter_context(attacking(attack, base, each.room))
        votes, *clicks = await asyncio.gather(
            voting(each, seconds), *(clicking(browser, at, every, until) for at, browser in enumerate(each.students))
        )
        for student in each.students:
            student.waiting.cancel()
    report("  click", [1000 * took for some in clicks for took in some])
    report("  vote", [1000 * took for took in votes])


def main() -> None:
    """Measure alone, under each attack and beside a run, and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--attack", choices=ATTACKS, action="append", help="only these")
    told = parser.parse_args()
    students, every, seconds = (2, 0.2, 0.4) if told.quick else (told.students, EVERY, told.seconds)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with serving() as it:
        for name in told.attack or ("", *ATTACKS):
            print(f"{name}, by one more" if name else "alone")
            asyncio.run(crowd(it.base, students, every, seconds, name))
        train_until_stopped(it.runs / "run")
        print("beside a run")
        asyncio.run(crowd(it.base, students, every, seconds))


if __name__ == "__main__":
    main()
