"""A Problem is all that training, evaluation and checkpoints need to know: of curves, of characters, of a script's own."""

from dataclasses import dataclass, replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.func import grad

from maml_core import PRETRAINED, checkpoint, problems
from maml_core.checkpoint import Checkpoint
from maml_core.classification import Classification
from maml_core.config import METRIC, ConfigError, TrainConfig
from maml_core.convolution import Convolution
from maml_core.errors import CheckpointError
from maml_core.evaluation import evaluate
from maml_core.network import MLP, Params
from maml_core.tasks import Batch
from maml_core.training import meta_train

SMALL = {"family": "characters", "hidden": (4, 4), "batch_size": 2, "max_steps": 3}


@dataclass(frozen=True)
class Signs:
    """Which side of a random line points lie on: two classes, a network and a loss from elsewhere."""

    network: MLP = MLP((2, 8, 2))  # noqa: RUF009
    worst = 0.0

    @property
    def layers(self) -> list[list[str]]:
        return self.network.layers

    def init(self, generator: torch.Generator) -> Params:
        return self.network.init(generator)

    def draw(self, generator: torch.Generator, tasks: int) -> dict[str, Tensor]:
        angle, points = torch.rand(tasks, 1, generator=generator), torch.randn(tasks, 20, 2, generator=generator)
        return {"angle": 6.28 * angle, "points": points}

    def batch(self, drawn: dict[str, Tensor]) -> Batch:
        x = drawn["points"]
        y = (x[..., 0] * drawn["angle"].cos() + x[..., 1] * drawn["angle"].sin() > 0).long()
        return Batch(x[:, :10], y[:, :10], x[:, 10:], y[:, 10:])

    def loss(self, params: Params, x: Tensor, y: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(self.network.apply(params, x), y)

    def metrics(self, params: Params, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"accuracy": (self.network.apply(params, x).argmax(1) == y).float().mean(), "loss": self.loss(params, x, y)}


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "reptile", "anil", "meta_sgd"])
def test_a_problem_from_elsewhere_trains_alike_on_each_path(algorithm):
    config = TrainConfig(algorithm=algorithm, alpha=0.3, beta=0.01, max_steps=30, batch_size=10, num_updates=2)
    ends = [list(meta_train(config, problem=Signs(), path=path))[-1] for path in ("eager", "traced")]
    for name, value in ends[0].state.learned.items():
        torch.testing.assert_close(value, ends[1].state.learned[name], rtol=1e-3, atol=1e-4)


def test_a_problem_from_elsewhere_learns_is_measured_saved_and_loaded(tmp_path):
    signs, config = Signs(), TrainConfig(alpha=0.5, beta=0.01, max_steps=400)
    *_, last = meta_train(config, problem=signs)
    before, *_, after = evaluate(last.state.learned, config, problem=signs, num_updates=3, test_tasks=500)
    assert after.mean > 0.8 > 0.6 > before.mean, "it learns to adapt, not to answer"
    assert 0 < after.ci95 < 0.02

    checkpoint.save(tmp_path / "signs.safetensors", Checkpoint(last.state.learned, config, 400, own=signs))
    again = checkpoint.load(tmp_path / "signs.safetensors", problem=signs)
    assert all(torch.equal(again.learned[name], value) for name, value in last.state.learned.items())
    with pytest.raises(CheckpointError, match=r"is for the problem Signs, not for Regression"):
        checkpoint.load(tmp_path / "signs.safetensors")
    with pytest.raises(CheckpointError, match=r"is for the problem Regression, not for Signs"):
        checkpoint.load(PRETRAINED / "maml.safetensors", problem=signs)


@pytest.mark.parametrize("algorithm", METRIC)
def test_what_compares_needs_classes(algorithm):
    config = TrainConfig.of(**SMALL, algorithm=algorithm)
    with pytest.raises(ConfigError, match=f"{algorithm}.* is not possible with Signs: .* needs `way` and `embed`"):
        next(meta_train(config, problem=Signs(), path="eager"))


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "reptile", "anil", "meta_sgd", *METRIC])
def test_every_learner_of_characters_trains_alike_on_each_path(algorithm):
    config = TrainConfig.of(**SMALL, algorithm=algorithm)
    ends = [list(meta_train(config, path=path))[-1] for path in ("eager", "traced")]
    for name, value in ends[0].state.learned.items():
        torch.testing.assert_close(value, ends[1].state.learned[name], rtol=1e-3, atol=1e-4)
    stats = evaluate(ends[0].state.learned, config, num_updates=2, test_tasks=4)
    assert len(stats) == (1 if algorithm in METRIC else 3), "what compares takes no steps"


def test_a_characters_checkpoint_comes_back(tmp_path):
    config = TrainConfig.of(**SMALL)
    *_, last = meta_train(config, path="eager")
    checkpoint.save(tmp_path / "a.safetensors", Checkpoint(last.state.learned, config, 3))
    again = checkpoint.load(tmp_path / "a.safetensors")
    assert again.config == config
    assert again.problem == Classification(Convolution(5, (4, 4)), 5, 1, 3)


def test_the_first_format_is_still_read(tmp_path):
    """It did not say what problem a checkpoint is for; the shipped files of curves are of it."""
    from safetensors import safe_open

    path = PRETRAINED / "maml.safetensors"
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["format_version"] == "1"
    checkpoint.save(tmp_path / "second.safetensors", checkpoint.load(path))
    with safe_open(tmp_path / "second.safetensors", framework="pt") as file:
        assert (file.metadata()["format_version"], file.metadata()["problem"]) == ("2", "Regression")
    assert checkpoint.load(tmp_path / "second.safetensors").config == checkpoint.load(path).config
    save_file(load_file(path), tmp_path / "third.safetensors", metadata | {"format_version": "3"})
    with pytest.raises(CheckpointError, match="has format version 3; this version reads 1 and 2"):
        checkpoint.load(tmp_path / "third.safetensors")


def test_the_first_metric_of_a_curve_is_its_loss():
    problem = problems.of(TrainConfig(), K=3, query=7)
    batch = problem.batch(problem.draw(torch.Generator().manual_seed(0), 1))
    theta, x, y = problem.init(torch.Generator().manual_seed(1)), batch.x_query[0], batch.y_query[0]
    assert x.shape == (7, 1)
    assert next(iter(problem.metrics(theta, x, y).values())) == problem.loss(theta, x, y) == problem.network.mse(theta, x, y)


def test_a_tasks_drawings_do_not_depend_on_each_other():
    """What a network says of one drawing is the same whichever others are asked about with it."""
    problem = problems.of(TrainConfig.of(family="characters"))
    theta, batch = problem.init(torch.Generator()), problem.batch(problem.draw(torch.Generator().manual_seed(2), 1))
    x, y = batch.x_support[0], batch.y_support[0]
    slope = grad(problem.loss)(theta, x, y)
    theta = {name: value - 0.4 * slope[name] for name, value in theta.items()}
    together = problem.network.apply(theta, batch.x_query[0])
    alone = torch.cat([problem.network.apply(theta, one[None]) for one in batch.x_query[0]])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_a_network_of_curves_is_not_asked_about_characters():
    config = TrainConfig()
    with pytest.raises(ConfigError, match="family='characters' is not possible here: the network was trained on 'sinusoid'"):
        problems.of(config, family="characters")
    with pytest.raises(ConfigError, match="norm='none' is not possible with family='characters': choose one of layer_norm"):
        replace(TrainConfig.of(family="characters"), norm="none")
