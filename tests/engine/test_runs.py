"""A run's folder: what is made, read and asked of it, and what a damaged, killed or contested one is taken for."""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maml_core import runs, training
from maml_core.checkpoint import load
from maml_core.config import ConfigError, TrainConfig
from maml_core.errors import RunError, RunIsLive
from maml_core.runs import Limits, RunSettings, Status, worker
from maml_core.runs.scheduler import Scheduler

ROOT = Path(__file__).parents[2]
TINY = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=320)


def made(folder, state=None, config=TINY, **more):
    runs.create(folder, config, "traced", about=more)
    if state:
        with runs.held(folder):
            runs.write_status(folder, Status(state, iteration=7, max_steps=config.max_steps))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = made(tmp_path_factory.mktemp("runs") / "trained")
    worker.train_run(folder, test_sample=20)
    return folder


def files(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.clock
def test_a_new_run_is_made_at_once_and_settled_later(tmp_path):
    began = time.monotonic()
    runs.create(tmp_path / "a", TrainConfig(max_steps=70_000), about={"title": "Mine", "owner": "me"})
    assert time.monotonic() - began < 0.5  # a compilation takes many seconds
    config, settings = runs.read_config(tmp_path / "a")
    assert (config.max_steps, settings, settings.settled) == (70_000, RunSettings("auto", "auto", 1), False)
    run = runs.look(tmp_path / "a")
    assert (run.name, run.state, run.iteration, run.ticket) == ("a", "interrupted", 0, None)
    assert run.about == {"title": "Mine", "note": "", "owner": "me", "network": "", "parent": None}


def test_settling_is_done_once(tmp_path, monkeypatch):
    runs.create(tmp_path, TINY, device="cpu")
    assert runs.settle(tmp_path) == RunSettings("traced", "cpu", 1)
    monkeypatch.setattr(training, "choose_path", lambda config, device: "eager")
    assert runs.settle(tmp_path) == runs.read_config(tmp_path)[1] == RunSettings("traced", "cpu", 1)


def test_a_folder_is_made_a_run_once(tmp_path):
    made(tmp_path / "a")
    with pytest.raises(RunError, match="already holds a run"):
        made(tmp_path / "a")
    with pytest.raises(ConfigError, match="path='fast' is not possible"):
        runs.create(tmp_path / "b", TINY, "fast")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("state", [None, "paused", "interrupted", "failed", "running", "queued"])
def test_what_can_go_on_is_queued(tmp_path, state):
    """A run that says running without a process is interrupted."""
    runs.enqueue(made(tmp_path / "a", state))
    assert runs.look(tmp_path / "a").state == "queued"


@pytest.mark.parametrize(
    ("state", "says"),
    [("finished", "with a larger max_steps"), ("stopped", "from one of its"), ("diverged", "smaller beta or alpha")],
)
def test_what_cannot_go_on_is_told_what_to_do_instead(tmp_path, state, says):
    with pytest.raises(RunError, match=says):
        runs.enqueue(made(tmp_path / "a", state))
    assert runs.look(tmp_path / "a").state == state


def test_tickets_are_never_given_twice_and_waiting_twice_changes_nothing(tmp_path):
    a, b = made(tmp_path / "a"), made(tmp_path / "b")
    runs.enqueue(a)
    runs.enqueue(b)
    runs.enqueue(a)
    assert [runs.look(run).ticket for run in (a, b)] == [1, 2]
    runs.ask(b, "pause")
    assert runs.look(b).ticket is None
    runs.enqueue(b)
    assert runs.look(b).ticket == 3


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(1, per_person=2), "one person can have 2 runs in training or waiting"),
        (Limits(1, per_address=3), "3 runs can be in training or waiting from one address"),
        (Limits(1, in_all=4), "4 runs can be in training or waiting on this server"),
    ],
)
def test_a_person_an_address_and_all_together_have_a_limit(tmp_path, limits, says):
    everybody = [("a", "me", "school"), ("b", "you", "school"), ("c", "he", "home"), ("d", "me", "school"), ("e", "me", "school")]
    for name, owner, network in everybody:
        made(tmp_path / name, owner=owner, network=network)
    for name in "abcd":
        runs.enqueue(tmp_path / name, limits)
    for _ in range(2):
        with pytest.raises(RunError, match=says):
            runs.enqueue(tmp_path / "e", limits)
        runs.enqueue(tmp_path / "a", limits)
    runs.enqueue(tmp_path / "e")
    for name in "ade":
        runs.ask(tmp_path / name, "pause")
    runs.enqueue(tmp_path / "e", limits)


