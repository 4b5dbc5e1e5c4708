"""The shipped checkpoints are what they say they are."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from maml_core.arguments import parser
from maml_core.baselines import PUBLISHED
from maml_core.checkpoint import load
from maml_core.config import JOINT, TrainConfig
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


def readme_row(path):
    checkpoint = load(path)

    def cell(stats):
        gone = f" ({100 * stats['diverged']:.2g}% diverged)" if stats["diverged"] else ""
        return f"{stats['mean']:.3f} ± {stats['ci95']:.3f}{gone}"

    cells = " | ".join(cell(checkpoint.results["10"][step]) for step in ("0", "1", "5", "10"))
    return f"| `{path.stem}` | {cells} | {checkpoint.config.alpha:g} |"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_readme_quotes_the_checkpoint(path):
    assert readme_row(path) in (PRETRAINED.parent / "docs" / "research.md").read_text(encoding="utf-8")


SEEDS = sorted((PRETRAINED / "seeds").glob("maml_best-*.safetensors"))


@pytest.mark.parametrize("path", [PRETRAINED / "maml_best.safetensors", *SEEDS], ids=lambda p: p.stem)
def test_one_plain_maml_beats_every_published_cell_without_a_diverged_task(path):
    results = load(path).results
    for K, published in PUBLISHED.items():
        for step, mean in published.items():
            ours = results[str(K)][str(step)]
            assert ours["mean"] + ours["ci95"] < mean
            assert ours["diverged"] == 0


def test_learned_step_sizes_reach_further_in_one_step():
    results = load(PRETRAINED / "meta_sgd.safetensors").results
    assert results["10"]["1"]["mean"] <= 0.20
    assert results["5"]["1"]["mean"] <= 0.38


def test_the_seeds_differ_in_nothing_else():
    configs = [load(path).config for path in (PRETRAINED / "maml_best.safetensors", *SEEDS)]
    assert [config.seed for config in configs] == [1, 2, 3]
    assert len({replace(config, seed=0) for config in configs}) == 1


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_recorded_command_is_the_one_in_the_makefile(path):
    recipe = re.search(rf"^RECIPE_{path.stem} := (.*)$", (PRETRAINED.parent / "Makefile").read_text(), re.M)[1]
    checkpoint = load(path)
    alpha = {"alpha": checkpoint.config.alpha} if checkpoint.config.algorithm in JOINT else {}
    for command in (
        recipe.replace("$(COSINE)", "--beta 0.003 --schedule cosine"),
        checkpoint.run["command"].split("train", 1)[1],
    ):
        args = parser().parse_args(["train", *command.split()])
        given = {f.name: getattr(args, f.name) for f in fields(TrainConfig) if getattr(args, f.name) is not None}
        assert TrainConfig(**given | alpha) == checkpoint.config
