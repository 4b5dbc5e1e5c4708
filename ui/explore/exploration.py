"""What the Explore page asks: learners, conditions, what a map keeps fixed; and its form in the address. No streamlit here."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maml_core import sweeps
from maml_core.baselines import STEP_SIZES
from ui.shared.learners import check_learners
from ui.shared.query import NONE, read_query, write_number

MOST_EXPLORED = 4
"""Learners on one page: each takes two maps."""
MAP_STEPS = 20
"""Inner steps of every map."""
ALPHA_ROWS = STEP_SIZES
SHOT_ROWS, MORE_SHOT_ROWS = tuple(range(1, 21)), (25, 30, 40, 50)
"""Rows of the map by shots, and those that "more shots" adds."""
CONDITIONS = {
    "half": "shots in half the range",
    "amplitude": "amplitudes 5 to 10",
    "phase": "phases π to 2π",
    "noise": f"noise σ = {sweeps.NOISE:g}",
    "shots": f"up to {MORE_SHOT_ROWS[-1]} shots",
}
"""What a test can have that training had not, as it is called: sweeps.CONDITIONS, and more shots."""
VIEWS = ("maps", "curves", "published")
CELL_TASKS = (2_000, sweeps.MOST_TASKS)
"""Tasks a cell that a map is refined to: by itself, and on request."""


@dataclass(frozen=True)
class Exploration:
    """What is on show."""

    learners: tuple[str, ...] = ("maml",)
    K: int = 10  # shots, in the maps by step size
    alpha: float | None = None  # inner step size, in the maps by shots; None: each learner its own
    conditions: tuple[str, ...] = ()
    tasks: int = CELL_TASKS[0]
    view: str = "maps"

    def to_query(self) -> dict[str, str]:
        """The address parameters; what is at its default is left out."""
        query = {}
        for f in dataclasses.fields(self):
            if (value := getattr(self, f.name)) != f.default:
                query[f.name] = _write(value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> tuple["Exploration", list[str]]:
        """What an address asks for, and one sentence for each parameter that could not be used."""
        return read_query(cls, query, _READ)


def conditions_in_order(conditions: Any) -> tuple[str, ...]:
    """These conditions in the order they are always named."""
    return tuple(name for name in CONDITIONS if name in conditions)


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value) or NONE
    return value if isinstance(value, str) else write_number(value)


def _learners(name: str, text: str) -> tuple[str, ...]:
    if text == NONE:
        return ()
    names = check_learners(tuple(dict.fromkeys(text.split(","))))
    if len(names) > MOST_EXPLORED:
        raise ValueError(f"at most {MOST_EXPLORED} learners can be shown at once")
    return names


def _conditions(name: str, text: str) -> tuple[str, ...]:
    words = text.split(",")
    if unknown := [word for word in words if word not in CONDITIONS]:
        raise ValueError(f"{unknown[0]!r:.40} is not a condition; choose from {', '.join(CONDITIONS)}")
    return conditions_in_order(words)


def _tasks(name: str, text: str) -> int:
    if text not in map(str, CELL_TASKS):
        raise ValueError(f"it must be {' or '.join(map(str, CELL_TASKS))}")
    return int(text)


def _view(name: str, text: str) -> str:
    if text not in VIEWS:
        raise ValueError(f"it must be one of {', '.join(VIEWS)}")
    return text


_READ = {"learners": _learners, "conditions": _conditions, "tasks": _tasks, "view": _view}
