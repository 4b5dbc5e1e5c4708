"""Learners that compare, against plain loops over the papers' equations."""

import math

import pytest
import torch

from maml_core import metric
from maml_core.tasks import Batch

WAY, K = 4, 3


def embedded(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


@pytest.fixture
def task():
    """Support whose classes are mixed, its labels, and queries."""
    order = torch.randperm(WAY * K, generator=torch.Generator().manual_seed(0))
    return embedded(1, WAY * K, 6), torch.arange(WAY).repeat_interleave(K)[order], embedded(2, 5, 6)


def softmax(scores):
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def squared(a, b):
    return sum((p - q) ** 2 for p, q in zip(a.tolist(), b.tolist(), strict=True))


def cosine(a, b):
    return sum(p * q for p, q in zip(a.tolist(), b.tolist(), strict=True)) / math.sqrt(squared(a, 0 * a) * squared(b, 0 * b))


def test_prototypical_is_a_softmax_over_distances_to_means(task):
    support, y, query = task
    means = [torch.stack([s for s, label in zip(support, y, strict=True) if label == n]).mean(0) for n in range(WAY)]
    expected = torch.tensor([softmax([-squared(q, mean) for mean in means]) for q in query]).double()
    torch.testing.assert_close(metric.prototypical(support, y, query, WAY).exp(), expected)


def test_matching_is_attention_over_examples(task):
    support, y, query = task
    expected = torch.zeros(len(query), WAY).double()
    for i, q in enumerate(query):
        for attention, label in zip(softmax([cosine(q, s) for s in support]), y.tolist(), strict=True):
            expected[i, label] += attention
    torch.testing.assert_close(metric.matching(support, y, query, WAY).exp(), expected)


def test_the_nearest_example_decides(task):
    support, y, query = task
    chances = metric.nearest(support, y, query, WAY).exp()
    for q, chance in zip(query, chances, strict=True):
        closest = min(range(len(support)), key=lambda s: squared(q, support[s]))
        assert chance.tolist() == [float(n == y[closest]) for n in range(WAY)]


@pytest.mark.parametrize("answer", [metric.prototypical, metric.matching, metric.nearest])
def test_chances_sum_to_one_and_the_order_of_the_support_does_not_matter(task, answer):
    support, y, query = task
    chances = answer(support, y, query, WAY)
    torch.testing.assert_close(chances.exp().sum(1), torch.ones(len(query)).double())
    order = torch.arange(len(y)).flip(0)
    torch.testing.assert_close(answer(support[order], y[order], query, WAY), chances)
    torch.testing.assert_close(answer(support, y, query[:1], WAY), chances[:1])


@pytest.mark.parametrize("answer", [metric.prototypical, metric.matching])
def test_the_episodic_loss_is_the_mean_over_tasks_and_queries(answer):
    tasks, queries = 3, 5
    y = torch.arange(WAY).repeat(tasks, K)
    batch = Batch(embedded(3, tasks, WAY * K, 6), y, embedded(4, tasks, queries, 6), torch.arange(queries).repeat(tasks, 1) % WAY)
    params = {"scale": torch.tensor(0.7, dtype=torch.float64)}

    def learner(params, x, y, query):
        return answer(params["scale"] * x, y, params["scale"] * query, WAY)

    losses = []
    for x_support, y_support, x_query, y_query in zip(*batch, strict=True):
        chances = learner(params, x_support, y_support, x_query)
        losses += [-float(chance[label]) for chance, label in zip(chances, y_query, strict=True)]
    assert float(metric.episodic(learner, params, batch)) == pytest.approx(sum(losses) / len(losses))
