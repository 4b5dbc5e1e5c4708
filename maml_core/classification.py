"""N-way K-shot classification of drawings as a Problem (Vinyals et al. 2016; Finn et al. 2017, section 5.2)."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from maml_core import characters
from maml_core.characters import Strokes
from maml_core.convolution import Convolution
from maml_core.network import Params
from maml_core.tasks import Batch


@dataclass(frozen=True)
class Classification:
    """Tell N new characters apart, after K drawings of each. x (N * K, side, side), y (N * K,) in [0, N); cross-entropy.

    query: drawings of each class that a task is judged by. examples: characters to choose from, uint8 (C, drawings, side, side)
    with 255 where ink is; without, a task's characters are new ones.
    """

    network: Convolution
    way: int
    K: int
    query: int
    examples: Tensor | None = field(default=None, compare=False, repr=False)
    worst = 0.0

    @property
    def layers(self) -> list[list[str]]:
        """As the network's."""
        return self.network.layers

    def init(self, generator: torch.Generator) -> Params:
        """As the network's."""
        return self.network.init(generator)

    def draw(self, generator: torch.Generator, tasks: int) -> Tensor:
        """Random numbers (tasks, way, RANDOMS + (K + query) * VARIATION), or drawings (tasks, way, K + query, side, side)."""
        each = self.K + self.query
        if self.examples is None:
            width = characters.RANDOMS + each * characters.VARIATION
            return torch.rand(tasks, self.way, width, generator=generator)
        count, drawings = self.examples.shape[:2]
        chosen = torch.rand(tasks, count, generator=generator).topk(self.way).indices  # (tasks, way), none twice
        which = torch.rand(tasks, self.way, drawings, generator=generator).topk(each).indices  # (tasks, way, K + query)
        return self.examples[chosen[..., None], which]

    def batch(self, drawn: Tensor) -> Batch:
        """x (T, way * K or way * query, side, side), y (T, way * K or way * query)."""
        images = self._images(drawn)  # (T, way, K + query, side, side)
        labels = torch.arange(self.way, device=images.device)[:, None].expand(len(images), self.way, self.K + self.query)
        support, query = slice(None, self.K), slice(self.K, None)
        return Batch(*(part[:, :, of].flatten(1, 2) for of in (support, query) for part in (images, labels)))

    def _images(self, drawn: Tensor) -> Tensor:
        if self.examples is not None:
            return drawn.float() / 255
        one = characters.character(drawn[..., : characters.RANDOMS])  # (T, way, S, P, 2)
        others = drawn[..., characters.RANDOMS :].unflatten(-1, (self.K + self.query, characters.VARIATION))
        drawings = characters.again(Strokes(*(part[:, :, None] for part in one)), others)  # (T, way, K + query, S, P, 2)
        drawings = drawings._replace(present=drawings.present.expand(*others.shape[:-1], characters.STROKES))
        return characters.ink(drawings, characters.pen(others), self.network.side)

    def embed(self, params: Params, x: Tensor) -> Tensor:
        """As the network's: what learners compare that take no inner steps."""
        return self.network.embed(params, x)

    def loss(self, params: Params, x: Tensor, y: Tensor) -> Tensor:
        """The mean cross-entropy."""
        return F.cross_entropy(self.network.apply(params, x), y)

    def metrics(self, params: Params, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """`accuracy`, the share that is told right, and `cross_entropy`."""
        logits = self.network.apply(params, x)
        right = (logits.argmax(1) == y).to(logits.dtype).mean()
        # What is not finite is not right: argmax would pick a class of it nevertheless.
        return {"accuracy": right.where(logits.isfinite().all(), torch.nan), "cross_entropy": F.cross_entropy(logits, y)}
