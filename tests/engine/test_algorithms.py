"""The paper's equations against finite differences, a plain loop over tasks, closed forms and plain autograd."""

import pytest
import torch
from torch.func import grad, vmap

from maml_core.algorithms import adapt, inner_step, meta_objective, reptile_direction
from maml_core.network import MLP

ALPHA = 0.05


def loop_objective(net, theta, batch, alpha, num_updates, create_graph=True):
    """MAML without torch.func: one task after the other, autograd by hand."""
    total = 0
    for x_s, y_s, x_q, y_q in zip(*batch, strict=True):
        phi = theta
        for _ in range(num_updates):
            loss = (net.apply(phi, x_s) - y_s).square().mean()
            grads = torch.autograd.grad(loss, list(phi.values()), create_graph=create_graph)
            phi = {name: p - alpha * g for (name, p), g in zip(phi.items(), grads, strict=True)}
        total = total + (net.apply(phi, x_q) - y_q).square().mean()
    return total / len(batch.x_query)


@pytest.mark.parametrize("num_updates", [0, 1, 3])
def test_meta_gradient_equals_a_plain_loop_with_autograd(net, theta, batch, num_updates):
    leaves = {name: p.clone().requires_grad_() for name, p in theta.items()}
    loss = loop_objective(net, leaves, batch, ALPHA, num_updates)
    expected = torch.autograd.grad(loss, list(leaves.values()))
    got = grad(lambda t: meta_objective(net.mse, t, batch, ALPHA, num_updates))(theta)
    for name, g in zip(theta, expected, strict=True):
        torch.testing.assert_close(got[name], g, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("norm", ["none", "batch_norm"])
@pytest.mark.parametrize("num_updates", [1, 2])
def test_meta_gradient_equals_finite_differences(batch, num_updates, norm):
    net = MLP((1, 6, 5, 1), norm)
    theta = net.init(torch.Generator().manual_seed(3), torch.float64)

    def objective(t):
        return meta_objective(net.mse, t, batch, ALPHA, num_updates)

    got, eps = grad(objective)(theta), 1e-6
    for name, p in theta.items():
        numeric = torch.zeros_like(p)
        for i in range(p.numel()):
            shift = torch.zeros_like(p)
            shift.view(-1)[i] = eps
            up, down = objective(theta | {name: p + shift}), objective(theta | {name: p - shift})
            numeric.view(-1)[i] = (up - down) / (2 * eps)
        torch.testing.assert_close(got[name], numeric, rtol=1e-5, atol=1e-7)


def test_first_order_misses_exactly_the_hessian_term(net, theta, batch):
    """One step: d/dtheta L_q(theta - alpha grad L_s) = (I - alpha H_s) g. First order keeps g; the rest is alpha H_s g."""
    exact = grad(lambda t: meta_objective(net.mse, t, batch, ALPHA, 1))(theta)
    first = grad(lambda t: meta_objective(net.mse, t, batch, ALPHA, 1, first_order=True))(theta)
    names = list(theta)
    missing = {name: torch.zeros_like(p) for name, p in theta.items()}
    for x_s, y_s, x_q, y_q in zip(*batch, strict=True):
        phi = inner_step(net.mse, theta, x_s, y_s, ALPHA)
        g = grad(net.mse)(phi, x_q, y_q)
        _, hvp = torch.autograd.functional.hvp(
            lambda *values, x=x_s, y=y_s: net.mse(dict(zip(names, values, strict=True)), x, y),
            tuple(theta.values()),
            tuple(g.values()),
        )
        for name, value in zip(names, hvp, strict=True):
            missing[name] += ALPHA * value / len(batch.x_query)
    for name in theta:
        torch.testing.assert_close(first[name] - exact[name], missing[name], rtol=1e-9, atol=1e-12)
    assert max(value.abs().max() for value in missing.values()) > 1e-3


def test_first_order_equals_the_gradient_at_the_adapted_parameters(net, theta, batch):
    got = grad(lambda t: meta_objective(net.mse, t, batch, ALPHA, 2, first_order=True))(theta)
    per_task = [
        grad(net.mse)(adapt(net.mse, theta, x_s, y_s, ALPHA, 2)[-1], x_q, y_q) for x_s, y_s, x_q, y_q in zip(*batch, strict=True)
    ]
    for name in theta:
        torch.testing.assert_close(got[name], torch.stack([g[name] for g in per_task]).mean(0))


def test_vmap_over_tasks_equals_a_loop(net, theta, batch):
    together = vmap(lambda x, y: adapt(net.mse, theta, x, y, ALPHA, 4))(batch.x_support, batch.y_support)
    for task, (x, y) in enumerate(zip(batch.x_support, batch.y_support, strict=True)):
        alone = adapt(net.mse, theta, x, y, ALPHA, 4)
        for step in range(1, 5):
            for name in theta:
                torch.testing.assert_close(together[step][name][task], alone[step][name])


def test_adapting_a_line_by_hand():
    """y = w x + b on (1, 3) and (2, 5), from w = b = 0.

    Residuals -3 and -5: dL/dw = -3 - 10 = -13, dL/db = -8. Then w = 1.3, b = 0.8, residuals -0.9 and -1.6:
    dL/dw = -0.9 - 3.2 = -4.1, dL/db = -2.5.
    """

    def loss(p, x, y):
        return (p["w"] * x + p["b"] - y).square().mean()

    start = {"w": torch.tensor(0.0), "b": torch.tensor(0.0)}
    path = adapt(loss, start, torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), 0.1, 2)
    assert [round(p["w"].item(), 6) for p in path] == [0.0, 1.3, 1.71]
    assert [round(p["b"].item(), 6) for p in path] == [0.0, 0.8, 1.05]
    assert path[0] is start


