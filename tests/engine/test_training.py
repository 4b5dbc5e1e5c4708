"""The meta-step against torch.optim.Adam and itself on every path; interrupted against uninterrupted; the same seed twice."""

import shutil
from dataclasses import replace

import pytest
import torch

from maml_core.algorithms import meta_objective
from maml_core.config import ConfigError, TrainConfig
from maml_core.network import MLP
from maml_core.tasks import family
from maml_core.training import PATHS, TrainingDiverged, _uniforms, build, choose_path, init, meta_train

SMALL = TrainConfig(max_steps=60, K=4, batch_size=5, hidden=(8, 8), beta=0.01)


def last(config, **options):
    return list(meta_train(config, **options))[-1]


def same(a, b):
    return all(torch.equal(a.state.theta[name], b.state.theta[name]) for name in a.state.theta)


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "pretrained"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_equals_torch_adam_on_the_same_tasks(algorithm, schedule):
    config = replace(SMALL, algorithm=algorithm, schedule=schedule, num_updates=2)
    theta = {name: value.clone().requires_grad_() for name, value in init(config).theta.items()}
    adam = torch.optim.Adam(list(theta.values()), lr=config.beta)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, config.max_steps)
    uniforms, loss = _uniforms(config, 0), MLP.of(config).mse
    for i in range(config.max_steps):
        batch = family("sinusoid").batch(uniforms[i], config.K)
        adam.zero_grad()
        steps = 0 if algorithm == "pretrained" else 2
        meta_objective(loss, theta, batch, config.alpha, steps, algorithm == "fomaml").backward()
        adam.step()
        if schedule == "cosine":
            cosine.step()
    ours = last(config, path="eager").state.theta
    for name in theta:
        torch.testing.assert_close(ours[name], theta[name].detach(), rtol=1e-3, atol=2e-4)


def test_every_path_sees_the_same_tasks_and_learns_the_same():
    eager, traced = last(SMALL, path="eager"), last(SMALL, path="traced")
    assert same(eager, traced)
    assert eager.loss_after == traced.loss_after


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_the_compiled_path_agrees():
    traced, compiled = last(SMALL, path="traced"), last(SMALL, path="compiled")
    for name in traced.state.theta:
        torch.testing.assert_close(traced.state.theta[name], compiled.state.theta[name], rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("path", PATHS)
def test_cuda_agrees_with_the_cpu(path):
    cpu, cuda = last(SMALL, path="eager"), last(SMALL, path=path, device="cuda")
    for name in cpu.state.theta:
        torch.testing.assert_close(cpu.state.theta[name], cuda.state.theta[name].cpu(), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("stop", [1, 20, 33, 59])
@pytest.mark.parametrize("path", ["eager", "traced"])
def test_interrupted_and_resumed_equals_uninterrupted(stop, path):
    whole = last(SMALL, path=path, block=20)
    part = last(replace(SMALL, max_steps=stop), path=path, block=20)
    rest = last(SMALL, path=path, block=20, state=part.state)
    assert rest.iteration == whole.iteration == 60
    assert same(whole, rest)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    assert same(last(SMALL, path="traced"), last(SMALL, path="traced"))
    assert not same(last(SMALL, path="traced"), last(replace(SMALL, seed=2), path="traced"))


def test_records_come_every_block_and_end_at_max_steps():
    records = list(meta_train(replace(SMALL, max_steps=50), path="traced", block=20))
    assert [record.iteration for record in records] == [20, 40, 50]
    assert records[0].state.iteration == 20


def test_it_learns():
    records = list(meta_train(replace(SMALL, max_steps=400, K=10, batch_size=10, hidden=(20, 20)), path="traced"))
    assert records[-1].loss_after < 0.75 * records[0].loss_after


def test_divergence_stops_and_keeps_the_last_good_state():
    config = replace(SMALL, alpha=10.0, num_updates=10, max_steps=100)
    with pytest.raises(TrainingDiverged, match="smaller") as caught:
        last(config, path="traced", block=5)
    assert all(value.isfinite().all() for value in caught.value.last.theta.values())


def test_paths_are_checked_and_chosen():
    with pytest.raises(ConfigError, match="eager, traced, compiled"):
        build(SMALL, "fast")
    assert choose_path(SMALL, "cpu") == "traced"
    assert choose_path(TrainConfig(), "cuda") == "compiled"
