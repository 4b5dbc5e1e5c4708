"""Small, exact settings that every engine test can share."""

import pytest
import torch

from maml_core.network import MLP
from maml_core.tasks import Batch, family, sample


@pytest.fixture
def net() -> MLP:
    return MLP((1, 6, 5, 1))


@pytest.fixture
def theta(net: MLP) -> dict[str, torch.Tensor]:
    return net.init(torch.Generator().manual_seed(3), torch.float64)


@pytest.fixture
def batch() -> Batch:
    sampled = sample(family("sinusoid"), torch.Generator().manual_seed(5), tasks=4, K=3, query=6)
    return Batch(*(part.double() for part in sampled))
