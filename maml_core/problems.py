"""What a task is: the few things in which regression, classification and whatever comes later differ, and nothing else."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from maml_core import tasks
from maml_core.classification import Classification
from maml_core.config import CLASSIFICATION, DIVERGED_ABOVE, METRIC, TRAINING_QUERY, ConfigError, TrainConfig
from maml_core.convolution import Convolution
from maml_core.network import MLP, Params
from maml_core.tasks import Batch, Family


class Problem(Protocol):
    """A distribution of tasks, and the network that adapts to one. Whatever has these trains, is measured and is saved.

    `batch`, `loss` and `metrics` are executed inside traced and vectorised programs: pure tensor code, without a look at values.
    """

    @property
    def layers(self) -> list[list[str]]:
        """The names of each layer's parameters; the last layer is the head, which ANIL adapts alone."""

    @property
    def worst(self) -> float:
        """What a task counts as whose first metric is not finite: the most of an error, which is then its limit too, or 0."""

    def init(self, generator: torch.Generator) -> Params:
        """Fresh parameters, float32."""

    def draw(self, generator: torch.Generator, tasks: int) -> Any:
        """What that many tasks are made of, random numbers or examples: tensors in any structure, tasks along the first of
        their dimensions. Drawn on the CPU, before the program runs: every path and device sees the same."""

    def batch(self, drawn: Any) -> Batch:
        """The tasks made of it: support (T, K, ...) and query (T, Q, ...), targets in the form that `loss` takes."""

    def loss(self, params: Params, x: Tensor, y: Tensor) -> Tensor:
        """What is descended, on the points of one task -> scalar."""

    def metrics(self, params: Params, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """What people read, on the points of one task, by name -> scalars. The first is what tables and charts give."""


@runtime_checkable
class Comparable(Problem, Protocol):
    """A Problem of classes whose network embeds points, so that learners can compare them (metric.py)."""

    @property
    def way(self) -> int:
        """Classes of a task. Targets are whole numbers below it."""

    def embed(self, params: Params, x: Tensor) -> Tensor:
        """Points (N, ...) -> (N, D)."""


@dataclass(frozen=True)
class Regression:
    """Curves from K shots (Finn et al. 2017, section 5.1). x (K, inputs), y (K, 1); the error is the mean squared one.

    query: points a task is judged by. oracle: each point also carries its task's parameters, inputs = 1 + P.
    placement: where the shots lie (tasks.place).
    """

    network: MLP
    family: Family
    K: int
    query: int
    oracle: bool = False
    placement: str = "anywhere"
    worst = DIVERGED_ABOVE

    @property
    def layers(self) -> list[list[str]]:
        """As the network's."""
        return self.network.layers

    def init(self, generator: torch.Generator) -> Params:
        """As the network's."""
        return self.network.init(generator)

    def draw(self, generator: torch.Generator, tasks: int) -> Tensor:
        """(tasks, randoms + K + query) uniform in [0, 1)."""
        return torch.rand(tasks, self.family.randoms + self.K + self.query, generator=generator)

    def batch(self, drawn: Tensor) -> Batch:
        """x (T, K or query, inputs), y (T, K or query, 1)."""
        return tasks.batch(self.family, drawn, self.K, self.oracle, self.placement)

    def loss(self, params: Params, x: Tensor, y: Tensor) -> Tensor:
        """The mean squared error."""
        return self.network.mse(params, x, y)

    def metrics(self, params: Params, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The same, as `mse`."""
        return {"mse": self.loss(params, x, y)}


def of(
    config: TrainConfig,
    *,
    K: int | None = None,
    query: int | None = None,
    family: str | None = None,
    placement: str = "anywhere",
    way: int | None = None,
) -> Problem:
    """The problem that a config describes: as it is trained on, or with other shots or other tasks.

    K: shots. query: points a task is judged by, of each class where there are classes; as many as shots, if not given.
    way: classes, where the network compares; one with a head tells as many apart as it was trained for.
    Raises ConfigError where the network cannot take such tasks.
    """
    K, family = config.K if K is None else K, config.family if family is None else family
    if (config.family in CLASSIFICATION) != (family in CLASSIFICATION):
        raise ConfigError(f"family={family!r} is not possible here: the network was trained on {config.family!r}")
    if family in CLASSIFICATION:
        if way not in (None, config.way) and config.algorithm not in METRIC:
            raise ConfigError(f"way={way} is not possible: the network tells {config.way} classes apart, and has a head for them")
        return Classification(convolution(config), way or config.way, K, TRAINING_QUERY if query is None else query)
    query = K if query is None else query
    return Regression(MLP.of(config), tasks.family(family), K, query, config.algorithm == "oracle", placement)


def convolution(config: TrainConfig) -> Convolution:
    """The network a config for images describes. One that compares has no head."""
    return Convolution(0 if config.algorithm in METRIC else config.way, config.hidden)


def part(drawn: Any, which: slice, device: str | torch.device = "cpu") -> Any:
    """What some of the tasks (or blocks of them) that were drawn are made of, on this device."""
    return tree_map(lambda each: each[which].to(device), drawn)


def name(problem: Problem) -> str:
    """What a checkpoint calls the problem it is for."""
    return type(problem).__name__


def shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter of its network, in the order of `init`."""
    return {name: tuple(value.shape) for name, value in problem.init(torch.Generator()).items()}
