"""Two rewritings of a traced program that compilers do not find: adapted weights are never formed; small products are loops.

The gradient of a linear layer on K examples is a product delta^T a of rank K, so the weights after an inner step are
W - alpha delta^T a, different for each task. Multiplied out, x (W - alpha delta^T a)^T = x W^T - alpha (x a^T) delta: one large
product shared by all tasks and two small ones, instead of an array (tasks, m, n) to write, read and differentiate through.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Interpreter
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_map

aten = torch.ops.aten
LOOP = 16
"""A batched product with a side at most this long is faster as a loop, which a compiler fuses, than as a call of BLAS."""


def rewritten(program: GraphModule, example: Sequence[Tensor]) -> GraphModule:
    """The same function of the same tensors, equal up to rounding, for a compiler that fuses loops."""
    return make_fx(_Rewriter(program).run)(*example)


@dataclass(frozen=True)
class _Matrices:
    """A matrix for each of T tasks, not multiplied out: shared + the sum of left @ right."""

    terms: tuple[tuple[Tensor, Tensor], ...]  # (T, m, r), (T, r, n)
    shared: Tensor | None = None  # (m, n)

    @property
    def shape(self) -> tuple[int, int, int]:
        left, right = self.terms[0]
        return left.shape[0], left.shape[1], right.shape[2]

    @property
    def pays(self) -> bool:
        """Whether the factors are smaller than the matrices."""
        _, m, n = self.shape
        return sum(left.shape[2] for left, _ in self.terms) * (m + n) < m * n

    @cached_property
    def value(self) -> Tensor:
        total = _sum(_product(left, right) for left, right in self.terms)  # (T, m, n)
        return total if self.shared is None else self.shared + total

    @property
    def mT(self) -> "_Matrices":
        return _Matrices(
            tuple((right.mT, left.mT) for left, right in self.terms), None if self.shared is None else self.shared.mT
        )

    def scaled(self, by: float) -> "_Matrices":
        return _Matrices(
            tuple((left * by, right) for left, right in self.terms), None if self.shared is None else self.shared * by
        )

    def plus(self, other: "_Matrices") -> "_Matrices":
        shared = [part.shared for part in (self, other) if part.shared is not None]
        return _Matrices(self.terms + other.terms, _sum(shared) if shared else None)

    def after(self, x: Tensor) -> Tensor:
        """x @ self: (T, p, m) -> (T, p, n)."""
        total = _sum(_product(_product(x, left), right) for left, right in self.terms)
        return total if self.shared is None else (x.flatten(0, 1) @ self.shared).unflatten(0, x.shape[:2]) + total

    def over_tasks(self) -> Tensor:
        """The sum over the tasks, (m, n): side by side they make one product of each term."""
        total = _sum(left.transpose(0, 1).flatten(1) @ right.flatten(0, 1) for left, right in self.terms)
        return total if self.shared is None else self.shape[0] * self.shared + total


class _Rewriter(Interpreter):
    """Runs a program on _Matrices as far as they go, and on tensors elsewhere."""

    def call_function(self, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        if target is aten.mm.default and min(*args[0].shape, *args[1].shape) == 1:
            return _loop(*args)
        if target is aten.bmm.default:
            return _bmm(*args)
        if any(isinstance(arg, _Matrices) for arg in args):
            lazy = _lazily(target, *args, **kwargs)
            if lazy is not None:
                return lazy
        args, kwargs = tree_map(_multiplied_out, (args, kwargs))
        return super().call_function(target, args, kwargs)

    def output(self, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        return super().output(target, tree_map(_multiplied_out, args), kwargs)


def _lazily(target: Any, x: Any, *rest: Any, **kwargs: Any) -> Tensor | _Matrices | None:
    """The operation on matrices that are not multiplied out, or None if there is no such."""
    match target, rest:
        case ((aten.view.default | aten._unsafe_view.default | aten.expand.default), (shape,)) if tuple(shape) == x.shape:
            return x
        case aten.transpose.int, (1, 2) | (2, 1) | (-1, -2) | (-2, -1):
            return x.mT
        case aten.permute.default, ([0, 2, 1],):
            return x.mT
        case aten.neg.default, ():
            return x.scaled(-1)
        case ((aten.mul.Tensor | aten.mul.Scalar), (float() | int() as by,)):
            return x.scaled(by)
        case ((aten.div.Tensor | aten.div.Scalar), (float() | int() as by,)):
            return x.scaled(1 / by)
        case ((aten.add.Tensor | aten.sub.Tensor), (y,)) if not kwargs:
            left, right = _lifted(x, y), _lifted(y, x)
            if left and right:
                both = left.plus(right if target is aten.add.Tensor else right.scaled(-1))
                return both if both.pays else None
        case aten.sum.dim_IntList, ([0], *keep):
            total = x.over_tasks()
            return total[None] if keep == [True] else total
    return None


def _lifted(x: Any, beside: Any) -> _Matrices | None:
    """x as _Matrices of the shape of those beside it: it is such, or a matrix that all tasks share."""
    if isinstance(x, Tensor) and x.shape == beside.shape[1:]:
        return _Matrices((), x)
    return x if isinstance(x, _Matrices) else None


def _multiplied_out(x: Any) -> Any:
    return x.value if isinstance(x, _Matrices) else x


def _bmm(a: Tensor | _Matrices, b: Tensor | _Matrices) -> Tensor | _Matrices:
    """(T, m, k) @ (T, k, n) -> (T, m, n)."""
    if isinstance(a, _Matrices):
        return a.mT.after(_multiplied_out(b).mT).mT
    if isinstance(b, _Matrices):
        return b.after(a)
    product = _Matrices(((a, b),))
    return product if product.pays else _product(a, b)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """(T, m, k) @ (T, k, n) -> (T, m, n), as a loop where that is quick: short, and one of its dimensions lies contiguous."""
    k = a.shape[2]
    along_n, along_k = b.stride(2) == 1, a.stride(2) == b.stride(1) == 1 and k >= LOOP
    short = min(*a.shape[1:], *b.shape[1:]) <= LOOP
    return _loop(a, b) if short and (along_n or along_k) else torch.bmm(a, b)


def _loop(a: Tensor, b: Tensor) -> Tensor:
    """(..., m, k) @ (..., k, n) -> (..., m, n), element by element."""
    return (a.unsqueeze(-1) * b.unsqueeze(-3)).sum(-2)


def _sum(parts: Iterable[Tensor]) -> Tensor:
    return reduce(add, parts)
