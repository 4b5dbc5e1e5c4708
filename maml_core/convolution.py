"""The network for images as pure functions over a dictionary of parameters: init, embed and apply."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from maml_core.network import Params

KERNEL, STRIDE, PADDING = 3, 2, 1


@dataclass(frozen=True)
class Convolution:
    """Blocks of Conv2d (3 x 3, stride 2, padding 1), GroupNorm (1 group), ReLU; then Flatten and Linear.

    The strided form of the network of Vinyals et al. 2016, which MAML uses for Omniglot (Finn et al. 2017, section 5.2), with
    the parameter names of the equal `torch.nn.Sequential`. Each image is normalised by its own mean and variance (Ba et al. 2016;
    Wu & He 2018), so that what is said of one drawing does not depend on which others are asked about.

    outputs: units of the head; 0 for an embedding alone. filters: of each block. side: of the square images, in pixels.
    """

    outputs: int = 5
    filters: tuple[int, ...] = (32, 32, 32, 32)
    side: int = 28

    @property
    def embedding(self) -> int:
        """Numbers that an image becomes."""
        side = self.side
        for _ in self.filters:
            side = (side + 2 * PADDING - KERNEL) // STRIDE + 1
        return self.filters[-1] * side * side

    @property
    def multiplications(self) -> int:
        """To look at one image."""
        side, total = self.side, self.outputs * self.embedding
        for fan_in, fan_out in zip((1, *self.filters), self.filters, strict=False):
            side = (side + 2 * PADDING - KERNEL) // STRIDE + 1
            total += side * side * KERNEL * KERNEL * fan_in * fan_out
        return total

    @property
    def weights(self) -> int:
        """How many numbers are learned."""
        return sum(map(math.prod, self.shapes.values()))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter, in the order of the layers."""
        shapes: dict[str, tuple[int, ...]] = {}
        for block, (fan_in, fan_out) in enumerate(zip((1, *self.filters), self.filters, strict=False)):
            shapes[f"{3 * block}.weight"] = (fan_out, fan_in, KERNEL, KERNEL)
            shapes |= dict.fromkeys((f"{3 * block}.bias", f"{3 * block + 1}.weight", f"{3 * block + 1}.bias"), (fan_out,))
        if self.outputs:
            head = 3 * len(self.filters) + 1
            shapes |= {f"{head}.weight": (self.outputs, self.embedding), f"{head}.bias": (self.outputs,)}
        return shapes

    @property
    def layers(self) -> list[list[str]]:
        """The names of each layer's parameters, with those of the normalisation after it."""
        layers: list[list[str]] = [[] for _ in range(len(self.filters) + bool(self.outputs))]
        for name in self.shapes:
            layers[int(name.split(".")[0]) // 3].append(name)
        return layers

    def init(self, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Params:
        """Fresh parameters: kernels normal with variance 2 / fan_in (He et al. 2015), biases 0, normalisation the identity.

        The head starts at zero: before the first step every class is as likely as any other.
        """
        params: Params = {}
        for name, shape in self.shapes.items():
            if len(shape) == 4:
                deviation = math.sqrt(2 / math.prod(shape[1:]))
                params[name] = deviation * torch.randn(shape, generator=generator, dtype=dtype)
            else:
                identity = len(shape) == 1 and name.endswith("weight")
                params[name] = torch.ones(shape, dtype=dtype) if identity else torch.zeros(shape, dtype=dtype)
        return params

    def embed(self, params: Params, x: Tensor) -> Tensor:
        """Images (N, side, side) -> (N, embedding)."""
        x = x[..., None]  # (N, height, width, channels): a pixel's channels lie side by side, so that a block is one product
        for block in range(len(self.filters)):
            x = _convolved(x, params[f"{3 * block}.weight"]) + params[f"{3 * block}.bias"]
            x = F.relu(_normalised(x, params[f"{3 * block + 1}.weight"], params[f"{3 * block + 1}.bias"]))
        return x.permute(0, 3, 1, 2).flatten(1)  # in the order of Flatten

    def apply(self, params: Params, x: Tensor) -> Tensor:
        """Images (N, side, side) -> logits (N, outputs)."""
        head = 3 * len(self.filters) + 1
        return self.embed(params, x) @ params[f"{head}.weight"].T + params[f"{head}.bias"]


def _convolved(x: Tensor, kernel: Tensor) -> Tensor:
    """(N, H, W, C), (F, C, 3, 3) -> (N, H', W', F): every patch a row, times the kernel. `conv2d` is far slower under vmap."""
    x = F.pad(x, (0, 0, PADDING, PADDING, PADDING, PADDING))
    height, width = ((size - KERNEL) // STRIDE + 1 for size in x.shape[1:3])
    patches = [
        x[:, i : i + STRIDE * (height - 1) + 1 : STRIDE, j : j + STRIDE * (width - 1) + 1 : STRIDE]
        for i in range(KERNEL)
        for j in range(KERNEL)
    ]  # nine of (N, H', W', C)
    return torch.cat(patches, 3) @ kernel.permute(2, 3, 1, 0).flatten(0, 2)


def _normalised(x: Tensor, scale: Tensor, shift: Tensor, eps: float = 1e-5) -> Tensor:
    """Each image of x (N, H, W, F) by its own mean and biased variance."""
    centred = x - x.mean((1, 2, 3), keepdim=True)
    return centred * (centred.square().mean((1, 2, 3), keepdim=True) + eps).rsqrt() * scale + shift
