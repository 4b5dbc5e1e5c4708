"""Made to hurt: what is taken from outside is shown everywhere without an error, and what is refused is refused shortly.

`pytest tests/ui/test_outside.py --hypothesis-profile long` tries thousands.
"""

import json
import os
import re
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save as to_bytes
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import ROUTES
from maml_core import checkpoint, files, runs
from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.config import TrainConfig
from maml_core.training import init
from ui.checkpoints import bundle, cards, comparison, recipe
from ui.checkpoints.comparison import Comparison
from ui.classroom import journal
from ui.lab import component, exports
from ui.lab.state import LabState
from ui.shared import learners
from ui.train import watching

CONFIG = TrainConfig(hidden=(3,))
STATS = {"mean": 1.0, "ci95": 0.1, "median": 0.9, "diverged": 0.0, "tasks": 100}
SAVED = checkpoint.dumps(Checkpoint(init(CONFIG).learned, CONFIG, 5, {"5": {"1": STATS}}, {"path": "traced"}))
MOST_SAID = 500
"""Characters of a refusal."""
ODD = [
    "9" * 5000,
    "٣",
    "²",
    "1_0",
    "-1",
    "007",
    "",
    "\ud83d",
    "x" * 5000,
    "‮",
    "<b>",
    "=1+1",
    "\x00",
    "1e999",
    "nan",
    "../..",
    "None",
]
"""Texts that are no number, or that mean something to somebody."""


@pytest.fixture(autouse=True, scope="module")
def runs_of_our_own(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


def with_metadata(**changes):
    """The saved file with other metadata, as bytes; a text that is None is left out."""
    length = int.from_bytes(SAVED[:8], "little")
    metadata = json.loads(SAVED[8 : 8 + length])["__metadata__"] | changes
    learned = {name: value.contiguous() for name, value in init(CONFIG).learned.items()}
    return to_bytes(learned, {name: text for name, text in metadata.items() if text is not None})


def shown_everywhere(name):
    """All that is done with a checkpoint that was taken. Raises whatever goes wrong."""
    assert "cannot be shown" not in cards.card(name)
    saved, state = learners.get(name), LabState(learners=("maml", name), num_updates=1)
    json.loads(component.payload(state), parse_constant=lambda constant: pytest.fail(constant))
    assert exports.losses_csv(state)
    assert bundle.zipped(name)
    assert recipe.of_checkpoint(saved)
    compile(exports.as_python(state), "code.py", "exec")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([10**12, -(10**12), 1e308, *ODD]) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD) | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["5", "10", "0", "1000000", "1000001", *ODD])
entries = st.fixed_dictionaries(dict.fromkeys(STATS, st.sampled_from([0, 1, -1, 1e-300, 9e11, 1e12, 0.5, None, True]))) | st.just(
    STATS
)
results = st.dictionaries(keys, st.dictionaries(keys, entries, max_size=3) | anything, max_size=3)
runs_told = st.fixed_dictionaries(
    {}, optional={"path": anything, "start": anything | st.fixed_dictionaries({"iteration": anything}), "origin": anything}
)
settings_told = st.dictionaries(st.sampled_from([*CONFIG.to_dict(), *ODD]), anything, max_size=2).map(
    lambda few: CONFIG.to_dict() | few
)


@given(
    results=results | anything,
    run=runs_told | anything,
    config=st.just(CONFIG.to_dict()) | settings_told,
    iterations=st.sampled_from(["5", "0", "999999999999", *ODD]),
)
def test_a_checkpoint_that_is_taken_is_shown_everywhere_and_a_refusal_is_short(results, run, config, iterations):
    texts = {name: json.dumps(value) for name, value in (("results", results), ("run", run), ("config", config))}
    iterations = iterations.encode("utf-8", "replace").decode()
    try:
        name = learners.add(with_metadata(**texts, iterations=iterations), "any.safetensors")
    except CheckpointError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < MOST_SAID
    else:
        shown_everywhere(name)


@pytest.mark.parametrize("key", ["9" * 5000, "٣", "²", "05", "-5", "5.0"])
@pytest.mark.parametrize("level", [1, 2])
def test_a_number_of_shots_or_steps_that_is_none_is_refused(key, level):
    results = {key: {"1": STATS}} if level == 1 else {"5": {key: STATS}}
    with pytest.raises(CheckpointError, match="results must map"):
        learners.add(with_metadata(results=json.dumps(results)))


def test_what_is_taken_can_be_compared():
    name = learners.add(with_metadata(results="{}"))
    assert comparison.table_csv(comparison.measure(Comparison(("maml", name), num_updates=1)))


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"run": json.dumps({"a": [{}] * 20_000})}, "run cannot be read: it has 80,00"),
        ({"config": json.dumps({"a": [{}] * 20_000})}, "config cannot be read: it has 80,00"),
        ({"run": '{"a": ' * 4000 + "1" + "}" * 4000}, "run cannot be read: it is nested deeper"),
        ({"more": "x" * 2**18}, "header of 257 KiB; a checkpoint's may have at most 256"),
        ({"format_version": "3" * 10_000}, "format version 3333"),
        ({"config": json.dumps({"k" * 20_000: 1})}, "unknown setting 'kkk"),
        ({"config": json.dumps(CONFIG.to_dict() | {"hidden": list(range(5000))})}, "hidden="),
        ({"config": json.dumps(CONFIG.to_dict() | {"algorithm": "a" * 20_000})}, "algorithm='aaa"),
    ],
)
def test_a_bomb_is_refused_at_once_and_shortly(metadata, why):
    content, began = with_metadata(**metadata), time.process_time()
    with pytest.raises(CheckpointError, match=why) as refused:
        learners.add(content)
    assert len(str(refused.value)) < MOST_SAID
    assert time.process_time() - began < 1