def test_two_processes_that_queue_at_the_same_instant_both_get_a_ticket(tmp_path):
    for name in "abcdefgh":
        made(tmp_path / name)
    script = (
        "import sys, time; from pathlib import Path; from maml_core import runs\n"
        "root = Path(sys.argv[1]); (root / sys.argv[2]).touch()\n"
        "while len(list(root.glob('ready*'))) < 2: time.sleep(0.001)\n"
        "for name in sys.argv[3]: runs.enqueue(root / name)"
    )
    both = [("ready1", "abcd"), ("ready2", "efgh")]
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), *args], cwd=ROOT) for args in both]
    assert [process.wait(60) for process in processes] == [0, 0]
    found, damaged = runs.list_runs(tmp_path)
    assert damaged == {}
    assert sorted(run.ticket for run in found) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("state", "request_", "becomes"),
    [
        ("queued", "pause", "paused"),
        ("running", "pause", "paused"),
        ("interrupted", "pause", "paused"),
        ("paused", "pause", "paused"),
        ("queued", "stop", "stopped"),
        ("running", "stop", "stopped"),
        ("paused", "stop", "stopped"),
        ("failed", "stop", "stopped"),
        ("stopped", "stop", "stopped"),
    ],
)
def test_a_run_without_a_process_obeys_at_once(tmp_path, state, request_, becomes):
    runs.ask(made(tmp_path / "a", state), request_)
    assert runs.look(tmp_path / "a").state == becomes
    assert not (tmp_path / "a" / "control.json").exists()


@pytest.mark.parametrize(("state", "request_"), [("finished", "stop"), ("diverged", "pause"), ("failed", "pause")])
def test_there_is_nothing_to_ask_of_an_ended_run(tmp_path, state, request_):
    with pytest.raises(RunError, match=f"is {state}: there is nothing to {request_}"):
        runs.ask(made(tmp_path / "a", state), request_)


def test_a_live_run_is_asked_and_not_changed(tmp_path):
    folder = made(tmp_path / "a", "running")
    with runs.held(folder):
        assert runs.look(folder).state == "running"
        runs.ask(folder, "pause")
        runs.ask(folder, "stop")
        assert runs.read_request(folder) == "stop"
        for forbidden in (runs.enqueue, worker.train_run):
            with pytest.raises(RunIsLive, match="is being trained by another process"):
                forbidden(folder)
        with pytest.raises(RunError, match="stop it first"):
            runs.delete(folder)
        assert runs.look(folder).state == "running"


def test_a_live_run_whose_config_was_damaged_can_still_be_stopped(tmp_path):
    folder = made(tmp_path / "a", "running")
    (folder / "config.json").write_text("{")
    with runs.held(folder):
        runs.ask(folder, "stop")
        assert runs.read_request(folder) == "stop"


def test_stopping_without_a_process_makes_the_last_snapshot_the_final_checkpoint(trained, tmp_path):
    runs.create(tmp_path / "a", TINY, "traced", start=runs.snapshots_of(trained)[-2])
    runs.enqueue(tmp_path / "a")
    runs.ask(tmp_path / "a", "stop")
    final = load(runs.latest_checkpoint(tmp_path / "a"))
    assert (runs.look(tmp_path / "a").state, final.iterations) == ("stopped", 300)


def test_a_process_id_is_no_sign_of_life(tmp_path):
    """The pid of a killed worker may belong to anybody by now: here, to this living process."""
    folder = made(tmp_path / "a", "running")
    stored = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(stored | {"pid": os.getpid()}))
    run = runs.look(folder)
    assert (run.state, run.iteration) == ("interrupted", 7)
    assert "resuming continues from iteration 0" in run.message


@pytest.mark.parametrize("when", [0, -1e9, 4e9, None], ids=["epoch", "before", "far", "now"])
def test_a_clock_is_no_sign_of_life(tmp_path, when):
    when = time.time() if when is None else when
    folder = made(tmp_path / "a", "running")
    stored = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(stored | {"time": when}))
    assert runs.look(folder).state == "interrupted"
    with runs.held(folder):
        assert runs.look(folder).state == "running"


@contextmanager
def another_account(path, readable):
    """As an account that may not write this file, and perhaps not read it: nobody for root; anybody else loses the right."""
    root, mode = os.geteuid() == 0, path.stat().st_mode
    path.chmod((0o644 if root else 0o444) if readable else (0o600 if root else 0))
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        path.chmod(mode)


