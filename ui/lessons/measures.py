"""What lesson files can ask the engine for: each measure a documented function of checked arguments, cached. No streamlit here.

Fresh tasks are the lab's own 1,000.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from maml_core import sweeps, tasks
from maml_core.baselines import PUBLISHED
from maml_core.config import MAX_UPDATES
from maml_core.evaluation import query_metric, summarise
from maml_core.network import Params
from ui.geometry import planes, world
from ui.lab import engine
from ui.lab.settings import ALPHAS
from ui.lab.state import LabState
from ui.lessons.arguments import (
    HALVES,
    WAVES,
    Alpha,
    Follower,
    Freeze,
    Half,
    Lab,
    Learner,
    Noise,
    Placement,
    ShotCount,
    Step,
    Wave,
    World,
    X,
    number_in,
    query_of,
)
from ui.shared import learners
from ui.shared.ranges import FAMILY, FAMILY_NAME
from ui.shared.turns import go_on, once

FRESH_GRID = 41
"""Points that `beyond` judges a task by."""
USUAL_STEPS = 10
"""Inner steps that are measured at once, as the lab does: the steps of one question share a measurement."""
CLIFF = tuple(alpha for alpha in ALPHAS if alpha >= 0.001)
"""The step sizes that `cliff` tries: those of the lab's slider, 24 a decade."""
PENALTIES = tuple(10.0**power for power in range(-4, 2))
"""The ridge penalties that `ridge` chooses from."""


def error(
    learner: Learner,
    step: Step,
    K: ShotCount = 10,
    alpha: Alpha = None,
    noise: Noise = 0.0,
    placement: Placement = "anywhere",
    freeze: Freeze = "none",
) -> float:
    """Mean query error over 1,000 fresh tasks after `step` inner steps on K shots; alpha: the learner's own unless given."""
    return _fresh(learner, step, K, alpha, noise, placement, freeze).mean[step]


def median(
    learner: Learner,
    step: Step,
    K: ShotCount = 10,
    alpha: Alpha = None,
    noise: Noise = 0.0,
    placement: Placement = "anywhere",
    freeze: Freeze = "none",
) -> float:
    """Median query error over the same tasks."""
    return _fresh(learner, step, K, alpha, noise, placement, freeze).median[step]


def diverged(
    learner: Learner,
    step: Step,
    K: ShotCount = 10,
    alpha: Alpha = None,
    noise: Noise = 0.0,
    placement: Placement = "anywhere",
    freeze: Freeze = "none",
) -> float:
    """Share of the same tasks whose query error is over 100, or not a number."""
    return _fresh(learner, step, K, alpha, noise, placement, freeze).diverged[step]


def _fresh(learner: str, step: int, K: int, alpha: float | None, *more: Any) -> engine.Fresh:
    size = learners.get(learner).config.alpha if alpha is None else alpha
    return engine.fresh(learner, K, size, USUAL_STEPS if step <= USUAL_STEPS else MAX_UPDATES, *more)


def picture(lab: Lab, learner: Learner, step: Step | None = None, half: Half = "all") -> float:
    """Query error of one task, that of a lab picture, at its own step unless given; over all x, or its left or right half."""
    return _on_one_half(curve(lab, learner, step), lab, half)


def _on_one_half(curve: np.ndarray, lab: LabState, half: str) -> float:
    low, high = HALVES[half]
    x = engine.GRID
    inside = (x > low) & (x < high)
    return float(np.square(curve - lab.task.curve(x))[inside].mean())


def curve(lab: LabState, learner: str, step: int | None = None) -> np.ndarray:
    """What a learner makes of the shots of a lab picture, on engine.GRID, (201,)."""
    step = lab.step if step is None else step
    asked = replace(lab, learners=(learner,), num_updates=max(lab.num_updates, step))
    return engine.on_show(asked)[0].curves[step]


def wave(learner: Learner, of: Wave) -> float:
    """How much cos x, or sin x, is in the curve a learner draws before any step: a least-squares fit of both and a constant."""
    x = engine.GRID.astype(np.float64)
    parts = np.stack([np.cos(x), np.sin(x), np.ones_like(x)], 1)
    return float(np.linalg.lstsq(parts, curve(LabState(shots=()), learner, 0).astype(np.float64))[0][WAVES[of]])


def mean_wave(of: Wave) -> float:
    """How much cos x, or sin x, is in the mean of all tasks: computed, not measured."""
    amplitude, (early, late) = np.mean(FAMILY.amplitude), FAMILY.phase
    # E sin(x - phi) = E[cos phi] sin x - E[sin phi] cos x
    mean = {"sin": np.sin(late) - np.sin(early), "cos": np.cos(late) - np.cos(early)}
    return float(amplitude * mean[of] / (late - early))


