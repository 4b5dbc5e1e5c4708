"""One browser that asks for too much at once: what others ask for is answered meanwhile, and it is told to come again."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.classroom import Browser
from benchmarks.crowd import AT_ONCE, fresh, picture
from ui.shared.turns import WAITING

NUMBERS = itertools.count(1)


@pytest.mark.parametrize("question", [fresh, picture])
def test_a_click_is_answered_while_one_browser_asks_for_much(server, question):
    async def main() -> None:
        one, other = Browser(server, next(NUMBERS)), Browser(server, next(NUMBERS))
        asked = [question(next(NUMBERS)) for _ in range(AT_ONCE)]
        burst = [asyncio.create_task(one.ask(path, **query)) for path, query in asked]
        ended, _ = await asyncio.wait(burst, return_when=asyncio.FIRST_EXCEPTION)
        assert any("429" in str(task.exception()) for task in ended if task.exception())
        await other.ask("lab/picture.json", seed=next(NUMBERS))
        assert sum(task.done() and not task.exception() for task in burst) < WAITING
        while sum(task.done() for task in burst) < AT_ONCE / 2:  # not all of them have been heard yet
            await asyncio.sleep(0.01)
        refused = sum("429" in str(task.exception()) for task in burst if task.done())
        assert refused > AT_ONCE / 4, "what is refused is not measured"
        for task in burst:  # they leave
            task.cancel()

    with ThreadPoolExecutor(1) as thread:  # Playwright's own loop runs on this one
        thread.submit(asyncio.run, main()).result()