@pytest.fixture
def for_all_to_read():
    """A folder that every account may look into: pytest's own is private."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX accounts")
@pytest.mark.parametrize("readable", [True, False])
def test_another_accounts_live_run_is_left_alone(for_all_to_read, readable):
    root = for_all_to_read
    folder = made(root / "a", "running")
    runs.enqueue(made(root / "b"))
    mine = Scheduler(root, Limits(1, 1))
    mine.tick()  # makes the file that says who starts runs, and starts nothing: a trains
    lock = folder / "run.lock"
    with runs.held(folder), another_account(lock, readable):
        assert runs.look(folder).state == "running"
        refused = "is being trained by another process" if readable else "belongs to another account, which may be training it"
        for forbidden in (runs.enqueue, worker.train_run):
            with pytest.raises(RunIsLive, match=refused):
                forbidden(folder)
        with pytest.raises(RunError, match=refused):
            runs.delete(folder)
        Scheduler(root, Limits(9, 9)).tick()
        assert {run.name: run.state for run in runs.list_runs(root)[0]} == {"a": "running", "b": "queued"}
    with another_account(lock, readable):
        assert runs.look(folder).state == ("interrupted" if readable else "running"), "what may not be seen is not dead"
    assert runs.look(folder).state == "interrupted"
    mine.stop()


def test_looking_from_many_threads_takes_nobody_for_a_process(tmp_path):
    import concurrent.futures

    folder = made(tmp_path / "a", "running")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert {run.state for run in pool.map(lambda _: runs.look(folder), range(400))} == {"interrupted"}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"state": "dancing"}',
        b'{"iteration": -1}',
        b'{"seconds": NaN}',
        b'{"ticket": "1"}',
        b"[" * 9999,
    ],
)
def test_a_damaged_status_costs_no_more_than_the_last_word(trained, tmp_path, damage):
    runs.create(tmp_path / "a", TINY, "traced", start=runs.snapshots_of(trained)[1])
    (tmp_path / "a" / "status.json").write_bytes(damage)
    run = runs.look(tmp_path / "a")
    assert (run.state, run.iteration) == ("interrupted", 100)
    assert "status.json is damaged; resuming continues" in run.message
    runs.enqueue(tmp_path / "a")
    assert runs.look(tmp_path / "a").state == "queued"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"\xff",
        b"[" * 9999,
        b'{"config": {"K": 0}, "settings": {"path": "traced", "device": "cpu", "threads": 1}}',
        b'{"config": {}, "settings": []}',
        b'{"config": {}, "settings": {"path": "traced", "device": "tpu", "threads": 1}}',
        b'{"config": {}, "settings": {"path": "traced", "device": "cpu", "threads": 1}, "created": "today"}',
        b'{"config": {}, "settings": {"path": "traced", "device": "cpu", "threads": 1}, "start": 5}',
    ],
)
def test_a_damaged_run_is_named_and_hides_no_other(tmp_path, damage):
    made(tmp_path / "good")
    made(tmp_path / "bad")
    (tmp_path / "bad" / "config.json").write_bytes(damage)
    (tmp_path / "no_run").mkdir()
    made(tmp_path / ".hidden")
    found, damaged = runs.list_runs(tmp_path)
    assert [run.name for run in found] == ["good"]
    assert list(damaged) == ["bad"]
    assert "is damaged" in damaged["bad"]
    runs.enqueue(tmp_path / "good")
    runs.delete(tmp_path / "bad")
    assert runs.list_runs(tmp_path)[1] == {}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"title": 5}', b'{"rights": "all"}', b'{"parent": "a"}', b'{"owner": "\\u0000"}']
)
def test_a_damaged_about_costs_no_more_than_what_it_said(tmp_path, damage):
    folder = made(tmp_path / "a", title="Mine", owner="me")
    (folder / "about.json").write_bytes(damage)
    run = runs.look(folder)
    assert (run.about["title"], run.about["owner"]) == ("", "")
    assert "about.json is damaged" in run.message
    runs.rename(folder, title="Mine again")
    assert (runs.look(folder).about["title"], runs.look(folder).message) == ("Mine again", "")


def test_runs_are_listed_newest_first(tmp_path):
    for name in ("b", "c", "a"):
        made(tmp_path / name)
    assert [run.name for run in runs.list_runs(tmp_path)[0]] == ["a", "c", "b"]
    assert runs.list_runs(tmp_path / "nowhere") == ([], {})


def test_a_run_is_renamed_within_limits(tmp_path):
    folder = made(tmp_path / "a", title="one", note="two\nlines", owner="me")
    runs.rename(folder, title="α = 0.01, 5 Punkte 🎉")
    assert runs.look(folder).about == {
        "title": "α = 0.01, 5 Punkte 🎉",
        "note": "two\nlines",
        "owner": "me",
        "network": "",
        "parent": None,
    }
    for given_, says in [
        ({"title": "x" * 61}, "the title has 61 characters; it can have at most 60"),
        ({"note": "x" * 501}, "at most 500"),
        ({"title": "two\nlines"}, "control character"),
        ({"note": "bell\a"}, "control character"),
        ({"title": "\ud800"}, "control character"),
    ]:
        before = files(folder)
        with pytest.raises(RunError, match=says):
            runs.rename(folder, **given_)
        assert files(folder) == before


def test_a_deleted_run_is_gone_and_nothing_else_is_deleted(tmp_path):
    made(tmp_path / "a")
    (tmp_path / "photos").mkdir()
    runs.delete(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    for name in ("photos", "a"):
        with pytest.raises(RunError, match="holds no run"):
            runs.delete(tmp_path / name)
    for action in (runs.look, runs.enqueue, lambda run: runs.ask(run, "stop"), lambda run: runs.rename(run, title="x")):
        with pytest.raises(RunError, match="holds no run"):
            action(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_run_can_start_from_a_snapshot_and_then_ends_in_the_same_bits(trained, tmp_path):
    start = trained / "checkpoints" / "step-000200.safetensors"
    runs.create(tmp_path / "a", TINY, "traced", start=start, about={"title": "again"})
    assert runs.look(tmp_path / "a").about["parent"] == {"run": "trained", "iteration": 200}
    assert [line["iteration"] for line in runs.read_metrics(tmp_path / "a")[0]] == [0, 100, 200]
    done = worker.train_run(tmp_path / "a", test_sample=20)
    whole = load(runs.final_of(trained))
    assert all(done.learned[name].equal(whole.learned[name]) for name in whole.learned)
    assert runs.merged(runs.read_metrics(tmp_path / "a")[0]) == runs.merged(runs.read_metrics(trained)[0])
    assert done.run["start"] == {"run": "trained", "iteration": 200}


def test_a_run_that_starts_from_a_snapshot_may_change_all_but_what_is_learned(trained, tmp_path):
    start = runs.snapshots_of(trained)[1]
    changed = TrainConfig(K=5, batch_size=3, hidden=(8, 8), max_steps=130, algorithm="fomaml", beta=0.01)
    runs.create(tmp_path / "a", changed, "traced", start=start)
    assert worker.train_run(tmp_path / "a", test_sample=20).iterations == 130
    for config, says in [
        (TrainConfig(hidden=(8, 9)), "it learns other weights"),
        (TrainConfig(hidden=(8, 8), algorithm="meta_sgd"), "it learns other weights"),
        (TrainConfig(hidden=(8, 8), max_steps=100), "is already at iteration 100; choose more"),
    ]:
        with pytest.raises(RunError, match=says):
            runs.create(tmp_path / "b", config, start=start)
    with pytest.raises(RunError, match="no training state beside it"):
        runs.create(tmp_path / "b", TINY, start=runs.final_of(trained))
    with pytest.raises(RunError, match="no training state beside it"):
        runs.create(tmp_path / "b", TINY, start=tmp_path / "checkpoints" / "step-000001.safetensors")
    assert not (tmp_path / "b").exists()


LINES = st.lists(
    st.one_of(
        st.integers(0, 900).map(lambda i: json.dumps({"iteration": i, "loss_after": 0.5}).encode()),
        st.sampled_from([b"", b"{", b"7", b"null", b'{"iteration": -1}', b'{"iteration": true}', b'{"iteration": 1, "x": NaN}']),
        st.binary(max_size=20).map(lambda noise: noise.replace(b"\n", b"")),
    )
)


@given(LINES, st.data())
def test_metrics_read_while_they_are_written_are_each_read_once(tmp_path_factory, lines, data):
    folder, offset, seen = tmp_path_factory.mktemp("m"), 0, []
    content = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=4)))
    for cut in (*cuts, len(content)):
        (folder / "metrics.jsonl").write_bytes(content[:cut])
        new, offset = runs.read_metrics(folder, offset)
        seen += new
    assert seen == runs.read_metrics(folder)[0]
    assert offset == len(content)
    assert [line["iteration"] for line in seen if "loss_after" in line] == [
        json.loads(line)["iteration"] for line in lines if b"loss_after" in line
    ]
    assert all(type(line["iteration"]) is int and line["iteration"] >= 0 for line in seen)


def test_of_a_repeated_iteration_the_later_line_wins():
    lines = [{"iteration": 0, "x": 1}, {"iteration": 200, "x": 2}, {"iteration": 100, "x": 3}, {"iteration": 200, "x": 4}]
    assert [line["x"] for line in runs.merged(lines)] == [1, 3, 4]


def test_metrics_that_became_shorter_are_read_from_their_beginning(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"iteration": 0}\n')
    assert runs.read_metrics(tmp_path, 1000) == ([{"iteration": 0}], 17)
    assert runs.read_metrics(tmp_path / "nowhere", 5) == ([], 0)
