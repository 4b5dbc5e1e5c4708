"""What each learner says of a drawing, given one drawing of each character, at every inner step. No streamlit here."""

from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.algorithms import adapt
from ui.characters import drawings, learners
from ui.characters.drawings import Drawing
from ui.shared.remembered import remembered

LOSS_LIMIT = 1e6
"""What a loss that is not finite, or larger, is given as."""


class Answer(NamedTuple):
    """Of a learner that takes no steps there is one row, and no loss."""

    likely: list[list[float]] | None
    """At each step, how likely each character is; None where nothing is asked."""
    loss: list[float] | None
    """On the drawings of the characters, at each step."""


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
        assert learner.loss is not None
        assert learner.logits is not None
        path = adapt(learner.loss, learner.theta, x, y, learner.alpha, num_updates)
        loss = [float(learner.loss(phi, x, y).nan_to_num(torch.inf).clamp(max=LOSS_LIMIT)) for phi in path]
        said = [learner.logits(phi, asked).softmax(1) for phi in path] if asked is not None else None
    return Answer(_rows(said) if said else None, loss)


def _rows(shares: list[Tensor]) -> list[list[float]]:
    """(1, way) each; all alike where adaptation diverged."""
    return [[round(share, 4) for share in each[0].nan_to_num(1 / each.shape[1]).tolist()] for each in shares]
