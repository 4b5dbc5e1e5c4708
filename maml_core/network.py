"""The network as two pure functions over a dictionary of parameters: init and apply."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from maml_core.config import TrainConfig

Params = dict[str, Tensor]


def device_of(params: Params) -> torch.device:
    """Where these parameters are, and so must be what they are applied to."""
    return next(iter(params.values())).device


@dataclass(frozen=True)
class MLP:
    """Linear, (BatchNorm1d,) ReLU, ..., Linear, with the parameter names of the equal `torch.nn.Sequential`.

    sizes: units of each layer, input and output included; the paper's network is (1, 40, 40, 1).
    norm: "none", or "batch_norm": statistics of the batch at hand, in training and at test, as MAML-tf did.
    """

    sizes: tuple[int, ...] = (1, 40, 40, 1)
    norm: str = "none"

    @classmethod
    def of(cls, config: TrainConfig) -> "MLP":
        """The network a config describes."""
        return cls((config.inputs, *config.hidden, 1), config.norm)

    @property
    def _stride(self) -> int:
        return 3 if self.norm == "batch_norm" else 2

    @property
    def weights(self) -> int:
        """How many numbers are learned."""
        return sum(map(math.prod, self.shapes.values()))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter, in the order of the layers."""
        shapes: dict[str, tuple[int, ...]] = {}
        last = len(self.sizes) - 2
        for layer, (fan_in, fan_out) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            at = layer * self._stride
            shapes |= {f"{at}.weight": (fan_out, fan_in), f"{at}.bias": (fan_out,)}
            if self.norm == "batch_norm" and layer < last:
                shapes |= {f"{at + 1}.weight": (fan_out,), f"{at + 1}.bias": (fan_out,)}
        return shapes

    @property
    def layers(self) -> list[list[str]]:
        """The names of each linear layer's parameters, with those of the normalisation after it."""
        layers: list[list[str]] = [[] for _ in self.sizes[1:]]
        for name in self.shapes:
            layers[int(name.split(".")[0]) // self._stride].append(name)
        return layers

    def init(self, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Params:
        """Fresh parameters, uniform in +-1/sqrt(fan_in) as `torch.nn.Linear` draws them; normalisation starts as the identity."""
        params: Params = {}
        bound = 1.0
        for name, shape in self.shapes.items():
            at, kind = name.split(".")
            if int(at) % self._stride == 1:
                params[name] = torch.ones(shape, dtype=dtype) if kind == "weight" else torch.zeros(shape, dtype=dtype)
                continue
            if kind == "weight":
                bound = shape[1] ** -0.5
            params[name] = (2 * torch.rand(shape, generator=generator, dtype=dtype) - 1) * bound
        return params

    def apply(self, params: Params, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        layers = len(self.sizes) - 1
        for layer in range(layers):
            at = layer * self._stride
            x = x @ params[f"{at}.weight"].T + params[f"{at}.bias"]  # (N, units)
            if layer < layers - 1:
                if self.norm == "batch_norm":
                    x = _normalise(x, params[f"{at + 1}.weight"], params[f"{at + 1}.bias"])
                x = F.relu(x)
        return x

    def mse(self, params: Params, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error of the network on x (N, inputs), y (N, outputs) -> scalar."""
        return (self.apply(params, x) - y).square().mean()


def _normalise(x: Tensor, scale: Tensor, shift: Tensor, eps: float = 1e-5) -> Tensor:
    """Batch normalisation (Ioffe & Szegedy 2015) of x (N, units) by its own mean and biased variance."""
    centred = x - x.mean(0)
    return centred * (centred.square().mean(0) + eps).rsqrt() * scale + shift
