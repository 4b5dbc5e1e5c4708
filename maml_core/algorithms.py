"""The paper's equations: the inner loop, and the meta-objective it stands in.

C. Finn, P. Abbeel, S. Levine: Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks. ICML 2017, arXiv:1703.03400.

One task at a time, then `vmap`. Symbols as there: theta the initialisation, phi its adapted copy (theta' in the paper),
alpha the inner step size. `loss(params, x, y) -> scalar` may belong to any network.
"""

from collections.abc import Callable

from torch import Tensor
from torch.func import grad, vmap

from maml_core.network import Params
from maml_core.tasks import Batch

Loss = Callable[[Params, Tensor, Tensor], Tensor]


def inner_step(loss: Loss, phi: Params, x: Tensor, y: Tensor, alpha: Tensor | float, first_order: bool = False) -> Params:
    """phi - alpha * grad L(phi) on the support set (eq. 1). x, y: (K, 1).

    first_order: treat the gradient as a constant, so that no second derivative is taken through it (section 5.2).
    """
    g = grad(loss)(phi, x, y)
    if first_order:
        g = {name: value.detach() for name, value in g.items()}
    return {name: phi[name] - alpha * g[name] for name in phi}


def adapt(
    loss: Loss, theta: Params, x: Tensor, y: Tensor, alpha: Tensor | float, num_updates: int, first_order: bool = False
) -> list[Params]:
    """The inner loop (Algorithm 1, lines 5-6): the whole trajectory [theta, phi_1, ..., phi_num_updates]. x, y: (K, 1)."""
    trajectory = [theta]
    for _ in range(num_updates):
        trajectory.append(inner_step(loss, trajectory[-1], x, y, alpha, first_order))
    return trajectory


def meta_objective(
    loss: Loss, theta: Params, batch: Batch, alpha: Tensor | float, num_updates: int, first_order: bool = False
) -> Tensor:
    """Mean query loss of the adapted networks over the meta-batch (the sum of eq. 2, divided by the number of tasks) -> scalar.

    Its gradient with respect to theta is the exact second-order meta-gradient; with first_order, FOMAML's. With
    num_updates=0 it is joint pretraining: one network, fitted to all tasks at once.
    """

    def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> Tensor:
        phi = adapt(loss, theta, x_support, y_support, alpha, num_updates, first_order)[-1]
        return loss(phi, x_query, y_query)

    return vmap(task)(*batch).mean()
