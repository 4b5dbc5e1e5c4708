"""Statistics against hand-made numbers, and losses against a plain loop."""

import math

import numpy as np
import pytest
import torch

from maml_core import evaluation
from maml_core.algorithms import adapt
from maml_core.baselines import STEP_SIZES, VALIDATION_SEED, tune_alpha
from maml_core.config import TrainConfig
from maml_core.evaluation import evaluate, paired_differences, query_metric, summarise
from maml_core.network import MLP
from maml_core.problems import Regression
from maml_core.tasks import NOISE, family, sample, stream
from maml_core.training import split

NET = MLP((1, 10, 1))
THETA = NET.init(torch.Generator().manual_seed(0))


def problem(K: int, query: int = evaluation.QUERY) -> Regression:
    return Regression(NET, family("sinusoid"), K, query)


def test_losses_equal_a_plain_loop():
    losses = query_metric(problem(4, 7), THETA, alpha=0.02, num_updates=3, test_tasks=6, seed=9)
    batch = sample(family("sinusoid"), torch.Generator().manual_seed(9), 6, 4, 7)
    assert losses.shape == (4, 6)
    for task, (x_s, y_s, x_q, y_q) in enumerate(zip(*batch, strict=True)):
        for step, phi in enumerate(adapt(NET.mse, THETA, x_s, y_s, 0.02, 3)):
            assert losses[step, task].item() == pytest.approx(NET.mse(phi, x_q, y_q).item(), rel=1e-4)


def test_tasks_do_not_depend_on_the_learner_or_the_number_of_steps():
    few = query_metric(problem(4), THETA, alpha=0.02, num_updates=1, test_tasks=1500)
    many = query_metric(problem(4), THETA, alpha=0.02, num_updates=3, test_tasks=1500)
    torch.testing.assert_close(few, many[:2])


def test_a_diverged_task_counts_as_100_and_never_as_nan():
    losses = torch.tensor([[1.0, 3.0, 2.0, 2.0], [1.0, float("nan"), float("inf"), 100.5], [1.0, 1.0, 1.0, 100.0]])
    first, second, third = summarise(losses)
    assert (first.mean, first.median, first.diverged) == (2.0, 2.0, 0.0)
    assert first.ci95 == pytest.approx(1.96 * math.sqrt(2 / 3) / 2)
    assert (second.mean, second.diverged) == (pytest.approx((1 + 300) / 4), 0.75)
    assert third.diverged == 0.0
    assert second.median == 100
    assert all(math.isfinite(value) for stats in summarise(losses) for value in stats)


def test_noise_moves_the_support_alone_and_the_tasks_stay():
    """Before any step only the query counts, so noise changes nothing there; after one it does. 1500 tasks: over a chunk."""
    quiet, noisy = (
        query_metric(problem(5), THETA, alpha=0.02, num_updates=1, test_tasks=1500, noise=noise) for noise in (0.0, 0.5)
    )
    assert torch.equal(quiet[0], noisy[0])
    assert not torch.allclose(quiet[1], noisy[1])


@pytest.mark.parametrize("fewer", [2, 1000, 1004])
def test_fewer_tasks_are_the_first_of_more_with_the_same_noise(fewer):
    more, less = (
        query_metric(problem(3, 5), THETA, alpha=0.02, num_updates=1, test_tasks=tasks, noise=1.0, seed=7)
        for tasks in (1030, fewer)
    )
    torch.testing.assert_close(less, more[:, :fewer])


def test_noise_has_a_stream_of_its_own():
    losses = query_metric(problem(4, 7), THETA, alpha=0.02, num_updates=1, test_tasks=6, noise=0.5, seed=9)
    batch = sample(family("sinusoid"), torch.Generator().manual_seed(9), 6, 4, 7)
    noises = torch.randn(evaluation.CHUNK, 4, 1, generator=stream(9, NOISE))
    for task, (x_s, y_s, x_q, y_q) in enumerate(zip(*batch, strict=True)):
        phi = adapt(NET.mse, THETA, x_s, y_s + 0.5 * noises[task], 0.02, 1)[-1]
        assert losses[1, task].item() == pytest.approx(NET.mse(phi, x_q, y_q).item(), rel=1e-4)
    used = {stream(seed, NOISE).initial_seed() for seed in range(100)}
    assert len(used) == 100
    assert used.isdisjoint(range(101)), "tasks of a test come from these"
    assert used.isdisjoint(stream(seed, number).initial_seed() for seed in range(100) for number in range(100)), "and of training"


def test_other_seeds_are_other_tasks():
    first, other = (query_metric(problem(5), THETA, alpha=0.02, num_updates=0, test_tasks=50, seed=seed) for seed in (0, 1))
    assert not torch.equal(first, other)


