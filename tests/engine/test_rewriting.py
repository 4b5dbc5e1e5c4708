"""Rewritten programs compute what they did before, and never form an adapted hidden layer."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_leaves, tree_map, tree_structure, tree_unflatten

from maml_core.config import JOINT, METRIC, TrainConfig, choices
from maml_core.rewriting import LOOP, _bmm, _Matrices, _product, rewritten
from maml_core.training import _drawn, init, meta_step


def programs(config):
    """The meta-step in float64, as traced and as rewritten, with an example of its inputs."""
    drawn = (_drawn(config, 0)[0], torch.tensor(config.beta), torch.tensor(1.0))
    example = tree_map(lambda t: t.double().clone(), (init(config)[1:], drawn))
    step, form, leaves = meta_step(config), tree_structure(example), tree_leaves(example)
    with torch.no_grad():
        before = make_fx(lambda *flat: tree_leaves(step(*tree_unflatten(list(flat), form))))(*leaves)
        return before, rewritten(before, leaves), leaves


DRAWN = {"family": "characters", "way": 2, "hidden": (3, 3), "batch_size": 2}
CONFIGS = [{"algorithm": name} | ({} if name in JOINT else {"num_updates": 2}) for name in choices("algorithm", "sinusoid")] + [
    *(
        {"algorithm": name} | ({} if name in METRIC else {"num_updates": 2}) | DRAWN
        for name in choices("algorithm", "characters")
    ),
    {"num_updates": 3, "multi_step": True, "K": 5, "clip": 1.0},
    {"norm": "batch_norm"},
    {"hidden": (40,), "K": 2},
    {"K": 30},
    {"K": 1, "batch_size": 1},
]


@pytest.mark.parametrize("settings", CONFIGS, ids=str)
def test_a_rewritten_meta_step_is_the_same_function(settings):
    before, after, leaves = programs(TrainConfig.of(**{"batch_size": 5} | settings))
    for expected, actual in zip(before(*leaves), after(*leaves), strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-7, atol=1e-10)
        assert actual.shape == expected.shape


def test_adapted_hidden_layers_are_never_formed():
    def formed(program):
        shapes = [tuple(node.meta["tensor_meta"].shape) for node in program.graph.nodes if "tensor_meta" in node.meta]
        assert shapes
        return shapes.count((25, 40, 40))

    before, after, _ = programs(TrainConfig())
    assert formed(before) > 0
    assert formed(after) == 0


sides = st.integers(1, 2 * LOOP)


@given(st.integers(1, 3), sides, sides, sides, st.booleans(), st.booleans())
def test_products_in_every_shape_and_layout(tasks, m, k, n, turned_a, turned_b):
    a, b = torch.randn(tasks, m, k, dtype=torch.float64), torch.randn(tasks, k, n, dtype=torch.float64)
    a = a.mT.contiguous().mT if turned_a else a
    b = b.mT.contiguous().mT if turned_b else b
    torch.testing.assert_close(_product(a, b), a @ b)


def test_matrices_that_are_not_multiplied_out():
    def random(*shape):
        return torch.randn(*shape, dtype=torch.float64)

    a, b, shared, x = random(3, 8, 2), random(3, 2, 9), random(8, 9), random(3, 4, 8)
    low = _bmm(a, b)
    assert isinstance(low, _Matrices)
    both = low.scaled(-0.5).plus(_Matrices((), shared))
    plain = shared - 0.5 * a @ b
    torch.testing.assert_close(both.value, plain)
    torch.testing.assert_close(both.after(x), x @ plain)
    torch.testing.assert_close(_bmm(both, random_right := random(3, 9, 5)), plain @ random_right)
    torch.testing.assert_close(both.over_tasks(), plain.sum(0))
    torch.testing.assert_close(both.mT.value, plain.mT)
    assert both.shape == plain.shape
