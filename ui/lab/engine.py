"""The lab's numbers: what each learner makes of some shots at every inner step, and of 1,000 fresh tasks. No streamlit here."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from maml_core.algorithms import StepSize, adapt
from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.config import DIVERGED_ABOVE
from maml_core.evaluation import query_metric, summarise
from maml_core.network import MLP, Params
from ui.lab.state import LabState, Shots
from ui.shared import learners
from ui.shared.learners import LEARNERS
from ui.shared.ranges import FAMILY, FAMILY_NAME
from ui.shared.remembered import remembered
from ui.shared.turns import go_on, once

GRID = np.linspace(*FAMILY.x, 201, dtype=np.float32)
"""Where curves are drawn, and where the query loss of the task on show is measured, (201,)."""
FRESH_TASKS, FRESH_QUERY = 1000, 50
HEAVY = 80
"""Learners times inner steps above which to adapt takes long, over a tenth of a second. A click of two and ten is 20."""
LARGE = 5000
"""Weights of a network above which a step takes longer in proportion: the shipped ones have 1,761."""
JUDGED = 2**20
"""Numbers of a layer that are there at once while curves are drawn: a click has fewer, all learners at 50 steps far more."""
QUANTILES = np.linspace(0, 1, 41)
"""Of the losses over fresh tasks, at each step: every 2.5%."""


class Trajectory(NamedTuple):
    """One learner on one task, at inner steps 0..S. Layers: each linear one, with its bias and normalisation."""

    curves: np.ndarray  # (S + 1, 201) float32
    support: np.ndarray  # (S + 1,) float32; NaN without shots
    query: np.ndarray  # (S + 1,) float32: MSE against the true curve on GRID
    query_own: np.ndarray  # (S + 1,) float32: the same at the learner's own step size instead of the one asked for
    gradient: np.ndarray  # (S + 1, layers) float32: norm of the support loss's gradient in each layer, frozen ones too
    moved: np.ndarray  # (S + 1, layers) float32: how far this step moved each layer; 0 at step 0


class Fresh(NamedTuple):
    """One learner over FRESH_TASKS fresh tasks, at inner steps 0..S. A diverged task counts as DIVERGED_ABOVE."""

    quantiles: list[list[float]]  # (S + 1, 41): query MSE at QUANTILES
    mean: list[float]  # (S + 1,)
    ci95: list[float]  # (S + 1,)
    median: list[float]  # (S + 1,)
    diverged: list[float]  # (S + 1,), shares


def warm() -> None:
    """Load every shipped checkpoint and adapt once, so that the first visitor does not wait for it."""
    # Tensors here are small. Threads of one operation wait for each other, and many times as long while a run trains beside them.
    torch.set_num_threads(1)
    on_show(LabState(learners=LEARNERS))


def on_show(state: LabState) -> tuple[Trajectory, ...]:
    """What each learner of this state makes of its shots. Raises CheckpointError if a learner is missing."""
    task = state.task
    return trajectories(state.learners, state.points, task.amplitude, task.phase, state.alpha, state.num_updates, state.freeze)


def is_heavy(state: LabState) -> bool:
    """Whether to adapt is measuring: it takes long, and a click of somebody else must not wait for it."""
    try:
        sizes = [learners.get(name).network.weights for name in state.learners]
    except CheckpointError:  # is said where it is drawn
        return False
    return state.num_updates * sum(max(1.0, size / LARGE) for size in sizes) > HEAVY


def trajectories(
    names: tuple[str, ...],
    shots: Shots,
    amplitude: float,
    phase: float,
    alpha: float,
    num_updates: int,
    freeze: str = "none",
) -> tuple[Trajectory, ...]:
    """Adapt each learner to the shots, all in one batch, at `alpha` and at the learner's own step size.

    The same arguments give the same numbers to every visitor, from a cache. Raises CheckpointError if a learner is missing.
    """
    versions = tuple(map(learners.version, names))
    return _trajectories(names, versions, shots, amplitude, phase, alpha, num_updates, freeze)


@remembered
def _trajectories(
    names: tuple[str, ...],
    versions: tuple[int, ...],
    shots: Shots,
    amplitude: float,
    phase: float,
    alpha: float,
    num_updates: int,
    freeze: str,
) -> tuple[Trajectory, ...]:
    checkpoints = [learners.get(name) for name in names]
    done: dict[int, Trajectory] = {}
    for net in dict.fromkeys(c.network for c in checkpoints):
        members = [i for i, c in enumerate(checkpoints) if c.network == net]
        these = [checkpoints[i] for i in members]
        sizes = [c.split(alpha, freeze) for c in these] + [c.split(freeze=freeze) for c in these]
        done |= dict(zip(members, _adapt_together(net, sizes, shots, amplitude, phase, num_updates), strict=True))
    return tuple(done[i] for i in range(len(names)))


class Ends(NamedTuple):
    """One learner on one task, before and after all inner steps."""

    curves: np.ndarray  # (2, 201) float32
    query: np.ndarray  # (2,) float32: MSE against the true curve on GRID


def ends(name: str, shots: Shots, amplitude: float, phase: float, num_updates: int) -> Ends:
    """What a learner makes of the shots with its own step size. Cached; raises CheckpointError if it is missing."""
    return _ends(name, learners.version(name), shots, amplitude, phase, num_updates)


@remembered
def _ends(name: str, version: int, shots: Shots, amplitude: float, phase: float, num_updates: int) -> Ends:
    checkpoint = learners.get(name)
    net, (theta, alpha) = checkpoint.network, checkpoint.split()
    x, y, grid, true = _points(net, shots, amplitude, phase)
    with torch.no_grad():
        phi = adapt(net.mse, theta, x, y, alpha, num_updates)[-1] if shots else theta
        curves = torch.stack([net.apply(parameters, grid)[:, 0] for parameters in (theta, phi)])  # (2, 201)
        return Ends(curves.numpy(), (curves - true.T).square().mean(1).numpy())


def _points(net: MLP, shots: Shots, amplitude: float, phase: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs and targets of the shots, (K, inputs) and (K, 1), and of GRID, (201, inputs) and (201, 1)."""
    grid = torch.from_numpy(GRID)[:, None]  # (201, 1)
    x, y = torch.tensor(shots, dtype=torch.float32).reshape(-1, 2).split(1, dim=1)  # (K, 1) each
    parameters = torch.tensor([[amplitude, phase]])  # (1, 2)
    true = FAMILY.curve(parameters, grid.T).T  # (201, 1)
    if net.sizes[0] > 1:  # the oracle is told what the task is
        x, grid = (torch.cat([part, parameters.expand(len(part), -1)], 1) for part in (x, grid))  # (N, 3)
    return x, y, grid, true


