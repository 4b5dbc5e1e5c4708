"""The second-order term of MAML's gradient, which FOMAML leaves out: how large it is, and where it points, layer by layer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from maml_core.algorithms import Loss, StepSize, inner_step
from maml_core.network import Params, device_of
from maml_core.tasks import Batch


class Ignored(NamedTuple):
    """alpha H g beside g, over some parameters: medians over the tasks. NaN where neither is anything."""

    ratio: float  # length of alpha H g / length of g
    angle: float  # between alpha H g and g, in degrees


def gradient_terms(loss: Loss, theta: Params, batch: Batch, alpha: StepSize) -> tuple[Params, Params]:
    """For every task g and alpha H g, shaped (T, ...) as theta: with one inner step the exact meta-gradient is g - alpha H g.

    g: gradient of the query loss at the adapted weights, which is all that FOMAML follows. H: Hessian of the support loss at
    theta; it is never formed, only multiplied (forward mode over reverse mode). Where step sizes differ by parameter, alpha H g
    is H (alpha g).
    """
    alphas: Mapping[str, Tensor | float] = alpha if isinstance(alpha, Mapping) else dict.fromkeys(theta, alpha)

    def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> tuple[Params, Params]:
        adapted = inner_step(loss, theta, x_support, y_support, alpha)
        g = grad(loss)(adapted, x_query, y_query)
        along = {name: alphas.get(name, 0.0) * value for name, value in g.items()}
        return g, jvp(lambda params: grad(loss)(params, x_support, y_support), (theta,), (along,))[1]

    return vmap(task)(*batch.to(device_of(theta)))


def ignored(g: Params, term: Params, layers: Sequence[Sequence[str]]) -> list[Ignored]:
    """What FOMAML leaves out in each group of parameters: g and term as from `gradient_terms`, (T, ...) each."""

    def of(names: Sequence[str]) -> Ignored:
        kept, left = (torch.cat([part[name].flatten(1) for name in names], 1) for part in (g, term))  # (T, P)
        lengths = kept.norm(dim=1) * left.norm(dim=1)
        angles = torch.rad2deg(torch.acos(((kept * left).sum(1) / lengths).clamp(-1, 1)))
        return Ignored((left.norm(dim=1) / kept.norm(dim=1)).nanmedian().item(), angles.nanmedian().item())

    return [of(names) for names in layers]


def angle_of_means(g: Params, term: Params) -> float:
    """The angle in degrees between the gradients over all tasks that FOMAML and MAML follow: mean g and mean (g - alpha H g)."""
    first, exact = (torch.cat([part[name].mean(0).flatten() for name in g]) for part in (g, {n: g[n] - term[n] for n in g}))
    return torch.rad2deg(torch.acos((first @ exact / (first.norm() * exact.norm())).clamp(-1, 1))).item()
