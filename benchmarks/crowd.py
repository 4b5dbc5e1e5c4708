"""Thirty students in the lab while a run trains: `python -m benchmarks.crowd [--students 30] [--seconds 60]`. Milliseconds.

Each clicks once every three seconds, at a moment of its own: the question that the browser asks the server then, for shots that
nobody has placed before. A question before the first answer has come waits for it, as in a browser.
  click    the question is sent -> the curves have come, in full
"""

import argparse
import asyncio
import random
import time

from benchmarks.classroom import Browser
from benchmarks.lab_latency import train
from benchmarks.serving import report, serving

EVERY = 3.0
"""Seconds between two clicks of one student."""
SHOTS = 10


async def student(base: str, number: int, until: float) -> list[float]:
    """Seconds that each click took."""
    browser, took = Browser(base, number), list[float]()
    places = [(random.uniform(-5, 5), random.uniform(-4, 4)) for _ in range(SHOTS)]
    await asyncio.sleep(random.uniform(0, EVERY))
    while time.perf_counter() < until:
        places[random.randrange(SHOTS)] = (random.uniform(-5, 5), random.uniform(-4, 4))
        began = time.perf_counter()
        await browser.ask("lab/picture.json", seed=number + 1, shots=";".join(f"{x:.3f},{y:.3f}" for x, y in places))
        took.append(time.perf_counter() - began)
        await asyncio.sleep(max(0, EVERY - took[-1]))
    return took


async def crowd(base: str, students: int, seconds: float) -> list[float]:
    """What all clicks of all students took, in milliseconds."""
    until = time.perf_counter() + seconds
    return [1000 * each for took in await asyncio.gather(*(student(base, at, until) for at in range(students))) for each in took]


def main() -> None:
    """Measure without a run and with one, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with serving() as it:
        for name in ("click", "training, click"):
            if name != "click":
                train(it.runs / "run")
            took = asyncio.run(crowd(it.base, arguments.students, arguments.seconds))
            report(name, took)


if __name__ == "__main__":
    main()
