"""How well a learner adapts: query loss by inner step over many fresh tasks, in one batch."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from maml_core import tasks
from maml_core.algorithms import Loss, StepSize, adapt
from maml_core.config import DIVERGED_ABOVE, TEST_SAMPLE, TrainConfig
from maml_core.network import MLP, Params, device_of
from maml_core.training import split

CHUNK = 1000
"""Tasks drawn at once."""
TRAJECTORY_NUMBERS = 2**22
"""Numbers that are there at once in the trajectories, and in what a layer makes of points: what fits a cache is quicker, and
memory is bounded for any network."""


def unheard(tasks: int) -> None:
    """Nobody waits for news."""


class StepStats(NamedTuple):
    """Query MSE after one inner step, over all tasks. A diverged task counts as DIVERGED_ABOVE in mean and interval."""

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


def query_losses(
    loss: Loss,
    theta: Params,
    *,
    alpha: StepSize,
    K: int,
    num_updates: int,
    test_tasks: int = TEST_SAMPLE,
    family: str = "sinusoid",
    query: int = 100,
    noise: float = 0.0,
    placement: str = "anywhere",
    oracle: bool = False,
    seed: int = 0,
    on_tasks: Callable[[int], object] = unheard,
) -> Tensor:
    """Query MSE of every task at every inner step -> (num_updates + 1, tasks); not finite where adaptation diverged.

    query: points a task is judged by, uniform in x. noise: standard deviation on the K support targets.
    placement: where the support lies (tasks.place). oracle: the network is told each task's parameters.
    The same seed gives the same tasks and the same noise, whatever is evaluated on them: fewer tasks are the first of more.
    on_tasks: told the number of tasks that were just measured, a few at a time; what it raises ends this.
    """
    device = device_of(theta)

    def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> Tensor:
        trajectory = adapt(loss, theta, x_support, y_support, alpha, num_updates)
        return torch.stack([loss(phi, x_query, y_query) for phi in trajectory])

    def chunks() -> Iterator[Tensor]:
        drawing, noises = torch.Generator().manual_seed(seed), tasks.stream(seed, tasks.NOISE)
        numbers = sum(value.numel() for value in theta.values()) * (num_updates + 1)
        widest = max(size for value in theta.values() for size in value.shape)
        at_once = max(1, TRAJECTORY_NUMBERS // max(numbers, max(K, query) * widest))
        for start in range(0, test_tasks, CHUNK):
            count = min(CHUNK, test_tasks - start)
            batch = tasks.sample(tasks.family(family), drawing, count, K, query, oracle, placement)
            if noise:  # always a whole chunk of it, since fewer normal numbers are not the first of more
                batch = batch._replace(y_support=batch.y_support + noise * torch.randn(CHUNK, K, 1, generator=noises)[:count])
            for piece in zip(*(part.split(at_once) for part in batch.to(device)), strict=True):
                yield vmap(task)(*piece)  # (tasks in the piece, num_updates + 1)
                on_tasks(len(piece[0]))

    with torch.no_grad():
        return torch.cat(list(chunks())).T.cpu()


def evaluate(
    learned: Params,
    config: TrainConfig,
    *,
    K: int,
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
    """How well what a run learned adapts, step by step. alpha and family default to those it was trained with.

    freeze: what stays where it is (config.FREEZES). The rest as in `query_losses`.
    """
    theta, step_size = split(learned, config, alpha, freeze)
    losses = query_losses(
        MLP.of(config).mse,
        theta,
        alpha=step_size,
        K=K,
        num_updates=num_updates,
        test_tasks=test_tasks,
        family=family or config.family,
        noise=noise,
        placement=placement,
        oracle=config.algorithm == "oracle",
        seed=seed,
        on_tasks=on_tasks,
    )
    return summarise(losses)


def summarise(losses: Tensor) -> list[StepStats]:
    """(steps, tasks) -> one StepStats a step."""
    diverged = ~(losses <= DIVERGED_ABOVE)  # NaN compares false: it is diverged
    counted = losses.double().where(~diverged, DIVERGED_ABOVE)
    return [
        StepStats(
            step=step,
            mean=counted[step].mean().item(),
            ci95=_ci95(counted[step]),
            median=counted[step].median().item(),
            diverged=diverged[step].double().mean().item(),
        )
        for step in range(len(losses))
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