def test_adaptation_converges_to_least_squares():
    x, y = torch.linspace(-1, 1, 7).double(), torch.linspace(-1, 1, 7).double() * 2 + 0.5

    def loss(p, x, y):
        return (p["w"] * x + p["b"] - y).square().mean()

    start = {"w": torch.zeros((), dtype=torch.float64), "b": torch.zeros((), dtype=torch.float64)}
    last = adapt(loss, start, x, y, 0.3, 300)[-1]
    assert last["w"].item() == pytest.approx(2, abs=1e-9)
    assert last["b"].item() == pytest.approx(0.5, abs=1e-9)


def test_no_inner_step_is_joint_training(net, theta, batch):
    pooled_x, pooled_y = batch.x_query.reshape(-1, 1), batch.y_query.reshape(-1, 1)
    torch.testing.assert_close(meta_objective(net.mse, theta, batch, ALPHA, 0), net.mse(theta, pooled_x, pooled_y))


def test_multi_step_loss_is_the_mean_over_the_steps(net, theta, batch):
    each = [meta_objective(net.mse, theta, batch, ALPHA, steps) for steps in (1, 2, 3)]
    torch.testing.assert_close(meta_objective(net.mse, theta, batch, ALPHA, 3, multi_step=True), torch.stack(each).mean())


def test_a_dictionary_of_equal_step_sizes_is_one_step_size(net, theta, batch):
    same = {name: torch.full_like(value, ALPHA) for name, value in theta.items()}
    torch.testing.assert_close(
        meta_objective(net.mse, theta, batch, same, 2), meta_objective(net.mse, theta, batch, ALPHA, 2), rtol=1e-12, atol=0
    )


def test_parameters_without_a_step_size_stay(net, theta, batch):
    phi = adapt(net.mse, theta, batch.x_support[0], batch.y_support[0], {"4.bias": ALPHA}, 2)[-1]
    assert [name for name in theta if not torch.equal(theta[name], phi[name])] == ["4.bias"]


def test_reptile_with_one_step_is_joint_training_on_all_points(net, theta, batch):
    got = reptile_direction(net.mse, theta, batch, ALPHA, 1)
    x, y = (torch.cat([a, b], 1).reshape(-1, 1) for a, b in ((batch.x_support, batch.x_query), (batch.y_support, batch.y_query)))
    for name, g in grad(net.mse)(theta, x, y).items():
        torch.testing.assert_close(got[name], g, rtol=1e-9, atol=1e-12)


def test_reptile_points_from_the_adapted_parameters_to_theta(net, theta, batch):
    got = reptile_direction(net.mse, theta, batch, ALPHA, 3)
    ends = []
    for x_s, y_s, x_q, y_q in zip(*batch, strict=True):
        ends.append(adapt(net.mse, theta, torch.cat([x_s, x_q]), torch.cat([y_s, y_q]), ALPHA, 3)[-1])
    for name in theta:
        mean = torch.stack([phi[name] for phi in ends]).mean(0)
        torch.testing.assert_close(got[name], (theta[name] - mean) / (3 * ALPHA))
