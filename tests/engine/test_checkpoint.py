"""Checkpoints: plain PyTorch reads them; whatever is wrong with a file gets one clear sentence, never a traceback."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from maml_core.checkpoint import Checkpoint, CheckpointError, load, load_state, save, save_state
from maml_core.config import TrainConfig
from maml_core.network import MLP
from maml_core.training import TrainingState, init

CONFIG = TrainConfig(max_steps=10)
THETA = init(CONFIG).learned
RESULTS = {"10": {"1": {"mean": 0.4, "ci95": 0.01, "median": 0.2, "diverged": 0.0, "tasks": 100}}}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.safetensors"
    save(path, Checkpoint(THETA, CONFIG, 10, RESULTS, {"path": "traced"}))
    return path


def damaged(path, tensors=None, **metadata):
    with safe_open(path, "pt") as f:
        kept = f.metadata() | metadata
    save_file(tensors or load_file(path), path, {k: v for k, v in kept.items() if v is not None})
    return path


def test_round_trip(file):
    again = load(file)
    assert (again.config, again.iterations, again.results, again.run) == (CONFIG, 10, RESULTS, {"path": "traced"})
    assert all(torch.equal(again.learned[name], THETA[name]) for name in THETA)


def test_three_lines_of_plain_pytorch_load_it(file):
    net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    net.load_state_dict(load_file(file))
    x = torch.linspace(-5, 5, 11)[:, None]
    torch.testing.assert_close(net(x), MLP.of(CONFIG).apply(THETA, x))


def test_the_metadata_is_strings_of_the_contract(file):
    with safe_open(file, "pt") as f:
        metadata = f.metadata()
    assert {"format_version", "algorithm", "config", "results", "created_by", "seed", "iterations"} <= metadata.keys()
    assert json.loads(metadata["config"])["K"] == 10
    assert (metadata["algorithm"], metadata["seed"], metadata["iterations"]) == ("maml", "1", "10")


def test_what_was_loaded_does_not_change_with_the_file(file):
    again = load(file)
    file.write_bytes(b"\xff" * file.stat().st_size)
    assert all(torch.equal(again.learned[name], THETA[name]) for name in THETA)


def test_learned_step_sizes_are_further_tensors_that_plain_pytorch_may_skip(tmp_path):
    config = replace(CONFIG, algorithm="meta_sgd")
    save(tmp_path / "s.safetensors", Checkpoint(init(config).learned, config, 0))
    again = load(tmp_path / "s.safetensors")
    _, alpha = again.split()
    assert alpha["2.weight"].shape == (40, 40)
    net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    skipped = net.load_state_dict(load_file(tmp_path / "s.safetensors"), strict=False)
    assert not skipped.missing_keys
    assert all(name.startswith("alpha.") for name in skipped.unexpected_keys)


def test_batch_norm_moves_the_indices(tmp_path):
    config = replace(CONFIG, norm="batch_norm")
    theta = init(config).learned
    save(tmp_path / "b.safetensors", Checkpoint(theta, config, 0))
    assert set(load_file(tmp_path / "b.safetensors")) == {f"{i}.{kind}" for i in (0, 1, 3, 4, 6) for kind in ("weight", "bias")}
    assert load(tmp_path / "b.safetensors").config.norm == "batch_norm"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t | {"0.weight": torch.zeros(40, 2)}, r"0.weight has shape \(40, 2\); its recipe calls for \(40, 1\)"),
        (lambda t: t | {"0.bias": torch.full((40,), float("nan"))}, "0.bias holds values that are not finite"),
        (lambda t: t | {"0.bias": torch.full((40,), float("inf"))}, "0.bias holds values that are not finite"),
        (lambda t: t | {f"x{i}": torch.zeros(1) for i in range(600)}, "holds 606 tensors; a checkpoint may have at most 500"),
        (lambda t: t | {"0.bias": torch.zeros(40, dtype=torch.float64)}, "0.bias is float64; it must be float32"),
        (lambda t: t | {"9.bias": torch.zeros(1)}, "a tensor 9.bias that its recipe does not call for"),
        (lambda t: {k: v for k, v in t.items() if k != "4.bias"}, "lacks the tensor 4.bias"),
    ],
)
def test_wrong_tensors_are_explained(file, change, message):
    with pytest.raises(CheckpointError, match=message):
        load(damaged(file, change(load_file(file))))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"config": None}, "holds a network .1-40-40-1., but no record of its training"),
        ({"config": "{"}, "damaged metadata"),
        ({"config": "[1]"}, "damaged metadata"),
        ({"config": '{"K": 0}'}, "K=0 is not possible"),
        ({"format_version": "3"}, "format version 3; this version reads 1 and 2"),
        ({"config": '{"K": 1' + "0" * 400 + "}"}, "config cannot be read: a whole number in it has 401 digits; at most 18"),
        ({"config": '{"hidden": [' + "1024, " * 15 + "1024]}"}, "weights between hidden layers"),
        ({"config": '{"a\\nb": 1}'}, "unknown setting"),
        ({"results": '{"ten": {}}'}, "results must map K"),
        ({"results": '{"5": {"1": {}}}'}, "to the numbers ci95, diverged, mean, median, tasks"),
        ({"results": '{"5": {"1": {"mean": NaN}}}'}, "NaN is not a number"),
        ({"iterations": "many"}, "damaged metadata"),
        ({"iterations": "-7"}, "iterations=-7 is not possible: it must be a whole number"),
    ],
)
def test_wrong_metadata_is_explained(file, metadata, message):
    with pytest.raises(CheckpointError, match=message):
        load(damaged(file, **metadata))


def test_missing_and_foreign_files_are_explained(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load(tmp_path / "none.safetensors")
    (tmp_path / "letter.safetensors").write_bytes(b"Dear sir or madam")
    with pytest.raises(CheckpointError, match="is not a safetensors file, or is damaged"):
        load(tmp_path / "letter.safetensors")
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load(tmp_path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_damage_gives_an_error_of_ours_or_a_valid_checkpoint(file, tmp_path, data):
    content = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    else:
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, 2200))] = data.draw(st.integers(0, 255))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(bytes(content))
    try:
        checkpoint = load(broken)
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:
        assert all(value.isfinite().all() for value in checkpoint.learned.values())


def test_training_state_round_trip(tmp_path):
    theta, m, v = ({name: torch.randn_like(value) for name, value in THETA.items()} for _ in range(3))
    save_state(tmp_path / "s", TrainingState(7, theta, m, v), CONFIG)
    again = load_state(tmp_path / "s", CONFIG)
    assert again.iteration == 7
    assert all(torch.equal(again.v[name], v[name]) and torch.equal(again.m[name], m[name]) for name in v)
    with pytest.raises(CheckpointError, match="its recipe calls for"):
        load_state(tmp_path / "s", replace(CONFIG, norm="batch_norm"))
    with pytest.raises(CheckpointError, match="training state of another run"):
        load_state(tmp_path / "s", replace(CONFIG, seed=2))


def test_a_failed_write_leaves_the_old_file(file, monkeypatch):
    before = file.read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(file, Checkpoint(THETA, CONFIG, 11))
    assert file.read_bytes() == before
