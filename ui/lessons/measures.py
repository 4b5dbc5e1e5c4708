"""What lesson files can ask the engine for: each measure a documented function of checked arguments, cached. No streamlit here.

`read` checks arguments when a file is read; `take` measures when a number is needed. Fresh tasks are the lab's own 1,000.
"""

import inspect
import types
import typing
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qsl

import numpy as np
import torch
from torch import Tensor

from maml_core import sweeps, tasks
from maml_core.baselines import PUBLISHED
from maml_core.config import MAX_UPDATES
from maml_core.evaluation import query_losses, summarise
from maml_core.network import Params
from ui.geometry import planes as geometry
from ui.geometry import world
from ui.lab import engine
from ui.lab.settings import ALPHAS
from ui.lab.state import CHOICES, LabState
from ui.shared import learners
from ui.shared.learners import LEARNERS
from ui.shared.ranges import FAMILY, RANGES

FRESH_GRID = 41
"""Points that `beyond` judges a task by."""
USUAL_STEPS = 10
"""Inner steps that are measured at once, as the lab does: the steps of one question share a measurement."""
CLIFF = tuple(alpha for alpha in ALPHAS if alpha >= 0.001)
"""The step sizes that `cliff` tries: those of the lab's slider, 24 a decade."""
PENALTIES = tuple(10.0**power for power in range(-4, 2))
"""The ridge penalties that `ridge` chooses from."""
HALVES = {"all": (-np.inf, np.inf), "left": (-np.inf, 0.0), "right": (0.0, np.inf)}
WAVES = {"cos": 0, "sin": 1}


class Checked(NamedTuple):
    """What an argument may be: a check that gives the value or raises ValueError, and the same in words."""

    check: Callable[[Any], Any]
    words: str


def _number_in(low: float, high: float, whole: bool = False) -> Checked:
    kind = "a whole number" if whole else "a number"
    words = f"{kind} from {low:g} to {high:g}"

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
            raise ValueError(f"it must be {words}")
        return int(value) if whole else float(value)

    return Checked(check, words)


def _one_of(*choices: str) -> Checked:
    words = f"one of {', '.join(choices)}"

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"it must be {words}")
        return value

    return Checked(check, words)


def _learner(value: Any) -> str:
    names = {*LEARNERS, *learners.shipped()}
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"there is no learner {value!r:.40}; there are {', '.join(sorted(names))}")
    return value


def lab(value: Any) -> LabState:
    """The lab's state in an address query string. Raises ValueError for what the lab could not use."""
    query = _query(value)
    fields = LabState.__dataclass_fields__
    if unknown := [name for name in query if name not in fields]:
        raise ValueError(f"the lab has no setting {unknown[0]!r:.40}; it has {', '.join(fields)}")
    state, problems = LabState.from_query(query)
    if problems:
        raise ValueError(problems[0].partition(". ")[0])
    return state


def world_query(value: Any) -> str:
    """An address query string of the two-parameter world, checked. Raises ValueError for what is not one of its settings."""
    query = _query(value)
    if unknown := [name for name in query if name not in world.PARAMETERS]:
        raise ValueError(f"the world has no setting {unknown[0]!r:.40}; it has {', '.join(world.PARAMETERS)}")
    world.numbers(query)
    return value


def _query(value: Any) -> dict[str, str]:
    if not isinstance(value, str):
        raise ValueError("it must be an address query, such as seed=15&K=5")
    try:
        return dict(parse_qsl(value, keep_blank_values=True, strict_parsing=bool(value)))
    except ValueError:
        raise ValueError(f"{value!r:.60} is not an address query, such as seed=15&K=5") from None


def _number_in_range(name: str) -> Checked:
    low, high = RANGES[name]
    return _number_in(low, high, whole=name in ("K", "num_updates", "step"))


Learner = Annotated[str, Checked(_learner, f"one of {', '.join(LEARNERS)}, or shipped:NAME of a file in pretrained/")]
Step = Annotated[int, _number_in_range("step")]
Shots = Annotated[int, _number_in_range("K")]
Alpha = Annotated[float | None, _number_in_range("alpha")]
Noise = Annotated[float, _number_in_range("noise")]
Placement = Annotated[str, _one_of(*CHOICES["placement"])]
Freeze = Annotated[str, _one_of(*CHOICES["freeze"])]
Lab = Annotated[LabState, Checked(lab, "the lab's address parameters, such as seed=15&K=5")]
Half = Annotated[str, _one_of(*HALVES)]
Wave = Annotated[str, _one_of(*WAVES)]
X = Annotated[float, _number_in(-20, 20)]
World = Annotated[str, Checked(world_query, "the Geometry page's address parameters, such as difference=1")]
Follower = Annotated[str, _one_of(*world.FOLLOWS)]


