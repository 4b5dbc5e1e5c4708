"""The C library's heap: few arenas, and what is free in it goes back to the system. No streamlit here.

Tensors come and go by the megabyte, on many threads, and the GNU C library keeps what each of them has freed for itself: hundreds
of megabytes that nothing lies in. Elsewhere this does nothing.
"""

import asyncio
import ctypes
import os
import time
from pathlib import Path
from typing import Any

ARENAS = 2
"""Heaps that threads share: more would help only where they allocate at the same time."""
EVERY = 2.0
"""Seconds between two looks at whether there may be something to give back: it takes some milliseconds."""
WORKED = 0.5
"""Seconds of processor time that make it worth while."""
_M_ARENA_MAX = -8
"""As malloc.h has it."""


def resident() -> int | None:
    """Bytes of memory that this process has now, where the system says so."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


async def tend() -> None:
    """As long as it is not cancelled. To be begun before there are threads."""
    library = _glibc()
    if library is None:
        return
    library.mallopt(_M_ARENA_MAX, ARENAS)
    before = time.process_time()
    while True:
        await asyncio.sleep(EVERY)
        if time.process_time() - before > WORKED:
            await asyncio.to_thread(library.malloc_trim, 0)
            before = time.process_time()


def _glibc() -> Any:
    """The functions of the GNU C library; None for any other."""
    try:
        library = ctypes.CDLL(None)
        return library if library.malloc_trim and library.mallopt else None
    except (OSError, TypeError, AttributeError):
        return None
