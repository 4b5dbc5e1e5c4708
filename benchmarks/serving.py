"""The real app for a benchmark: a server of its own with an empty folder of runs, and a browser."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """Its address, and where its runs are kept, once it answers."""
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
            yield base, Path(runs)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser: the tests' own."""
    with sync_playwright() as playwright:
        executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        yield playwright.chromium.launch(executable_path=executable, args=FLAGS)


def _healthy(base: str) -> bool:
    try:
        urllib.request.urlopen(f"{base}/_stcore/health", timeout=1)
        return True
    except OSError:
        return False
