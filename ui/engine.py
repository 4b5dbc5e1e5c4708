"""The lab's numbers: the shipped checkpoints, and what each makes of some shots at every inner step. No streamlit here."""

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from maml_core import baselines, checkpoint
from maml_core.algorithms import StepSize, adapt
from maml_core.checkpoint import Checkpoint
from maml_core.network import MLP, Params
from ui.state import FAMILY, LEARNERS, LabState, Shots

PRETRAINED = Path(__file__).parent.parent / "pretrained"
GRID = np.linspace(*FAMILY.x, 201, dtype=np.float32)
"""Where curves are drawn, and where the query loss of the task on show is measured, (201,)."""


class Trajectory(NamedTuple):
    """One learner on one task, at inner steps 0..S."""

    curves: np.ndarray  # (S + 1, 201) float32
    support: np.ndarray  # (S + 1,) float32; NaN without shots
    query: np.ndarray  # (S + 1,) float32: MSE against the true curve on GRID
    query_own: np.ndarray  # (S + 1,) float32: the same at the learner's own step size instead of the one asked for


@lru_cache
def learner(name: str) -> Checkpoint:
    """The shipped checkpoint of that name; "random" is where the others' training started."""
    if name == "random":
        return baselines.random()
    return checkpoint.load(PRETRAINED / f"{name}.safetensors")


def warm() -> None:
    """Load every shipped checkpoint and adapt once, so that the first visitor does not wait for it."""
    state = LabState()
    trajectories(LEARNERS, state.points, state.task.amplitude, state.task.phase, state.alpha, state.num_updates)


@lru_cache(maxsize=512)
def trajectories(
    learners: tuple[str, ...], shots: Shots, amplitude: float, phase: float, alpha: float, num_updates: int
) -> tuple[Trajectory, ...]:
    """Adapt each learner to the shots, all in one batch, at `alpha` and at the learner's own step size.

    The same arguments give the same numbers to every visitor, from a cache.
    """
    checkpoints = [learner(name) for name in learners]
    done: dict[int, Trajectory] = {}
    for net in dict.fromkeys(MLP.of(c.config) for c in checkpoints):
        members = [i for i, c in enumerate(checkpoints) if MLP.of(c.config) == net]
        batch = _adapt_together(net, [checkpoints[i] for i in members], shots, amplitude, phase, alpha, num_updates)
        done |= dict(zip(members, batch, strict=True))
    return tuple(done[i] for i in range(len(learners)))


# Two visitors' small tensor programs run faster one after the other than fighting over the cores.
_one_at_a_time = threading.Lock()


def _adapt_together(
    net: MLP, checkpoints: Sequence[Checkpoint], shots: Shots, amplitude: float, phase: float, alpha: float, num_updates: int
) -> list[Trajectory]:
    grid = torch.from_numpy(GRID)[:, None]  # (201, 1)
    x, y = torch.tensor(shots, dtype=torch.float32).reshape(-1, 2).split(1, dim=1)  # (K, 1) each
    parameters = torch.tensor([[amplitude, phase]])  # (1, 2)
    true = FAMILY.curve(parameters, grid.T).T  # (201, 1)
    if net.sizes[0] > 1:  # the oracle is told what the task is
        x, grid = (torch.cat([part, parameters.expand(len(part), -1)], 1) for part in (x, grid))  # (N, 3)
    each = [c.split(alpha) for c in checkpoints] + [c.split() for c in checkpoints]
    thetas = {name: torch.stack([theta[name] for theta, _ in each]) for name in net.shapes}  # (2L, ...)
    alphas = {
        name: torch.stack([_size(size, name, shape) for _, size in each]) for name, shape in net.shapes.items()
    }  # (2L, ...)

    def one(theta: Params, alpha: Params) -> tuple[Tensor, Tensor, Tensor]:
        path = adapt(net.mse, theta, x, y, alpha, num_updates) if shots else [theta] * (num_updates + 1)
        phis = {name: torch.stack([phi[name] for phi in path]) for name in theta}  # (S + 1, ...)
        curves = vmap(net.apply, (0, None))(phis, grid)  # (S + 1, 201, 1)
        support = vmap(net.mse, (0, None, None))(phis, x, y)  # (S + 1,)
        return curves[..., 0], support, (curves - true).square().mean((1, 2))

    with _one_at_a_time, torch.no_grad():
        curves, support, query = (part.numpy() for part in vmap(one)(thetas, alphas))
    count = len(checkpoints)
    return [Trajectory(curves[i], support[i], query[i], query[count + i]) for i in range(count)]


def _size(alpha: StepSize, name: str, shape: tuple[int, ...]) -> Tensor:
    """The step size of each number in one parameter; 0 for a parameter that the learner leaves where it is."""
    of_this = alpha.get(name, 0.0) if isinstance(alpha, Mapping) else alpha
    return torch.as_tensor(of_this, dtype=torch.float32).expand(shape)
