"""Learners that compare instead of descending: which class of the support a query is nearest to, in an embedding.

Prototypical  J. Snell, K. Swersky, R. Zemel. Prototypical Networks for Few-shot Learning. arXiv:1703.05175
Matching      O. Vinyals, C. Blundell, T. Lillicrap, K. Kavukcuoglu, D. Wierstra. Matching Networks for One Shot Learning.
              arXiv:1606.04080

Support (S, D) with labels y (S,) in [0, way), query (Q, D) -> log-probabilities (Q, way), one task at a time.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor
from torch.func import vmap

from maml_core.network import Params
from maml_core.tasks import Batch

Comparing = Callable[[Params, Tensor, Tensor, Tensor], Tensor]
"""What is learned, support (S, ...), its classes (S,), query (Q, ...) -> log-probabilities (Q, way)."""


def episodic(answer: Comparing, params: Params, batch: Batch) -> Tensor:
    """Mean cross-entropy of the queries over the tasks (Snell et al., Algorithm 1; Vinyals et al., eq. 6) -> scalar."""

    def task(x_support: Tensor, y_support: Tensor, x_query: Tensor, y_query: Tensor) -> Tensor:
        return F.nll_loss(answer(params, x_support, y_support, x_query), y_query)

    return vmap(task)(*batch).mean()


def prototypical(support: Tensor, y: Tensor, query: Tensor, way: int) -> Tensor:
    """Softmax over minus the squared Euclidean distances to the classes' means (Snell et al., eqs. 1 and 2)."""
    of_class = F.one_hot(y, way).to(support.dtype)  # (S, way)
    prototypes = (of_class / of_class.sum(0)).T @ support  # (way, D)
    return F.log_softmax(-_distances(query, prototypes), 1)


def matching(support: Tensor, y: Tensor, query: Tensor, way: int) -> Tensor:
    """Each class has the attention that its examples get: a softmax over cosines (Vinyals et al., section 2.1.1)."""
    cosines = F.normalize(query, dim=1) @ F.normalize(support, dim=1).T  # (Q, S)
    attention = F.softmax(cosines, 1) @ F.one_hot(y, way).to(support.dtype)  # (Q, way)
    return attention.log()


def nearest(support: Tensor, y: Tensor, query: Tensor, way: int) -> Tensor:
    """The class of the nearest example, with certainty: log-probabilities 0 and minus infinity."""
    label = y[_distances(query, support).argmin(1)]  # (Q,)
    return F.one_hot(label, way).to(support.dtype).log()


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Squared Euclidean ones between the rows of (Q, D) and of (S, D) -> (Q, S)."""
    return a.square().sum(1, keepdim=True) - 2 * a @ b.T + b.square().sum(1)


METRICS = {"prototypical": prototypical, "matching": matching}
