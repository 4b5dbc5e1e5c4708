"""Where an initialisation lies: the plane that its adaptation moves in most, and the loss on it before and after inner steps.

A plane shows two directions of many. `Plane.explained` says how much of the movement it holds, and belongs beside every picture.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from maml_core.algorithms import Loss, StepSize, adapt
from maml_core.config import DIVERGED_ABOVE
from maml_core.network import Params, device_of
from maml_core.tasks import Batch

ADAPTED_NUMBERS = 2**20
"""Numbers in the adapted parameters, over places and tasks, that are there at once: what fits a cache is quicker."""


class Plane(NamedTuple):
    """theta + a u + b v, for all a and b."""

    theta: Params
    directions: Tensor  # (2, P): u and v, orthonormal, over all parameters one after the other
    explained: tuple[float, float]  # share of the displacements' squared length that lies along u, and along v

    def project(self, phi: Params) -> Tensor:
        """Parameters with leading dimensions (...) -> (..., 2): a and b of the nearest point of the plane."""
        return (flat(phi, self.theta) - flat(self.theta, self.theta)) @ self.directions.T

    def at(self, places: Tensor) -> Params:
        """(N, 2): a and b -> the parameters there, with a leading dimension N."""
        return unflat(flat(self.theta, self.theta) + places.to(self.directions.device) @ self.directions, self.theta)


def flat(params: Params, like: Params) -> Tensor:
    """Parameters with leading dimensions (...), in the order of `like` -> (..., P)."""
    return torch.cat([params[name].flatten(params[name].ndim - like[name].ndim) for name in like], -1)


def unflat(values: Tensor, like: Params) -> Params:
    """(N, P) -> parameters shaped as `like`, with a leading dimension N."""
    parts = values.split([value.numel() for value in like.values()], 1)
    return {name: part.reshape(len(values), *value.shape) for (name, value), part in zip(like.items(), parts, strict=True)}


def paths(loss: Loss, theta: Params, batch: Batch, alpha: StepSize, num_updates: int) -> Params:
    """The inner loop of every task: each parameter (T, num_updates + 1, ...), theta first."""

    def task(x: Tensor, y: Tensor) -> Params:
        trajectory = adapt(loss, theta, x, y, alpha, num_updates)
        return {name: torch.stack([phi[name] for phi in trajectory]) for name in theta}

    with torch.no_grad():
        return vmap(task)(*batch.to(device_of(theta))[:2])


def principal_plane(theta: Params, adapted: Params) -> Plane:
    """The plane through theta that holds most of the displacements phi_i - theta. adapted: each parameter (T, ...), T >= 2.

    Principal directions of the displacements themselves, centred at theta and not at their mean, so that theta lies in the
    plane: the right singular vectors of the matrix of displacements.
    """
    displacements = flat(adapted, theta) - flat(theta, theta)  # (T, P)
    _, singular, directions = torch.linalg.svd(displacements, full_matrices=False)
    shares = singular.square() / singular.square().sum()
    return Plane(theta, directions[:2], (shares[0].item(), shares[1].item()))


def mean_losses(loss: Loss, thetas: Params, batch: Batch, alpha: StepSize, num_updates: int) -> Tensor:
    """Mean query loss over the tasks after num_updates inner steps from each of N initialisations -> (N,).

    thetas: each parameter (N, ...). A diverged task counts as DIVERGED_ABOVE.
    """

    def from_one(theta: Params) -> Tensor:
        def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> Tensor:
            return loss(adapt(loss, theta, x_support, y_support, alpha, num_updates)[-1], x_query, y_query)

        losses = vmap(task)(*batch)  # (T,)
        return losses.where(losses <= DIVERGED_ABOVE, DIVERGED_ABOVE).mean()

    batch = batch.to(device_of(thetas))
    numbers = sum(value[0].numel() for value in thetas.values()) * (len(batch.x_query) if num_updates else 1)
    with torch.no_grad():
        return vmap(from_one, chunk_size=max(1, ADAPTED_NUMBERS // numbers))(thetas)
