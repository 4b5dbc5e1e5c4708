"""What the C library keeps: given back while the server goes on."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

FREED = """
import asyncio, sys, threading
import numpy as np
from ui.shared import heap

heap.EVERY, heap.WORKED = 0.05, 0.0
held, full = [], threading.Barrier(4)

def work():
    arrays = [np.ones(12_000) for _ in range(300)]
    full.wait()  # else a thread could take what another has freed
    held.extend(arrays[::50])  # what lies between them cannot simply be cut off

async def main(tended):
    tending = asyncio.create_task(heap.tend() if tended else asyncio.sleep(60))
    await asyncio.sleep(0)
    threads = [threading.Thread(target=work) for _ in range(full.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(200 if tended else 10):
        await asyncio.sleep(0.05)
        if heap.resident() < int(2e7) + first:
            break
    print(heap.resident() - first)
    tending.cancel()

first = heap.resident()
asyncio.run(main(sys.argv[1] == "tended"))
"""


def kept(how: str) -> float:
    """Megabytes that a process has more after its threads have freed theirs."""
    command = [sys.executable, "-c", FREED, how]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True, timeout=60)
    return int(done.stdout) / 1e6


def test_what_threads_have_freed_goes_back_to_the_system():
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        pytest.skip("only where the GNU C library is")
    left_alone, tended = kept("left alone"), kept("tended")
    assert tended < 0.5 * left_alone
