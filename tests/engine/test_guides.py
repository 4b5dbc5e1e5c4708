"""What the guide for researchers shows works as it stands there."""

import re
from pathlib import Path

import torch

GUIDE = (Path(__file__).parents[2] / "docs" / "research.md").read_text(encoding="utf-8")


def example(contains: str) -> str:
    return next(code for code in re.findall(r"```python\n(.*?)```", GUIDE, re.S) if contains in code)


def test_training_adapting_and_plotting_without_the_app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    names: dict = {}
    exec(example("meta_train"), names)
    grid, net = names["grid"], names["net"]
    true = 3 * torch.sin(grid - 1)
    assert net.mse(names["adapted"], grid, true) < 0.3 * net.mse(names["theta"], grid, true)
    assert "step 5" in (tmp_path / "adapted.html").read_text(encoding="utf-8")


def test_a_problem_of_ones_own_trains_is_saved_and_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = example("class Lines")
    assert len([line for line in code.splitlines() if line]) <= 30
    names: dict = {}
    exec(code, names)
    result, saved = names["result"], names["saved"]
    assert result[5].mean < 0.7 * result[0].mean
    assert saved.learned.keys() == names["lines"].init(torch.Generator()).keys()
    assert capsys.readouterr().out.count("StepStats(step=") == 6


def test_results_are_data_frames(capsys):
    names: dict = {}
    exec(example("frames.sweep_frame"), names)
    errors, sweep, best = names["errors"], names["sweep"], names["best"]
    assert list(errors["step"]) == [0, 1, 2, 3, 4, 5]
    assert errors["mean"][1] < 0.2 * errors["mean"][0]
    assert len(sweep) == 9 * 6
    assert list(best["K"]) == [2, 5, 10]
    assert best["mean"].is_monotonic_decreasing, "more shots, less error"
    assert "alpha" in capsys.readouterr().out


def test_a_checkpoint_loads_in_plain_pytorch(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    names: dict = {}
    exec(example("load_state_dict"), names)
    assert names["net"](torch.zeros(3, 1)).shape == (3, 1)
