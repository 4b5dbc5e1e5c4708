"""What the C library keeps: given back while the server goes on."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

FREED = """
import asyncio, contextlib, threading
import numpy as np
from ui.shared import heap

heap.EVERY, heap.WORKED = 0.05, 0.0
held = []

def work():
    arrays = [np.ones(12_000) for _ in range(300)]
    held.extend(arrays[::50])  # what lies between them cannot simply be cut off

async def main():
    tending = asyncio.create_task(heap.tend())
    await asyncio.sleep(0)
    print(heap.resident())
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(heap.resident())
    for _ in range(200):
        await asyncio.sleep(0.05)
        if heap.resident() < int(2e7) + first:
            break
    print(heap.resident())
    tending.cancel()

first = heap.resident()
asyncio.run(main())
"""


def test_what_threads_have_freed_goes_back_to_the_system():
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        pytest.skip("only where the GNU C library is")
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", FREED], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    before, full, after = (int(line) / 1e6 for line in done.stdout.split())
    assert full - before > 60
    assert after - before < 25
