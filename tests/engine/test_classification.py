"""Tasks of characters: shots and queries of the right classes, new drawings each, from the generator or from examples."""

import math

import pytest
import torch
from torch.func import grad

from maml_core import characters
from maml_core.characters import RANDOMS, SIDE, VARIATION
from maml_core.classification import Classification
from maml_core.convolution import Convolution

WAY, K, QUERY, TASKS = 3, 2, 4, 5


def problem(examples=None):
    return Classification(Convolution(WAY, (4, 4)), WAY, K, QUERY, examples)


@pytest.fixture
def examples():
    """Ten characters of eight drawings that say which they are: one pixel the character's number, another the drawing's."""
    images = torch.zeros(10, 8, SIDE, SIDE, dtype=torch.uint8)
    images[:, :, 0, 0], images[:, :, 0, 1] = torch.arange(10)[:, None], torch.arange(8)
    return images


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("real", [False, True])
def test_a_task_has_each_class_as_often(examples, real):
    family = problem(examples if real else None)
    batch = family.batch(family.draw(generator(), TASKS))
    assert batch.x_support.shape == (TASKS, WAY * K, SIDE, SIDE)
    assert batch.x_query.shape == (TASKS, WAY * QUERY, SIDE, SIDE)
    for labels, each in ((batch.y_support, K), (batch.y_query, QUERY)):
        assert labels.dtype == torch.int64
        assert labels.tolist() == [[n for n in range(WAY) for _ in range(each)]] * TASKS
    for x in (batch.x_support, batch.x_query):
        assert x.dtype == torch.float32
        assert 0 <= x.min() <= x.max() <= 1


def test_images_are_those_of_a_plain_loop_over_the_generator():
    family = problem()
    drawn = family.draw(generator(), TASKS)
    batch = family.batch(drawn)
    for task in range(TASKS):
        for n in range(WAY):
            one = characters.character(drawn[task, n, :RANDOMS])
            for k in range(K + QUERY):
                other = drawn[task, n, RANDOMS + k * VARIATION :][:VARIATION]
                expected = characters.ink(characters.again(one, other), characters.pen(other))
                ours = batch.x_support[task, n * K + k] if k < K else batch.x_query[task, n * QUERY + k - K]
                torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def test_examples_are_drawn_without_repeats_and_all_of_them(examples):
    family = problem(examples)
    batch = family.batch(family.draw(generator(), 200))
    tell = [(255 * torch.cat([x.unflatten(1, (WAY, -1)) for x in batch[::2]], 2)[..., 0, at]).round().long() for at in (0, 1)]
    character, drawing = tell  # (200, WAY, K + QUERY)
    assert (character == character[:, :, :1]).all(), "a class is one character, in the support as in the query"
    for classes, drawings in zip(character[:, :, 0].tolist(), drawing.tolist(), strict=True):
        assert len(set(classes)) == WAY
        assert all(len(set(each)) == K + QUERY for each in drawings), "no query has been seen in the support"
    assert set(character.flatten().tolist()) == set(range(10))
    assert set(drawing.flatten().tolist()) == set(range(8))


@pytest.mark.parametrize("real", [False, True])
def test_a_generator_decides(examples, real):
    family = problem(examples if real else None)
    first, again, other = (family.draw(generator(seed), TASKS) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_loss_and_metrics_are_those_of_a_plain_loop():
    family = problem()
    batch = family.batch(family.draw(generator(), 1))
    params = {name: torch.randn(value.shape, generator=generator(3)) for name, value in family.init(generator()).items()}
    x, y = batch.x_query[0], batch.y_query[0]
    losses, right = [], 0
    for logits, label in zip(family.network.apply(params, x).tolist(), y.tolist(), strict=True):
        losses.append(math.log(sum(math.exp(logit - logits[label]) for logit in logits)))
        right += max(range(WAY), key=lambda n: logits[n]) == label
    metrics = family.metrics(params, x, y)
    assert list(metrics) == ["accuracy", "cross_entropy"]
    assert float(metrics["accuracy"]) == pytest.approx(right / len(y))
    assert float(metrics["cross_entropy"]) == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert float(family.loss(params, x, y)) == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_before_the_first_step_every_class_is_as_likely_and_the_head_alone_has_a_slope():
    family = problem()
    batch = family.batch(family.draw(generator(), 1))
    params = family.init(generator())
    assert float(family.loss(params, batch.x_query[0], batch.y_query[0])) == pytest.approx(math.log(WAY))
    slope = grad(family.loss)(params, batch.x_support[0], batch.y_support[0])
    assert {name for name, value in slope.items() if value.abs().max() > 1e-8} == set(family.layers[-1])


def test_a_network_that_is_not_finite_is_not_right():
    family = problem()
    batch = family.batch(family.draw(generator(), 1))
    broken = {name: value * math.nan for name, value in family.init(generator()).items()}
    assert family.metrics(broken, batch.x_query[0], batch.y_query[0])["accuracy"].isnan()
    assert family.worst == 0
