"""A line before what many may ask for at once: who comes when it is used up waits for a turn. No streamlit here."""

import asyncio
import time
from collections import Counter

TURN, PATIENCE = 0.5, 10.0
"""Seconds between two in a line, and those that anybody waits in it at most."""
MOST_WAIT = 500
"""Questions of one address that wait in a line at once; the next ones are answered without."""


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
