"""The functional network against the torch.nn.Sequential whose names it borrows."""

import itertools

import pytest
import torch
from torch import nn

from maml_core.network import MLP


def sequential(sizes, norm):
    layers = []
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        layers.append(nn.Linear(fan_in, fan_out))
        if layer < len(sizes) - 2:
            layers += [nn.BatchNorm1d(fan_out, track_running_stats=False)] if norm == "batch_norm" else []
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


@pytest.mark.parametrize("norm", ["none", "batch_norm"])
@pytest.mark.parametrize("sizes", [(1, 40, 40, 1), (3, 8, 1), (1, 4, 5, 6, 2)])
def test_equals_torch_sequential(sizes, norm):
    net, plain = MLP(sizes, norm), sequential(sizes, norm)
    params = net.init(torch.Generator().manual_seed(0))
    params = {name: value + 0.1 * torch.randn(value.shape) for name, value in params.items()}
    plain.load_state_dict(params)  # strict: the very same names and shapes
    x = torch.randn(9, sizes[0])
    torch.testing.assert_close(net.apply(params, x), plain(x))


def test_init_is_reproducible_and_bounded_like_torch():
    net = MLP()
    first, again = (net.init(torch.Generator().manual_seed(1)) for _ in range(2))
    other = net.init(torch.Generator().manual_seed(2))
    for name in net.shapes:
        assert torch.equal(first[name], again[name])
        assert not torch.equal(first[name], other[name])
    assert first["2.weight"].abs().max() <= 40**-0.5
    assert first["2.weight"].std().item() == pytest.approx(40**-0.5 / 3**0.5, rel=0.05)
