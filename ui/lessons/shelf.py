"""The lessons there are: a folder of files, each read again when it has changed. No streamlit here."""

import logging
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from maml_core.files import signature
from ui.lessons.format import Lesson, card_of, read
from ui.lessons.toml import LessonError
from ui.shared.learners import ROOT

_log = logging.getLogger("maml_lab")
GUIDE = "README.md"
"""The one file of the folder that is no lesson."""
UNNUMBERED = 10**9
"""The place of a file without a number: after all that have one."""


class Shelf(NamedTuple):
    """A folder of lessons as it is now: by card, in file order, and what is wrong with the others."""

    lessons: dict[str, Lesson]
    broken: list[LessonError]


def folder() -> Path:
    """Where lessons are: `MAML_LAB_LESSONS`, or lessons/ beside app.py."""
    return Path(os.environ.get("MAML_LAB_LESSONS") or ROOT / "lessons")


def shelf(where: Path | None = None) -> Shelf:
    """All lessons of a folder. A file is read again when it has changed; one that is broken does not stop the others."""
    where = where or folder()
    lessons: dict[str, Lesson] = {}
    broken: list[LessonError] = []
    try:
        paths = sorted((path for path in where.glob("*.md") if path.name != GUIDE), key=lambda path: place(path.name))
        if not where.is_dir():
            raise FileNotFoundError(2, "there is no such folder")
    except OSError as error:
        return Shelf({}, [LessonError(f"lessons cannot be read here: {error.strerror}", where.name, 0)])
    for path in paths:
        try:
            found = _lesson(path, *signature(path))
            if found.card in lessons:
                raise LessonError(f"{lessons[found.card].file} already has the card {found.card}: rename this file", path.name, 1)
            lessons[found.card] = found
        except LessonError as error:
            broken.append(error)
    return Shelf(lessons, broken)


def place(file: str) -> tuple[int, str]:
    """By the number in front of the name, as a number; those without one last."""
    number = re.match(r"[0-9]{1,9}", file)
    return int(number[0]) if number else UNNUMBERED, file


def _lesson(path: Path, when: int, size: int) -> Lesson:
    found = _read(path, when, size)
    if isinstance(found, LessonError):
        raise LessonError(found.message, found.file, found.line)
    return found


@lru_cache(maxsize=512)
def _read(path: Path, when: int, size: int) -> Lesson | LessonError:
    try:
        with path.open("rb") as file:
            return read(path.name, file.read(2 * 10**6))
    except LessonError as error:
        return error
    except OSError as error:
        return LessonError(f"the file cannot be read: {error.strerror}", path.name, 1)
    except Exception as error:  # whatever it is, the other lessons go on
        _log.exception("a lesson cannot be read: %s", path.name)
        return LessonError(f"the file cannot be read as a lesson ({type(error).__name__})", path.name, 1)


def _card(file: str) -> str | None:
    """The card that a file would be; None for a name that can be no card's."""
    try:
        return card_of(file)
    except LessonError:
        return None


def find(card: str, among: Shelf | None = None) -> Lesson:
    """The lesson of that card. Raises LessonError in one sentence if there is none, or if its file is broken."""
    lessons, broken = among or shelf()
    if card in lessons:
        return lessons[card]
    for error in broken:
        if _card(error.file) == card:
            raise error
    raise LessonError(f"There is no card {card!r:.60} on this server")
