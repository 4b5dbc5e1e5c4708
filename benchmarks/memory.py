"""What stays of visitors: `python -m benchmarks.memory [--edits 2000] [--sessions 200] [--uploads 100]`. Megabytes.

Starts the real server and asks of it what browsers do. The memory that its process has then, as Linux counts it, and how much
more that is than after the first page:
  page      one page was opened, some seconds ago
  edits     curves in the lab for shots that nobody has placed before; of one in fifty, of all learners over 50 steps
  bursts    45 pictures of all learners over 50 steps at once, then 45 times losses over fresh tasks
  sessions  pages were opened and closed
  uploads   files of the largest size were brought, by pages that go then
  rest      some seconds later; the most that there was at any time; how much is remembered for those who ask the same
"""

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import options
from benchmarks.classroom import Browser
from benchmarks.crowd import AT_ONCE, SHOTS, fresh, picture
from benchmarks.serving import Serving, serving
from benchmarks.session import Session

BROWSERS = 8
"""That ask at the same time."""
HEAVY = 50
"""One in so many edits asks for all that there is."""
PAGES = ("", "lab", "characters", "explore", "geometry", "train", "checkpoints", "lessons", "classroom")
FILE = bytes(4 * 10**6)
AGAIN = 0.5
"""Seconds until a question that was refused is asked again, as a page does."""
REST = 15.0


async def ask(browser: Browser, path: str, **query: Any) -> None:
    """Until it is answered."""
    while True:
        try:
            await browser.ask(path, **query)
            return
        except RuntimeError as error:
            if " 429 " not in str(error):
                raise
            await asyncio.sleep(AGAIN)


async def edit(base: str, count: int) -> None:
    """So many, by several browsers."""

    async def one(number: int) -> None:
        browser = Browser(base, number)
        for at in range(number, count, BROWSERS):
            places = ((random.uniform(-5, 5), random.uniform(-4, 4)) for _ in range(SHOTS))
            _, query = picture(at) if at % HEAVY == 0 else ("", {})
            await ask(browser, "lab/picture.json", **query | {"shots": ";".join(f"{x:.3f},{y:.3f}" for x, y in places)})

    await asyncio.gather(*map(one, range(BROWSERS)))


async def burst(base: str, at_once: int) -> None:
    """Of pictures, then of maps of fresh tasks, by one browser."""
    browser = Browser(base, 10_000)
    for question in (picture, fresh):
        await asyncio.gather(*(ask(browser, path, **query) for path, query in map(question, range(at_once))))


def visit(base: str, number: int) -> None:
    """Open a page and go."""
    with Session(base, PAGES[number % len(PAGES)]):
        pass


def bring(base: str, number: int) -> None:
    """Bring a file and go."""
    with Session(base, "checkpoints") as session:
        session.put(FILE, f"file-{number}")


class Scale:
    """Prints how much memory a server has."""

    def __init__(self, it: Serving):
        self.of, self.first = Path(f"/proc/{it.process.pid}/status"), 0.0

    def say(self, name: str, field: str = "VmRSS") -> None:
        """Now, and how much more that is than the first time."""
        megabytes = int(self.of.read_text("utf-8").partition(f"{field}:")[2].split()[0]) * 1024 / 1e6
        self.first = self.first or megabytes
        print(f"{name:16} {megabytes:7.1f} MB   {megabytes - self.first:+7.1f} MB", flush=True)


def measure(it: Serving, edits: int, at_once: int, sessions: int, uploads: int, rest: float) -> None:
    """All of it, one after the other."""
    scale = Scale(it)
    visit(it.base, 0)
    time.sleep(rest)
    scale.say("page")
    asyncio.run(edit(it.base, edits))
    scale.say("edits")
    asyncio.run(burst(it.base, at_once))
    scale.say("bursts")
    with ThreadPoolExecutor(BROWSERS) as pool:
        list(pool.map(visit, [it.base] * sessions, range(sessions)))
        scale.say("sessions")
        list(pool.map(bring, [it.base] * uploads, range(uploads)))
        scale.say("uploads")
    time.sleep(rest)
    scale.say("rest")
    scale.say("most", "VmHWM")
    held = asyncio.run(Browser(it.base, 0).json("server/status.json"))
    print(f"remembered       {held['remembered']['bytes'] / 1e6:7.1f} MB   of at most {held['remembered']['most'] / 1e6:.1f} MB")


def main() -> None:
    """Measure and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--uploads", type=int, default=100)
    asked = parser.parse_args()
    sizes = (20, 2, 8, 4, 0.1) if asked.quick else (asked.edits, AT_ONCE, asked.sessions, asked.uploads, REST)
    with serving() as it:
        measure(it, *sizes)


if __name__ == "__main__":
    main()
