"""Meta-training: one pure meta-step, compiled whole, and the loop that feeds it random numbers."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap
from torch.utils._pytree import tree_map

from maml_core import metric, problems, programs, tasks
from maml_core.algorithms import StepSize, meta_objective, reptile_direction
from maml_core.config import FREEZES, JOINT, METRIC, PATHS, TrainConfig
from maml_core.errors import ConfigError, TrainingDiverged
from maml_core.network import Params
from maml_core.problems import Problem
from maml_core.programs import CannotCompile

BLOCK = 100
"""Meta-iterations whose random numbers are drawn at once, and between two records."""
WORTH_COMPILING = 10_000
"""Meta-iterations from which compiling (some 15 s) pays, at about 6 times the traced rate."""

ALPHA = "alpha."
"""Prefix of learned step sizes among what is learned, in memory and in checkpoints."""

ADAM_BETA1, ADAM_BETA2, ADAM_EPS = 0.9, 0.999, 1e-8

_log = logging.getLogger(__name__)


class TrainingState(NamedTuple):
    """Everything a run needs to go on, bit for bit: random numbers follow from the seed and the iteration."""

    iteration: int
    learned: Params  # theta, and for Meta-SGD the step sizes
    m: Params  # Adam's first moment, shaped as learned
    v: Params  # Adam's second moment, shaped as learned


class Record(NamedTuple):
    """What a block of meta-iterations came to: means over the block, and the state after it."""

    iteration: int
    loss_before: float  # support loss at theta; of a learner that compares, the same as after
    loss_after: float  # query loss at the adapted parameters: the meta-objective
    state: TrainingState


Learner = tuple[Params, Params, Params]  # learned, m, v of a TrainingState
Drawn = tuple[Any, Tensor, Tensor]
"""What one update consumes: what T tasks are made of (Problem.draw), the outer step size beta (), its number from 1 ()."""


def init(config: TrainConfig, problem: Problem | None = None) -> TrainingState:
    """The state before the first meta-iteration. problem: another one than the config describes, here and in all that follows."""
    learned = (problem or problems.of(config)).init(tasks.stream(config.seed, 0))
    if config.algorithm == "meta_sgd":
        learned |= {ALPHA + name: torch.full_like(value, config.alpha) for name, value in learned.items()}
    zeros = {name: torch.zeros_like(value) for name, value in learned.items()}
    return TrainingState(0, learned, zeros, zeros)


def shapes(config: TrainConfig, problem: Problem | None = None) -> dict[str, tuple[int, ...]]:
    """Name -> shape of everything that a run of this config learns."""
    network = problems.shapes(problem or problems.of(config))
    return network | ({ALPHA + name: shape for name, shape in network.items()} if config.algorithm == "meta_sgd" else {})


def split(
    learned: Params, config: TrainConfig, alpha: float | None = None, freeze: str = "none", *, problem: Problem | None = None
) -> tuple[Params, StepSize]:
    """What is learned, as an initialisation and the step sizes it is adapted with.

    alpha: another step size than the config's. Where step sizes were learned, they are scaled by alpha / config.alpha.
    freeze: what is to stay where it is (config.FREEZES); ANIL's body stays in any case.

    Raises:
        ConfigError: there is no such freeze.
    """
    if freeze not in FREEZES:
        raise ConfigError(f"freeze={freeze!r} is not possible: choose one of {', '.join(FREEZES)}")
    alpha = config.alpha if alpha is None else alpha
    theta = {name: value for name, value in learned.items() if not name.startswith(ALPHA)}
    sizes: StepSize = alpha
    if config.algorithm == "meta_sgd":
        scale = alpha / config.alpha
        sizes = {name.removeprefix(ALPHA): scale * value for name, value in learned.items() if name.startswith(ALPHA)}
    head = (problem or problems.of(config)).layers[-1]
    if config.algorithm == "anil":
        sizes = dict.fromkeys(head, alpha)
    if freeze != "none":
        each = sizes if isinstance(sizes, Mapping) else dict.fromkeys(theta, sizes)
        sizes = {name: size for name, size in each.items() if (name in head) == (freeze == "body")}
    return theta, sizes


def meta_gradient(config: TrainConfig, problem: Problem | None = None) -> Callable[[Params, tasks.Batch], tuple[Params, Tensor]]:
    """What the outer optimiser follows: (learned, batch) -> (gradient with respect to all that is learned, meta-objective)."""
    problem = problem or problems.of(config)
    if config.algorithm in METRIC:
        return grad_and_value(partial(metric.episodic, comparing(config, problem)))
    loss, steps = problem.loss, config.inner_steps

    def objective(learned: Params, batch: tasks.Batch) -> Tensor:
        theta, alpha = split(learned, config, problem=problem)
        first_order = config.algorithm == "fomaml"
        return meta_objective(loss, theta, batch, alpha, steps, first_order=first_order, multi_step=config.multi_step)

    def reptile(theta: Params, batch: tasks.Batch) -> tuple[Params, Tensor]:
        return reptile_direction(loss, theta, batch, config.alpha, steps), objective(theta, batch)

    return reptile if config.algorithm == "reptile" else grad_and_value(objective)


def comparing(config: TrainConfig, problem: Problem) -> metric.Comparing:
    """How a learner that takes no inner steps answers: (parameters, support, its classes, query) -> log-probabilities (Q, way).

    Raises ConfigError where the problem has no classes to compare.
    """
    if not isinstance(problem, problems.Comparable):
        raise ConfigError(
            f"algorithm={config.algorithm!r} is not possible with {problems.name(problem)}: "
            "it compares embeddings of classes, so the problem needs `way` and `embed`"
        )
    compare, embed, way = metric.METRICS[config.algorithm], problem.embed, problem.way

    def answer(params: Params, x: Tensor, y: Tensor, query: Tensor) -> Tensor:
        return compare(embed(params, x), y, embed(params, query), way)

    return answer


def meta_step(config: TrainConfig, problem: Problem | None = None) -> Callable[[Learner, Drawn], tuple[Learner, Tensor]]:
    """One outer update (MAML Algorithm 2, lines 3-10, with Adam) as a pure function, sampling included.

    The second value is (2,): the support loss at theta and the meta-objective, both before the update.
    """
    problem = problem or problems.of(config)
    loss, gradient = problem.loss, meta_gradient(config, problem)

    def step(learner: Learner, drawn: Drawn) -> tuple[Learner, Tensor]:
        (learned, m, v), (of_tasks, beta, t) = learner, drawn
        batch = problem.batch(of_tasks)
        g, after = gradient(learned, batch)
        before = after
        if config.algorithm not in METRIC:
            theta, _ = split(learned, config, problem=problem)
            before = vmap(loss, (None, 0, 0))(theta, batch.x_support, batch.y_support).mean()
        if config.clip:
            norm = torch.stack([value.square().sum() for value in g.values()]).sum().sqrt()
            g = {name: value * (config.clip / norm.clamp_min(config.clip)) for name, value in g.items()}
        m = {name: ADAM_BETA1 * m[name] + (1 - ADAM_BETA1) * g[name] for name in learned}
        v = {name: ADAM_BETA2 * v[name] + (1 - ADAM_BETA2) * g[name].square() for name in learned}
        size = beta / (1 - ADAM_BETA1**t)
        scale = (1 - ADAM_BETA2**t).rsqrt()
        learned = {name: learned[name] - size * m[name] / (v[name].sqrt() * scale + ADAM_EPS) for name in learned}
        return (learned, m, v), torch.stack([before, after])

    return step


Steps = Callable[[Learner, Drawn], tuple[Learner, Tensor]]
"""Any number of meta-steps: learner and drawn, each of the latter with a first dimension more -> learner, losses (N, 2)."""

_chosen: dict[tuple[str, torch.device], Steps] = {}
"""What `choose_path` compiled last, until `build` takes it: to do it twice would take twice as long."""


def choose_path(config: TrainConfig, device: str | torch.device = "cpu", problem: Problem | None = None) -> str:
    """The path worth its start-up: compiled if that is done already or the run is long and it can be done, else traced.

    Why a long run is traced nevertheless goes to the log, as a warning.
    """
    device = torch.device(device)
    if not _would_pay(config, device, problem):
        return "traced"
    _chosen.clear()
    why = _hindrance(config, device, problem)
    if not why:
        try:
            _chosen[_name(config, problem), device] = _built(config, "compiled", device, problem)
            return "compiled"
        except CannotCompile as error:
            why = str(error)
    _log.warning("this run is traced instead of compiled, which is slower: %s", why)
    return "traced"


def likely_path(config: TrainConfig, device: str | torch.device = "cpu") -> str:
    """What `choose_path` will choose, unless compiling fails for the first time. Nothing is compiled."""
    device = torch.device(device)
    return "compiled" if _would_pay(config, device) and not _hindrance(config, device) else "traced"


def _would_pay(config: TrainConfig, device: torch.device, problem: Problem | None = None) -> bool:
    """Whether it is quicker to compile, or to use what was compiled, than to trace."""
    long = config.max_steps >= WORTH_COMPILING and device.type in ("cpu", "cuda")
    return long or (problem is None and is_compiled(config, device))


def _hindrance(config: TrainConfig, device: torch.device, problem: Problem | None = None) -> str:
    return "" if problem is None and is_compiled(config, device) else programs.hindrance(_name(config, problem), device)


def is_compiled(config: TrainConfig, device: str | torch.device = "cpu") -> bool:
    """Whether the compiled path is ready for this config. Only what was compiled for the CPU is kept."""
    return torch.device(device).type == "cpu" and programs.is_compiled(_name(config))


def build(config: TrainConfig, path: str, device: str | torch.device = "cpu", problem: Problem | None = None) -> Steps:
    """Any number of meta-steps on one of PATHS.

    Raises:
        ConfigError: there is no such path, or this machine cannot compile.
    """
    if path not in PATHS:
        raise ConfigError(f"path={path!r} is not possible: choose one of {', '.join(PATHS)}")
    device = torch.device(device)
    if path == "compiled" and (ready := _chosen.pop((_name(config, problem), device), None)):
        return ready
    try:
        return _built(config, path, device, problem)
    except CannotCompile as error:
        raise ConfigError(f"path='compiled' is not possible here ({error}); use path='traced'") from None


def _built(config: TrainConfig, path: str, device: torch.device, problem: Problem | None) -> Steps:
    scalar = torch.ones((), device=device)
    drawn = (tree_map(lambda part: part[0].to(device), _drawn(config, 0, problem)), scalar, scalar)
    learner = to_device(init(config, problem), device)[1:]
    return programs.scan(meta_step(config, problem), learner, drawn, path=path, name=_name(config, problem))


@lru_cache(maxsize=4096)  # asked for each run of a list, again and again
def program_of(config: TrainConfig) -> TrainConfig:
    """The same for all configs that execute the same program: these settings reach it as numbers, or not at all."""
    d = TrainConfig
    alpha = d.alpha if config.algorithm in JOINT else config.alpha
    return replace(config, seed=d.seed, beta=d.beta, schedule=d.schedule, max_steps=d.max_steps, alpha=alpha)


def _name(config: TrainConfig, problem: Problem | None = None) -> str:
    """What its program is kept under. None is kept of a problem from elsewhere: nobody would know when its code has changed."""
    return repr(program_of(config)) if problem is None else ""


def meta_train(
    config: TrainConfig,
    *,
    problem: Problem | None = None,
    state: TrainingState | None = None,
    path: str = "auto",
    device: str | torch.device = "cpu",
) -> Iterator[Record]:
    """Train, yielding a record after every block of meta-iterations, from `state` (or the start) to config.max_steps.

    The states are immutable: stop whenever you like, keep any of them, and go on from it later. On one machine, device,
    path and thread count, an interrupted run continues to the same bits as an uninterrupted one.

    problem: another one than the config describes; of the config then count algorithm, inner and outer steps, and seed.

    Raises:
        TrainingDiverged: the loss is no longer finite.
    """
    state = to_device(init(config, problem) if state is None else state, device)
    # A program takes its inputs by place, not by name: whoever made the state may have named them in another order.
    state = TrainingState(state.iteration, *({name: part[name] for name in shapes(config, problem)} for part in state[1:]))
    if state.iteration >= config.max_steps:
        return
    steps = build(config, choose_path(config, device, problem) if path == "auto" else path, device, problem)
    while state.iteration < config.max_steps:
        number, offset = divmod(state.iteration, BLOCK)
        count = min(BLOCK - offset, config.max_steps - state.iteration)
        at = torch.arange(state.iteration, state.iteration + count, dtype=torch.float32)
        of_tasks = problems.part(_drawn(config, number, problem), slice(offset, offset + count), device)
        drawn = (of_tasks, _beta(config, at).to(device), (at + 1).to(device))
        (learned, m, v), losses = steps(state[1:], drawn)
        before, after = losses.mean(0).tolist()
        last, state = state, TrainingState(state.iteration + count, learned, m, v)
        everything = torch.cat([value.flatten() for part in state[1:] for value in part.values()])
        if not (math.isfinite(before) and math.isfinite(after) and everything.isfinite().all()):
            raise TrainingDiverged(state.iteration, last)
        yield Record(state.iteration, before, after, state)


def to_device(state: TrainingState, device: str | torch.device) -> TrainingState:
    """The same state with every tensor on `device`."""
    learned, m, v = ({name: value.to(device) for name, value in part.items()} for part in state[1:])
    return TrainingState(state.iteration, learned, m, v)


def _beta(config: TrainConfig, at: Tensor) -> Tensor:
    """The outer step size at each of these iterations, counted from 0: (N,) -> (N,)."""
    if config.schedule == "cosine":
        return config.beta * 0.5 * (1 + torch.cos(math.pi * at / config.max_steps))
    return torch.full_like(at, config.beta)


def _drawn(config: TrainConfig, number: int, problem: Problem | None = None) -> Any:
    """What the tasks of the block of that number are made of: each part (BLOCK, T, ...), on the CPU."""
    drawn = (problem or problems.of(config)).draw(tasks.stream(config.seed, 1 + number), BLOCK * config.batch_size)
    return tree_map(lambda part: part.unflatten(0, (BLOCK, config.batch_size)), drawn)