def test_a_header_that_is_too_long_is_not_read():
    with pytest.raises(CheckpointError, match="has a header of"):
        learners.add(struct.pack("<Q", 50 * 2**20) + b'{"a": [' + b"{}," * 2**20)


@pytest.mark.parametrize("names", [["w" * 20_000], [f"layer{at}" * 20 for at in range(400)]])
def test_long_names_of_tensors_are_quoted_shortly(names):
    (value,) = list(init(CONFIG).learned.values())[:1]
    with pytest.raises(CheckpointError) as refused:
        learners.add(to_bytes({name: value.clone() for name in names}))
    assert len(str(refused.value)) < MOST_SAID


def test_a_damaged_file_costs_its_own_card_alone(monkeypatch):
    name = learners.add(SAVED)
    learners.find(name).write_bytes(b"damaged")
    assert "It cannot be shown" in cards.card(name)

    def broken(saved):
        raise KeyError("anything")

    monkeypatch.setattr(recipe, "of_checkpoint", broken)
    assert "It cannot be shown: its file is damaged." in cards.card("maml")


@given(anything, st.sampled_from(["config.json", "status.json", "about.json", "control.json", "metrics.jsonl"]))
def test_a_damaged_run_is_said_and_takes_nothing_down(value, file):
    folder = learners.runs_folder() / "a-run"
    if not folder.exists():
        runs.create(folder, CONFIG, "traced")
        checkpoint.save(folder / "checkpoints" / "step-000000.safetensors", Checkpoint(init(CONFIG).learned, CONFIG, 0))
    before = (folder / file).read_bytes() if (folder / file).exists() else None
    try:
        for text in (
            json.dumps(value),
            json.dumps(dict.fromkeys(("config", "state", "iteration", "title", "request"), value)),
        ):
            (folder / file).write_bytes(text.encode() + b"\n")
            watching.list_for("token")
            runs.read_request(folder)
            learners.title("run:a-run")
            assert bundle.zipped("run:a-run")
            found, damaged = runs.list_runs(learners.runs_folder())
            assert len(found) + len(damaged) == 1
            assert all(len(why) < MOST_SAID for why in damaged.values())
    finally:
        if before is None:
            (folder / file).unlink()
        else:
            (folder / file).write_bytes(before)


@given(st.lists(anything.map(json.dumps) | st.text(max_size=20), max_size=5))
def test_a_damaged_journal_costs_the_lines_that_cannot_be_read(lines):
    room, _ = journal.open_room()
    path = learners.runs_folder() / ".rooms" / f"{room.code}.jsonl"
    with path.open("ab") as file:
        file.write("\n".join(lines).encode("utf-8", "replace") + b"\n")
    assert journal.find(room.code).code == room.code
    journal.delete(room.code)


APP = Starlette(routes=ROUTES)
ASKED = [route.path for route in APP.routes if "GET" in (getattr(route, "methods", None) or ())]
NAMES = re.findall(
    r"\w+",
    """K alpha seed step num_updates amplitude phase noise shots learners freeze placement hide learner of card answer query room
    has since also have row along conditions tasks measured time rounds name task difference theta x_min x_max present run""",
)


@given(
    st.sampled_from(ASKED),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD) | st.text(max_size=9), min_size=1, max_size=3),
)
def test_no_address_takes_a_route_down_and_refusals_are_short(path, query):
    asked = {name: text.encode("utf-8", "replace").decode() for name, text in query.items()}
    answer = CLIENT.get(path, params=asked)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert len(answer.text) < MOST_SAID * len(asked)


CLIENT = TestClient(APP)


def test_what_killed_uploads_left_is_swept(monkeypatch):
    """Old halves go when the server starts, and with the next upload; a young one may still be written."""
    folder = learners.runs_folder() / ".uploads"
    folder.mkdir(parents=True, exist_ok=True)
    old, young = (files.temporary_for(folder / f"{name}.safetensors") for name in ("old", "young"))
    for sweep in (learners.sweep, lambda: learners.add(SAVED)):
        for path in (old, young):
            path.write_bytes(b"half")
        os.utime(old, (time.time() - 2 * files.ABANDONED,) * 2)
        sweep()
        assert (old.exists(), young.exists()) == (False, True)


def test_an_upload_that_is_killed_leaves_only_what_is_swept(monkeypatch):
    folder = learners.runs_folder() / ".uploads"
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())

    class Killed(BaseException):
        pass

    def killed(*anything):
        raise Killed

    monkeypatch.setattr(checkpoint, "load", killed)
    monkeypatch.setattr(learners.Path, "unlink", lambda self, missing_ok=False: None)
    with pytest.raises(Killed):
        learners.add(with_metadata(seed="7"))
    monkeypatch.undo()
    (left,) = set(folder.iterdir()) - before
    os.utime(left, (0, 0))
    files.sweep(folder)
    assert set(folder.iterdir()) == before
