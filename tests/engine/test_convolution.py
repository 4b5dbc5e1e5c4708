"""The convolutional network against the torch.nn.Sequential whose names it borrows."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import grad

from maml_core.algorithms import meta_objective
from maml_core.convolution import Convolution
from maml_core.tasks import Batch

SHAPES = [(5, (6, 4), 28), (3, (2, 3, 4, 5), 28), (2, (3,), 9), (4, (3, 2), 11)]


def sequential(net):
    layers = []
    for fan_in, fan_out in zip((1, *net.filters), net.filters, strict=False):
        layers += [nn.Conv2d(fan_in, fan_out, 3, stride=2, padding=1), nn.GroupNorm(1, fan_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), *([nn.Linear(net.embedding, net.outputs)] if net.outputs else []))


def somewhere(net, seed=0):
    """Parameters of which none is at 0 or 1, where it would hide a fault."""
    generator = torch.Generator().manual_seed(seed)
    start = net.init(generator, torch.float64)
    return {name: value + 0.3 * torch.randn(value.shape, generator=generator).double() for name, value in start.items()}


def images(number, side):
    return torch.rand(number, side, side, generator=torch.Generator().manual_seed(7)).double()


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_torch_sequential(shape):
    net = Convolution(*shape)
    plain, params, x = sequential(net).double(), somewhere(net), images(7, net.side)
    plain.load_state_dict(params)  # strict: the very same names and shapes
    torch.testing.assert_close(net.apply(params, x), plain(x[:, None]))
    torch.testing.assert_close(net.embed(params, x), plain[:-1](x[:, None]))
    assert net.embed(params, x).shape == (7, net.embedding)
    assert net.weights == sum(value.numel() for value in plain.parameters())


def test_its_gradient_is_that_of_torch_sequential():
    net = Convolution(3, (4, 5), 13)
    plain, params, x = sequential(net).double(), somewhere(net), images(6, 13)
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    plain.load_state_dict(params)
    F.cross_entropy(plain(x[:, None]), y).backward()
    ours = grad(lambda moving: F.cross_entropy(net.apply(moving, x), y))(params)
    for name, value in plain.named_parameters():
        torch.testing.assert_close(ours[name], value.grad)


def test_an_embedding_alone_has_no_head():
    net, headed = Convolution(0, (4, 5)), Convolution(7, (4, 5))
    params, x = somewhere(headed), images(3, 28)
    assert len(net.layers) == 2
    assert net.shapes == {name: shape for name, shape in headed.shapes.items() if not name.startswith("7.")}
    torch.testing.assert_close(net.embed(params, x), headed.embed(params, x))
    sequential(net).load_state_dict(net.init(torch.Generator()))


def test_layers_are_the_blocks_and_then_the_head():
    net = Convolution(5, (4, 5))
    assert net.layers == [
        ["0.weight", "0.bias", "1.weight", "1.bias"],
        ["3.weight", "3.bias", "4.weight", "4.bias"],
        ["7.weight", "7.bias"],
    ]
    assert [name for layer in net.layers for name in layer] == list(net.shapes) == list(net.init(torch.Generator()))


def test_it_starts_reproducibly_at_a_sane_scale_and_without_an_opinion():
    net = Convolution()
    first, again = (net.init(torch.Generator().manual_seed(1)) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in net.shapes)
    assert {name: tuple(value.shape) for name, value in first.items()} == net.shapes
    assert not net.apply(first, images(3, 28).float()).any(), "every class is as likely as any other"
    assert first["3.weight"].std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)


def test_multiplications_are_those_of_a_plain_loop():
    net, counted = Convolution(5, (6, 4)), 0

    def count(layer, _, output):
        nonlocal counted
        inner = layer.in_features if isinstance(layer, nn.Linear) else 9 * layer.in_channels
        counted += output.numel() * inner

    plain = sequential(net)
    for layer in plain:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    plain(torch.zeros(1, 1, 28, 28))
    assert net.multiplications == counted


def test_the_second_order_gradient_is_that_of_finite_differences():
    net = Convolution(2, (3, 2), 9)
    theta = somewhere(net)
    labels = torch.tensor([[0, 1], [1, 0]])
    batch = Batch(images(4, 9).unflatten(0, (2, 2)), labels, images(8, 9)[4:].unflatten(0, (2, 2)), labels)

    def loss(params, x, y):
        return F.cross_entropy(net.apply(params, x), y)

    def objective(params):
        return meta_objective(loss, params, batch, 0.3, 2)

    slope, step = grad(objective)(theta), 1e-6
    first_order = grad(lambda params: meta_objective(loss, params, batch, 0.3, 2, first_order=True))(theta)
    apart = 0.0
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        along = {name: torch.randn(value.shape, generator=generator).double() for name, value in theta.items()}
        ends = [objective({name: theta[name] + sign * step * along[name] for name in theta}) for sign in (1, -1)]
        exact = sum((slope[name] * along[name]).sum() for name in theta)
        torch.testing.assert_close((ends[0] - ends[1]) / (2 * step), exact, rtol=1e-4, atol=1e-6)
        apart += abs(float(exact - sum((first_order[name] * along[name]).sum() for name in theta)))
    assert apart > 1e-2, "the second order is there"
