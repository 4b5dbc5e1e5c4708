"""What is taken along loads in plain PyTorch and says what it is; a run's metrics survive damaged lines."""

import csv
import dataclasses
import io
import json
import re
import subprocess
import sys
import zipfile

import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maml_core import checkpoint, runs
from maml_core.arguments import parser
from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.cli import main
from maml_core.config import TrainConfig
from maml_core.runs import worker
from maml_core.training import init
from ui.checkpoints import bundle, recipe, routes
from ui.shared import learners

SHIPPED = learners.shipped()


def get(name, learner):
    return TestClient(Starlette(routes=routes.routes())).get(f"/lab/{name}", params={"learner": learner})


def made(**settings):
    config = TrainConfig(**settings)
    return Checkpoint(init(config).learned, config, iterations=0)


def outputs(saved):
    """Seven inputs, and what maml_core makes of them."""
    x = torch.linspace(-2, 2, 7 * saved.config.inputs).reshape(7, -1)
    return x, saved.network.apply(saved.split()[0], x)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_lines_load_it_in_plain_pytorch(name):
    names: dict = {}
    saved = learners.get(name)
    exec(recipe.load_lines(saved, str(learners.find(name))), names)
    x, wanted = outputs(saved)
    torch.testing.assert_close(names["net"](x), wanted)
    torch.testing.assert_close(names["net"].eval()(x), wanted)


@pytest.mark.parametrize(
    "settings", [{"hidden": (8,)}, {"hidden": (4, 5, 6), "norm": "batch_norm"}, {"algorithm": "meta_sgd", "norm": "batch_norm"}]
)
def test_the_lines_fit_any_network(settings, tmp_path):
    saved, names = made(**settings), {}
    checkpoint.save(tmp_path / "it's mine.safetensors", saved)
    exec(recipe.load_lines(saved, str(tmp_path / "it's mine.safetensors")), names)
    x, wanted = outputs(saved)
    torch.testing.assert_close(names["net"](x), wanted)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_command_is_the_recorded_one(name):
    saved = learners.get(name)

    def meant(command):
        return vars(parser().parse_args(["train", *command.split()[4:]]))

    assert meant(recipe.command(saved)) == meant(saved.run["command"])


def test_a_command_in_a_file_is_not_repeated():
    saved = made()
    saved.run.update(command="curl evil | sh", path="compiled; rm -rf /")
    assert recipe.command(saved) == "python -m maml_core train"


@pytest.mark.parametrize("name", ["maml", "oracle", "meta_sgd", "shipped:maml_batch_norm"])
def test_the_readme_in_the_zip_loads_its_neighbour_without_this_project(name, tmp_path):
    answer = get("bundle.zip", name)
    stem = learners.stem(name)
    assert f'filename="{stem}.zip"' in answer.headers["content-disposition"]
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    folder, saved = tmp_path / stem, learners.get(name)
    assert {file.name for file in folder.iterdir()} == {f"{stem}.safetensors", "config.json", "results.csv", "README.md"}
    text = (folder / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    x, wanted = outputs(saved)
    code += f"\nimport torch\nprint(net(torch.tensor({x.tolist()})).flatten().tolist())"
    told = subprocess.run([sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == pytest.approx(wanted.flatten().tolist(), abs=1e-4)
    assert recipe.command(saved) in text
    assert recipe.result_cell(saved.results["10"]["5"]) in text
    assert TrainConfig.from_dict(json.loads((folder / "config.json").read_text())) == saved.config
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert len(rows) == 22
    assert float(rows[-1]["mean"]) == saved.results["10"]["10"]["mean"]


def test_a_run_brings_its_metrics(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    folder = tmp_path / "mine"
    (folder / "checkpoints").mkdir(parents=True)
    checkpoint.save(folder / "checkpoints" / "step-000200.safetensors", made(seed=7))
    (folder / "metrics.jsonl").write_text(
        '{"iteration": 100, "loss_before": 3.0, "loss_after": 2.0}\n'
        'damaged\n[1]\n{"iteration": 150, "validation": [3]}\n{"iteration": 160, "loss_before": "much"}\n'
        '{"iteration": 200, "loss_before": 9.0, "loss_after": 9.0}\n'
        '{"iteration": 200, "loss_before": 2.5, "loss_after": 1.5, '
        '"validation": [{"step": 1, "mean": 0.5, "ci95": 0.1, "median": 0.4, "diverged": 0.0}]}\n'
        '{"iteration": 300, "loss_bef'
    )
    archive = zipfile.ZipFile(io.BytesIO(bundle.zipped("run:mine")))
    assert archive.read("mine/metrics.csv").decode().splitlines() == [
        "iteration,loss_before,loss_after,validation_1",
        "100,3.0,2.0,",
        "200,2.5,1.5,0.5",
    ]
    assert "iteration 0 of 70,000" in archive.read("mine/README.md").decode()
    (folder / "checkpoints" / "step-000200.safetensors").write_bytes(b"damaged beyond repair")
    with pytest.raises(CheckpointError, match="damaged"):
        bundle.zipped("run:mine")


def test_what_went_on_from_a_snapshot_is_trained_again_from_its_zip(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    config = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=200)
    runs.create(tmp_path / "first", config, "traced")
    worker.train_run(tmp_path / "first", test_sample=20)
    longer = dataclasses.replace(config, max_steps=300, beta=0.01)
    runs.create(tmp_path / "second", longer, "traced", start=learners.snapshot("first", 100))
    wanted = worker.train_run(tmp_path / "second", test_sample=20)
    zipfile.ZipFile(io.BytesIO(bundle.zipped("run:second"))).extractall(tmp_path / "home")
    command = recipe.command(wanted).split()[3:]
    monkeypatch.chdir(tmp_path / "home" / "second")
    assert main([*command, "--run-dir", "again", "--test-sample", "20", "--quiet"]) == 0
    again = checkpoint.load("again/checkpoints/final.safetensors")
    assert all(torch.equal(again.learned[name], value) for name, value in wanted.learned.items())


@pytest.mark.parametrize("name", learners.LEARNERS)
def test_a_downloaded_checkpoint_is_the_one_in_use(name, tmp_path):
    answer = get("checkpoint", name)
    assert f'filename="{name}.safetensors"' in answer.headers["content-disposition"]
    (tmp_path / "taken.safetensors").write_bytes(answer.content)
    taken = checkpoint.load(tmp_path / "taken.safetensors")
    for key, value in learners.get(name).learned.items():
        assert torch.equal(taken.learned[key], value)


def test_an_own_checkpoint_can_be_taken_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    content = checkpoint.dumps(made())
    assert get("checkpoint", learners.add(content)).content == content


@pytest.mark.parametrize(
    ("name", "learner", "says"),
    [
        ("bundle.zip", "run:gone", "no checkpoint of a run named gone"),
        ("bundle.zip", "random", "has no file"),
        ("bundle.zip", "shipped:x", "no shipped checkpoint x"),
        ("checkpoint", "../../etc/passwd", "there is no learner"),
        ("checkpoint", "maml,anil", "name one learner"),
        ("checkpoint", "", "there is no learner"),
    ],
)
def test_asking_for_what_is_not_there_is_answered_with_a_sentence(name, learner, says):
    answer = get(name, learner)
    assert answer.status_code == 400
    assert says in answer.text
    assert "\n" not in answer.text
