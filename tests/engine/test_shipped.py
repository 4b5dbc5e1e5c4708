"""The shipped checkpoints are what they say they are."""

from pathlib import Path

import pytest

from maml_core.checkpoint import load
from maml_core.evaluation import evaluate

PRETRAINED = Path(__file__).parents[2] / "pretrained"
FILES = sorted(PRETRAINED.glob("*.safetensors"))


def one_step(checkpoint, K, tasks):
    return evaluate(checkpoint.learned, checkpoint.config, K=K, num_updates=1, test_tasks=tasks)[1]


def test_maml_learns_in_one_step_what_the_baseline_does_not():
    maml, baseline = (one_step(load(PRETRAINED / f"{name}.safetensors"), 10, 10_000) for name in ("maml", "pretrained"))
    assert maml.mean + maml.ci95 < 0.45
    assert maml.mean + maml.ci95 < (baseline.mean - baseline.ci95) / 4
    assert maml.diverged == 0


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_results_in_the_metadata_can_be_measured_again(path):
    checkpoint = load(path)
    assert checkpoint.iterations == checkpoint.config.max_steps
    assert {"path", "device", "threads", "torch"} <= checkpoint.run.keys()
    for K in (5, 10):
        stored, now = checkpoint.results[str(K)]["1"], one_step(checkpoint, K, 2000)
        assert stored["tasks"] == 10_000
        assert abs(stored["mean"] - now.mean) < 2 * (stored["ci95"] + now.ci95)


def test_before_any_step_both_are_equally_bad():
    maml, baseline = (load(PRETRAINED / f"{name}.safetensors").results["10"]["0"]["mean"] for name in ("maml", "pretrained"))
    assert maml == pytest.approx(baseline, rel=0.05)


@pytest.mark.parametrize("name", ["maml", "pretrained"])
def test_the_readme_quotes_the_checkpoint(name):
    checkpoint = load(PRETRAINED / f"{name}.safetensors")
    steps = (checkpoint.results["10"][step] for step in ("0", "1", "5", "10"))
    cells = " | ".join(f"{step['mean']:.3f} ± {step['ci95']:.3f}" for step in steps)
    row = f"| `{name}` | {cells} | {checkpoint.config.alpha:g} |"
    assert row in (PRETRAINED.parent / "README.md").read_text(encoding="utf-8")