def test_a_small_memory_budget_changes_nothing_but_memory(monkeypatch):
    whole = query_metric(problem(4), THETA, alpha=0.02, num_updates=2, test_tasks=300)
    monkeypatch.setattr(evaluation, "TRAJECTORY_NUMBERS", 40 * 31 * 3)
    torch.testing.assert_close(query_metric(problem(4), THETA, alpha=0.02, num_updates=2, test_tasks=300), whole)


def test_evaluate_uses_the_alpha_it_is_given_or_the_one_trained_with():
    config = TrainConfig(hidden=(10,), alpha=0.02)
    own, same, other = (
        evaluate(THETA, config, K=4, num_updates=1, test_tasks=100, alpha=alpha)[1].mean for alpha in (None, 0.02, 0.001)
    )
    assert own == same != other
    assert own == summarise(query_metric(problem(4), THETA, alpha=0.02, num_updates=1, test_tasks=100))[1].mean


def test_placement_and_freeze_reach_the_inner_loop():
    config = TrainConfig(hidden=(10,), alpha=0.02)
    given = {"K": 4, "num_updates": 2, "test_tasks": 50, "seed": 3}
    for placement, freeze in (("left", "none"), ("cluster", "head"), ("even", "body")):
        stats = evaluate(THETA, config, placement=placement, freeze=freeze, **given)
        batch = sample(family("sinusoid"), torch.Generator().manual_seed(3), 50, 4, 100, placement=placement)
        theta, alpha = split(THETA, config, freeze=freeze)
        alone = [
            [NET.mse(phi, x_q, y_q) for phi in adapt(NET.mse, theta, x, y, alpha, 2)]
            for x, y, x_q, y_q in zip(*batch, strict=True)
        ]
        means = torch.tensor(alone).mean(0)
        assert [s.mean for s in stats] == pytest.approx(means.tolist(), rel=1e-4)


def test_intervals_cover_the_truth():
    """Of 40 evaluations on 400 tasks each, about 95% of the intervals hold the mean over very many tasks."""
    truth = summarise(query_metric(problem(5), THETA, alpha=0.02, num_updates=1, test_tasks=40_000, seed=1))[1].mean
    held = 0
    for seed in range(2, 42):
        stats = summarise(query_metric(problem(5), THETA, alpha=0.02, num_updates=1, test_tasks=400, seed=seed))[1]
        held += abs(stats.mean - truth) <= stats.ci95
    assert held >= 34
    assert stats.ci95 < 0.2 * truth


def test_a_step_size_is_tuned_for_the_shots_of_the_config():
    for K in (1, 10):
        config = TrainConfig(hidden=(10,), K=K)
        tuning = tune_alpha(THETA, config, num_updates=3, tasks=100)
        again = evaluate(THETA, config, K=K, num_updates=3, test_tasks=100, alpha=0.01, seed=VALIDATION_SEED)[-1].mean
        assert tuning.means[0.01] == again


def test_the_tuned_step_size_is_the_best_of_those_tried():
    tuning = tune_alpha(THETA, TrainConfig(hidden=(10,)), num_updates=5, tasks=200)
    assert set(tuning.means) == set(STEP_SIZES)
    assert tuning.means[tuning.alpha] == min(tuning.means.values())
    assert STEP_SIZES[0] < tuning.alpha < STEP_SIZES[-1]


def test_differences_are_paired_by_task():
    draw = np.random.default_rng(4)
    hard = draw.gamma(2.0, 1.5, 400)  # what makes a task hard for one learner makes it hard for the other
    a, b = (np.stack([hard + draw.normal(shift, 0.1, 400) for shift in shifts]) for shifts in ((0.5, 0.2), (0.3, 0.3)))
    for step, found in enumerate(paired_differences(torch.from_numpy(a), torch.from_numpy(b))):
        apart = a[step] - b[step]
        assert found.step == step
        assert found.mean == pytest.approx(apart.mean())
        assert found.ci95 == pytest.approx(1.96 * apart.std(ddof=1) / 20)
        each = summarise(torch.from_numpy(a))[step], summarise(torch.from_numpy(b))[step]
        assert found.mean == pytest.approx(each[0].mean - each[1].mean)
        assert found.ci95 < 0.1 * each[0].ci95, "the common part of the losses is gone"


def test_a_diverged_task_counts_the_same_in_differences_as_in_means():
    a, b = torch.tensor([[1.0, math.nan, 5e8]]), torch.tensor([[2.0, 3.0, math.inf]])
    (found,) = paired_differences(a, b)
    assert found.mean == pytest.approx((-1 + 97 + 0) / 3)
    assert paired_differences(a[:, :1], b[:, :1])[0].ci95 == 0
