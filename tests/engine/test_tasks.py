"""Tasks: what is drawn lies where the paper says, and the query is never noisy."""

import math

import pytest
import torch

from maml_core.config import ConfigError
from maml_core.tasks import SinusoidFamily, family


def test_a_batch_is_the_formula():
    sinusoid = SinusoidFamily()
    u = torch.rand(5, 2 + 3 + 4, generator=torch.Generator().manual_seed(0))
    batch = sinusoid.batch(u, K=3)
    assert batch.x_support.shape == batch.y_support.shape == (5, 3, 1)
    assert batch.x_query.shape == batch.y_query.shape == (5, 4, 1)
    for t in range(5):
        amplitude, phase = 0.1 + 4.9 * u[t, 0].item(), math.pi * u[t, 1].item()
        for k in range(3):
            x = -5 + 10 * u[t, 2 + k].item()
            assert batch.x_support[t, k, 0].item() == pytest.approx(x, abs=1e-5)
            assert batch.y_support[t, k, 0].item() == pytest.approx(amplitude * math.sin(x - phase), abs=1e-4)


def test_pooled_tasks_have_the_moments_that_pretraining_learns():
    """E[y | x] = E[A] (-2 / pi) cos x over phases in [0, pi]: what joint pretraining converges to."""
    batch = family("sinusoid").sample(torch.Generator().manual_seed(1), tasks=200_000, K=1, query=1)
    x, y = batch.x_support.flatten(), batch.y_support.flatten()
    coefficient = (y * x.cos()).mean() / x.cos().square().mean()
    assert coefficient.item() == pytest.approx(-2.55 * 2 / math.pi, abs=0.02)
    assert (x >= -5).all()
    assert (x < 5).all()


def test_noise_is_on_the_support_alone():
    quiet, noisy = (
        family("sinusoid").sample(torch.Generator().manual_seed(2), tasks=4000, K=5, query=5, noise=noise) for noise in (0.0, 0.3)
    )
    assert torch.equal(quiet.y_query, noisy.y_query)
    assert (noisy.y_support - quiet.y_support).std().item() == pytest.approx(0.3, rel=0.03)


def test_an_unknown_family_is_named():
    with pytest.raises(ConfigError, match="'cubic' is not possible: choose one of sinusoid"):
        family("cubic")
