"""Task families: from uniform random numbers to batches of regression tasks."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from maml_core.config import PLACEMENTS, ConfigError

CLUSTER = 0.15
"""Width of a cluster of shots, as a share of the range of x."""

NOISE = 2**31
"""The stream of a seed (`stream`) that noise on shots comes from: no stream of its tasks, nor of any other seed's."""


class Batch(NamedTuple):
    """T tasks: K support points to adapt on, Q query points to judge the adapted network by."""

    x_support: Tensor  # (T, K, inputs)
    y_support: Tensor  # (T, K, 1)
    x_query: Tensor  # (T, Q, inputs)
    y_query: Tensor  # (T, Q, 1)

    def to(self, device: str | torch.device) -> "Batch":
        """The same tasks on this device."""
        return Batch(*(part.to(device) for part in self))


class Family(Protocol):
    """A distribution of tasks, as pure functions of uniform random numbers, so that sampling can run inside a traced program."""

    @property
    def x(self) -> tuple[float, float]:
        """Where points lie."""

    @property
    def randoms(self) -> int:
        """Uniform random numbers that make a task, beside one for each of its points."""

    def parameters(self, uniforms: Tensor) -> Tensor:
        """(T, randoms) uniform in [0, 1) -> (T, P): what tells a task from its siblings, and what an oracle is told."""

    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        """The true functions: (T, P), (T, N) -> (T, N)."""


@dataclass(frozen=True)
class Sinusoids:
    """y = A sin(x - phi), with A, phi and x uniform in their ranges (Finn et al. 2017, section 5.1). P = 2: A and phi."""

    amplitude: tuple[float, float] = (0.1, 5.0)
    phase: tuple[float, float] = (0.0, math.pi)
    x: tuple[float, float] = (-5.0, 5.0)
    randoms = 2

    def parameters(self, uniforms: Tensor) -> Tensor:
        """(T, 2) -> (T, 2): amplitude and phase."""
        return torch.stack([_scale(uniforms[:, 0], self.amplitude), _scale(uniforms[:, 1], self.phase)], 1)

    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        """(T, 2), (T, N) -> (T, N)."""
        return parameters[:, :1] * torch.sin(x - parameters[:, 1:])


@dataclass(frozen=True)
class SinusoidsAndLines:
    """Half sinusoids, half lines y = a x + b: tasks of two shapes behind one initialisation, after Finn et al. 2018 (PLATIPUS).

    Slopes and intercepts lie in [-1, 1], which keeps the errors of both shapes of one size; those of PLATIPUS lie in [-3, 3].
    P = 3: which of the two (0 a line, 1 a sinusoid), then A and phi or a and b.
    """

    sinusoids: Sinusoids = Sinusoids()
    slope: tuple[float, float] = (-1.0, 1.0)
    intercept: tuple[float, float] = (-1.0, 1.0)
    x: tuple[float, float] = (-5.0, 5.0)
    randoms = 3

    def parameters(self, uniforms: Tensor) -> Tensor:
        """(T, 3) -> (T, 3)."""
        wave = (uniforms[:, :1] < 0.5).to(uniforms.dtype)  # (T, 1)
        line = torch.stack([_scale(uniforms[:, 1], self.slope), _scale(uniforms[:, 2], self.intercept)], 1)
        return torch.cat([wave, wave * self.sinusoids.parameters(uniforms[:, 1:]) + (1 - wave) * line], 1)

    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        """(T, 3), (T, N) -> (T, N)."""
        wave, line = self.sinusoids.curve(parameters[:, 1:], x), parameters[:, 1:2] * x + parameters[:, 2:]
        return torch.where(parameters[:, :1] > 0.5, wave, line)


FAMILIES: dict[str, Family] = {
    "sinusoid": Sinusoids(),
    "sinusoid_2pi": Sinusoids(phase=(0.0, 2 * math.pi)),
    "sinusoid_line": SinusoidsAndLines(),
}


def family(name: str) -> Family:
    """The family of that name. Raises ConfigError if there is none."""
    if name not in FAMILIES:
        raise ConfigError(f"family={name!r} is not possible: choose one of {', '.join(FAMILIES)}")
    return FAMILIES[name]


def place(uniforms: Tensor, bounds: tuple[float, float], placement: str = "anywhere") -> Tensor:
    """Where K shots lie: uniform random numbers (..., K) in [0, 1) -> x (..., K) in bounds.

    anywhere: uniformly; left: uniformly in the left half; cluster: uniformly in a stretch CLUSTER as wide as the range, itself
    anywhere; even: at equal distances, whatever the random numbers are. Raises ConfigError if there is no such placement.
    """
    low, high = bounds
    if placement == "left":
        high = (low + high) / 2
    elif placement == "cluster":
        width = CLUSTER * (high - low)
        return low + (high - low - width) * uniforms[..., :1] + width * uniforms
    elif placement == "even":
        K = uniforms.shape[-1]
        return _scale((torch.arange(K, dtype=uniforms.dtype, device=uniforms.device) + 0.5) / K, bounds).expand_as(uniforms)
    elif placement not in PLACEMENTS:
        raise ConfigError(f"placement={placement!r} is not possible: choose one of {', '.join(PLACEMENTS)}")
    return _scale(uniforms, (low, high))


def batch(family: Family, uniforms: Tensor, K: int, oracle: bool = False, placement: str = "anywhere") -> Batch:
    """Tasks from random numbers: (T, randoms + K + Q) uniform in [0, 1) -> T tasks with K support and Q query points.

    oracle: every point also carries its task's parameters, inputs = 1 + P (the paper's upper bound).
    placement: of the support points; query points lie anywhere.
    """
    parameters = family.parameters(uniforms[:, : family.randoms])  # (T, P)
    x = _scale(uniforms[:, family.randoms :], family.x)  # (T, K + Q)
    if placement != "anywhere":
        x = torch.cat([place(uniforms[:, family.randoms : family.randoms + K], family.x, placement), x[:, K:]], 1)
    y = family.curve(parameters, x)[..., None]  # (T, K + Q, 1)
    x = x[..., None]  # (T, K + Q, 1)
    if oracle:
        x = torch.cat([x, parameters[:, None].expand(-1, x.shape[1], -1)], 2)  # (T, K + Q, 1 + P)
    return Batch(x[:, :K], y[:, :K], x[:, K:], y[:, K:])


def sample(
    family: Family,
    generator: torch.Generator,
    tasks: int,
    K: int,
    query: int,
    oracle: bool = False,
    placement: str = "anywhere",
) -> Batch:
    """That many fresh tasks, with K support and `query` query points each."""
    return batch(family, torch.rand(tasks, family.randoms + K + query, generator=generator), K, oracle, placement)


def stream(seed: int, number: int) -> torch.Generator:
    """An independent generator for each (seed, number). Mixed by SeedSequence: torch itself keeps 32 bits of a seed."""
    mixed = np.random.SeedSequence([seed, number]).generate_state(1)[0]
    return torch.Generator().manual_seed(int(mixed))


def _scale(uniform: Tensor, bounds: tuple[float, float]) -> Tensor:
    low, high = bounds
    return low + (high - low) * uniform