def cliff(learner: Learner, K: ShotCount = 10) -> float:
    """The smallest alpha on the lab's slider, from 0.001 on, with which one step leaves the mean error above that before it."""
    return once(_cliff, learner, learners.version(learner), K)


@lru_cache(maxsize=64)
def _cliff(learner: str, version: int, K: int) -> float:
    """By bisection: a longer step than one that does harm does harm too."""
    found = learners.get(learner)

    def does_harm(alpha: float) -> bool:
        theta, size = found.split(alpha)
        problem = found.tasks(K, engine.FRESH_QUERY, family=FAMILY_NAME)
        losses = query_metric(problem, theta, alpha=size, num_updates=1, test_tasks=engine.FRESH_TASKS, on_tasks=go_on)
        before, after = summarise(losses)
        return after.mean > before.mean

    at = bisect_left(CLIFF, True, key=does_harm)
    if at == len(CLIFF):
        raise ValueError(f"{learners.title(learner)} does not get worse in one step at any alpha up to {CLIFF[-1]:g}")
    return CLIFF[at]


def beyond(learner: Learner, step: Step, low: X, high: X, K: ShotCount = 10, placement: Placement = "anywhere") -> float:
    """Mean error over 1,000 waves on x between low and high, which may lie beyond the range that tasks are drawn from."""
    if low >= high:
        raise ValueError(f"low must be below high, and {low:g} is not below {high:g}")
    return once(_beyond, learner, learners.version(learner), step, low, high, K, placement)


@lru_cache(maxsize=64)
def _beyond(learner: str, version: int, step: int, low: float, high: float, K: int, placement: str) -> float:
    x, waves = torch.linspace(low, high, FRESH_GRID).expand(engine.FRESH_TASKS, -1), _waves(K, placement)
    y = FAMILY.curve(waves.parameters, x)
    return _mean_after(learner, None, "none", step, waves.batch._replace(x_query=x[..., None], y_query=y[..., None]))


def placed(learner: str, xs: tuple[float, ...], step: int, alpha: float, freeze: str) -> float:
    """Mean error over 1,000 waves, each with its shots at these x. Cached; raises CheckpointError if the learner is missing."""
    return once(_placed, learner, learners.version(learner), xs, step, alpha, freeze)


@lru_cache(maxsize=256)
def _placed(learner: str, version: int, xs: tuple[float, ...], step: int, alpha: float, freeze: str) -> float:
    x, waves = torch.tensor(xs, dtype=torch.float32).expand(engine.FRESH_TASKS, -1), _waves(0)
    y = FAMILY.curve(waves.parameters, x)
    return _mean_after(learner, alpha, freeze, step, waves.batch._replace(x_support=x[..., None], y_support=y[..., None]))


def _waves(K: int, placement: str = "anywhere") -> sweeps.Tasks:
    """The FRESH_TASKS waves with K shots each."""
    generator = torch.Generator().manual_seed(0)
    uniforms = torch.rand(engine.FRESH_TASKS, FAMILY.randoms + K + engine.FRESH_QUERY, generator=generator)
    parameters = FAMILY.parameters(uniforms[:, : FAMILY.randoms])
    return sweeps.Tasks(parameters, tasks.batch(FAMILY, uniforms, K, placement=placement))


def _mean_after(learner: str, alpha: float | None, freeze: str, step: int, batch: tasks.Batch) -> float:
    """The mean error on the query points after `step` inner steps on the support; a diverged task counts as in `evaluate`."""
    found = learners.get(learner)
    if found.network.sizes[0] > 1:
        raise ValueError(f"{learners.title(learner)} is told each task, so this cannot be measured of it")
    theta, sizes = found.split(alpha, freeze)
    row = sweeps.Row(batch.x_support.shape[1], sizes)
    (losses,) = sweeps.query_losses(found.network.mse, theta, [row], batch, step if row.K else 0, on_tasks=go_on)
    return summarise(losses)[-1].mean


def ridge(learner: Learner, K: ShotCount = 10) -> float:
    """Mean error over 1,000 waves with the body as it is and the head that the best ridge regression fits to the K shots."""
    return once(_ridge, learner, learners.version(learner), K)


@lru_cache(maxsize=64)
def _ridge(learner: str, version: int, K: int) -> float:
    batch = _waves(K).batch
    features, head = _features(learner, batch.x_support)
    of_query, _ = _features(learner, batch.x_query)
    rest = batch.y_support.double() - features @ head
    gram = features @ features.mT  # (T, K, K)
    means = []
    for penalty in PENALTIES:  # on the distance from the learner's own head; the best for these waves, so no other does better
        dual = torch.linalg.solve(gram + penalty * torch.eye(K, dtype=gram.dtype), rest)
        curve = of_query @ (head + features.mT @ dual)
        means.append((curve - batch.y_query).square().mean().item())
    return min(means)


