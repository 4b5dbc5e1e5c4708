"""A measure asked for in a lesson file: `read` checks its arguments when the file is read, `take` measures when it is needed.

No streamlit here.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from ui.lessons.arguments import Checked
from ui.lessons.measures import MEASURES
from ui.shared import learners


class Question(NamedTuple):
    """A measure with its arguments, checked."""

    measure: str
    arguments: tuple[tuple[str, Any], ...]


class Parameter(NamedTuple):
    """An argument of a measure. default: inspect.Parameter.empty where it must be given."""

    check: Callable[[Any], Any]
    words: str
    default: Any


@cache
def parameters(measure: str) -> dict[str, Parameter]:
    """The arguments of a measure."""
    function = MEASURES[measure]
    hints = typing.get_type_hints(function, include_extras=True)
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
            hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
        checked = next(part for part in hint.__metadata__ if isinstance(part, Checked))
        found[name] = Parameter(checked.check, checked.words, parameter.default)
    return found


def read(asked: Mapping[str, Any]) -> Question:
    """A question as a lesson file asks it: `measure`, and its arguments by name. Raises ValueError with one sentence."""
    name = asked.get("measure")
    if not isinstance(name, str) or name not in MEASURES:
        raise ValueError(f"there is no measure {name!r:.40}; there are {', '.join(MEASURES)}")
    known, arguments = parameters(name), []
    if unknown := [key for key in asked if key != "measure" and key not in known]:
        raise ValueError(f"the measure {name} has no argument {unknown[0]!r:.40}; it has {', '.join(known)}")
    for key, parameter in known.items():
        if key not in asked:
            if parameter.default is inspect.Parameter.empty:
                raise ValueError(f"the measure {name} needs {key}: {parameter.words}")
            continue
        try:
            arguments.append((key, parameter.check(asked[key])))
        except ValueError as problem:
            raise ValueError(f"{key} = {asked[key]!r:.60} is not possible for the measure {name}: {problem}") from None
    return Question(name, tuple(arguments))


def take(question: Question) -> float:
    """Measure, or find it measured. Raises ValueError (CheckpointError is one) with one sentence if it cannot be."""
    asked = [value for key, value in question.arguments if key in ("learner", "other")]
    return _take(question, tuple(map(learners.version, asked)))


@lru_cache(maxsize=4096)
def _take(question: Question, versions: tuple[int, ...]) -> float:
    value = float(MEASURES[question.measure](**dict(question.arguments)))
    if not np.isfinite(value):
        raise ValueError(f"the measure {question.measure} did not give a number")
    return value
