"""The plane of adaptation against plain loops; the second-order term against autograd and finite differences."""

import math

import pytest
import torch
from torch.func import grad

from maml_core import landscape
from maml_core.algorithms import adapt, meta_objective
from maml_core.config import DIVERGED_ABOVE
from maml_core.curvature import angle_of_means, gradient_terms, ignored
from maml_core.landscape import flat, mean_losses, paths, principal_plane, unflat

ALPHA = 0.05


@pytest.fixture
def trajectories(net, theta, batch):
    return paths(net.mse, theta, batch, ALPHA, 3)


@pytest.fixture
def plane(theta, trajectories):
    return principal_plane(theta, {name: phi[:, -1] for name, phi in trajectories.items()})


def test_paths_are_the_inner_loop_of_each_task(net, theta, batch, trajectories):
    for task in range(4):
        alone = adapt(net.mse, theta, batch.x_support[task], batch.y_support[task], ALPHA, 3)
        for step, phi in enumerate(alone):
            for name in theta:
                torch.testing.assert_close(trajectories[name][task, step], phi[name])


def test_points_of_the_plane_are_found_again_and_theta_is_its_origin(theta, plane):
    places = torch.tensor([[0.0, 0.0], [0.3, -1.2], [-2.0, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(plane.project(plane.at(places)), places)
    for name, value in plane.at(places).items():
        torch.testing.assert_close(value[0], theta[name])
    torch.testing.assert_close(plane.directions @ plane.directions.T, torch.eye(2, dtype=torch.float64))


def test_displacements_that_lie_in_a_plane_are_held_by_it_whole(theta):
    generator = torch.Generator().manual_seed(1)
    size = sum(value.numel() for value in theta.values())
    displacements = torch.randn(5, 2, generator=generator, dtype=torch.float64) @ torch.randn(
        2, size, generator=generator, dtype=torch.float64
    )
    adapted = unflat(flat(theta, theta) + displacements, theta)
    plane = principal_plane(theta, adapted)
    assert sum(plane.explained) == pytest.approx(1, abs=1e-9)
    torch.testing.assert_close(flat(plane.at(plane.project(adapted)), theta), flat(adapted, theta))


def test_what_is_explained_is_the_share_of_squared_length_and_no_plane_holds_more(theta, trajectories, plane):
    displacements = flat(trajectories, theta)[:, -1] - flat(theta, theta)
    share = (displacements @ plane.directions.T).square().sum() / displacements.square().sum()
    assert sum(plane.explained) == pytest.approx(share.item())
    assert plane.explained[0] >= plane.explained[1]
    for seed in range(20):
        other, _ = torch.linalg.qr(torch.randn(displacements.shape[1], 2, generator=torch.Generator().manual_seed(seed)).double())
        assert (displacements @ other).square().sum() / displacements.square().sum() <= share


@pytest.mark.parametrize("num_updates", [0, 1])
def test_losses_on_the_plane_equal_a_plain_loop(net, theta, batch, plane, num_updates, monkeypatch):
    monkeypatch.setattr(landscape, "ADAPTED_NUMBERS", 300)  # several chunks
    places = torch.tensor([[0.0, 0.0], [0.1, -0.2], [1.5, 0.5], [-0.7, 0.7], [0.2, 2.0]], dtype=torch.float64)
    got = mean_losses(net.mse, plane.at(places), batch, ALPHA, num_updates)
    for i, place in enumerate(places):
        start = {name: value[0] for name, value in plane.at(place[None]).items()}
        total = 0.0
        for x_s, y_s, x_q, y_q in zip(*batch, strict=True):
            total += net.mse(adapt(net.mse, start, x_s, y_s, ALPHA, num_updates)[-1], x_q, y_q).item()
        assert got[i].item() == pytest.approx(total / 4, rel=1e-9)


def test_a_diverged_task_counts_as_the_bound_and_no_loss_is_infinite(net, theta, batch):
    far = {name: torch.stack([value, 1e4 * value, float("nan") * value]) for name, value in theta.items()}
    got = mean_losses(net.mse, far, batch, ALPHA, 1)
    assert got.isfinite().all()
    assert got[1:].tolist() == [DIVERGED_ABOVE, DIVERGED_ABOVE]


def test_g_without_the_term_is_the_exact_meta_gradient(net, theta, batch):
    g, term = gradient_terms(net.mse, theta, batch, ALPHA)
    exact = grad(lambda t: meta_objective(net.mse, t, batch, ALPHA, 1))(theta)
    first = grad(lambda t: meta_objective(net.mse, t, batch, ALPHA, 1, first_order=True))(theta)
    for name in theta:
        torch.testing.assert_close((g[name] - term[name]).mean(0), exact[name], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(g[name].mean(0), first[name], rtol=1e-10, atol=1e-12)


def test_with_a_step_size_for_each_parameter_too(net, theta, batch):
    sizes = {name: 0.01 + 0.05 * torch.rand_like(value) for name, value in theta.items() if name != "0.weight"}
    g, term = gradient_terms(net.mse, theta, batch, sizes)
    exact = grad(lambda t: meta_objective(net.mse, t, batch, sizes, 1))(theta)
    for name in theta:
        torch.testing.assert_close((g[name] - term[name]).mean(0), exact[name], rtol=1e-10, atol=1e-12)


def test_the_term_equals_finite_differences_of_the_support_gradient(net, theta, batch):
    g, term = gradient_terms(net.mse, theta, batch, ALPHA)
    eps = 1e-6
    for task in range(4):
        x, y = batch.x_support[task], batch.y_support[task]
        up, down = ({name: theta[name] + sign * eps * g[name][task] for name in theta} for sign in (1, -1))
        for name in theta:
            slope = (grad(net.mse)(up, x, y)[name] - grad(net.mse)(down, x, y)[name]) / (2 * eps)
            torch.testing.assert_close(term[name][task], ALPHA * slope, rtol=1e-5, atol=1e-7)


def test_what_is_ignored_is_measured_as_by_hand():
    """g = (3, 4), terms (3, 4) / 2 and (-4, 3): half as long and along it; as long and at a right angle."""
    g = {"a": torch.tensor([[3.0], [3.0], [3.0]]), "b": torch.tensor([[4.0], [4.0], [4.0]])}
    term = {"a": torch.tensor([[1.5], [-4.0], [-4.0]]), "b": torch.tensor([[2.0], [3.0], [3.0]])}
    both, only_a = ignored(g, term, [("a", "b"), ("a",)])
    assert both == pytest.approx((1.0, 90.0))
    assert only_a == pytest.approx((4 / 3, 180.0))
    along = {name: value / 2 for name, value in g.items()}
    assert angle_of_means(g, along) == pytest.approx(0, abs=0.1)
    across = {"a": torch.full((3, 1), 3.0), "b": torch.zeros(3, 1)}
    assert angle_of_means(g, across) == pytest.approx(math.degrees(math.atan2(3, 4)))