def best_head(learner: Learner) -> float:
    """Mean error over 1,000 waves with the body as it is and the head that least squares fits to the whole wave."""
    return once(_best_head, learner, learners.version(learner))


@lru_cache(maxsize=64)
def _best_head(learner: str, version: int) -> float:
    x = torch.from_numpy(engine.GRID)
    waves = FAMILY.curve(_waves(0).parameters, x.expand(engine.FRESH_TASKS, -1)).T.double()
    features, _ = _features(learner, x[:, None])
    head = torch.linalg.lstsq(features, waves, driver="gelsd").solution  # some features are never alive
    return (features @ head - waves).square().mean().item()


def _features(learner: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """What the body makes of x (..., N, 1), with a constant: (..., N, F); and the head over it, (F, 1). Both float64."""
    found = learners.get(learner)
    net, theta = found.network, found.split()[0]
    if net.sizes[0] > 1 or net.norm != "none":
        raise ValueError(f"{learners.title(learner)} has no features of x alone, so this cannot be measured of it")
    weight, bias = net.layers[-1]
    width = net.sizes[-2]
    # The body's output is what a head of the identity lets through.
    body: Params = theta | {weight: torch.eye(width), bias: torch.zeros(width)}
    with torch.no_grad():
        features = net.apply(body, x).double()
    ones = torch.ones_like(features[..., :1])
    return torch.cat([features, ones], -1), torch.cat([theta[weight][0], theta[bias]]).double()[:, None]


def negative_steps(learner: Learner) -> float:
    """The share of a learner's step sizes, one a weight where it learned them, that are below zero."""
    sizes = learners.get(learner).split()[1]
    each = sizes.values() if isinstance(sizes, Mapping) else [sizes]
    return float((torch.cat([torch.as_tensor(size, dtype=torch.float32).flatten() for size in each]) < 0).float().mean())


def iterations(learner: Learner) -> float:
    """How many meta-iterations a learner was trained for."""
    return learners.get(learner).iterations


def left_out(learner: Learner) -> float:
    """The length of the second-order term, which FOMAML leaves out, over that of what it keeps: the median over tasks."""
    return planes.left_out(learner)


def world_end_to_task(world: World, learner: Follower, task: Annotated[int, number_in(1, 6, whole=True)]) -> float:
    """In the two-parameter world, the distance from where a learner ends to a task's optimum (1 for the first task)."""
    return once(_world_end_to_task, world, learner, task)


@lru_cache(maxsize=256)
def _world_end_to_task(query: str, learner: str, task: int) -> float:
    batch, _ = world.tasks(query_of(query))
    if task > len(batch.y_query):
        raise ValueError(f"there are {len(batch.y_query)} tasks in that world, so there is no task {task}")
    return (world.end(learner, query_of(query)) - batch.y_query[task - 1]).norm().item()


def world_apart(world: World, learner: Follower, other: Follower) -> float:
    """In the two-parameter world, the distance between where two learners end."""
    return once(_world_apart, world, learner, other)


@lru_cache(maxsize=256)
def _world_apart(query: str, learner: str, other: str) -> float:
    first, second = (world.end(name, query_of(query)) for name in (learner, other))
    return (first - second).norm().item()


def world_loss(world: World, learner: Follower, step: Annotated[int, number_in(0, 1, whole=True)]) -> float:
    """In the two-parameter world, the mean loss where a learner ends, before any inner step or after one."""
    return once(_world_loss, world, learner, step)


@lru_cache(maxsize=256)
def _world_loss(query: str, learner: str, step: int) -> float:
    return world.mean_loss(world.end(learner, query_of(query)), step, query_of(query))


def published(K: ShotCount = 10, step: Step = 1) -> float:
    """MAML-tf's published error, with 5 or 10 shots after 1, 5 or 10 steps."""
    if step not in PUBLISHED.get(K, {}):
        raise ValueError(f"MAML-tf published no error with {K} shots after step {step}")
    return PUBLISHED[K][step]


def own_alpha(learner: Learner) -> float:
    """The inner step size that a learner was trained with, or that was found best for it."""
    return learners.get(learner).config.alpha


MEASURES: dict[str, Callable[..., float]] = {
    measure.__name__: measure
    for measure in (
        error,
        median,
        diverged,
        picture,
        wave,
        mean_wave,
        cliff,
        beyond,
        ridge,
        best_head,
        negative_steps,
        iterations,
        left_out,
        own_alpha,
        published,
        world_apart,
        world_end_to_task,
        world_loss,
    )
}