def error(
    learner: Learner,
    step: Step,
    K: Shots = 10,
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
    K: Shots = 10,
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
    K: Shots = 10,
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


def cliff(learner: Learner, K: Shots = 10) -> float:
    """The smallest alpha on the lab's slider, from 0.001 on, with which one step leaves the mean error above that before it."""
    return engine.measured(_cliff, learner, learners.version(learner), K)


@lru_cache(maxsize=64)
def _cliff(learner: str, version: int, K: int) -> float:
    """By bisection: a longer step than one that does harm does harm too."""
    found = learners.get(learner)

    def does_harm(alpha: float) -> bool:
        theta, size = found.split(alpha)
        losses = query_losses(
            found.network.mse,
            theta,
            alpha=size,
            K=K,
            num_updates=1,
            test_tasks=engine.FRESH_TASKS,
            query=engine.FRESH_QUERY,
            oracle=found.config.algorithm == "oracle",
        )
        before, after = summarise(losses)
        return after.mean > before.mean

    at = bisect_left(CLIFF, True, key=does_harm)
    if at == len(CLIFF):
        raise ValueError(f"{learners.title(learner)} does not get worse in one step at any alpha up to {CLIFF[-1]:g}")
    return CLIFF[at]


def beyond(learner: Learner, step: Step, low: X, high: X, K: Shots = 10, placement: Placement = "anywhere") -> float:
    """Mean error over 1,000 waves on x between low and high, which may lie beyond the range that tasks are drawn from."""
    if low >= high:
        raise ValueError(f"low must be below high, and {low:g} is not below {high:g}")
    return engine.measured(_beyond, learner, learners.version(learner), step, low, high, K, placement)


@lru_cache(maxsize=64)
def _beyond(learner: str, version: int, step: int, low: float, high: float, K: int, placement: str) -> float:
    x, waves = torch.linspace(low, high, FRESH_GRID).expand(engine.FRESH_TASKS, -1), _waves(K, placement)
    y = FAMILY.curve(waves.parameters, x)
    return _mean_after(learner, None, "none", step, waves.batch._replace(x_query=x[..., None], y_query=y[..., None]))


def placed(learner: str, xs: tuple[float, ...], step: int, alpha: float, freeze: str) -> float:
    """Mean error over 1,000 waves, each with its shots at these x. Cached; raises CheckpointError if the learner is missing."""
    return engine.measured(_placed, learner, learners.version(learner), xs, step, alpha, freeze)


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
    (losses,) = sweeps.query_losses(found.network.mse, theta, [row], batch, step if row.K else 0)
    return summarise(losses)[-1].mean


def ridge(learner: Learner, K: Shots = 10) -> float:
    """Mean error over 1,000 waves with the body as it is and the head that the best ridge regression fits to the K shots."""
    return engine.measured(_ridge, learner, learners.version(learner), K)


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
    return engine.measured(_best_head, learner, learners.version(learner))


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
    return geometry.left_out(learner)


def world_end_to_task(world: World, learner: Follower, task: Annotated[int, _number_in(1, 6, whole=True)]) -> float:
    """In the two-parameter world, the distance from where a learner ends to a task's optimum (1 for the first task)."""
    return engine.measured(_world_end_to_task, world, learner, task)


@lru_cache(maxsize=256)
def _world_end_to_task(query: str, learner: str, task: int) -> float:
    batch, _ = world.tasks(_query(query))
    if task > len(batch.y_query):
        raise ValueError(f"there are {len(batch.y_query)} tasks in that world, so there is no task {task}")
    return (world.end(learner, _query(query)) - batch.y_query[task - 1]).norm().item()


def world_apart(world: World, learner: Follower, other: Follower) -> float:
    """In the two-parameter world, the distance between where two learners end."""
    return engine.measured(_world_apart, world, learner, other)


@lru_cache(maxsize=256)
def _world_apart(query: str, learner: str, other: str) -> float:
    first, second = (world.end(name, _query(query)) for name in (learner, other))
    return (first - second).norm().item()


def world_loss(world: World, learner: Follower, step: Annotated[int, _number_in(0, 1, whole=True)]) -> float:
    """In the two-parameter world, the mean loss where a learner ends, before any inner step or after one."""
    return engine.measured(_world_loss, world, learner, step)


@lru_cache(maxsize=256)
def _world_loss(query: str, learner: str, step: int) -> float:
    return world.mean_loss(world.end(learner, _query(query)), step, _query(query))


def published(K: Shots = 10, step: Step = 1) -> float:
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


class Question(NamedTuple):
    """A measure with its arguments, checked."""

    measure: str
    arguments: tuple[tuple[str, Any], ...]


class Parameter(NamedTuple):
    """An argument of a measure. default: inspect.Parameter.empty where it must be given."""

    check: Callable[[Any], Any]
    words: str
    default: Any


@cache
def parameters(measure: str) -> dict[str, Parameter]:
    """The arguments of a measure."""
    function = MEASURES[measure]
    hints = typing.get_type_hints(function, include_extras=True)
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
            hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
        checked = next(part for part in hint.__metadata__ if isinstance(part, Checked))
        found[name] = Parameter(checked.check, checked.words, parameter.default)
    return found


def read(asked: Mapping[str, Any]) -> Question:
    """A question as a lesson file asks it: `measure`, and its arguments by name. Raises ValueError with one sentence."""
    name = asked.get("measure")
    if not isinstance(name, str) or name not in MEASURES:
        raise ValueError(f"there is no measure {name!r:.40}; there are {', '.join(MEASURES)}")
    known, arguments = parameters(name), []
    if unknown := [key for key in asked if key != "measure" and key not in known]:
        raise ValueError(f"the measure {name} has no argument {unknown[0]!r:.40}; it has {', '.join(known)}")
    for key, parameter in known.items():
        if key not in asked:
            if parameter.default is inspect.Parameter.empty:
                raise ValueError(f"the measure {name} needs {key}: {parameter.words}")
            continue
        try:
            arguments.append((key, parameter.check(asked[key])))
        except ValueError as problem:
            raise ValueError(f"{key} = {asked[key]!r:.60} is not possible for the measure {name}: {problem}") from None
    return Question(name, tuple(arguments))


def take(question: Question) -> float:
    """Measure, or find it measured. Raises ValueError (CheckpointError is one) with one sentence if it cannot be."""
    asked = [value for key, value in question.arguments if key in ("learner", "other")]
    return _take(question, tuple(map(learners.version, asked)))


@lru_cache(maxsize=4096)
def _take(question: Question, versions: tuple[int, ...]) -> float:
    value = float(MEASURES[question.measure](**dict(question.arguments)))
    if not np.isfinite(value):
        raise ValueError(f"the measure {question.measure} did not give a number")
    return value
