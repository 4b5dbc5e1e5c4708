"""Who tells characters apart: the checkpoints shipped in pretrained/characters, and pixels compared. No streamlit here."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core import PRETRAINED, checkpoint, metric, problems
from maml_core.algorithms import StepSize
from maml_core.checkpoint import Checkpoint
from maml_core.classification import Classification
from maml_core.config import METRIC
from maml_core.convolution import Convolution
from maml_core.files import signature
from maml_core.metric import Comparing
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
CLASSES = tuple(ascii_uppercase[:WAY])
"""What they are called until somebody names them."""
UPDATES = 5
"""Inner steps on show."""
QUERY = 1
"""Drawings of each character that a fresh task asks about."""
_NOTHING: Params = {"": torch.zeros(0)}
"""The weights of who has none."""


class Learner(NamedTuple):
    """For tasks of so many characters: it adapts by steps of the problem's loss, or compares drawings by `answer`."""

    problem: Classification
    theta: Params
    alpha: StepSize
    answer: Comparing | None


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


def results(name: str) -> dict[str, dict[str, float]]:
    """What was measured on its checkpoint with one drawing of each of WAY characters: inner step -> mean, ci95, tasks."""
    if name == NEAREST or _found(name).config.way != WAY:
        return {}
    return _found(name).results.get("1", {})


def version(name: str) -> tuple[int, int]:
    """Another one once its file has changed."""
    return (0, 0) if name == NEAREST else signature(_path(name))


def of(name: str, way: int, alpha: float | None = None, freeze: str = "none") -> Learner:
    """The learner for tasks of so many characters. Of a head for more, the first units answer."""
    if name == NEAREST:
        return Learner(Classification(Convolution(0), way, 1, QUERY), _NOTHING, 0.0, lambda _, *points: _nearest(way, *points))
    found = _found(name)
    network = problems.convolution(found.config)
    problem = Classification(replace(network, outputs=way if network.outputs else 0), way, 1, QUERY)
    theta, sizes = found.split(alpha, freeze)
    if not adapts(name):
        return Learner(problem, theta, sizes, comparing(found.config, problem))
    return Learner(problem, theta | {each: theta[each][:way] for each in problem.layers[-1]}, sizes, None)


def _nearest(way: int, x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    return metric.nearest(x.flatten(1), y, query.flatten(1), way)


def _path(name: str) -> Path:
    return PRETRAINED / "characters" / f"{name}.safetensors"


def _found(name: str) -> Checkpoint:
    return _load(_path(name), version(name))


@lru_cache(maxsize=8)
def _load(path: Path, version: tuple[int, int]) -> Checkpoint:
    return checkpoint.load(path)
