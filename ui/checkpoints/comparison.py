"""Two or more learners on common tasks: what is asked, its form in the address, and what came of it. No streamlit here."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import torch
from pandas.io.formats.style import Styler

from maml_core.evaluation import Difference, StepStats, paired_differences, summarise
from maml_core.palette import NEUTRAL, ROLES, Look
from ui.checkpoints import recipe
from ui.checkpoints.recipe import counted
from ui.lab import engine
from ui.shared import learners, rounding
from ui.shared.learners import check_learners
from ui.shared.query import read_query, write_number
from ui.shared.tables import csv_text

MOST_COMPARED = 8
"""Learners on one chart."""
TASKS = engine.FRESH_TASKS


@dataclass(frozen=True)
class Comparison:
    """What is compared, and how. The first learner is what the others are measured against."""

    compare: tuple[str, ...] = ()
    K: int = 10  # shots
    num_updates: int = 10  # inner steps
    alpha: float | None = None  # inner step size of all; None: each learner its own

    def to_query(self) -> dict[str, str]:
        """The address parameters; what is at its default is left out."""
        query = {}
        for f in dataclasses.fields(self):
            if (value := getattr(self, f.name)) != f.default:
                query[f.name] = ",".join(value) if f.name == "compare" else write_number(value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> tuple["Comparison", list[str]]:
        """What an address asks for, and one sentence for each parameter that could not be used."""
        return read_query(cls, query, {"compare": _learners})


class Compared(NamedTuple):
    """One learner's part of a comparison. No numbers depend on which others there are."""

    name: str
    look: Look
    steps: list[StepStats]
    apart: list[Difference]  # from the first learner, paired by task
    alpha: float  # inner step size


def measure(asked: Comparison, in_turn: Callable[[Callable[[], Any]], Any] = lambda work: work()) -> list[Compared]:
    """Every learner on the same tasks, each in a turn of its own. Raises CheckpointError if one is missing."""
    settings = asked.K, asked.alpha, asked.num_updates
    each = [torch.from_numpy(in_turn(partial(engine.fresh_losses, name, *settings))) for name in asked.compare]
    return [
        Compared(
            name,
            look,
            summarise(losses),
            paired_differences(losses, each[0]),
            learners.get(name).config.alpha if asked.alpha is None else asked.alpha,
        )
        for name, look, losses in zip(asked.compare, looks(asked.compare), each, strict=True)
    ]


def looks(names: tuple[str, ...]) -> list[Look]:
    """How they are drawn together: learners as everywhere; own ones, of which there may be several, each in another look."""
    spare = iter((ROLES["own"], *NEUTRAL.values()))
    drawn = [next(spare) if learners.role(name) == "own" else ROLES[learners.role(name)] for name in names]
    return [replace(look, label=learners.title(name)) for name, look in zip(names, drawn, strict=True)]


def finding(compared: list[Compared]) -> str:
    """The result in a sentence or two: who is lowest after the last step, and what sets it apart, with a paired interval."""
    last = len(compared[0].steps) - 1
    first, others = compared[0], compared[1:]
    best = min(compared, key=lambda part: part.steps[last].mean)
    lowest = rounding.number(best.steps[last].mean, rounding.EXACT)
    said = f"After {counted(last, 'step')}, {best.look.label} has the lowest mean error, {lowest}: "
    if best is first:
        near = min(others, key=lambda part: part.apart[last].mean)
        gap = near.apart[last]
        said += f"{near.look.label} is next and {rounding.interval(gap.mean, gap.ci95)} higher"
    else:
        gap = best.apart[last]
        said += f"{rounding.interval(-gap.mean, gap.ci95)} lower than {first.look.label}"
    said += ", too close to tell apart on these tasks." if abs(gap.mean) <= gap.ci95 else "."
    gone = [f"{part.look.label} on {recipe.percent(part.steps[last].diverged)}" for part in compared if part.steps[last].diverged]
    return said + (f" Diverged: {', '.join(gone)} of the tasks." if gone else "")


def table(compared: list[Compared]) -> Styler:
    """At some inner steps, a row for each learner: the numbers that columns are sorted by and that are read aloud, as written."""
    first, last = compared[0], len(compared[0].steps) - 1
    steps = sorted({step for step in recipe.TABLE_STEPS if step <= last} | {last})
    rows = [(step, part) for step in steps for part in compared]
    written = [_written(part.steps[step], part.apart[step], part is first) for step, part in rows]
    about = [{"step": step, "learner": part.look.label, "α": part.alpha} for step, part in rows]
    numbers = [{name: _number(text) for name, text in row.items()} for row in written]
    style = pd.DataFrame([told | row for told, row in zip(about, numbers, strict=True)]).style.format({"α": "{:g}"})
    for i, row in enumerate(written):
        style.format(row, subset=([i], list(row)))
    return style


def table_csv(compared: list[Compared]) -> str:
    """One row for each learner and inner step."""
    return csv_text(
        ("learner", "step", "mean", "ci95", "median", "diverged", "difference", "difference_ci95"),
        (
            (part.look.label, s.step, *(f"{value:.7g}" for value in (s.mean, s.ci95, s.median, s.diverged, d.mean, d.ci95)))
            for part in compared
            for s, d in zip(part.steps, part.apart, strict=True)
        ),
    )


def _written(stats: StepStats, apart: Difference, is_first: bool) -> dict[str, Any]:
    """The numbers of a row of the table; the first learner has no difference from itself."""
    difference, _, interval = rounding.interval(abs(apart.mean), apart.ci95).partition(" ± ")
    return {
        "mean error": rounding.number(stats.mean, rounding.EXACT),
        "difference": "" if is_first else f"{'−' if apart.mean < 0 else '+'}{difference}",
        "± 95%": "" if is_first else interval,
        "diverged": recipe.percent(stats.diverged) if stats.diverged else "",
    }


def _number(text: str) -> float:
    """What is written, as a number: 0 where nothing is, and the most that it can be where it is said to be under that."""
    return float(text.removeprefix("under ").removesuffix("%").replace("−", "-") or 0)


def _learners(name: str, text: str) -> tuple[str, ...]:
    names = check_learners(tuple(dict.fromkeys(text.split(","))))
    if len(names) > MOST_COMPARED:
        raise ValueError(f"at most {MOST_COMPARED} learners can be compared at once")
    return names
