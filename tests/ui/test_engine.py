"""The lab's numbers equal the engine's own adapt, one learner after the other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from maml_core.algorithms import adapt
from maml_core.config import FREEZES
from maml_core.evaluation import query_metric
from maml_core.network import MLP
from ui.lab import engine
from ui.shared import learners
from ui.shared.learners import LEARNERS

SHOTS = ((-4.0, 2.0), (-1.0, -2.0), (2.5, 1.0))


@pytest.mark.parametrize("alpha", [0.001, 0.01])
def test_trajectories_equal_adapting_each_learner_alone(alpha):
    every = engine.trajectories(LEARNERS, SHOTS, 3.0, 1.0, alpha, 4)
    x, y = torch.tensor(SHOTS).split(1, dim=1)
    grid = torch.from_numpy(engine.GRID)[:, None]
    true = 3 * torch.sin(grid - 1)
    for name, got in zip(LEARNERS, every, strict=True):
        checkpoint = learners.get(name)
        net = MLP.of(checkpoint.config)
        told = torch.tensor([[3.0, 1.0]]) if name == "oracle" else torch.empty(1, 0)
        inputs, everywhere = (torch.cat([part, told.expand(len(part), -1)], 1) for part in (x, grid))
        theta, own = checkpoint.split()
        for step, phi in enumerate(adapt(net.mse, theta, inputs, y, checkpoint.split(alpha)[1], 4)):
            np.testing.assert_allclose(got.curves[step], net.apply(phi, everywhere)[:, 0], rtol=1e-3, atol=1e-3)
            assert got.support[step] == pytest.approx(net.mse(phi, inputs, y).item(), rel=1e-2)
            assert got.query[step] == pytest.approx(net.mse(phi, everywhere, true).item(), rel=1e-2)
        for step, phi in enumerate(adapt(net.mse, theta, inputs, y, own, 4)):
            assert got.query_own[step] == pytest.approx(net.mse(phi, everywhere, true).item(), rel=1e-2)


@pytest.mark.parametrize("freeze", FREEZES)
def test_gradients_and_movements_are_those_of_each_step(freeze):
    alpha, steps = 0.005, 3
    every = engine.trajectories(LEARNERS, SHOTS, 3.0, 1.0, alpha, steps, freeze)
    x, y = torch.tensor(SHOTS).split(1, dim=1)
    for name, got in zip(LEARNERS, every, strict=True):
        saved = learners.get(name)
        net, (theta, sizes) = saved.network, saved.split(alpha, freeze)
        inputs = torch.cat([x, torch.tensor([[3.0, 1.0]]).expand(3, -1)], 1) if name == "oracle" else x
        path = adapt(net.mse, theta, inputs, y, sizes, steps)
        for step, phi in enumerate(path):
            leaf = {key: value.clone().requires_grad_() for key, value in phi.items()}
            net.mse(leaf, inputs, y).backward()
            for layer, names in enumerate(net.layers):
                flat = torch.cat([leaf[key].grad.flatten() for key in names])
                assert got.gradient[step, layer] == pytest.approx(flat.norm().item(), rel=1e-2, abs=1e-4)
                before = path[max(step - 1, 0)]
                moved = torch.cat([(phi[key] - before[key]).flatten() for key in names]).norm().item()
                assert got.moved[step, layer] == pytest.approx(moved, rel=1e-2, abs=1e-5)
        head = got.moved[1:, -1].max()
        assert (head == 0) == (freeze == "head")


def test_without_shots_nothing_moves():
    (got,) = engine.trajectories(("maml",), (), 3.0, 1.0, 0.01, 3)
    assert np.isnan(got.support).all()
    assert (got.curves == got.curves[0]).all()
    assert np.isfinite(got.query).all()


def test_divergence_is_numbers_not_an_error():
    (got,) = engine.trajectories(("maml",), SHOTS, 3.0, 1.0, 1.0, 50)
    assert not np.isfinite(got.query[-1])


def test_a_class_that_asks_for_the_same_at_once_costs_one_measurement(monkeypatch):
    measured = []

    def measure(problem, *args, **kwargs):
        measured.append(problem.K)
        return query_metric(problem, *args, **kwargs)

    monkeypatch.setattr(engine, "query_metric", measure)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: engine.fresh("maml", 7, 0.0123, 2, 0.0, "anywhere", "none"), range(12)))
    assert measured == [7]
    assert all(answer == answers[0] for answer in answers)


def test_the_order_of_learners_is_kept_and_none_is_none():
    maml, pretrained = engine.trajectories(("maml", "pretrained"), SHOTS, 3.0, 1.0, 0.01, 2)
    assert engine.trajectories(("pretrained",), SHOTS, 3.0, 1.0, 0.01, 2)[0].query == pytest.approx(pretrained.query, rel=1e-4)
    assert not np.allclose(maml.curves, pretrained.curves)
    assert engine.trajectories((), SHOTS, 3.0, 1.0, 0.01, 2) == ()
