"""Tasks: what is drawn lies where the paper says, and the query is never noisy."""

import math

import pytest
import torch

from maml_core import config
from maml_core.config import ConfigError
from maml_core.tasks import CLUSTER, FAMILIES, Sinusoids, batch, family, place, sample


def test_a_batch_is_the_formula():
    u = torch.rand(5, 2 + 3 + 4, generator=torch.Generator().manual_seed(0))
    drawn = batch(Sinusoids(), u, K=3)
    assert drawn.x_support.shape == drawn.y_support.shape == (5, 3, 1)
    assert drawn.x_query.shape == drawn.y_query.shape == (5, 4, 1)
    for t in range(5):
        amplitude, phase = 0.1 + 4.9 * u[t, 0].item(), math.pi * u[t, 1].item()
        for k in range(3):
            x = -5 + 10 * u[t, 2 + k].item()
            assert drawn.x_support[t, k, 0].item() == pytest.approx(x, abs=1e-5)
            assert drawn.y_support[t, k, 0].item() == pytest.approx(amplitude * math.sin(x - phase), abs=1e-4)


def test_pooled_tasks_have_the_moments_that_pretraining_learns():
    """E[y | x] = E[A] (-2 / pi) cos x over phases in [0, pi]: what joint pretraining converges to."""
    drawn = sample(family("sinusoid"), torch.Generator().manual_seed(1), tasks=200_000, K=1, query=1)
    x, y = drawn.x_support.flatten(), drawn.y_support.flatten()
    coefficient = (y * x.cos()).mean() / x.cos().square().mean()
    assert coefficient.item() == pytest.approx(-2.55 * 2 / math.pi, abs=0.02)
    assert (x >= -5).all()
    assert (x < 5).all()


def test_an_unknown_family_is_named():
    with pytest.raises(ConfigError, match="'cubic' is not possible: choose one of sinusoid, sinusoid_2pi, sinusoid_line"):
        family("cubic")


def test_with_phases_from_0_to_2_pi_the_pooled_mean_is_zero():
    drawn = sample(family("sinusoid_2pi"), torch.Generator().manual_seed(1), tasks=200_000, K=1, query=1)
    x, y = drawn.x_support.flatten(), drawn.y_support.flatten()
    assert (y * x.cos()).mean().item() == pytest.approx(0, abs=0.02)
    assert (y * x.sin()).mean().item() == pytest.approx(0, abs=0.02)


def test_half_of_the_mixture_are_lines_and_half_are_sinusoids():
    drawn = sample(family("sinusoid_line"), torch.Generator().manual_seed(1), tasks=2000, K=3, query=1, oracle=True)
    x, wave, first, second = drawn.x_support[:, 0].T
    y = drawn.y_support[:, 0, 0]
    assert wave.mean().item() == pytest.approx(0.5, abs=0.05)
    torch.testing.assert_close(y, torch.where(wave == 1, first * torch.sin(x - second), first * x + second))
    assert first[wave == 0].abs().max() <= 1
    assert first[wave == 1].max() > 4


@pytest.mark.parametrize("name", FAMILIES)
def test_the_oracle_is_told_what_makes_the_task(name):
    plain, told = (sample(family(name), torch.Generator().manual_seed(3), 4, 5, 6, oracle=oracle) for oracle in (False, True))
    assert torch.equal(plain.y_query, told.y_query)
    assert torch.equal(plain.x_query, told.x_query[..., :1])
    parameters = told.x_query[:, 0, 1:]
    assert (told.x_support[..., 1:] == parameters[:, None]).all()
    again = family(name).curve(parameters, told.x_query[..., 0])
    torch.testing.assert_close(again, told.y_query[..., 0])


def test_families_have_one_list_of_names():
    assert tuple(FAMILIES) == config.REGRESSION


def test_shots_lie_where_they_are_placed():
    u = torch.rand(400, 7, generator=torch.Generator().manual_seed(0))
    anywhere, left, cluster, even = (place(u, (-5.0, 5.0), placement) for placement in config.PLACEMENTS)
    torch.testing.assert_close(anywhere, -5 + 10 * u)
    torch.testing.assert_close(left, -5 + 5 * u)
    width = cluster.amax(1) - cluster.amin(1)
    assert width.max() <= 10 * CLUSTER
    assert width.min() > 0
    assert cluster.min() >= -5
    assert cluster.max() <= 5
    assert cluster.min() < -4, "a cluster may be anywhere"
    assert cluster.max() > 4
    torch.testing.assert_close(even, torch.tensor([-5 + 10 * (k + 0.5) / 7 for k in range(7)]).expand(400, 7))
    with pytest.raises(ConfigError, match="'right' is not possible: choose one of anywhere, left, cluster, even"):
        place(u, (-5.0, 5.0), "right")


def test_a_placement_moves_the_support_alone():
    drawn = {p: sample(family("sinusoid"), torch.Generator().manual_seed(1), 50, 4, 6, placement=p) for p in config.PLACEMENTS}
    for placement in config.PLACEMENTS[1:]:
        assert torch.equal(drawn[placement].x_query, drawn["anywhere"].x_query)
        assert torch.equal(drawn[placement].y_query, drawn["anywhere"].y_query)
        assert not torch.equal(drawn[placement].x_support, drawn["anywhere"].x_support)
    assert drawn["left"].x_support.max() < 0
