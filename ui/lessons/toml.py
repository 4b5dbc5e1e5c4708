"""The settings of a lesson file: TOML, each key of it taken and checked, and the line where it stands. No streamlit here."""

import re
import tomllib
from typing import Any

from ui.lessons import expressions
from ui.lessons.expressions import Expression


class LessonError(ValueError):
    """A lesson that cannot be used. message: one sentence; file and line say where, if it is a file that is wrong."""

    def __init__(self, message: str, file: str = "", line: int = 0):
        super().__init__(f"{file}, line {line}: {message}" if file else message)
        self.message, self.file, self.line = message, file, line


class Front:
    """The settings of a file between its first two lines +++, and where each stands; `body` is what comes after them."""

    def __init__(self, file: str, text: str):
        self.file = file
        lines = text.split("\n")
        if lines[0].strip() != "+++":
            raise LessonError("a lesson begins with a line +++, then its settings, then another line +++", file, 1)
        end = next((at for at, line in enumerate(lines[1:], 1) if line.strip() == "+++"), 0)
        if not end:
            raise LessonError("the settings must end with a second line +++", file, len(lines))
        front = "\n".join(lines[1:end])
        try:
            self.values: dict[str, Any] = tomllib.loads(front)
        except (ValueError, RecursionError) as error:  # of TOML, and of numbers with thousands of digits
            at = re.search(r"\(at line (\d+)", str(error))
            reason = re.sub(r" \(at .*\)|; use sys.*", "", str(error))
            line = int(at[1]) + 1 if at else end
            raise LessonError(f"the settings are not TOML: {reason}: {lines[line - 1].strip()!r:.60}", file, line) from None
        self._lines = _places(front)
        # What stands above keeps its place, so that lines are those of the file.
        self.body = "\n" * (end + 1) + "\n".join(lines[end + 1 :])

    def line(self, *path: str) -> int:
        """Where a key stands, or the table that it would stand in."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 0) + 1


def _places(front: str) -> dict[tuple[str, ...], int]:
    """Where keys and tables stand in TOML, from 1: (key,), (table, key), (table of an array, its index, key)."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    quoted = ""  # the quotes of a text of many lines that is open
    for number, line in enumerate(front.split("\n"), 1):
        if quoted:
            quoted = "" if quoted in line else quoted
            continue
        if header := re.match(r"\s*(\[\[?)\s*([\w.-]+)\s*\]", line):
            name = header[2]
            table = (name,)
            found.setdefault(table, number)
            if header[1] == "[[":
                at = counts[name] = counts.get(name, -1) + 1
                table = (name, str(at))
                found[table] = number
        elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=\s*(.*)", line):
            found.setdefault((*table, key[1]), number)
            for quotes in ('"""', "'''"):
                if key[2].startswith(quotes) and quotes not in key[2][3:]:
                    quoted = quotes
                    if key[2] == quotes:  # the text begins below
                        found[*table, key[1], "text"] = number + 1
    return found


REQUIRED: Any = object()
_KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text in quotes"),
    float: ((int, float), "a number"),
    int: ((int,), "a whole number"),
    bool: ((bool,), "true or false"),
    list: ((list,), "a list of texts"),
    dict: ((dict,), "a table"),
}


class Table:
    """A TOML table of which every key must be taken."""

    def __init__(self, front: Front, values: dict[str, Any], *path: str):
        self.front, self.path, self.values = front, path, values
        self.known: list[str] = []

    def take(self, key: str, kind: Any, default: Any = REQUIRED) -> Any:
        """The value of a key, checked to be of that kind."""
        self.known.append(key)
        if key not in self.values:
            if default is REQUIRED:
                of = f" of [{self.path[0]}]" if self.path else ""
                self.wrong(f"{key}{of} is missing: it must be {_KINDS[kind][1]}")
            return default
        value, (allowed, words) = self.values[key], _KINDS[kind]
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
            self.wrong(f"{key} must be {words}", key)
        if kind is list and not all(isinstance(item, str) for item in value):
            self.wrong(f"{key} must be {words}", key)
        if kind is float:
            if not abs(value) <= 1e9:
                self.wrong(f"{key} must be an ordinary number", key)
            return float(value)
        return value

    def close(self) -> None:
        """Nothing else may stand there."""
        if unknown := [key for key in self.values if key not in self.known]:
            of = f"[{self.path[0]}]" if self.path else "a lesson"
            self.wrong(f"there is no key {unknown[0]!r:.40} in {of}; there are {', '.join(self.known)}", unknown[0])

    def wrong(self, message: str, *key: str) -> None:
        """Say so, at the line of the key or of the table."""
        raise LessonError(message, self.front.file, self.front.line(*self.path, *key))

    def expression(self, key: str, text: str, names: dict[str, type], kind: type) -> Expression:
        """What the key says, understood."""
        try:
            return expressions.read(text, names, kind)
        except ValueError as error:
            raise LessonError(str(error), self.front.file, self.front.line(*self.path, key)) from None
