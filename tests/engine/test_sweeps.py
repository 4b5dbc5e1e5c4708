"""Maps against a plain loop over their cells, and the tasks of every cell against each other."""

import math

import pytest
import torch

from maml_core import sweeps
from maml_core.algorithms import adapt
from maml_core.config import ConfigError, TrainConfig
from maml_core.evaluation import QUERY, query_metric, summarise
from maml_core.network import MLP
from maml_core.problems import Regression
from maml_core.sweeps import Row, cells, draw, examples
from maml_core.tasks import family
from maml_core.training import split

NET = MLP((1, 10, 1))
THETA = NET.init(torch.Generator().manual_seed(0))


@pytest.mark.parametrize("conditions", [(), ("half", "noise"), ("amplitude", "phase")])
def test_a_map_equals_a_plain_loop_over_its_cells(conditions):
    rows, batch = [Row(1, 0.02), Row(3, 0.02), Row(3, 0.005), Row(7, 0.02)], draw(conditions).part(4, 5)
    found = sweeps.query_losses(NET.mse, THETA, rows, batch, 3)
    assert found.shape == (4, 4, 5)
    for i, (K, alpha) in enumerate(rows):
        for task, (x, y, x_query, y_query) in enumerate(zip(*batch, strict=True)):
            path = adapt(NET.mse, THETA, x[:K], y[:K], alpha, 3)
            alone = [NET.mse(phi, x_query, y_query).item() for phi in path]
            assert found[i, :, task].tolist() == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize(("K", "alpha"), [(5, 0.02), (10, 0.005)])
def test_a_cell_agrees_with_the_evaluation_of_its_setting(K, alpha):
    """Other tasks and other query points, so within the intervals of both, a little widened."""
    found = cells(sweeps.query_losses(NET.mse, THETA, [Row(K, alpha)], draw(seed=1).part(0, 4000), 3))[0]
    other = summarise(
        query_metric(Regression(NET, family("sinusoid"), K, QUERY), THETA, alpha=alpha, num_updates=3, test_tasks=4000, seed=2)
    )
    for here, there in zip(found, other, strict=True):
        assert abs(here.mean - there.mean) < 1.5 * math.hypot(here.ci95, there.ci95)
        assert here.ci95 == pytest.approx(there.ci95, rel=0.15)


def test_learned_and_frozen_step_sizes_reach_the_inner_loop():
    config = TrainConfig(algorithm="anil", hidden=(10,))
    theta, alpha = split(THETA, config, 0.02)
    batch = draw().part(0, 3)
    found = sweeps.query_losses(NET.mse, theta, [Row(4, alpha)], batch, 2)
    for task, (x, y, x_query, y_query) in enumerate(zip(*batch, strict=True)):
        phi = adapt(NET.mse, theta, x[:4], y[:4], alpha, 2)[-1]
        assert found[0, 2, task].item() == pytest.approx(NET.mse(phi, x_query, y_query).item(), rel=1e-4)


def test_how_many_are_adapted_at_once_changes_nothing(monkeypatch):
    rows, batch = [Row(2, 0.02), Row(5, 0.02)], draw().part(0, 7)
    whole = sweeps.query_losses(NET.mse, THETA, rows, batch, 2)
    monkeypatch.setattr(sweeps, "LANE_NUMBERS", 3 * 31)
    torch.testing.assert_close(sweeps.query_losses(NET.mse, THETA, rows, batch, 2), whole)


def test_a_condition_changes_its_part_of_the_tasks_alone():
    plain, half, noisy = draw(), draw(("half",)), draw(("noise",))
    assert torch.equal(plain.parameters, half.parameters)
    assert torch.equal(plain.batch.y_query, half.batch.y_query)
    assert half.batch.x_support.max() <= 0 < plain.batch.x_support.max()
    assert torch.equal(plain.batch.x_support, noisy.batch.x_support)
    assert (noisy.batch.y_support - plain.batch.y_support).std().item() == pytest.approx(sweeps.NOISE, rel=0.01)
    amplitude, phase = draw(("amplitude", "phase")).parameters.T
    assert 5 <= amplitude.min() < 5.1 < 9.9 < amplitude.max() <= 10
    assert math.pi <= phase.min() < 3.2 < 6.2 < phase.max() <= 2 * math.pi + 1e-5


def test_the_oracle_is_told_the_parameters():
    drawn = draw(oracle=True)
    assert drawn.batch.x_support.shape[2] == drawn.batch.x_query.shape[2] == 3
    assert torch.equal(drawn.batch.x_query[:, 0, 1:], drawn.parameters)


def test_query_points_lie_at_equal_distances_over_the_whole_range():
    x = draw(("half",)).batch.x_query[:, :, 0]
    assert torch.equal(x, x[:1].expand_as(x))
    torch.testing.assert_close(x[0], torch.linspace(-4.8, 4.8, 25))


def test_an_unknown_condition_is_refused():
    with pytest.raises(ConfigError, match="'rain' is not a condition"):
        draw(("rain",))


def test_examples_are_the_median_the_best_and_the_worst():
    assert examples(torch.tensor([3.0, 1.0, math.nan, 2.0, 5.0])) == (0, 1, 2)
    assert examples(torch.tensor([3.0, 1.0, 4.0, 2.0])) == (3, 1, 2)
