"""The published figures of the sinusoid task beside ours, and a way to measure ours again. No streamlit here."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maml_core import evaluation
from maml_core.baselines import PUBLISHED
from ui import engine, library

TASKS, ROUND = 10_000, 1_000
"""Tasks that ours are measured over, and those of one round."""
STEPS = 10
MOST_TIMES = 99
OURS = {"maml": ("shipped:maml_tf", "maml", "shipped:maml_best"), "pretrained": ("pretrained",), "oracle": ("oracle",)}
"""What is compared with a published figure, by what it is of. maml_tf has MAML-tf's recipe."""


class Figure(NamedTuple):
    """A published error."""

    source: str
    of: str  # of OURS
    K: int  # shots
    step: int  # inner steps
    value: float
    read_off: bool = False  # from a plot, so good to about a tenth


MAML_TF, PAPER, INTERACTIVE = "MAML-tf", "MAML paper, figure", "interactive-maml’s weights"
FIGURES = (
    *(Figure(MAML_TF, "maml", K, step, value) for K, row in PUBLISHED.items() for step, value in row.items()),
    Figure(PAPER, "maml", 5, 1, 0.7, True),
    Figure(PAPER, "maml", 5, 9, 0.35, True),
    Figure(PAPER, "maml", 10, 1, 0.45, True),
    Figure(PAPER, "maml", 10, 9, 0.15, True),
    Figure(PAPER, "pretrained", 5, 9, 2.1, True),
    Figure(PAPER, "pretrained", 10, 9, 1.75, True),
    Figure(PAPER, "oracle", 5, 9, 0.05, True),
    Figure(INTERACTIVE, "maml", 10, 1, 0.38),
    Figure(INTERACTIVE, "maml", 10, 5, 0.16),
    Figure(INTERACTIVE, "maml", 10, 10, 0.13),
)
NOTES = (
    "Comparable: the same task family, network, shots and updates, and the mean query MSE. Ours is over 10,000 tasks, "
    "± its 95% interval.",
    "Not quite: MAML-tf’s figures are over 100 tasks without an interval, which alone makes them uncertain by 0.1 and more; its "
    "code adapts with α = 0.001 by default, ours with 0.01, the paper’s. The paper’s are read off its plots. interactive-maml "
    "publishes weights and no errors: its figures were measured here with them, over 300 tasks.",
    "Not at all: papers whose sinusoids also vary in frequency, such as Meta-SGD’s own.",
)


def payload() -> dict[str, Any]:
    """What the view draws: the figures, the notes, and ours as they stand in the checkpoints."""
    names = [name for learners in OURS.values() for name in learners]
    results = {name: library.get(name).results for name in names}
    ours = {
        name: {K: {step: _short(results[name][str(K)][str(step)]) for step in range(STEPS + 1)} for K in PUBLISHED}
        for name in names
    }
    return {
        "figures": [figure._asdict() for figure in FIGURES],
        "learners": {of: [{"key": name, "label": library.title(name)} for name in learners] for of, learners in OURS.items()},
        "ours": ours,
        "notes": NOTES,
        "tasks": TASKS,
        "rounds": TASKS // ROUND,
        "most_times": MOST_TIMES,
    }


def measure(query: Mapping[str, str]) -> dict[str, Any]:
    """Ours measured again: {step: {mean, ci95}} of one learner with K shots over `rounds` rounds of tasks.

    time: which measurement it is, 1 for the first; each meets other tasks. Raises ValueError for what cannot be measured,
    CheckpointError if the learner is missing.
    """
    name = query.get("learners", "")
    if not any(name in learners for learners in OURS.values()):
        raise ValueError(f"{name[:40]!r} is none of the learners in the table")
    ranges = (("K", 1, 20), ("time", 1, MOST_TIMES), ("rounds", 1, TASKS // ROUND))
    K, time, rounds = (_whole(query, *limits) for limits in ranges)
    losses = torch.cat([_losses(name, K, 1000 * time + i) for i in range(rounds)], 1)
    return {str(s.step): _short(s._asdict()) for s in evaluation.summarise(losses)}


@lru_cache(maxsize=512)
def _losses(name: str, K: int, seed: int) -> Tensor:
    """(STEPS + 1, ROUND)."""
    saved = library.get(name)
    theta, alpha = saved.split()
    told = saved.config.algorithm == "oracle"
    with engine.cores:
        return evaluation.query_losses(
            saved.network.mse, theta, alpha=alpha, K=K, num_updates=STEPS, test_tasks=ROUND, oracle=told, seed=seed
        )


def _short(stats: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(f"{stats[name]:.4g}") for name in ("mean", "ci95")}


def _whole(query: Mapping[str, str], name: str, low: int, high: int) -> int:
    text = query.get(name, "")
    if not (text.isdecimal() and low <= int(text) <= high):
        raise ValueError(f"{name}={text[:20]} is not possible: it must be a whole number from {low} to {high}")
    return int(text)
