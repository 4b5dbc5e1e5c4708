"""Settings in an address: how each is written and read, and what is said of one that cannot be used. No streamlit here."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from maml_core.reading import number, quoted, whole
from ui.shared.ranges import RANGES

NONE = "none"
"""An empty list in the address: an empty parameter is easily lost when addresses are copied."""


def read_query(settings: type, query: Mapping[str, str], read: Mapping[str, Callable[[str, str], Any]]) -> tuple[Any, list[str]]:
    """Settings of a page as an address says them, and one sentence for each parameter that could not be used and is left out.

    settings: a dataclass; read: field -> its reader from (name, text), where it is no plain number.
    """
    values: dict[str, Any] = {}
    problems = []
    for f in dataclasses.fields(settings):
        text = query.get(f.name, "")
        if not text:
            continue
        try:
            values[f.name] = read.get(f.name, read_number)(f.name, text)
        except ValueError as error:
            problems.append(f"{f.name}={quoted(text)} in the address: {error}. It is ignored.")
    return settings(**values), problems


def write_number(value: float) -> str:
    """As an address says it: 10 significant digits."""
    return repr(value) if isinstance(value, int) else f"{value:.10g}"


def read_number(name: str, text: str) -> float:
    """The setting's value. Raises ValueError if it is not in its range."""
    low, high = RANGES[name]
    real = name in ("amplitude", "phase", "alpha", "noise")
    try:
        value = number(text) if real else whole(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ValueError(f"it must be a {'number' if real else 'whole number'} from {low:g} to {high:g}")
    return value
