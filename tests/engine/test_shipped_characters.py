"""The shipped networks that tell characters apart are what they say they are, and plain PyTorch says so too."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from maml_core import problems
from maml_core.arguments import parser
from maml_core.checkpoint import load
from maml_core.config import METRIC, TrainConfig
from maml_core.evaluation import evaluate, query_metric

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "pretrained" / "characters").glob("*.safetensors"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_its_results_can_be_measured_again(path):
    checkpoint = load(path)
    assert checkpoint.iterations == checkpoint.config.max_steps
    assert path.stat().st_size < 300_000
    step = "0" if checkpoint.config.algorithm in METRIC else "1"
    for K in (1, 5):
        stored = checkpoint.results[str(K)][step]
        now = evaluate(checkpoint.learned, checkpoint.config, K=K, num_updates=int(step), test_tasks=60, seed=5)[int(step)]
        assert stored["tasks"] == 1000
        assert abs(stored["mean"] - now.mean) < 2 * (stored["ci95"] + now.ci95)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_recorded_command_is_the_one_in_the_makefile(path):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe, drawings = (
        re.search(rf"^{name} := (.*)$", makefile, re.M)[1] for name in (f"RECIPE_characters/{path.stem}", "DRAWINGS")
    )
    args = parser().parse_args(["train", *recipe.replace("$(DRAWINGS)", drawings).split()])
    given = {f.name: getattr(args, f.name) for f in fields(TrainConfig) if getattr(args, f.name) is not None}
    assert TrainConfig.of(**given) == load(path).config


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_guide_quotes_it(path):
    checkpoint = load(path)
    results = [checkpoint.results[K]["0" if checkpoint.config.algorithm in METRIC else "1"] for K in ("1", "5")]
    cells = [f"{100 * stats['mean']:.1f} ± {100 * stats['ci95']:.1f}%" for stats in results]
    row = f"| `characters/{path.stem}` | {checkpoint.config.way} | {' | '.join(cells)} |"
    assert row in (ROOT / "docs" / "research.md").read_text("utf-8")


def test_plain_pytorch_adapts_it_to_the_same_answers():
    """Without this engine: `nn.Sequential`, `backward`, and weights moved by hand."""
    path = ROOT / "pretrained" / "characters" / "maml.safetensors"
    checkpoint = load(path)
    alpha, filters = checkpoint.config.alpha, checkpoint.config.hidden
    blocks = [
        layer
        for fan_in, fan_out in zip((1, *filters), filters, strict=False)
        for layer in (nn.Conv2d(fan_in, fan_out, 3, stride=2, padding=1), nn.GroupNorm(1, fan_out), nn.ReLU())
    ]
    net = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(filters[-1] * 4, checkpoint.config.way))
    problem = problems.of(checkpoint.config, K=1, query=5)
    batch = problem.batch(problem.draw(torch.Generator().manual_seed(3), 20))
    right = torch.zeros(3, 20)
    for task, (x, y, x_query, y_query) in enumerate(zip(*batch, strict=True)):
        net.load_state_dict(load_file(path))
        for step in range(3):
            with torch.no_grad():
                right[step, task] = (net(x_query[:, None]).argmax(1) == y_query).float().mean()
            net.zero_grad()
            nn.functional.cross_entropy(net(x[:, None]), y).backward()
            with torch.no_grad():
                for weight in net.parameters():
                    weight -= alpha * weight.grad
    theta, _ = checkpoint.split()
    ours = query_metric(replace(problem), theta, alpha=alpha, num_updates=2, test_tasks=20, seed=3)
    torch.testing.assert_close(ours, right, rtol=0, atol=0.041)  # of 25 answers, one may be a tie
    torch.testing.assert_close(ours.mean(1), right.mean(1), rtol=0, atol=0.01)
