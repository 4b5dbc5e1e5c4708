"""What each learner says of a drawing, given one drawing of each character, at every inner step. No streamlit here."""

from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.algorithms import adapt
from maml_core.evaluation import query_metric, summarise
from ui.characters import drawings, learners, samples
from ui.characters.drawings import Drawing
from ui.shared.remembered import remembered
from ui.shared.turns import go_on, once

FRESH_TASKS = 1000
"""That are measured on, where no table says more; the same ones for every learner."""
LOSS_LIMIT = 1e6
"""What a loss that is not finite, or larger, is given as."""


class Answer(NamedTuple):
    """Of a learner that takes no steps there is one row, and no loss."""

    likely: list[list[float]] | None
    """At each step, how likely each character is; None where nothing is asked."""
    loss: list[float] | None
    """On the drawings of the characters, at each step."""


def warm() -> None:
    """Answer once, so that the first visitor does not wait for it."""
    opened = samples.sample(samples.SEED)
    support, query = drawings.read_all(opened["support"], learners.WAY), drawings.read(opened["query"])
    for name in learners.there():
        answer(name, support, query, learners.UPDATES)


def answer(
    name: str, support: tuple[Drawing, ...], query: Drawing, num_updates: int, alpha: float | None = None, freeze: str = "none"
) -> Answer:
    """support: one drawing a character, two at least. The same arguments give everybody the same numbers, from a cache."""
    return _answer(name, learners.version(name), support, query, num_updates, alpha, freeze)


@remembered
def _answer(
    name: str, version: object, support: tuple[Drawing, ...], query: Drawing, num_updates: int, alpha: float | None, freeze: str
) -> Answer:
    way = len(support)
    learner = learners.of(name, way, alpha, freeze)
    x, y = torch.stack(list(map(drawings.image, support))), torch.arange(way)
    asked = drawings.image(query)[None] if query else None  # (1, 28, 28)
    with torch.no_grad():
        if learner.answer:
            return Answer(_rows([learner.answer(learner.theta, x, y, asked).exp()]) if asked is not None else None, None)
        loss_of, logits = learner.problem.loss, learner.problem.network.apply
        path = adapt(loss_of, learner.theta, x, y, learner.alpha, num_updates)
        loss = [float(loss_of(phi, x, y).nan_to_num(torch.inf).clamp(max=LOSS_LIMIT)) for phi in path]
        said = [logits(phi, asked).softmax(1) for phi in path] if asked is not None else None
    return Answer(_rows(said) if said else None, loss)


def _rows(shares: list[Tensor]) -> list[list[float]]:
    """(1, way) each; all alike where adaptation diverged."""
    return [[round(share, 4) for share in each[0].nan_to_num(1 / each.shape[1]).tolist()] for each in shares]


class Fresh(NamedTuple):
    """One learner over many tasks: the share of questions that it answers right, at each step; one row without steps."""

    tasks: int
    mean: list[float]
    ci95: list[float]


def fresh(name: str, freeze: str = "none") -> Fresh:
    """One drawing each of new characters, as the checkpoint's own table says it, or measured now. Cached."""
    table = learners.results(name) if freeze == "none" else {}
    steps = [table[str(step)] for step in range(learners.UPDATES + 1) if str(step) in table]
    if len(steps) > learners.UPDATES:
        return Fresh(int(steps[0]["tasks"]), [s["mean"] for s in steps], [s["ci95"] for s in steps])
    return once(_fresh, name, learners.version(name), freeze)


@remembered
def _fresh(name: str, version: object, freeze: str) -> Fresh:
    learner = learners.of(name, learners.WAY, freeze=freeze)
    right = query_metric(
        learner.problem,
        learner.theta,
        alpha=learner.alpha,
        num_updates=learners.UPDATES,
        test_tasks=FRESH_TASKS,
        answer=learner.answer,
        on_tasks=go_on,
    )
    stats = summarise(right, learner.problem.worst)
    return Fresh(FRESH_TASKS, [s.mean for s in stats], [s.ci95 for s in stats])
