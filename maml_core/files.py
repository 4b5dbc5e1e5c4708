"""Files that several processes share: written so that nobody ever sees half of one, and locks that end with their holder."""

import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

LITTLE = 2**18
"""Bytes of a disk that are as good as none: a snapshot needs some such number."""
ABANDONED = 86_400.0
"""Seconds after which a temporary file is one that a process that was killed left behind."""
_TEMPORARY = re.compile(r"\..+\.[0-9]+-[0-9]+")
_ONE_PROBE = threading.Lock()


class Held(Exception):
    """Somebody else holds the lock."""


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file's content at once or not at all. Raises OSError, and then leaves nothing behind."""
    temporary = temporary_for(path)
    try:
        temporary.write_bytes(content)
        for attempt in range(5):
            try:
                temporary.replace(path)
                return
            except PermissionError:  # on Windows, while somebody reads the old file
                if attempt == 4:
                    raise
                time.sleep(0.05)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace the file's content by this object at once or not at all. Raises OSError."""
    write_atomically(path, json.dumps(value, indent=1).encode())


def temporary_for(path: Path) -> Path:
    """Beside a file, a name for what shall replace it, this thread's own. `sweep` knows such names."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")


def sweep(folder: Path) -> None:
    """Remove what processes that were killed have left half written in this folder."""
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):  # another process was quicker, or it is another account's
                if _TEMPORARY.fullmatch(path.name) and abs(time.time() - path.stat().st_mtime) > ABANDONED:
                    path.unlink()


def is_full(folder: Path) -> bool:
    """Whether the disk that this folder is on has no space to speak of."""
    try:
        return shutil.disk_usage(folder).free < LITTLE
    except OSError:
        return False


def signature(path: Path) -> tuple[int, int]:
    """What changes when the file does: when it was written, and its size in bytes. Zeros where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@contextmanager
def lock(path: Path, seconds: float = 0) -> Iterator[None]:
    """Be the only one, among all processes and threads, inside a `with` on this file. The system ends it with the process.

    seconds: how long to wait for another holder.

    Raises:
        Held: somebody else still holds it then.
        OSError: the file cannot be made or opened.
    """
    # Not soft, ever: a lock that is a mere file outlives the process that made it.
    held = FileLock(path, thread_local=False, fallback_to_soft=False)
    try:
        held.acquire(timeout=seconds, poll_interval=0.01)
    except Timeout:
        raise Held(str(path)) from None
    try:
        yield
    finally:
        held.release()


def is_locked(path: Path) -> bool | None:
    """Whether somebody holds the lock on this file; None where this account may not know.

    Looking takes it for a moment, so whoever wants it waits a little.
    """
    with _ONE_PROBE:  # two that look at once would each take the other for a holder
        for pause in (0.0005, 0):  # and so would one in another process
            try:
                if not path.exists():
                    return False
                with lock(path):
                    return False
            except Held:
                time.sleep(pause)
            except (FileNotFoundError, NotADirectoryError):
                return False
            except OSError:  # it belongs to another account, say
                return _is_locked_as_a_reader_sees(path)
    return True


def _is_locked_as_a_reader_sees(path: Path) -> bool | None:
    """`is_locked` for a file that may not be opened for writing: beside a holder there is no shared lock either."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
