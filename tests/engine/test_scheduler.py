"""Which run starts when, on real processes: most are a stand-in for the worker that needs no torch and ends when told to."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from maml_core import runs
from maml_core.config import ConfigError, TrainConfig
from maml_core.runs import Limits, Status, scheduler
from maml_core.runs.scheduler import Scheduler, place_in_queue

ROOT = Path(__file__).parents[2]
TINY = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=1500)
STAND_IN = """
import json, pathlib, sys, time, filelock
folder = pathlib.Path(sys.argv[1])
def tell(state):
    status = json.loads((folder / "status.json").read_text()) | {"state": state}
    (folder / ".status").write_text(json.dumps(status))
    (folder / ".status").replace(folder / "status.json")
with (folder / "starts").open("a") as starts:
    starts.write("x")
time.sleep(0.05)  # as if importing
with filelock.FileLock(folder / "run.lock"):
    if json.loads((folder / "status.json").read_text())["state"] == "queued":
        tell("running")
        while not (folder / "end").exists():
            time.sleep(0.005)
        tell((folder / "end").read_text() or "finished")
"""


@pytest.fixture
def stand_in(monkeypatch):
    """Workers are stand-ins; none is left running."""
    children = []

    def launch(folder, log, test_sample):
        children.append(subprocess.Popen([sys.executable, "-c", STAND_IN, str(folder)], stderr=log))
        return children[-1]

    monkeypatch.setattr(scheduler, "_detached", launch)
    yield children
    for child in children:
        child.kill()
        child.wait()


@pytest.fixture
def servers():
    """Makes schedulers, and stops them."""
    made = []

    def make(root, runs=1, per_person=9):
        made.append(Scheduler(root, Limits(runs, per_person)))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def queued(folder, config=TINY):
    runs.create(folder, config, "traced")
    runs.enqueue(folder)
    return folder


def states(root):
    return {run.name: run.state for run in runs.list_runs(root)[0]}


def ticking_until(holds, *servers, seconds=30):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        for server in servers:
            server.tick()
        time.sleep(0.01)


def end(folder, state="finished"):
    (folder / ".end").write_text(state)  # whole when the stand-in sees it
    (folder / ".end").replace(folder / "end")


def test_first_come_first_served_and_never_more_than_the_limit_at_once(tmp_path, servers, stand_in):
    server = servers(tmp_path, runs=2)
    for name in ("d", "b", "c", "a"):
        queued(tmp_path / name)
    ticking_until(lambda: states(tmp_path) == {"d": "running", "b": "running", "c": "queued", "a": "queued"}, server)
    for _ in range(20):
        server.tick()
    assert len(stand_in) == 2
    end(tmp_path / "b", "paused")
    ticking_until(lambda: states(tmp_path) == {"d": "running", "b": "paused", "c": "running", "a": "queued"}, server)
    runs.enqueue(tmp_path / "b")
    (tmp_path / "b" / "end").unlink()
    end(tmp_path / "d")
    ticking_until(lambda: states(tmp_path) == {"d": "finished", "b": "queued", "c": "running", "a": "running"}, server)
    end(tmp_path / "c")
    ticking_until(lambda: states(tmp_path)["b"] == "running", server)
    assert len(stand_in) == 5


def test_room_is_made_before_a_run_starts_and_not_otherwise(tmp_path, stand_in):
    made = []
    server = Scheduler(tmp_path, Limits(1), lambda: made.append(states(tmp_path)))
    try:
        server.tick()
        queued(tmp_path / "a")
        queued(tmp_path / "b")
        ticking_until(lambda: states(tmp_path)["a"] == "running", server)
        assert made == [{"a": "queued", "b": "queued"}]
    finally:
        server.stop()


def test_runs_of_an_earlier_server_count_and_are_not_started_again(tmp_path, servers, stand_in):
    before = servers(tmp_path, runs=1)
    queued(tmp_path / "a")
    queued(tmp_path / "b")
    ticking_until(lambda: states(tmp_path)["a"] == "running", before)
    before.stop()
    assert states(tmp_path)["a"] == "running"
    after = servers(tmp_path, runs=1)
    for _ in range(20):
        after.tick()
    assert (len(stand_in), states(tmp_path)["b"]) == (1, "queued")
    end(tmp_path / "a")
    ticking_until(lambda: states(tmp_path)["b"] == "running", after)


def test_two_servers_on_one_folder_never_start_a_run_twice(tmp_path, servers, stand_in):
    both = [servers(tmp_path, runs=3) for _ in range(2)]
    folders = [queued(tmp_path / name) for name in "abcdef"]
    for folder in folders:
        end(folder)
    go, failures = threading.Barrier(2), []

    def serve(server):
        go.wait()
        try:
            ticking_until(lambda: set(states(tmp_path).values()) == {"finished"}, server)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=serve, args=(server,)) for server in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [(folder / "starts").read_text() for folder in folders] == 6 * ["x"]


def test_when_a_server_stops_another_takes_over(tmp_path, servers, stand_in):
    first, second = servers(tmp_path), servers(tmp_path)
    first.tick()
    queued(tmp_path / "a")
    second.tick()
    assert stand_in == []
    first.stop()
    ticking_until(lambda: states(tmp_path)["a"] == "running", second)


def test_a_process_that_dies_before_it_begins_is_not_started_over_and_over(tmp_path, servers, monkeypatch):
    started = []

    def broken(folder, log, test_sample):
        started.append(subprocess.Popen([sys.executable, "-c", "import no_such_module"], stderr=log))
        return started[-1]

    monkeypatch.setattr(scheduler, "_detached", broken)
    server, folder = servers(tmp_path), queued(tmp_path / "a")
    ticking_until(lambda: states(tmp_path)["a"] == "failed", server)
    for _ in range(20):
        server.tick()
    assert len(started) == 1
    assert "ended before training began (status 1); see log.txt" in runs.look(folder).message
    assert "no_such_module" in (folder / "log.txt").read_text()
    runs.enqueue(folder)  # a person may try again
    ticking_until(lambda: len(started) == 2, server)


def test_a_run_whose_failure_cannot_be_written_is_given_up_too(tmp_path, servers, monkeypatch):
    attempts = []

    def broken(folder, *more):
        attempts.append(folder)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scheduler, "_detached", broken)
    server, folder = servers(tmp_path), queued(tmp_path / "a")
    with monkeypatch.context() as full:
        full.setattr(runs, "write_status", broken)
        server.tick()
        attempts.clear()
        for _ in range(5):
            server.tick()
    assert attempts == []
    assert runs.look(folder).state == "queued"


def test_pausing_and_resuming_while_its_process_comes_up_is_no_failure(tmp_path, servers, stand_in):
    server, folder = servers(tmp_path), queued(tmp_path / "a")
    server.tick()
    runs.ask(folder, "pause")
    stand_in[0].wait(10)
    runs.enqueue(folder)
    ticking_until(lambda: states(tmp_path)["a"] == "running", server)
    assert len(stand_in) == 2


def test_a_removed_run_and_a_damaged_one_do_not_hold_up_the_queue(tmp_path, servers, stand_in):
    server = servers(tmp_path)
    for name in "abc":
        queued(tmp_path / name)
    server.tick()
    runs.delete(tmp_path / "b")
    (tmp_path / "a" / "config.json").write_text("{")
    end(tmp_path / "a")
    ticking_until(lambda: states(tmp_path) == {"c": "running"}, server)


def test_a_started_scheduler_looks_by_itself_and_at_once_when_woken(tmp_path, servers, stand_in, monkeypatch):
    monkeypatch.setattr(scheduler, "TICK_SECONDS", 30)
    server = servers(tmp_path)
    server.start()
    time.sleep(0.1)
    queued(tmp_path / "a")
    server.wake()
    ticking_until(lambda: states(tmp_path)["a"] == "running", seconds=10)


def test_a_round_that_goes_wrong_is_not_the_last(tmp_path, servers, stand_in, monkeypatch, caplog):
    monkeypatch.setattr(scheduler, "TICK_SECONDS", 0.01)
    queued(tmp_path / "a")
    with monkeypatch.context() as broken:
        broken.setattr(runs, "folders", lambda root: 1 / 0)
        server = servers(tmp_path)
        server.start()
        ticking_until(lambda: "division by zero" in caplog.text)
    ticking_until(lambda: states(tmp_path)["a"] == "running")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_killed_server_takes_no_run_with_it_and_the_next_one_finds_them_training(tmp_path, servers):
    """With the real worker, and a server killed with kill -9."""
    server = (
        "import sys, time; from pathlib import Path\n"
        "from maml_core.runs import Limits; from maml_core.runs.scheduler import Scheduler\n"
        "Scheduler(Path(sys.argv[1]), Limits(1, 3, 200)).start(); time.sleep(600)"
    )
    a, b = queued(tmp_path / "a"), queued(tmp_path / "b", TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=100))
    first = subprocess.Popen([sys.executable, "-c", server, str(tmp_path)], cwd=ROOT)
    ticking_until(lambda: runs.look(a).iteration >= 100, seconds=60)
    first.send_signal(signal.SIGKILL)
    first.wait()
    trainer = runs.read_status(a).pid
    second = servers(tmp_path)
    ticking_until(lambda: runs.look(a).state == "finished", second, seconds=60)
    assert runs.read_status(a).pid == trainer
    ticking_until(lambda: runs.look(b).state == "finished", second, seconds=60)
    assert [line["iteration"] for line in runs.read_metrics(a)[0]] == list(range(0, 1501, 100))
    assert (a / "log.txt").read_text() == ""


def waiting(folder, *named):
    """Runs as they would be read: (name, state, ticket)."""
    for name, state, ticket in named:
        runs.create(folder / name, TINY)
        with runs.held(folder / name):
            runs.write_status(folder / name, Status(state if state != "running" else "paused", ticket=ticket))
    found = {run.name: run for run in runs.list_runs(folder)[0]}
    return [replace(found[name], state=state) for name, state, _ in named]


def test_the_queue_tells_each_its_place_and_when_it_starts(tmp_path):
    everybody = waiting(
        tmp_path,
        ("x", "running", 1),
        ("y", "running", 2),
        ("c", "queued", 9),
        ("a", "queued", 5),
        ("b", "queued", 7),
        ("z", "paused", 3),
    )
    left = {"x": 10.0, "y": 30.0, "a": 100.0, "b": 5.0, "c": 1.0}
    assert place_in_queue(everybody, Limits(2, 9), left) == {"a": (1, 10.0), "b": (2, 30.0), "c": (3, 35.0)}
    assert place_in_queue(everybody, Limits(3, 9), left) == {"a": (1, 0.0), "b": (2, 10.0), "c": (3, 15.0)}
    assert place_in_queue(everybody, Limits(1, 9), left) == {"a": (1, 30.0), "b": (2, 130.0), "c": (3, 135.0)}
    assert place_in_queue(everybody, Limits(2, 9), {"x": 10.0, "b": 5.0}) == {"a": (1, 10.0), "b": (2, None), "c": (3, None)}
    assert place_in_queue([], Limits(1, 1), {}) == {}


def test_limits_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("MAML_LAB_MAX_RUNS", raising=False)
    monkeypatch.setenv("MAML_LAB_MAX_RUNS_PER_PERSON", "")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert Limits.from_environment() == Limits(runs=3, per_person=3)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setenv("MAML_LAB_MAX_RUNS_PER_PERSON", "7")
    monkeypatch.setenv("MAML_LAB_TEST_SAMPLE", "2000")
    assert Limits.from_environment() == Limits(runs=1, per_person=7, test_sample=2000)
    for name, field in (("MAX_RUNS_PER_ADDRESS", "per_address"), ("MAX_RUNS_IN_ALL", "in_all"), ("RUNS_MB", "megabytes")):
        monkeypatch.setenv(f"MAML_LAB_{name}", "9")
        assert getattr(Limits.from_environment(), field) == 9
    for wrong in ("0", "-1", "two", "1001", "1.5", "²"):
        monkeypatch.setenv("MAML_LAB_MAX_RUNS", wrong)
        with pytest.raises(ConfigError, match="must be a whole number from 1 to 1000"):
            Limits.from_environment()
