"""How well a learner adapts: what its problem is judged by, by inner step, over many fresh tasks at once."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from maml_core import metric, problems, tasks
from maml_core.algorithms import StepSize, adapt
from maml_core.config import CLASSIFICATION, DIVERGED_ABOVE, METRIC, TEST_SAMPLE, TrainConfig
from maml_core.network import Params, device_of
from maml_core.problems import Problem
from maml_core.tasks import Batch
from maml_core.training import comparing, split

CHUNK = 1000
"""Tasks drawn at once."""
QUERY = 100
"""Points a curve is judged by, uniform in x."""
DRAWINGS = 15
"""Drawings of each class that classes are judged by, as in Vinyals et al. 2016."""
TRAJECTORY_NUMBERS = 2**22
"""Numbers that are there at once in the trajectories, and in what a layer makes of points: what fits a cache is quicker, and
memory is bounded for any network."""


def unheard(tasks: int) -> None:
    """Nobody waits for news."""


class StepStats(NamedTuple):
    """A metric of the query points after one inner step, over all tasks. A diverged task counts as the problem's worst."""

    step: int
    mean: float
    ci95: float  # half-width: 1.96 standard deviations / sqrt(tasks)
    median: float  # for an even number of tasks the lower of the middle two
    diverged: float  # share of the tasks


class Difference(NamedTuple):
    """How much higher one learner's query MSE is than another's after one inner step, over tasks that both met."""

    step: int
    mean: float
    ci95: float  # half-width, paired by task: 1.96 standard deviations of the tasks' differences / sqrt(tasks)


def query_metric(
    problem: Problem,
    theta: Params,
    *,
    alpha: StepSize,
    num_updates: int,
    test_tasks: int = TEST_SAMPLE,
    noise: float = 0.0,
    seed: int = 0,
    answer: metric.Comparing | None = None,
    on_tasks: Callable[[int], object] = unheard,
) -> Tensor:
    """The problem's first metric on the query points of every task at every inner step -> (num_updates + 1, tasks).

    Not finite where adaptation diverged. noise: standard deviation on the support targets.
    The same seed gives the same tasks and the same noise, whatever is evaluated on them: fewer tasks are the first of more.
    answer: how a learner that compares does it; then there is one row, of the share of queries that it tells right.
    on_tasks: told the number of tasks that were just measured, a few at a time; what it raises ends this.
    """
    device = device_of(theta)

    def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> Tensor:
        if answer:
            return (answer(theta, x_support, y_support, x_query).argmax(1) == y_query).float().mean()[None]
        trajectory = adapt(problem.loss, theta, x_support, y_support, alpha, num_updates)
        return torch.stack([next(iter(problem.metrics(phi, x_query, y_query).values())) for phi in trajectory])

    def chunks() -> Iterator[Tensor]:
        drawing, noises = torch.Generator().manual_seed(seed), tasks.stream(seed, tasks.NOISE)
        example = problem.batch(problem.draw(torch.Generator(), 1))
        at_once = _at_once(theta, num_updates, example)
        for start in range(0, test_tasks, CHUNK):
            count = min(CHUNK, test_tasks - start)
            drawn = problem.draw(drawing, count)
            # Always a whole chunk of it, since fewer normal numbers are not the first of more.
            off = noise * torch.randn(CHUNK, *example.y_support.shape[1:], generator=noises) if noise else None
            for first in range(0, count, at_once):
                piece = slice(first, min(first + at_once, count))
                batch = problem.batch(problems.part(drawn, piece))
                if off is not None:
                    batch = batch._replace(y_support=batch.y_support + off[piece])
                yield vmap(task)(*batch.to(device))  # (tasks in the piece, num_updates + 1)
                on_tasks(piece.stop - piece.start)

    with torch.no_grad():
        return torch.cat(list(chunks())).T.cpu()


def _at_once(theta: Params, num_updates: int, example: Batch) -> int:
    """Tasks whose trajectories, and whose points in the widest layer, fit together."""
    numbers = sum(value.numel() for value in theta.values()) * (num_updates + 1)
    widest = max(example.x_support[0, 0].numel(), *(size for value in theta.values() for size in value.shape))
    if example.x_support.dim() > 3:  # images: each filter answers at a quarter of the pixels
        widest *= example.x_support[0, 0].numel() // 4
    points = max(example.x_support.shape[1], example.x_query.shape[1])
    return max(1, TRAJECTORY_NUMBERS // max(numbers, points * widest))


def evaluate(
    learned: Params,
    config: TrainConfig,
    *,
    problem: Problem | None = None,
    K: int | None = None,
    way: int | None = None,
    num_updates: int,
    test_tasks: int = TEST_SAMPLE,
    alpha: float | None = None,
    family: str | None = None,
    noise: float = 0.0,
    placement: str = "anywhere",
    freeze: str = "none",
    seed: int = 0,
    on_tasks: Callable[[int], object] = unheard,
) -> list[StepStats]:
    """How well what a run learned adapts, step by step. K, way, alpha and family default to those it was trained with.

    problem: another one than the config describes, which then says itself what its tasks are.
    freeze: what stays where it is (config.FREEZES). placement: where the support lies (tasks.place).
    The rest as in `query_metric`.
    """
    query = DRAWINGS if config.family in CLASSIFICATION else QUERY
    problem = problem or problems.of(config, K=K, query=query, family=family, placement=placement, way=way)
    theta, step_size = split(learned, config, alpha, freeze, problem=problem)
    judged = query_metric(
        problem,
        theta,
        alpha=step_size,
        num_updates=num_updates,
        test_tasks=test_tasks,
        noise=noise,
        seed=seed,
        answer=comparing(config, problem) if config.algorithm in METRIC else None,
        on_tasks=on_tasks,
    )
    return summarise(judged, problem.worst)


def summarise(judged: Tensor, worst: float = DIVERGED_ABOVE) -> list[StepStats]:
    """(steps, tasks) -> one StepStats a step. worst: as the problem's."""
    diverged = ~(judged <= worst if worst else judged.isfinite())  # NaN compares false: it is diverged
    counted = judged.double().where(~diverged, worst)
    return [
        StepStats(
            step=step,
            mean=counted[step].mean().item(),
            ci95=_ci95(counted[step]),
            median=counted[step].median().item(),
            diverged=diverged[step].double().mean().item(),
        )
        for step in range(len(judged))
    ]


def paired_differences(losses: Tensor, reference: Tensor) -> list[Difference]:
    """Two learners' losses on the same tasks, (steps, tasks) each -> what sets the first apart from the reference, step by step.

    A diverged task counts as DIVERGED_ABOVE in both.
    """
    apart = [part.double().where(part <= DIVERGED_ABOVE, DIVERGED_ABOVE) for part in (losses, reference)]
    return [Difference(step, each.mean().item(), _ci95(each)) for step, each in enumerate(apart[0] - apart[1])]


def _ci95(values: Tensor) -> float:
    """Half-width of the 95% interval of the mean of these (N,); 0 for a single one."""
    return 1.96 * values.std().item() / len(values) ** 0.5 if len(values) > 1 else 0.0
