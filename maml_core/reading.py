"""What comes from outside, read with care: digits, JSON and files within bounds, and how a message quotes them."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from maml_core.errors import ConfigError

MOST_TEXT = 32 * 2**10
"""Bytes (or characters) of a JSON text that are parsed."""
MOST_DEPTH = 12
"""Objects and lists inside each other."""
MOST_DIGITS = 18
MOST_NUMBER = 40
"""Characters of a number that need not be whole."""
MOST_QUOTED = 60
"""Characters of a text from outside that a message repeats."""


def quoted(text: str) -> str:
    """Text from outside as a message repeats it: at most MOST_QUOTED characters, none of them unseen."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text[:MOST_QUOTED])
    return shown if len(text) <= MOST_QUOTED else f"{shown[:-1]}…"


def whole(text: str, low: int = 0, high: int = 10**12) -> int:
    """The number that these digits, 0 to 9 alone, write. Raises ValueError, in a clause, for any other text."""
    if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS and low <= (number := int(text)) <= high:
        return number
    raise ValueError(f"it must be a whole number from {low} to {high}")


def whole_of(texts: Mapping[str, str], name: str, low: int = 0, high: int = 10**12, default: str = "") -> int:
    """`whole` for the text of this name, of a query or of metadata. Raises ValueError in one sentence that names it."""
    text = texts.get(name, default)
    try:
        return whole(text, low, high)
    except ValueError as error:
        raise ValueError(f"{name}={quoted(text)} is not possible: {error}") from None


def setting(name: str, default: int, low: int, high: int) -> int:
    """The whole number that an environment variable sets, or the default where it is not set.

    Raises:
        ConfigError: in one sentence, if it is none or out of range.
    """
    text = os.environ.get(name, "").strip() or str(default)
    try:
        return whole(text, low, high)
    except ValueError as error:
        raise ConfigError(f"{name}={quoted(text)} is not possible: {error}") from None


def number(text: str) -> float:
    """The finite number that a text writes as programs do. Raises ValueError, in a clause, for any other text."""
    try:
        if text.isascii() and len(text) <= MOST_NUMBER and "_" not in text and math.isfinite(found := float(text)):
            return found
    except ValueError:
        pass
    raise ValueError("it must be a number")


def is_number(value: Any, below: float = 1e15) -> bool:
    """Whether a value from JSON is a number of that size; false for NaN too."""
    return type(value) in (int, float) and abs(value) < below


def json_object(text: str | bytes, most: int = MOST_TEXT, *, typed: bool = False) -> dict[str, Any]:
    """The object that a JSON text stands for.

    most: bytes or characters of it at most. typed: a person wrote it, so halves of characters are left out, not refused.

    Raises:
        ValueError: with a clause on what is wrong: too long, nested too deep, no JSON, NaN, a number too long, no object.
    """
    if len(text) > most:
        raise ValueError(f"it has {len(text):,} characters; at most {most:,} are read")
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_short)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {MOST_DEPTH}") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    if not isinstance(value, dict):
        raise ValueError("an object is expected")
    _check_depth(value)
    # Halves of characters are escaped, or no ASCII: most texts need not be gone through for them.
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return dict(_without_halves(value, typed)) if b"\\" in raw or not raw.isascii() else value


def content(path: Path, most: int = MOST_TEXT) -> bytes:
    """A file's bytes. Raises OSError, and ValueError where there are more than `most`."""
    with path.open("rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return found


def _check_depth(value: Any) -> None:
    inside = [value]
    for _ in range(MOST_DEPTH):
        each = [inner for outer in inside for inner in (outer.values() if type(outer) is dict else outer)]
        inside = [inner for inner in each if type(inner) is dict or type(inner) is list]
        if not inside:
            return
    raise ValueError(f"it is nested deeper than {MOST_DEPTH}")


def _without_halves(value: Any, typed: bool) -> Any:
    if isinstance(value, str):
        sound = value.encode("utf-8", "ignore").decode()
        if sound != value and not typed:
            raise ValueError("it holds half a character")
        return sound
    if isinstance(value, dict):
        return {_without_halves(key, typed): _without_halves(inner, typed) for key, inner in value.items()}
    return [_without_halves(inner, typed) for inner in value] if isinstance(value, list) else value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _short(digits: str) -> int:
    if len(digits) > MOST_DIGITS + 1:  # and a sign
        raise ValueError(f"a whole number in it has {len(digits):,} digits; at most {MOST_DIGITS} are read")
    return int(digits)
