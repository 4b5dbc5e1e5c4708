"""The published figures of the sinusoid task beside ours, and a way to measure ours again. No streamlit here."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maml_core import evaluation
from maml_core.baselines import PUBLISHED
from maml_core.reading import whole_of
from ui.shared import learners
from ui.shared.ranges import FAMILY_NAME
from ui.shared.remembered import remembered
from ui.shared.tables import csv_text
from ui.shared.turns import go_on

OUR_TASKS, OUR_ROUND = 10_000, 1_000
"""Tasks that ours are measured over, and those of one round."""
STEPS = 10
MOST_TIMES = 99
OURS = {"maml": ("shipped:maml_tf", "maml", "shipped:maml_best"), "pretrained": ("pretrained",), "oracle": ("oracle",)}
"""What is compared with a published figure, by what it is of. maml_tf has MAML-tf's recipe."""
NAMES = [name for names in OURS.values() for name in names]


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
    "Comparable: the task family, the network, the shots, the inner steps, and the mean error on query points. Ours are means "
    "over 10,000 tasks, ± their 95% intervals.",
    "Comparable with care: MAML-tf gives no intervals; over 100 tasks, the default in its code, they would be ± 0.03 to 0.09 "
    "with 10 shots and ± 0.09 to 0.16 with 5. Its code adapts with α = 0.001 by default; ours with 0.01, as in the paper. "
    "The paper’s figures were read off its plots. interactive-maml publishes weights but no errors: its figures were measured "
    "here on those weights, over 300 tasks.",
    "Not comparable: papers whose sine waves also vary in frequency, such as the one that introduced Meta-SGD.",
)


def payload() -> dict[str, Any]:
    """What the view draws: the figures, the notes, and ours as they stand in the checkpoints."""
    return {
        "figures": [figure._asdict() for figure in FIGURES],
        "learners": {
            of: [{"key": name, "label": learners.title(name), "alpha": learners.get(name).config.alpha} for name in names]
            for of, names in OURS.items()
        },
        "ours": _ours(),
        "notes": NOTES,
        "tasks": OUR_TASKS,
        "rounds": OUR_TASKS // OUR_ROUND,
        "most_times": MOST_TIMES,
    }


def measure(query: Mapping[str, str]) -> dict[int, dict[str, float]]:
    """Ours measured again: {step: {mean, ci95}} of one learner with K shots over `rounds` rounds of tasks.

    time: which measurement it is, 1 for the first; each meets other tasks. Raises ValueError for what cannot be measured,
    CheckpointError if the learner is missing.
    """
    name = query.get("learners", "")
    if name not in NAMES:
        raise ValueError(f"{name[:40]!r} is not a learner in the table")
    ranges = (("K", 1, 20), ("time", 1, MOST_TIMES), ("rounds", 1, OUR_TASKS // OUR_ROUND))
    return _measured(name, *(whole_of(query, *limits) for limits in ranges))


def table_csv(query: Mapping[str, str]) -> str:
    """The table as it stands on the page: one row for each published figure and learner of ours.

    measured: the learners and shots that were measured again, as `maml:10` with commas between; time: which measurement that was.
    Raises as `measure` does.
    """
    ours = _ours()
    for part in filter(None, query.get("measured", "").split(",")):
        name, _, K = part.rpartition(":")
        if name not in NAMES or K not in map(str, PUBLISHED):
            raise ValueError(f"measured={part[:40]} is not possible: give a learner of the table and its shots, such as maml:10")
        ours[name][int(K)] = _measured(name, int(K), whole_of(query, "time", 1, MOST_TIMES), OUR_TASKS // OUR_ROUND)
    return csv_text(
        ("source", "of", "K", "step", "published", "ours", "mean", "ci95", "tasks"),
        (
            (f.source, f.of, f.K, f.step, f.value, learners.title(name), *ours[name][f.K][f.step].values(), OUR_TASKS)
            for f in FIGURES
            for name in OURS[f.of]
        ),
    )


def _ours() -> dict[str, dict[int, dict[int, dict[str, float]]]]:
    """As they stand in the checkpoints: learner -> shots -> step -> mean and ci95."""
    results = {name: learners.get(name).results for name in NAMES}
    return {
        name: {K: {step: _short(of[str(K)][str(step)]) for step in range(STEPS + 1)} for K in PUBLISHED}
        for name, of in results.items()
    }


def _measured(name: str, K: int, time: int, rounds: int) -> dict[int, dict[str, float]]:
    losses = torch.cat([_losses(name, K, 1000 * time + i) for i in range(rounds)], 1)
    return {s.step: _short(s._asdict()) for s in evaluation.summarise(losses)}


@remembered
def _losses(name: str, K: int, seed: int) -> Tensor:
    """(STEPS + 1, OUR_ROUND)."""
    saved = learners.get(name)
    theta, alpha = saved.split()
    problem = saved.tasks(K, evaluation.QUERY, family=FAMILY_NAME)
    return evaluation.query_metric(
        problem, theta, alpha=alpha, num_updates=STEPS, test_tasks=OUR_ROUND, seed=seed, on_tasks=go_on
    )


def _short(stats: Mapping[str, Any]) -> dict[str, float]:
    """As measured: only the browser rounds."""
    return {name: stats[name] for name in ("mean", "ci95")}
