"""Who tells characters apart: the checkpoints shipped in pretrained/characters, and pixels compared. No streamlit here."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from maml_core import PRETRAINED, checkpoint, metric, problems
from maml_core.algorithms import StepSize
from maml_core.checkpoint import Checkpoint
from maml_core.classification import Classification
from maml_core.config import METRIC
from maml_core.files import signature
from maml_core.network import Params
from maml_core.palette import ROLES, Look
from maml_core.training import comparing

SHIPPED = ("maml", "prototypical")
"""Learners with a checkpoint, by the names of their files."""
NEAREST = "nearest"
NAMES = (*SHIPPED, NEAREST)
"""Every learner, in the order it is shown."""
WAY = 5
"""Characters of a task."""
UPDATES = 5
"""Inner steps on show."""


class Learner(NamedTuple):
    """What answers: it adapts to the drawings by steps of `loss`, or compares with them by `answer`."""

    theta: Params
    alpha: StepSize
    loss: Callable[[Params, Tensor, Tensor], Tensor] | None
    answer: Callable[[Params, Tensor, Tensor, Tensor], Tensor] | None
    logits: Callable[[Params, Tensor], Tensor] | None


def look(name: str) -> Look:
    """How a learner is drawn and called."""
    return ROLES[name]


def there() -> list[str]:
    """The learners that this installation has."""
    return [name for name in NAMES if name == NEAREST or _path(name).is_file()]


def check(name: str) -> str:
    """The same name. Raises ValueError if no learner has it here."""
    if name not in there():
        raise ValueError(f"there is no learner {name!r:.40} here; choose from {', '.join(there())}")
    return name


def adapts(name: str) -> bool:
    """Whether it takes inner steps."""
    return name != NEAREST and _found(name).config.algorithm not in METRIC


def own_alpha(name: str) -> float | None:
    """The step size that it was trained with, if it takes steps."""
    return _found(name).config.alpha if adapts(name) else None


def version(name: str) -> tuple[int, int]:
    """Another one once its file has changed."""
    return (0, 0) if name == NEAREST else signature(_path(name))


def of(name: str, way: int, alpha: float | None = None, freeze: str = "none") -> Learner:
    """The learner for tasks of so many characters. Of a head for more, the first units answer."""
    if name == NEAREST:
        return Learner({}, {}, None, lambda _, x, y, query: metric.nearest(x.flatten(1), y, query.flatten(1), way), None)
    found = _found(name)
    network = problems.convolution(found.config)
    problem = Classification(replace(network, outputs=way if network.outputs else 0), way, 1, 1)
    theta, sizes = found.split(alpha, freeze)
    if not adapts(name):
        return Learner(theta, sizes, None, comparing(found.config, problem), None)
    theta |= {each: theta[each][:way] for each in problem.layers[-1]}
    return Learner(theta, sizes, problem.loss, None, problem.network.apply)


def _path(name: str) -> Path:
    return PRETRAINED / "characters" / f"{name}.safetensors"


def _found(name: str) -> Checkpoint:
    return _load(_path(name), version(name))


@lru_cache(maxsize=8)
def _load(path: Path, version: tuple[int, int]) -> Checkpoint:
    return checkpoint.load(path)
