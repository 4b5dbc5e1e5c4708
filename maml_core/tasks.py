"""Task families: from uniform random numbers to batches of regression tasks."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.config import ConfigError


class Batch(NamedTuple):
    """T tasks: K support points to adapt on, Q query points to judge the adapted network by. No noise on the query."""

    x_support: Tensor  # (T, K, 1)
    y_support: Tensor  # (T, K, 1)
    x_query: Tensor  # (T, Q, 1)
    y_query: Tensor  # (T, Q, 1)


@dataclass(frozen=True)
class SinusoidFamily:
    """y = A sin(x - phi), with A, phi and x uniform in their ranges (Finn et al. 2017, section 5.1)."""

    amplitude: tuple[float, float] = (0.1, 5.0)
    phase: tuple[float, float] = (0.0, math.pi)
    x: tuple[float, float] = (-5.0, 5.0)

    parameters = 2
    """Random numbers that make a task, beside one for each of its points."""

    def curve(self, amplitude: Tensor, phase: Tensor, x: Tensor) -> Tensor:
        """The true function, elementwise over broadcast shapes."""
        return amplitude * torch.sin(x - phase)

    def batch(self, uniforms: Tensor, K: int) -> Batch:
        """Tasks from random numbers: (T, 2 + K + Q) uniform in [0, 1) -> T tasks. Pure, so it can run inside a traced program."""
        amplitude = _scale(uniforms[:, 0, None, None], self.amplitude)  # (T, 1, 1)
        phase = _scale(uniforms[:, 1, None, None], self.phase)  # (T, 1, 1)
        x = _scale(uniforms[:, self.parameters :, None], self.x)  # (T, K + Q, 1)
        y = self.curve(amplitude, phase, x)
        return Batch(x[:, :K], y[:, :K], x[:, K:], y[:, K:])

    def sample(self, generator: torch.Generator, tasks: int, K: int, query: int, noise: float = 0.0) -> Batch:
        """Fresh tasks. noise: standard deviation of Gaussian noise on the support targets, in units of y."""
        uniforms = torch.rand(tasks, self.parameters + K + query, generator=generator)
        batch = self.batch(uniforms, K)
        if noise:
            batch = batch._replace(y_support=batch.y_support + noise * torch.randn(batch.y_support.shape, generator=generator))
        return batch


def _scale(uniform: Tensor, bounds: tuple[float, float]) -> Tensor:
    low, high = bounds
    return low + (high - low) * uniform


FAMILIES = {"sinusoid": SinusoidFamily()}


def family(name: str) -> SinusoidFamily:
    """The family of that name. Raises ConfigError if there is none."""
    if name not in FAMILIES:
        raise ConfigError(f"family={name!r} is not possible: choose one of {', '.join(FAMILIES)}")
    return FAMILIES[name]
