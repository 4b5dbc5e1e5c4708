"""The folder of compiled programs: those used last are kept, and what could not be compiled here is remembered."""

import os
import time
from contextlib import suppress
from pathlib import Path

import platformdirs

from maml_core.files import signature, sweep, write_atomically

KEEP = 8
"""Compiled programs, of 2 MB each."""
REMEMBERED = 7 * 86_400.0
"""Seconds until what could not be compiled is tried again although nothing has changed."""


def folder() -> Path | None:
    """MAML_LAB_CACHE, else the user's folder for such things; None where the user has no home."""
    if given := os.environ.get("MAML_LAB_CACHE"):
        return Path(os.path.expanduser(given))
    try:
        return Path(platformdirs.user_cache_dir("maml_lab", appauthor=False))
    except RuntimeError:
        return None


def find(key: str) -> Path | None:
    """The program that was kept under this key, if it was."""
    path = _at(f"{key}.pt2")
    return path if path and os.path.exists(path) else None  # Path.exists raises in a folder that may not be entered


def used(program: Path) -> None:
    """Note that a program was used just now."""
    with suppress(OSError):  # in a folder that this user may only read
        os.utime(program)


def keep(key: str, program: bytes) -> None:
    """Keep a program under this key, and of all no more than KEEP. One that a process has begun to use needs its file no longer.

    Raises:
        OSError: it cannot be kept. The message says where and why.
    """
    path = _at(f"{key}.pt2")
    if path is None:
        raise OSError("this user has no home folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        write_atomically(path, program)
    except OSError as error:
        raise OSError(f"{path.parent}: {error.strerror or error}") from error
    _thin(path.parent, "*.pt2")


def remember(key: str, why: str) -> None:
    """Remember why something could not be compiled, where that can be written."""
    if path := _at(f"{key}.failed"):
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, why.encode("utf-8", "replace"))
            _thin(path.parent, "*.failed")


def remembered(key: str) -> str:
    """Why that could not be compiled before, or "" if nothing is known, or not lately."""
    path = _at(f"{key}.failed")
    try:
        if path and abs(time.time() - path.stat().st_mtime) < REMEMBERED:
            return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        pass
    return ""


def forget(key: str) -> None:
    """It could be compiled after all."""
    if path := _at(f"{key}.failed"):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _at(name: str) -> Path | None:
    inside = folder()
    return inside / name if inside else None


def _thin(inside: Path, pattern: str) -> None:
    """Remove all but the KEEP files of this pattern that were used last."""
    for path in sorted(inside.glob(pattern), key=signature, reverse=True)[KEEP:]:
        with suppress(OSError):  # on Windows, while another process reads it: next time
            path.unlink()