def _adapt_together(
    net: MLP, each: Sequence[tuple[Params, StepSize]], shots: Shots, amplitude: float, phase: float, num_updates: int
) -> list[Trajectory]:
    """each: L learners with the step sizes asked for, then the same L with their own."""
    x, y, grid, true = _points(net, shots, amplitude, phase)
    thetas = {name: torch.stack([theta[name] for theta, _ in each]) for name in net.shapes}  # (2L, ...)
    alphas = {
        name: torch.stack([_size(size, name, shape) for _, size in each]) for name, shape in net.shapes.items()
    }  # (2L, ...)

    def path(theta: Params, alpha: Params) -> Params:
        path = adapt(net.mse, theta, x, y, alpha, num_updates) if shots else [theta] * (num_updates + 1)
        return {name: torch.stack([phi[name] for phi in path]) for name in theta}  # (S + 1, ...)

    def judge(phi: Params) -> tuple[Tensor, Tensor, Tensor]:
        curve = net.apply(phi, grid)  # (201, 1)
        return curve[:, 0], net.mse(phi, x, y), (curve - true).square().mean()

    def norms(parts: Params) -> Tensor:
        """(L, S + 1, ...) -> (L, S + 1, layers)."""
        squares = {name: part.square().flatten(2).sum(2) for name, part in parts.items()}
        return torch.stack([torch.stack([squares[name] for name in layer]).sum(0) for layer in net.layers], 2).sqrt()

    count = len(each) // 2
    with torch.no_grad():
        phis = vmap(path)(thetas, alphas)  # (2L, S + 1, ...)
        every = {name: phi.flatten(0, 1) for name, phi in phis.items()}  # (2L (S + 1), ...)
        at_once = max(1, JUDGED // (len(GRID) * max(net.sizes)))
        judged = vmap(judge, chunk_size=at_once)(every)
        curves, support, query = (part.unflatten(0, (2 * count, num_updates + 1)).numpy() for part in judged)
        curves = curves[:count].copy()  # a part of them would keep all of them
        asked = {name: phi[:count] for name, phi in phis.items()}  # (L, S + 1, ...)
        gradients = vmap(vmap(grad(net.mse), (0, None, None)), (0, None, None))(asked, x, y) if shots else asked
        gradient = norms(gradients).numpy() if shots else np.zeros((count, num_updates + 1, len(net.layers)), np.float32)
        moved = norms({name: phi.diff(dim=1, prepend=phi[:, :1]) for name, phi in asked.items()}).numpy()
    return [Trajectory(curves[i], support[i], query[i], query[count + i], gradient[i], moved[i]) for i in range(count)]


def _size(alpha: StepSize, name: str, shape: tuple[int, ...]) -> Tensor:
    """The step size of each number in one parameter; 0 for a parameter that the learner leaves where it is."""
    of_this = alpha.get(name, 0.0) if isinstance(alpha, Mapping) else alpha
    return torch.as_tensor(of_this, dtype=torch.float32).expand(shape)


def fresh(name: str, K: int, alpha: float, num_updates: int, noise: float, placement: str, freeze: str) -> Fresh:
    """The learner adapted to K shots of each of FRESH_TASKS tasks of the lab's family, under these settings.

    Every learner meets the same tasks, and every visitor gets the same numbers, from a cache.
    Raises CheckpointError if the learner is missing.
    """
    return once(_fresh, name, learners.version(name), K, alpha, num_updates, noise, placement, freeze)


def fresh_losses(name: str, K: int, alpha: float | None, num_updates: int) -> np.ndarray:
    """The query MSE of each of the same tasks at every inner step, (num_updates + 1, FRESH_TASKS), not to be written to.

    alpha: None for the learner's own. Not finite where adaptation diverged. Raises CheckpointError if the learner is missing.
    """
    return once(_fresh_losses, name, learners.version(name), K, alpha, num_updates, 0.0, "anywhere", "none")


@remembered
def _fresh(*asked: Any) -> Fresh:
    losses = torch.from_numpy(_fresh_losses(*asked))  # (S + 1, FRESH_TASKS)
    counted = losses.where(losses <= DIVERGED_ABOVE, DIVERGED_ABOVE)
    quantiles = torch.quantile(counted, torch.from_numpy(QUANTILES).float(), dim=1).T  # (S + 1, 41)
    stats = summarise(losses)
    columns = {field: [getattr(s, field) for s in stats] for field in ("mean", "ci95", "median", "diverged")}
    return Fresh(quantiles.tolist(), **columns)


@remembered
def _fresh_losses(
    name: str, version: int, K: int, alpha: float | None, num_updates: int, noise: float, placement: str, freeze: str
) -> np.ndarray:
    checkpoint: Checkpoint = learners.get(name)
    theta, sizes = checkpoint.split(alpha, freeze)
    problem = checkpoint.tasks(K, FRESH_QUERY, family=FAMILY_NAME, placement=placement)
    return query_metric(
        problem, theta, alpha=sizes, num_updates=num_updates, test_tasks=FRESH_TASKS, noise=noise, on_tasks=go_on
    ).numpy()
