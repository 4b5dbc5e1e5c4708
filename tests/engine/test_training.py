"""The meta-step against torch.optim.Adam and itself on every path; interrupted against uninterrupted; the same seed twice."""

import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from maml_core import cache, problems, programs, training
from maml_core.algorithms import adapt, meta_objective
from maml_core.config import FREEZES, ConfigError, TrainConfig, choices, without_effect
from maml_core.network import MLP
from maml_core.tasks import batch, family
from maml_core.training import (
    ALPHA,
    PATHS,
    WORTH_COMPILING,
    TrainingDiverged,
    _drawn,
    build,
    choose_path,
    init,
    meta_gradient,
    meta_train,
    split,
)

SMALL = TrainConfig(max_steps=60, K=4, batch_size=5, hidden=(8, 8), beta=0.01)
DRAWN = TrainConfig.of(family="characters", way=2, hidden=(3, 3), batch_size=2, max_steps=4)
EVERY = [(small, algorithm) for small in (SMALL, DRAWN) for algorithm in choices("algorithm", small.family)]
every_learner = pytest.mark.parametrize(("small", "algorithm"), EVERY, ids=[f"{s.family} {algorithm}" for s, algorithm in EVERY])
LONG = replace(SMALL, max_steps=WORTH_COMPILING)
needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="the compiled path needs a C++ compiler")


def last(config, **options):
    return list(meta_train(config, **options))[-1]


def same(a, b):
    return all(torch.equal(a.state.learned[name], b.state.learned[name]) for name in a.state.learned)


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "pretrained"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_equals_torch_adam_on_the_same_tasks(algorithm, schedule):
    config = TrainConfig.from_dict(SMALL.to_dict() | {"algorithm": algorithm, "schedule": schedule, "num_updates": 2})
    theta = {name: value.clone().requires_grad_() for name, value in init(config).learned.items()}
    adam = torch.optim.Adam(list(theta.values()), lr=config.beta)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, config.max_steps)
    uniforms, loss = _drawn(config, 0), MLP.of(config).mse
    for i in range(config.max_steps):
        drawn = batch(family("sinusoid"), uniforms[i], config.K)
        adam.zero_grad()
        steps = 0 if algorithm == "pretrained" else 2
        meta_objective(loss, theta, drawn, config.alpha, steps, first_order=algorithm == "fomaml").backward()
        adam.step()
        if schedule == "cosine":
            cosine.step()
    ours = last(config, path="eager").state.learned
    for name in theta:
        torch.testing.assert_close(ours[name], theta[name].detach(), rtol=1e-3, atol=2e-4)


@every_learner
def test_every_path_sees_the_same_tasks_and_learns_the_same(small, algorithm):
    asked = {"algorithm": algorithm, "num_updates": 2, "clip": 1.0, "multi_step": True}
    config = TrainConfig.from_dict(small.to_dict() | asked)  # without what has no effect on this algorithm
    eager, traced = last(config, path="eager"), last(config, path="traced")
    assert same(eager, traced)
    assert eager.loss_after == traced.loss_after


