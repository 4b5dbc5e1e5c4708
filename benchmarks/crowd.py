"""Thirty students in the lab while a run trains: `python -m benchmarks.crowd [--students 30] [--seconds 60]`. Milliseconds.

Each clicks once every three seconds, at a moment of its own: the question that the browser asks the server then, for shots that
nobody has placed before. A question before the first answer has come waits for it, as in a browser.
  click    the question is sent -> the curves have come, in full
  fresh, picture, plane    the same while one more browser asks for 45 of these at once, again and again
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from benchmarks import options
from benchmarks.classroom import Browser
from benchmarks.lab_latency import train_until_stopped
from benchmarks.serving import report, serving

EVERY = 3.0
"""Seconds between two clicks of one student."""
SHOTS = 10
AT_ONCE = 45


async def student(base: str, number: int, every: float, until: float) -> list[float]:
    """Seconds that each click took. every: seconds between two."""
    browser, took = Browser(base, number), list[float]()
    places = [(random.uniform(-5, 5), random.uniform(-4, 4)) for _ in range(SHOTS)]
    await asyncio.sleep(random.uniform(0, every))
    while time.perf_counter() < until:
        places[random.randrange(SHOTS)] = (random.uniform(-5, 5), random.uniform(-4, 4))
        began = time.perf_counter()
        await browser.ask("lab/picture.json", seed=number + 1, shots=";".join(f"{x:.3f},{y:.3f}" for x, y in places))
        took.append(time.perf_counter() - began)
        await asyncio.sleep(max(0, every - took[-1]))
    return took


ALL = "maml,fomaml,reptile,anil,meta_sgd,pretrained,oracle,random"
BURSTS: dict[str, Callable[[int], tuple[str, dict[str, Any]]]] = {
    "fresh": lambda i: (
        "lab/fresh.json",
        {"learners": ALL.split(",")[i % 8], "num_updates": 50, "K": 20, "alpha": 0.001 + i * 1e-6},
    ),
    "picture": lambda i: ("lab/picture.json", {"learners": ALL, "num_updates": 50, "seed": 1 + i % 9000}),
    "plane": lambda i: ("geometry/plane.json", {"learner": ALL.split(",")[i % 8]}),
}
"""What the one who asks for too much asks for, by a number that no two questions share."""


async def flood(base: str, question: Callable[[int], tuple[str, dict[str, Any]]], at_once: int, until: float) -> None:
    """One browser that asks so much at once, whatever the answers are."""
    browser, number = Browser(base, 10_000), 0
    while time.perf_counter() < until:
        asked = [question(number + i) for i in range(at_once)]
        number += at_once
        await asyncio.gather(*(browser.ask(path, **query) for path, query in asked), return_exceptions=True)
        await asyncio.sleep(0.2)


async def crowd(base: str, students: int, every: float, seconds: float, burst: str = "") -> list[float]:
    """What all clicks of all students took, in milliseconds; of `BURSTS` while one browser asks for too much."""
    until = time.perf_counter() + seconds
    flooding = asyncio.create_task(flood(base, BURSTS[burst], AT_ONCE, until)) if burst else None
    clicks = await asyncio.gather(*(student(base, at, every, until) for at in range(students)))
    if flooding:
        flooding.cancel()
    return [1000 * each for took in clicks for each in took]


def main() -> None:
    """Measure without a run and with one, and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    students, every, seconds = (2, 0.2, 1) if asked.quick else (asked.students, EVERY, asked.seconds)
    with serving() as it:
        for name in ("click", "training, click"):
            if name != "click":
                train_until_stopped(it.runs / "run")
            took = asyncio.run(crowd(it.base, students, every, seconds))
            report(name, took)
    for burst in BURSTS:
        with serving() as it:
            report(f"{burst}, click", asyncio.run(crowd(it.base, students, every, seconds / 2, burst)))


if __name__ == "__main__":
    main()
