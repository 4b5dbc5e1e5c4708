"""Own checkpoints: kept, found again, or refused in one sentence."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maml_core import checkpoint
from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.config import TrainConfig
from maml_core.training import init
from ui import engine, library
from ui.state import LabState


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path / "runs"))


def made(**settings):
    config = TrainConfig(**settings)
    return Checkpoint(init(config).learned, config, iterations=0)


def test_an_uploaded_checkpoint_is_a_learner():
    own = made(hidden=(12,), alpha=0.03, seed=4)
    content = checkpoint.dumps(own)
    name = library.add(content)
    assert library.role(name) == "own"
    again = library.get(name)
    assert again.config == own.config
    for key, value in own.learned.items():
        assert torch.equal(again.learned[key], value)
    assert library.add(content) == name, "the same file has the same name"
    run, maml = engine.trajectories((name, "maml"), ((0.0, 1.0), (2.0, -1.0)), 2.0, 1.0, 0.01, 3)
    assert run.moved.shape == (4, 2)
    assert maml.moved.shape == (4, 3)
    assert [path.suffix for path in (library.runs_folder() / ".uploads").iterdir()] == [".safetensors"], "nothing else is left"


@pytest.mark.parametrize(
    "settings", [{"norm": "batch_norm", "hidden": (8, 8)}, {"algorithm": "oracle"}, {"algorithm": "meta_sgd"}]
)
def test_every_kind_of_checkpoint_can_be_shown(settings):
    name = library.add(checkpoint.dumps(made(**settings)))
    (run,) = engine.trajectories((name,), ((0.0, 1.0), (2.0, -1.0)), 2.0, 1.0, 0.01, 2)
    assert run.curves.shape == (3, 201)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.integers(8, 400).map(lambda n: checkpoint.dumps(made(hidden=(3,)))[:n]))
def test_what_is_no_checkpoint_is_refused_in_one_sentence(content):
    with pytest.raises(CheckpointError) as refused:
        library.add(content)
    assert "\n" not in str(refused.value)
    assert "arriving" not in str(refused.value)
    assert not any((library.runs_folder() / ".uploads").iterdir())


def test_a_network_too_large_to_draw_is_refused():
    with pytest.raises(CheckpointError, match="264,193 numbers; the lab shows networks of up to 100,000"):
        library.add(checkpoint.dumps(made(hidden=(512, 512))))


def test_many_people_may_bring_the_same_file_at_once():
    content = checkpoint.dumps(made(hidden=(12,)))
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: library.add(content), range(24)))
    assert len(names) == 1
    library.get(names.pop())


def test_the_oldest_uploads_make_room(monkeypatch):
    monkeypatch.setattr(library, "KEEP_UPLOADS", 2)
    first, *_, last = [library.add(checkpoint.dumps(made(hidden=(3,), seed=seed))) for seed in range(4)]
    library.get(last)
    with pytest.raises(CheckpointError, match="upload it again"):
        library.version(first)


def test_a_run_is_a_learner_and_follows_it():
    folder = library.runs_folder() / "mine" / "checkpoints"
    folder.mkdir(parents=True)
    assert library.trained_here() == []
    with pytest.raises(CheckpointError, match="no checkpoint of a run named mine"):
        library.get("run:mine")
    checkpoint.save(folder / "step-000000.safetensors", made(seed=1))
    assert library.trained_here() == ["run:mine"]
    assert library.get("run:mine").config.seed == 1
    before = engine.trajectories(("run:mine",), ((0.0, 1.0),), 2.0, 1.0, 0.01, 1)
    checkpoint.save(folder / "final.safetensors", made(seed=2))
    assert library.get("run:mine").config.seed == 2
    assert (before[0].curves != engine.trajectories(("run:mine",), ((0.0, 1.0),), 2.0, 1.0, 0.01, 1)[0].curves).any()


def test_a_folder_that_cannot_be_written_is_said(monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", "/proc/nowhere")
    with pytest.raises(CheckpointError, match="the server cannot keep uploads"):
        library.add(checkpoint.dumps(made(hidden=(3,))))
    assert library.trained_here() == []


@pytest.mark.parametrize("path", sorted(library.PRETRAINED.glob("*.safetensors")), ids=lambda path: path.stem)
def test_every_shipped_checkpoint_has_a_name_a_title_and_a_file(path):
    (name,) = (name for name in library.shipped() if library.find(name) == path)
    assert library.stem(name) == path.stem
    assert ":" not in library.title(name)
    state, problems = LabState.from_query({"learners": f"maml,{name}" if name != "maml" else name})
    assert problems == []
    assert library.look(name).label == library.title(name)
    (run,) = engine.trajectories((state.learners[-1],), state.points, 2.0, 1.0, 0.01, 1)
    assert run.curves.shape == (2, 201)


def test_seeds_are_not_shown_and_names_do_not_leave_the_folder():
    assert not any("seed" in name or "-2" in name for name in library.shipped())
    with pytest.raises(CheckpointError, match="there is no shipped checkpoint nothing"):
        library.get("shipped:nothing")
    for name in ("shipped:seeds/maml_best-2", "shipped:../app", "shipped:", "shipped:Maml"):
        _, problems = LabState.from_query({"learners": name})
        assert "there is no learner" in problems[0]


def test_uploads_are_listed_newest_first():
    names = [library.add(checkpoint.dumps(made(hidden=(3,), seed=seed))) for seed in range(3)]
    for age, name in enumerate(names):
        os.utime(library.find(name), (1000 + age, 1000 + age))
    assert library.uploads() == names[::-1]
    assert len({library.title(name) for name in names}) == 3