@needs_compiler
def test_the_compiled_path_agrees_resumes_to_the_same_bits_and_is_compiled_once(monkeypatch):
    traced, compiled = last(SMALL, path="traced"), last(SMALL, path="compiled")
    for name in traced.state.learned:
        torch.testing.assert_close(traced.state.learned[name], compiled.state.learned[name], rtol=1e-3, atol=1e-4)

    def again(*args, **kwargs):
        raise AssertionError("compiled again")

    monkeypatch.setattr(torch._inductor, "aoti_compile_and_package", again)
    part = last(replace(SMALL, max_steps=33), path="compiled")
    assert same(compiled, last(SMALL, path="compiled", state=part.state))
    package = cache.find(programs._key(training._name(SMALL)))
    good = package.read_bytes()
    package.write_bytes(b"not a program" + good[:999])
    with pytest.raises(ConfigError, match="compiled again"):  # what is damaged is of no use
        build(SMALL, "compiled")
    # What the compiler would write, without the half a minute that it takes.
    monkeypatch.setattr(
        torch._inductor, "aoti_compile_and_package", lambda *_, package_path, **__: Path(package_path).write_bytes(good)
    )
    assert same(compiled, last(SMALL, path="compiled"))
    assert package.read_bytes() == good
    monkeypatch.undo()
    other = replace(SMALL, seed=5, beta=0.02, schedule="cosine", max_steps=10)
    assert choose_path(other, "cpu") == "compiled"  # ready, so it costs nothing
    assert not same(last(other, path="compiled"), last(replace(other, schedule="constant"), path="compiled"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("path", PATHS)
def test_cuda_agrees_with_the_cpu(path):
    cpu, cuda = last(SMALL, path="eager"), last(SMALL, path=path, device="cuda")
    for name in cpu.state.learned:
        torch.testing.assert_close(cpu.state.learned[name], cuda.state.learned[name].cpu(), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("stop", [1, 20, 33, 59])
@pytest.mark.parametrize("path", ["eager", "traced"])
def test_interrupted_and_resumed_equals_uninterrupted(stop, path, monkeypatch):
    monkeypatch.setattr(training, "BLOCK", 20)
    whole = last(SMALL, path=path)
    part = last(replace(SMALL, max_steps=stop), path=path)
    rest = last(SMALL, path=path, state=part.state)
    assert rest.iteration == whole.iteration == 60
    assert same(whole, rest)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    assert same(last(SMALL, path="traced"), last(SMALL, path="traced"))
    assert not same(last(SMALL, path="traced"), last(replace(SMALL, seed=2), path="traced"))


def test_meta_sgd_starts_as_maml_and_learns_its_step_sizes():
    sgd, maml = (meta_gradient(replace(SMALL, algorithm=algorithm)) for algorithm in ("meta_sgd", "maml"))
    drawn = batch(family("sinusoid"), _drawn(SMALL, 0)[0], SMALL.K)
    learned = init(replace(SMALL, algorithm="meta_sgd")).learned
    both, loss = sgd(learned, drawn)
    alone, same_loss = maml(init(SMALL).learned, drawn)
    torch.testing.assert_close(loss, same_loss)
    for name, g in alone.items():
        torch.testing.assert_close(both[name], g, rtol=1e-4, atol=1e-6)
    # One alpha for all moves the loss as all the single ones together do.
    total = sum(both[ALPHA + name].sum() for name in alone).item()
    eps = 1e-3
    up, down = (meta_gradient(replace(SMALL, alpha=SMALL.alpha + s * eps))(init(SMALL).learned, drawn)[1] for s in (1, -1))
    assert total == pytest.approx(((up - down) / (2 * eps)).item(), rel=0.02)
    changed = last(replace(SMALL, algorithm="meta_sgd")).state.learned[ALPHA + "2.weight"]
    assert changed.std() > 0


def test_anil_moves_the_head_alone():
    theta, alpha = split(init(SMALL).learned, replace(SMALL, algorithm="anil"))
    assert alpha == {"4.weight": 0.01, "4.bias": 0.01}
    phi = adapt(MLP.of(SMALL).mse, theta, torch.randn(4, 1), torch.randn(4, 1), alpha, 3)[-1]
    assert [name for name in theta if not torch.equal(theta[name], phi[name])] == ["4.weight", "4.bias"]


def backwards(params):
    return dict(reversed(params.items()))


@every_learner
@pytest.mark.parametrize("normalised", [False, True])
def test_the_order_of_parameters_says_nothing(small, algorithm, normalised):
    """What adapts is told by the network, and a run goes on the same way from a state whose parameters are named backwards."""
    norm = choices("norm", small.family)[-1 if normalised else 0]
    config = TrainConfig.from_dict(small.to_dict() | {"algorithm": algorithm, "norm": norm, "max_steps": 4})
    part = last(replace(config, max_steps=2), path="eager").state
    turned = part._replace(learned=backwards(part.learned), m=backwards(part.m), v=backwards(part.v))
    for freeze in FREEZES:
        sizes, again = (split(state.learned, config, freeze=freeze)[1] for state in (part, turned))
        assert again == sizes if isinstance(sizes, float) else again.keys() == sizes.keys()
    if algorithm == "anil":
        assert split(turned.learned, config)[1].keys() == set(problems.of(config).layers[-1])
    assert same(last(config, state=part, path="eager"), last(config, state=turned, path="eager"))


@every_learner
def test_every_setting_that_is_taken_changes_what_is_learned(small, algorithm):
    config = TrainConfig.from_dict(small.to_dict() | {"algorithm": algorithm, "num_updates": 2, "max_steps": 3, "clip": 0.0})
    config = replace(config, schedule="constant")
    other = {"num_updates": 3, "alpha": 0.05, "multi_step": True, "clip": 1e-3, "beta": 0.02, "schedule": "cosine", "K": 5}
    other |= {"way": 3, "batch_size": 6, "hidden": (8, 9), "norm": "batch_norm", "family": "sinusoid_2pi", "seed": 2}
    only_one = {"algorithm", "max_steps", "model_type", "loss_type"}
    assert other.keys() | only_one == {f.name for f in fields(TrainConfig)}
    if small is DRAWN:
        del other["norm"], other["family"]  # there is but one of each
    idle, taken = without_effect(algorithm, config.num_updates, config.family), last(config, path="eager").state.learned
    for name, value in other.items():
        try:
            learned = last(replace(config, **{name: value}), path="eager").state.learned
        except ConfigError:
            assert name in idle
            continue
        unchanged = all(taken[key].equal(learned[key]) for key in learned)
        assert unchanged == (name in idle), name


@pytest.mark.parametrize("algorithm", ["maml", "anil", "meta_sgd"])
@pytest.mark.parametrize("freeze", FREEZES)
def test_what_is_frozen_stays_and_the_rest_moves_as_it_would(algorithm, freeze):
    config = replace(SMALL, algorithm=algorithm)
    theta, alpha = split(init(config).learned, config, freeze=freeze)
    x, y = torch.randn(4, 1), torch.randn(4, 1)
    phi = adapt(MLP.of(SMALL).mse, theta, x, y, alpha, 1)[-1]
    free = adapt(MLP.of(SMALL).mse, theta, x, y, split(init(config).learned, config)[1], 1)[-1]
    head = ("4.weight", "4.bias")
    for name in theta:
        stays = (name in head) == (freeze == "head") and freeze != "none"
        torch.testing.assert_close(phi[name], theta[name] if stays else free[name], rtol=0, atol=0)


def test_an_unknown_freeze_is_named():
    with pytest.raises(ConfigError, match="'tail' is not possible: choose one of none, body, head"):
        split(init(SMALL).learned, SMALL, freeze="tail")


def test_another_alpha_scales_learned_step_sizes():
    config = replace(SMALL, algorithm="meta_sgd")
    learned = last(config).state.learned
    _, own = split(learned, config)
    _, doubled = split(learned, config, alpha=0.02)
    for name in own:
        torch.testing.assert_close(doubled[name], 2 * own[name])
    assert split(learned, SMALL, alpha=0.02)[1] == 0.02


def test_clipping_bounds_the_meta_gradient():
    """Adam forgives a scale that never changes, so compare its first moment after one step: 0.1 times the clipped gradient."""
    config = replace(SMALL, clip=0.5, max_steps=1, alpha=0.02)
    m = last(config, path="eager").state.m
    assert torch.stack([value.square().sum() for value in m.values()]).sum().sqrt().item() == pytest.approx(0.05, rel=1e-4)


def test_records_come_every_block_and_end_at_max_steps(monkeypatch):
    monkeypatch.setattr(training, "BLOCK", 20)
    records = list(meta_train(replace(SMALL, max_steps=50), path="traced"))
    assert [record.iteration for record in records] == [20, 40, 50]
    assert records[0].state.iteration == 20


def test_it_learns():
    records = list(meta_train(replace(SMALL, max_steps=400, K=10, batch_size=10, hidden=(20, 20)), path="traced"))
    assert records[-1].loss_after < 0.75 * records[0].loss_after


def test_divergence_stops_and_keeps_the_last_good_state(monkeypatch):
    monkeypatch.setattr(training, "BLOCK", 5)
    good = last(replace(SMALL, max_steps=10), path="traced")
    healthy = training._drawn

    def poisoned(config, number, problem):
        return healthy(config, number, problem) * (float("nan") if number == 2 else 1)

    monkeypatch.setattr(training, "_drawn", poisoned)
    with pytest.raises(TrainingDiverged, match="smaller") as caught:
        last(SMALL, path="traced")
    assert caught.value.last.iteration == 10
    assert all(torch.equal(caught.value.last.learned[name], value) for name, value in good.state.learned.items())


def test_moments_that_overflow_are_divergence_too():
    """A query loss can look harmless while Adam's moments are infinite and nothing moves any more."""
    with pytest.raises(TrainingDiverged):
        last(TrainConfig(alpha=1.0, num_updates=2, max_steps=300), path="traced")


def test_the_losses_of_a_record_are_those_of_support_and_query():
    config = replace(SMALL, max_steps=1)
    record = last(config, path="eager")
    drawn, learned, loss = batch(family("sinusoid"), _drawn(config, 0)[0], config.K), init(config).learned, MLP.of(config).mse
    before = torch.stack([loss(learned, x, y) for x, y in zip(drawn.x_support, drawn.y_support, strict=True)]).mean()
    assert record.loss_before == pytest.approx(before.item(), rel=1e-5)
    assert record.loss_after == pytest.approx(meta_objective(loss, learned, drawn, config.alpha, 1).item(), rel=1e-5)


def test_without_a_working_compiler_a_long_run_is_traced(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert choose_path(replace(LONG, K=7), "cpu") == "traced"
    with pytest.raises(ConfigError, match="path='traced'"):
        build(replace(LONG, K=7), "compiled")


def test_a_short_run_is_traced_and_an_unknown_path_refused():
    assert choose_path(replace(SMALL, K=7), "cpu") == "traced"
    with pytest.raises(ConfigError, match="eager, traced, compiled"):
        build(SMALL, "fast")


@needs_compiler
def test_a_long_run_is_compiled():
    assert choose_path(replace(SMALL, max_steps=LONG.max_steps), "cpu") == "compiled"
