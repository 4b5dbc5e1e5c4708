"""How a learner adapts over a grid of settings: query loss by shots, step size and inner step, on the same tasks throughout."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from maml_core import tasks
from maml_core.algorithms import Loss, StepSize, adapt
from maml_core.config import MAX_SHOTS, ConfigError
from maml_core.evaluation import StepStats, summarise, unheard
from maml_core.network import Params, device_of
from maml_core.tasks import Batch, Sinusoids

POINTS = 25
"""Query points a task is judged by, at equal distances: as exact as many times as many at random, for curves this smooth."""
MOST_TASKS = 10_000
LANE_NUMBERS = 2**19
"""Numbers that the parameters adapted at once may have: what fits a cache is quicker."""
NOISE = 0.5
"""Standard deviation on the support targets under "noise"."""
BEYOND = {"amplitude": Sinusoids(amplitude=(5.0, 10.0)), "phase": Sinusoids(phase=(math.pi, 2 * math.pi))}
"""Conditions under which tasks come from ranges next to those of training."""
CONDITIONS = ("half", *BEYOND, "noise")
"""What a test can have that training had not: shots in the left half only, larger amplitudes, other phases, noisy shots."""


class Row(NamedTuple):
    """A setting of the inner loop; the inner step runs along the row."""

    K: int  # shots
    alpha: StepSize


@dataclass(frozen=True)
class Tasks:
    """The first MOST_TASKS tasks of a seed, each with MAX_SHOTS shots, of which a row with K shots uses the first K."""

    parameters: Tensor  # (T, P), as the family's
    batch: Batch

    def part(self, first: int, count: int) -> Batch:
        """`count` of them from the `first` on."""
        return Batch(*(part[first : first + count] for part in self.batch))


def draw(conditions: Sequence[str] = (), *, oracle: bool = False, seed: int = 0) -> Tasks:
    """Sinusoids under these conditions. The same seed gives the same tasks, but for what a condition changes.

    oracle: every point also carries its task's parameters. Raises ConfigError for an unknown condition.
    """
    if unknown := [name for name in conditions if name not in CONDITIONS]:
        raise ConfigError(f"{unknown[0]!r:.40} is not a condition: choose from {', '.join(CONDITIONS)}")
    ranges = {name: getattr(BEYOND[name], name) for name in BEYOND if name in conditions}
    family = Sinusoids(**ranges)
    drawn = torch.rand(MOST_TASKS, family.randoms + MAX_SHOTS, generator=torch.Generator().manual_seed(seed))
    judged = ((torch.arange(POINTS) + 0.5) / POINTS).expand(MOST_TASKS, -1)
    placement = "left" if "half" in conditions else "anywhere"
    batch = tasks.batch(family, torch.cat([drawn, judged], 1), MAX_SHOTS, oracle, placement)
    if "noise" in conditions:
        y = batch.y_support
        batch = batch._replace(y_support=y + NOISE * torch.randn(y.shape, generator=tasks.stream(seed, tasks.NOISE)))
    return Tasks(family.parameters(drawn[:, : family.randoms]), batch)


def query_losses(
    loss: Loss,
    theta: Params,
    rows: Sequence[Row],
    batch: Batch,
    num_updates: int,
    *,
    on_tasks: Callable[[int], object] = unheard,
) -> Tensor:
    """Query MSE of each task at every inner step of every row -> (rows, num_updates + 1, tasks); not finite where it diverged.

    All steps of a row come from one trajectory. Rows are computed one after the other, each over many tasks at once: padded to
    one size and batched together they take no less time.
    on_tasks: as in `evaluation.query_losses`, for every row.
    """
    device, numbers = device_of(theta), sum(value.numel() for value in theta.values())
    lanes = max(1, LANE_NUMBERS // numbers)
    pieces = list(zip(*(part.split(lanes) for part in batch), strict=True))

    def row_by_piece(row: Row) -> Iterator[Tensor]:
        for piece in pieces:
            yield _row(loss, theta, row, Batch(*piece).to(device), num_updates)
            on_tasks(len(piece[0]))

    with torch.no_grad():
        return torch.stack([torch.cat(list(row_by_piece(row)), 1) for row in rows])


def _row(loss: Loss, theta: Params, row: Row, batch: Batch, num_updates: int) -> Tensor:
    """(num_updates + 1, tasks). Only the newest parameters are kept, or all of them would not fit a cache."""
    x, y = batch.x_support[:, : row.K], batch.y_support[:, : row.K]
    judge = vmap(loss)
    step = vmap(lambda phi, x, y: adapt(loss, phi, x, y, row.alpha, 1)[-1])
    phi = {name: value.expand(len(x), *value.shape) for name, value in theta.items()}
    losses = [judge(phi, batch.x_query, batch.y_query)]
    for _ in range(num_updates):
        phi = step(phi, x, y)
        losses.append(judge(phi, batch.x_query, batch.y_query))
    return torch.stack(losses)


def cells(losses: Tensor) -> list[list[StepStats]]:
    """(rows, steps, tasks) -> the statistics of each row at each step."""
    return [summarise(row) for row in losses]


class Examples(NamedTuple):
    """Tasks of a cell, by their number."""

    typical: int  # the one with the median loss
    best: int
    worst: int


def examples(losses: Tensor) -> Examples:
    """Of the tasks with these losses, (tasks,). One whose loss is not a number is worse than any."""
    order = losses.nan_to_num(nan=math.inf).argsort(stable=True)
    return Examples(*(int(order[at]) for at in ((len(order) - 1) // 2, 0, -1)))
