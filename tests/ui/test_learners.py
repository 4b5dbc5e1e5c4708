"""Own checkpoints: kept, found again, or refused in one sentence."""

import io
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save as to_bytes

from maml_core import checkpoint
from maml_core.checkpoint import Checkpoint, CheckpointError, NoRecipe, Told
from maml_core.config import TrainConfig
from maml_core.training import init
from ui.checkpoints import bundle, cards, comparison, errors, recipe
from ui.checkpoints.comparison import Comparison
from ui.explore import component
from ui.lab import engine, exports
from ui.lab.component import payload
from ui.lab.state import LabState
from ui.shared import learners


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path / "runs"))


def made(**settings):
    config = TrainConfig(**settings)
    return Checkpoint(init(config).learned, config, iterations=0)


def test_an_uploaded_checkpoint_is_a_learner():
    own = made(hidden=(12,), alpha=0.03, seed=4)
    content = checkpoint.dumps(own)
    name = learners.add(content)
    assert learners.role(name) == "own"
    again = learners.get(name)
    assert again.config == own.config
    for key, value in own.learned.items():
        assert torch.equal(again.learned[key], value)
    assert learners.add(content) == name, "the same file has the same name"
    run, maml = engine.trajectories((name, "maml"), ((0.0, 1.0), (2.0, -1.0)), 2.0, 1.0, 0.01, 3)
    assert run.moved.shape == (4, 2)
    assert maml.moved.shape == (4, 3)
    assert {path.suffix for path in (learners.runs_folder() / ".uploads").iterdir()} == {".safetensors", ".json"}


@pytest.mark.parametrize(
    "settings", [{"norm": "batch_norm", "hidden": (8, 8)}, {"algorithm": "oracle"}, {"algorithm": "meta_sgd"}]
)
def test_every_kind_of_checkpoint_can_be_shown(settings):
    name = learners.add(checkpoint.dumps(made(**settings)))
    (run,) = engine.trajectories((name,), ((0.0, 1.0), (2.0, -1.0)), 2.0, 1.0, 0.01, 2)
    assert run.curves.shape == (3, 201)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.integers(8, 400).map(lambda n: checkpoint.dumps(made(hidden=(3,)))[:n]))
def test_what_is_no_checkpoint_is_refused_in_one_sentence(content):
    with pytest.raises(CheckpointError) as refused:
        learners.add(content)
    assert "\n" not in str(refused.value)
    assert "arriving" not in str(refused.value)
    assert not any((learners.runs_folder() / ".uploads").iterdir())


def test_a_network_too_large_to_draw_is_refused():
    with pytest.raises(CheckpointError, match="264,193 parameters; the lab shows networks with up to 100,000"):
        learners.add(checkpoint.dumps(made(hidden=(512, 512))))


def test_many_people_may_bring_the_same_file_at_once():
    content = checkpoint.dumps(made(hidden=(12,)))
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: learners.add(content), range(24)))
    assert len(names) == 1
    learners.get(names.pop())


def test_the_oldest_uploads_make_room(monkeypatch):
    monkeypatch.setattr(learners, "KEEP_UPLOADS", 2)
    first, *_, last = [learners.add(checkpoint.dumps(made(hidden=(3,), seed=seed))) for seed in range(4)]
    learners.get(last)
    with pytest.raises(CheckpointError, match="upload it again"):
        learners.version(first)


def test_a_large_network_is_measuring_where_a_shipped_one_is_a_click():
    large = learners.add(checkpoint.dumps(made(hidden=(200, 200))))
    assert not engine.is_heavy(LabState(learners=("maml",), num_updates=50))
    assert engine.is_heavy(LabState(learners=(large,), num_updates=50))
    assert not engine.is_heavy(LabState(learners=("upload:000000000000",)))


def test_of_uploads_whoever_has_most_makes_room(monkeypatch):
    monkeypatch.setattr(learners, "KEEP_UPLOADS", 3)
    theirs = learners.add(checkpoint.dumps(made(hidden=(3,), seed=0)), owner="one of a class")
    rest = [learners.add(checkpoint.dumps(made(hidden=(3,), seed=seed)), owner="much") for seed in range(1, 4)]
    assert set(learners.uploads()) == {theirs, *rest[1:]}


def test_a_run_is_a_learner_and_follows_it():
    folder = learners.runs_folder() / "mine" / "checkpoints"
    folder.mkdir(parents=True)
    assert learners.trained_here() == []
    with pytest.raises(CheckpointError, match="no checkpoint of a run named mine"):
        learners.get("run:mine")
    checkpoint.save(folder / "step-000000.safetensors", made(seed=1))
    assert learners.trained_here() == ["run:mine"]
    assert learners.get("run:mine").config.seed == 1
    before = engine.trajectories(("run:mine",), ((0.0, 1.0),), 2.0, 1.0, 0.01, 1)
    checkpoint.save(folder / "final.safetensors", made(seed=2))
    assert learners.get("run:mine").config.seed == 2
    assert (before[0].curves != engine.trajectories(("run:mine",), ((0.0, 1.0),), 2.0, 1.0, 0.01, 1)[0].curves).any()


