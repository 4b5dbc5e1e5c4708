"""A run that trains obeys at any moment: what its owner asks, Ctrl-C, or a polite kill. Nothing that was trained is lost."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from maml_core.runs.asking import read_request

ASKED_SECONDS = 0.1
"""Between two looks at what is asked of the run."""
OBEYED_SECONDS = 0.7
"""From the interruption until its process ends without having come to obey."""


@contextmanager
def obeying(folder: Path, leave: Callable[[], object]) -> Iterator[None]:
    """What is asked of the run in this folder raises KeyboardInterrupt inside; where that is of no use, it ends the process.

    leave: keeps what was trained and tells how the run ends; called, from a thread, before the process is ended in the middle
    of one large operation.

    Only in a process that was told to `stop_like_ctrl_c`, and not on Windows. Elsewhere whoever trains has to look.
    """
    done, leaving = threading.Event(), threading.Lock()

    def watch() -> None:
        while not done.wait(ASKED_SECONDS):
            if read_request(folder):
                # Not interrupt_main: that does not wake a thread that waits for a compiler.
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
                if not done.wait(OBEYED_SECONDS):
                    end()
                return

    def end() -> None:
        with leaving:
            if not done.is_set():
                with suppress(OSError):
                    leave()
                    (folder / "control.json").unlink(missing_ok=True)
                os._exit(0)

    watching = threading.Thread(target=watch, daemon=True)
    if sys.platform != "win32" and signal.getsignal(signal.SIGTERM) is _interrupt:
        watching.start()
    try:
        yield
    finally:
        with leaving:
            done.set()
        if watching.ident:
            watching.join()  # or it would interrupt what comes after


def stop_like_ctrl_c() -> None:
    """Let a polite kill (SIGTERM) save what was trained, as Ctrl-C does."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)


@contextmanager
def undisturbed() -> Iterator[None]:
    """An impatient second Ctrl-C must not cut short what the first one is saving."""
    signals = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(signum: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
