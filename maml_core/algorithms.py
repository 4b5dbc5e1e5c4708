"""The paper's equations: the inner loop, and the objectives it stands in, each a few lines over the one `adapt`.

MAML, FOMAML  C. Finn, P. Abbeel, S. Levine. Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks. arXiv:1703.03400
Reptile       A. Nichol, J. Achiam, J. Schulman. On First-Order Meta-Learning Algorithms. arXiv:1803.02999
Meta-SGD      Z. Li, F. Zhou, F. Chen, H. Li. Meta-SGD: Learning to Learn Quickly for Few-Shot Learning. arXiv:1707.09835
MAML++        A. Antoniou, H. Edwards, A. Storkey. How to train your MAML. arXiv:1810.09502
ANIL          A. Raghu, M. Raghu, S. Bengio, O. Vinyals. Rapid Learning or Feature Reuse? arXiv:1909.09157

One task at a time, then `vmap`. Symbols as in the first: theta the initialisation, theta' the adapted weights,
alpha the inner step size. `loss(params, x, y) -> scalar` may belong to any network.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import grad, vmap

from maml_core.network import Params
from maml_core.tasks import Batch

Loss = Callable[[Params, Tensor, Tensor], Tensor]

StepSize = Tensor | float | Mapping[str, Tensor | float]
"""One alpha for every parameter, or a dictionary: a scalar or tensor of the parameter's shape for each that moves.

Parameters missing from the dictionary stay where they are: only the head's is ANIL, learned ones are Meta-SGD.
"""


def inner_step(loss: Loss, weights: Params, x: Tensor, y: Tensor, alpha: StepSize, first_order: bool = False) -> Params:
    """weights - alpha * grad L(weights) on the support set (MAML, section 2.2; Meta-SGD, eq. 2). x: (K, inputs), y: (K, outputs).

    first_order: treat the gradient as a constant, so that no second derivative is taken through it (MAML, section 5.2).
    """
    alphas: Mapping[str, Tensor | float] = alpha if isinstance(alpha, Mapping) else dict.fromkeys(weights, alpha)
    g = grad(lambda moving: loss(weights | moving, x, y))({name: weights[name] for name in alphas})
    if first_order:
        g = {name: value.detach() for name, value in g.items()}
    return weights | {name: weights[name] - alphas[name] * g[name] for name in g}


def adapt(
    loss: Loss, theta: Params, x: Tensor, y: Tensor, alpha: StepSize, num_updates: int, first_order: bool = False
) -> list[Params]:
    """The inner loop (MAML Algorithm 2, lines 6-7): the whole trajectory [theta, theta'_1, ..., theta'_num_updates].

    x: (K, inputs), y: (K, outputs); every element is shaped as theta.
    """
    trajectory = [theta]
    for _ in range(num_updates):
        trajectory.append(inner_step(loss, trajectory[-1], x, y, alpha, first_order))
    return trajectory


def meta_objective(
    loss: Loss,
    theta: Params,
    batch: Batch,
    alpha: StepSize,
    num_updates: int,
    *,
    first_order: bool = False,
    multi_step: bool = False,
) -> Tensor:
    """Mean query loss of the adapted networks over the meta-batch (what MAML eq. 1 descends, per task) -> scalar.

    batch: x (T, K or Q, inputs), y (T, K or Q, outputs).

    Its gradient with respect to theta is the exact second-order meta-gradient; with first_order, FOMAML's; with respect to a
    dictionary alpha as well, Meta-SGD's. With num_updates=0 it is joint pretraining: one network fitted to all tasks at once.

    multi_step: the mean over the query losses after every inner step instead of the last one's (MAML++, section 3,
    "multi-step loss optimization", with equal weights throughout).
    """

    def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> Tensor:
        trajectory = adapt(loss, theta, x_support, y_support, alpha, num_updates, first_order)
        judged = trajectory[1:] if multi_step and num_updates else trajectory[-1:]
        return torch.stack([loss(adapted, x_query, y_query) for adapted in judged]).mean()

    return vmap(task)(*batch).mean()


def reptile_direction(loss: Loss, theta: Params, batch: Batch, alpha: float, num_updates: int) -> Params:
    """(theta - theta') / (alpha * num_updates), averaged over the tasks: what Reptile hands to the outer optimiser as a gradient.

    Reptile (Algorithm 2) keeps no query set: each task is adapted on all of its points. Divided by the length of the path, the
    direction has the scale of a gradient: for one step it is exactly joint pretraining's.
    """

    def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> Params:
        x, y = torch.cat([x_support, x_query]), torch.cat([y_support, y_query])
        adapted = adapt(loss, theta, x, y, alpha, num_updates)[-1]
        return {name: (theta[name] - adapted[name]) / (alpha * num_updates) for name in theta}

    return {name: value.mean(0) for name, value in vmap(task)(*batch).items()}