def test_a_folder_that_cannot_be_written_is_said(monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", "/proc/nowhere")
    with pytest.raises(CheckpointError, match="the server cannot store uploads"):
        learners.add(checkpoint.dumps(made(hidden=(3,))))
    assert learners.trained_here() == []


@pytest.mark.parametrize("path", sorted(learners.PRETRAINED.glob("*.safetensors")), ids=lambda path: path.stem)
def test_every_shipped_checkpoint_has_a_name_a_title_and_a_file(path):
    (name,) = (name for name in learners.shipped() if learners.find(name) == path)
    assert learners.stem(name) == path.stem
    assert ":" not in learners.title(name)
    state, problems = LabState.from_query({"learners": f"maml,{name}" if name != "maml" else name})
    assert problems == []
    assert learners.look(name).label == learners.title(name)
    (run,) = engine.trajectories((state.learners[-1],), state.points, 2.0, 1.0, 0.01, 1)
    assert run.curves.shape == (2, 201)


def test_seeds_are_not_shown_and_names_do_not_leave_the_folder():
    assert not any("seed" in name or "-2" in name for name in learners.shipped())
    with pytest.raises(CheckpointError, match="there is no shipped checkpoint nothing"):
        learners.get("shipped:nothing")
    for name in ("shipped:seeds/maml_best-2", "shipped:../app", "shipped:", "shipped:Maml"):
        _, problems = LabState.from_query({"learners": name})
        assert "there is no learner" in problems[0]


def test_uploads_are_listed_newest_first():
    names = [learners.add(checkpoint.dumps(made(hidden=(3,), seed=seed))) for seed in range(3)]
    for age, name in enumerate(names):
        os.utime(learners.find(name), (1000 + age, 1000 + age))
    assert learners.uploads() == names[::-1]
    assert len({learners.title(name) for name in names}) == 3


# Uploads: their titles, who deletes them, and what came from elsewhere


def plain(*widths, value=None, dtype=torch.float32):
    """A state_dict of Linear layers without a recipe, as a file."""
    sizes = list(zip((1, *widths), (*widths, 1), strict=True))
    shapes = {
        f"module.{2 * at}.{kind}": ((b, a) if kind == "weight" else (b,)) for at, (a, b) in enumerate(sizes) for kind in KINDS
    }
    torch.manual_seed(0)
    return to_bytes({n: torch.rand(s, dtype=dtype) if value is None else torch.full(s, value) for n, s in shapes.items()})


KINDS = ("weight", "bias")


@pytest.mark.parametrize(
    ("called", "title"),
    [
        ("my net.safetensors", "my net"),
        ("MAML.safetensors", "MAML (2)"),
        ("a\u202eb\x07\nc.safetensors", "ab c"),
        ("x" * 300 + ".safetensors", "x" * 31 + "…"),
        ("<b>$x$.safetensors", "<b>$x$"),
        ("", "the file"),
    ],
)
def test_an_upload_is_called_by_its_files_name(called, title):
    name = learners.add(checkpoint.dumps(made(hidden=(3,))), called)
    assert learners.title(name) == title
    assert len(learners.look(name).label) <= learners.SHORT_TITLE


def test_two_uploads_are_never_called_the_same():
    names = [learners.add(checkpoint.dumps(made(hidden=(3,), seed=seed)), "net.safetensors") for seed in range(3)]
    assert [learners.title(name) for name in names] == ["net", "net (2)", "net (3)"]
    learners.add(checkpoint.dumps(made(hidden=(3,), seed=1)), "net.safetensors")
    assert learners.title(names[1]) == "net (2)", "the same file again keeps its title"


def test_only_who_uploaded_it_deletes_it_or_one_at_the_server_and_links_say_so():
    content = checkpoint.dumps(made(hidden=(3,)))
    mine, theirs = (learners.add(content, "net.safetensors", owner) for owner in ("me", "you"))
    assert mine != theirs, "nobody loses a checkpoint because somebody else deletes the same"
    for name, owner in ((theirs, "me"), (theirs, ""), ("maml", "me"), (f"upload:../.uploads/{mine[7:]}", "me")):
        assert not learners.may_delete(name, owner, local=False)
        with pytest.raises(CheckpointError, match="only the browser that uploaded"):
            learners.delete(name, owner, local=False)
    learners.delete(mine, "me", local=False)
    learners.delete(theirs, "me", local=True)
    for name in (mine, theirs):
        with pytest.raises(CheckpointError, match="that uploaded checkpoint was deleted from this server"):
            learners.get(name)
    assert learners.uploads() == []
    assert "net" not in learners.title(mine), "nothing of it is kept"
    assert learners.add(content, "net.safetensors", "me") == mine
    assert learners.title(mine) == "net"


def test_what_is_forgotten_leaves_nothing(monkeypatch):
    monkeypatch.setattr(learners, "KEEP_UPLOADS", 2)
    monkeypatch.setattr(learners, "KEEP_DELETED", 1)
    for seed in range(4):
        learners.add(checkpoint.dumps(made(hidden=(3,), seed=seed)), "net")
    assert len(list(learners.find(learners.uploads()[0]).parent.iterdir())) == 4
    for name in learners.uploads():
        learners.delete(name, "", local=True)
    assert len(list((learners.runs_folder() / ".uploads").iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b'{"title": 3, "owner": []}', b"[" * 3000, b"x" * 5000])
def test_a_damaged_word_about_an_upload_costs_its_title_alone(content):
    name = learners.add(checkpoint.dumps(made(hidden=(3,))), "net", "me")
    learners.find(name).with_suffix(".json").write_bytes(content)
    assert learners.title(name) == f"upload {name[7:13]}"
    assert not learners.may_delete(name, "me", local=False)
    learners.get(name)


def test_a_plain_state_dict_is_stored_like_every_upload():
    content = plain(8, 8, dtype=torch.float64)
    with pytest.raises(NoRecipe):
        learners.add(content)
    name = learners.add(content, "theirs.safetensors", told=Told("anil", 0.02, 3))
    assert checkpoint.is_as_saved(learners.find(name), learners.get(name))
    code = recipe.load_lines(learners.get(name), str(learners.find(name)))
    space: dict = {}
    exec(code, space)
    x = torch.linspace(-5, 5, 7)[:, None]
    torch.testing.assert_close(space["net"](x), learners.get(name).network.apply(learners.get(name).learned, x))
    said = recipe.of_checkpoint(learners.get(name))
    assert said.startswith("ANIL, 3 inner steps, α 0.02, hidden layers of 8, 8, trained elsewhere")
    unknown = {"beta", "seed", "max_steps", "family", "K", "batch_size"}
    with zipfile.ZipFile(io.BytesIO(bundle.zipped(name))) as archive:
        files = {Path(file).name: archive.read(file) for file in archive.namelist()}
    assert not unknown & json.loads(files["config.json"]).keys()
    for text in (cards.card(name), files["README.md"].decode()):
        assert "python -m maml_core train" not in text, "how it was trained is not known"
    assert component._about(name, "own", "theirs") | {"K": 0, "steps": 3, "alpha": 0.02} == component._about(
        name, "own", "theirs"
    )


weights = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    value=weights | st.sampled_from([3.4e38, -3.4e38, 1e20, 0.0, 1e-45]),
    algorithm=st.sampled_from(["maml", "fomaml", "reptile", "anil", "pretrained"]),
    alpha=st.sampled_from([1e-6, 0.01, 10.0]),
    steps=st.integers(1, 50),
)
def test_whatever_is_taken_is_shown_everywhere(widths, value, algorithm, alpha, steps):
    """On its card, in the lab, compared, in Explore's words, in a zip, a script and a table: no value may take one down."""
    name = learners.add(plain(*widths, value=value), "any.safetensors", told=Told(algorithm, alpha, steps))
    html = cards.card(name)
    assert "cannot be shown" not in html
    assert "nan" not in html
    assert ("It diverges" in html) == bool(learners.get(name).warning())
    state = LabState(learners=("maml", name), num_updates=2)
    sent = json.loads(payload(state), parse_constant=lambda name: pytest.fail(name))
    assert sent["learners"][1]["trained"]
    compared = comparison.measure(Comparison(("maml", name), num_updates=2))
    assert comparison.finding(compared)
    assert "nan" not in comparison.table(compared).to_html() + comparison.table_csv(compared) + exports.losses_csv(state)
    json.loads(json.dumps(errors.payload(compared)), parse_constant=lambda name: pytest.fail(name))
    assert bundle.zipped(name)
    compile(exports.as_python(state), "code.py", "exec")


def test_an_untrained_network_is_called_that_everywhere():
    folder = learners.runs_folder() / "mine" / "checkpoints"
    folder.mkdir(parents=True)
    checkpoint.save(folder / "step-000000.safetensors", made())
    name = "run:mine@0"
    assert learners.title(name) == "mine, untrained"
    assert "untrained" in cards.card(name)
    for learner, trained in ((name, False), ("random", False), ("pretrained", True), ("maml", True)):
        (about,) = json.loads(payload(LabState(learners=(learner,))))["learners"]
        assert (about["trained"], about["trained_steps"] > 0) == (trained, learner == "maml"), learner
    assert component._about(name, "own", "mine")["steps"] == 0
