"""The real app for a benchmark: a server of its own with an empty folder of runs, and a browser."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--font-render-hinting=none",  # a text is as wide as its letters, as on a screen with a window
]


class Serving(NamedTuple):
    """A server: its address, where its runs are kept, and its process."""

    base: str
    runs: Path
    process: subprocess.Popen

    def cpu_seconds(self) -> float:
        """Processor time used so far, as Linux counts it."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """Its address, and where its runs are kept, once it answers."""
    with serving() as it:
        yield it.base, it.runs


@contextmanager
def serving() -> Iterator[Serving]:
    """All of it, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as runs:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=os.environ | {"MAML_LAB_RUNS": runs})
        try:
            while not _healthy(base):
                time.sleep(0.1)
            yield Serving(base, Path(runs), process)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser: the tests' own."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=executable(), args=FLAGS)


def executable() -> str | None:
    """The browser that is here, one without a window before the others; None for Playwright's own download."""
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def report(what: str, took: list[float]) -> None:
    """Print what so many took, in milliseconds."""
    p95 = sorted(took)[max(0, round(0.95 * len(took)) - 1)]
    print(f"{what:16} median {statistics.median(took):7.1f} ms   p95 {p95:7.1f} ms   (n={len(took)})", flush=True)


def _healthy(base: str) -> bool:
    try:
        urllib.request.urlopen(f"{base}/_stcore/health", timeout=1)
        return True
    except OSError:
        return False
