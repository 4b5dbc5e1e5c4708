"""The process that trains a run: killed, paused, stopped, starved of disk, and what is left of the run each time."""

import functools
import hashlib
import io
import itertools
import json
import math
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maml_core import checkpoint, files, runs, training
from maml_core.baselines import VALIDATION_SEED
from maml_core.checkpoint import load
from maml_core.config import TrainConfig
from maml_core.errors import NotHere, RunError, RunIsLive, RunPaused
from maml_core.evaluation import evaluate
from maml_core.runs import metrics, worker

ROOT = Path(__file__).parents[2]
SAMPLE = 200
"""Fresh tasks that a forked worker measures its run on, where their number is not the claim."""
TINY = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=2100)
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals and limits")


def queued(folder, config=TINY):
    runs.create(folder, config, "traced")
    runs.enqueue(folder)
    return folder


def started(folder):
    command = [sys.executable, "-m", "maml_core.runs.worker", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


class Forked:
    """A process as `started` gives it, but from one that has imported torch already.

    limit: bytes of a file that it writes. instead: the name of something that the worker does, and what it does instead.
    """

    def __init__(self, folder, limit=None, instead=None):
        self._said, saying = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_forked, args=(folder, saying, limit, instead))
        self._process.start()
        saying.close()
        self.pid, self.kill = self._process.pid, self._process.kill

    def poll(self):
        return self._process.exitcode

    def wait(self, seconds=None):
        self._process.join(seconds)
        return self._process.exitcode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def communicate(self):
        self.wait()
        try:
            return None, self._said.recv()
        except EOFError:  # it ended in the middle of something
            return None, ""


def _forked(folder, saying, limit, instead):
    if limit is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if instead:
        name, act = instead
        setattr(runs if name == "settle" else worker, name, act)
        worker._validate = lambda *_: []
    sys.stderr = io.StringIO()
    try:
        sys.exit(worker.main(folder, SAMPLE))
    finally:
        saying.send(sys.stderr.getvalue())


if os.name == "nt":
    Forked = started
else:
    FORKS = multiprocessing.get_context("forkserver")
    FORKS.set_forkserver_preload(["maml_core.runs.worker"])


def eventually(holds, process=None, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.005)


def ended(process):
    """Exit status, and what it said."""
    return process.wait(60), process.communicate()[1]


def curve(folder):
    return runs.merged(runs.read_metrics(folder)[0])


def weights(folder):
    return load(runs.final_of(folder)).learned


def same(these, those):
    return these.keys() == those.keys() and all(torch.equal(these[name], those[name]) for name in those)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing happens to."""
    folder = queued(tmp_path_factory.mktemp("runs") / "whole")
    assert ended(started(folder)) == (0, "")
    return folder


def test_a_run_tells_where_it_stands(whole):
    run = runs.look(whole)
    assert (run.state, run.iteration, run.max_steps, run.message) == ("finished", 2100, 2100, "")
    assert 0 < run.seconds < 60
    assert run.rate is not None
    assert 20 < run.rate < 100_000
    assert [line["iteration"] for line in curve(whole)] == list(range(0, 2101, 100))
    assert load(runs.final_of(whole)).results["10"]["1"]["tasks"] == 10_000


def test_the_first_point_is_the_untrained_network_before_anything_is_traced_or_compiled(whole):
    first = json.loads((whole / "metrics.jsonl").read_text().splitlines()[0])
    start = load(runs.snapshots_of(whole)[0])
    stats = evaluate(start.learned, TINY, K=4, num_updates=1, test_tasks=worker.VALIDATION_TASKS, seed=VALIDATION_SEED)
    assert (start.iterations, first["iteration"]) == (0, 0)
    assert [step["mean"] for step in first["validation"]] == pytest.approx([step.mean for step in stats], rel=1e-5)


@posix
def test_killed_at_twenty_random_moments_a_run_loses_nothing_and_ends_in_the_same_bits(whole, tmp_path):
    """kill -9, each time in another moment of starting, tracing, training, validating or saving."""
    folder, moments = queued(tmp_path / "cut"), random.Random(5)
    kills = running = 0
    while kills < 20:
        process = Forked(folder)
        if kills % 4:  # else it may be killed before it has begun
            eventually(lambda: runs.read_status(folder).state != "queued")
        time.sleep(moments.uniform(0, 0.5))
        if runs.look(folder).state == "finished":
            break
        process.kill()
        process.wait()
        kills += 1
        status, run = runs.read_status(folder), runs.look(folder)
        if status.state == "queued":
            continue  # killed before it began
        running += 1
        assert (status.state, run.state) == ("running", "interrupted")
        assert "resuming continues from iteration" in run.message
        assert set(range(0, status.iteration + 1, 100)) <= {0} | {line["iteration"] for line in curve(folder)}
        damaged = [line for line in (folder / "metrics.jsonl").read_bytes().split(b"\n") if line and not metrics._metric(line)]
        assert len(damaged) <= kills
        for snapshot in runs.snapshots_of(folder):
            load(snapshot)
        runs.enqueue(folder)
    assert kills == 20
    assert running > 10
    assert ended(Forked(folder)) == (0, "")
    assert runs.look(folder).state == "finished"
    assert same(weights(folder), weights(whole))
    assert curve(folder) == curve(whole)
    left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert left == {path.name for path in whole.rglob("*") if path.is_file()}


class Killed(BaseException):
    """Stands in for kill -9: from that write on, nothing reaches the disk any more."""


def test_killed_within_any_of_its_writes_a_run_loses_nothing_and_ends_in_the_same_bits(tmp_path, monkeypatch):
    config = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=210)
    monkeypatch.setattr(training, "build", functools.cache(training.build))
    monkeypatch.setattr(worker, "RESULT_UPDATES", 1)
    whole = queued(tmp_path / "whole", config)
    left, write, write_line = math.inf, files.write_atomically, worker._write_line

    def last_one():
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return left == 0

    def killed_in_write(path, content):
        if last_one():
            path.with_name(f".{path.name}.1-1").write_bytes(content[:50])
            raise Killed
        write(path, content)

    def killed_in_line(metrics, line):
        if last_one():
            metrics.write(json.dumps(line)[:30])
            metrics.flush()
            raise Killed
        write_line(metrics, line)

    worker.train_run(whole, test_sample=20)
    for module in (checkpoint, files):
        monkeypatch.setattr(module, "write_atomically", killed_in_write)
    monkeypatch.setattr(worker, "_write_line", killed_in_line)
    for moment in itertools.count(1):
        left, folder = math.inf, queued(tmp_path / str(moment), config)
        left = moment
        try:
            worker.train_run(folder, test_sample=20)
            break
        except Killed:
            left = math.inf
        reached = runs.look(folder).iteration
        assert set(range(0, reached + 1, 100)) <= {0} | {line["iteration"] for line in curve(folder)}
        worker.train_run(folder, test_sample=20)
        assert same(weights(folder), weights(whole))
        assert curve(folder) == curve(whole)
        assert sorted(path.name for path in folder.rglob("*")) == sorted(path.name for path in whole.rglob("*"))
    assert moment > 20


@posix
def test_a_paused_run_saves_frees_its_place_and_resumes_to_the_same_bits(whole, tmp_path):
    folder = queued(tmp_path / "paused")
    process = Forked(folder)
    eventually(lambda: runs.read_status(folder).iteration >= 400, process)
    process.send_signal(signal.SIGSTOP)  # or it may end while the other one starts
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    if sys.platform == "linux":
        assert Path(f"/proc/{process.pid}/oom_score_adj").read_text() == "1000\n", "where memory runs out, a run ends, no server"
    with pytest.raises(RunIsLive, match="is being trained by another process"):
        worker.train_run(folder)
    other = Forked(folder)
    assert ended(other) == (1, "error: paused is being trained by another process; pause or stop it first\n")
    runs.ask(folder, "pause")
    process.send_signal(signal.SIGCONT)
    eventually(lambda: runs.look(folder).state == "paused")
    assert ended(process) == (0, "")
    assert not runs.is_live(folder)
    reached = runs.look(folder).iteration
    assert reached == runs.iteration_of(runs.snapshots_of(folder)[-1]) < 2100
    runs.enqueue(folder)
    assert ended(Forked(folder)) == (0, "")
    assert same(weights(folder), weights(whole))
    assert curve(folder) == curve(whole)


@pytest.mark.clock
def test_a_pause_is_obeyed_within_two_seconds(tmp_path):
    folder = queued(tmp_path / "a", replace(TINY, max_steps=100_000))
    process = Forked(folder)
    eventually(lambda: runs.read_status(folder).iteration >= 100, process)
    runs.ask(folder, "pause")
    asked = time.monotonic()
    eventually(lambda: runs.look(folder).state == "paused")
    assert time.monotonic() - asked < 2
    assert ended(process) == (0, "")


def test_a_stopped_run_leaves_its_checkpoint_at_once(tmp_path):
    folder = queued(tmp_path / "a", TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=100_000))
    process = Forked(folder)
    eventually(lambda: runs.read_status(folder).iteration >= 100, process)
    runs.ask(folder, "stop")
    assert ended(process) == (0, "")
    run, final = runs.look(folder), load(runs.final_of(folder))
    assert run.state == "stopped"
    assert 100 <= run.iteration == final.iterations < 100_000
    assert same(final.learned, load(runs.snapshots_of(folder)[-1]).learned)
    assert final.run["path"] == "traced"
    with pytest.raises(RunError, match="was stopped; start a new run"):
        runs.enqueue(folder)


@posix
def test_a_polite_kill_saves_what_was_trained(tmp_path):
    folder = queued(tmp_path / "a")
    process = started(folder)
    eventually(lambda: runs.read_status(folder).iteration >= 400, process)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (0, "")
    run = runs.look(folder)
    assert run.state == "interrupted"
    assert run.iteration == runs.iteration_of(runs.snapshots_of(folder)[-1]) >= 400


def waiting(*_, **named):
    subprocess.run(["sleep", "600"], check=True)


def computing(*_, **named):
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # one operation, which nothing interrupts


@posix
@pytest.mark.parametrize("request_", ["pause", "stop"])
@pytest.mark.parametrize("where", ["settle", "meta_train", "evaluate"])
@pytest.mark.parametrize("instead", [waiting, computing])
def test_a_run_obeys_at_any_moment(whole, tmp_path, where, instead, request_):
    """While it compiles, trains and measures: what takes ten minutes there ends at once, and nothing that was trained is lost."""
    folder = queued(tmp_path / "a")
    if where == "evaluate":
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        runs.final_of(folder).unlink()
        with runs.held(folder):
            runs.write_status(folder, replace(runs.read_status(whole), state="queued"))
    process = Forked(folder, instead=(where, instead))
    eventually(lambda: runs.read_status(folder).state == "running", process)
    time.sleep(0.2)
    runs.ask(folder, request_)
    assert ended(process) == (0, "")
    run = runs.look(folder)
    assert (run.state, run.iteration) == ({"pause": "paused", "stop": "stopped"}[request_], 2100 if where == "evaluate" else 0)
    assert not (folder / "control.json").exists()
    if request_ == "stop":
        assert load(runs.final_of(folder)).iterations == run.iteration
    elif where == "evaluate":
        runs.enqueue(folder)
        assert ended(Forked(folder)) == (0, "")
        assert same(weights(folder), weights(whole))
        assert load(runs.final_of(folder)).results


@pytest.mark.parametrize("algorithm", ["maml", "pretrained"])
def test_without_signals_a_run_obeys_while_it_is_measured(tmp_path, algorithm):
    """As on Windows, or in a notebook."""
    folder = queued(tmp_path / "a", TrainConfig(algorithm=algorithm, K=4, batch_size=4, hidden=(8, 8), max_steps=10))
    with pytest.raises(RunPaused, match="paused at iteration 10"):
        worker.train_run(folder, on_measure=lambda: runs.ask(folder, "pause"))
    assert runs.look(folder).state == "paused"


def test_a_run_that_was_paused_before_its_process_came_up_does_not_start(tmp_path):
    folder = queued(tmp_path / "a")
    runs.ask(folder, "pause")
    before = (folder / "status.json").read_bytes()
    assert ended(Forked(folder)) == (0, "")
    assert (folder / "status.json").read_bytes() == before
    assert not (folder / "metrics.jsonl").exists()


@posix
def test_a_run_whose_folder_is_removed_ends_and_makes_no_new_one(tmp_path):
    folder = queued(tmp_path / "a")
    process = Forked(folder)
    eventually(lambda: runs.read_status(folder).iteration >= 100, process)
    eventually(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists())
    status, said = ended(process)
    assert status == 1
    assert "was removed or moved while it was being trained" in said
    assert list(tmp_path.iterdir()) == [tmp_path / ".queue.lock"]


@posix
def test_a_run_whose_folder_is_moved_says_so_and_is_all_there_where_it_is_now(whole, tmp_path):
    folder, now = queued(tmp_path / "a"), tmp_path / "elsewhere"
    process = Forked(folder)
    eventually(lambda: runs.read_status(folder).iteration >= 100, process)
    folder.rename(now)
    status, said = ended(process)
    assert status == 1
    assert f"{folder} was removed or moved while it was being trained; if it was moved, resume it where it is now" in said
    assert not folder.exists()
    assert runs.look(now).state == "interrupted"
    worker.train_run(now)
    assert same(weights(now), weights(whole))


@posix
@pytest.mark.parametrize("room", [0, 1000])
def test_a_full_disk_is_said_and_the_run_goes_on_once_there_is_room(tmp_path, room):
    """A limit on the size of files stands in for the disk: what is written beyond it fails."""
    folder, other = queued(tmp_path / "a"), queued(tmp_path / "other")
    before = runs.look(other)
    process = Forked(folder, limit=room)
    status, said = ended(process)
    assert status == 1
    assert "cannot be written: File too large; free some space" in said
    run = runs.look(folder)
    assert (run.state, run.message in said) == (("failed", True) if room else ("queued", True))
    assert runs.look(other) == before
    runs.enqueue(folder)
    process = Forked(folder)
    eventually(lambda: runs.read_status(folder).iteration >= 100, process)
    runs.ask(folder, "pause")
    assert ended(process) == (0, "")


def test_a_disk_that_fills_while_a_run_trains_is_named_and_after_making_room_the_bits_are_the_same(whole, tmp_path):
    """On a real disk without space, where there may be one: its process cannot even write that it failed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.name == "nt" or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], capture_output=True).returncode:
        pytest.skip("no small disk can be made here")
    try:
        folder = queued(disk / "a")
        process = Forked(folder)
        eventually(lambda: runs.read_status(folder).iteration >= 100, process)
        with suppress(OSError), (disk / "other.bin").open("wb", buffering=0) as other:
            while other.write(bytes(4096)):
                pass
        assert ended(process)[0] == 1
        run = runs.look(folder)
        assert (run.state, f"no space is left on the disk of {folder}" in run.message) == ("interrupted", True), run
        assert "make room, then resume: it continues from iteration" in run.message
        (disk / "other.bin").unlink()
        assert "no space" not in runs.look(folder).message
        runs.enqueue(folder)
        assert ended(Forked(folder)) == (0, "")
        assert same(weights(folder), weights(whole))
        assert curve(folder) == curve(whole)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    folder = queued(tmp_path / "a")
    (folder / "metrics.jsonl").mkdir()  # in the way even of root
    status, said = ended(Forked(folder))
    assert (status, runs.look(folder).state) == (1, "failed")
    assert f"error: {folder / 'metrics.jsonl'} cannot be written: Is a directory" in said
    assert "cannot be written" in runs.look(folder).message


def test_a_diverging_run_says_what_to_change_and_keeps_its_last_good_checkpoint(tmp_path):
    folder = queued(tmp_path / "a", TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=300, alpha=10, num_updates=10))
    status, said = ended(Forked(folder))
    run = runs.look(folder)
    assert (status, run.state) == (1, "diverged")
    assert "try a smaller beta or alpha" in run.message
    assert run.message in said
    assert load(runs.latest_checkpoint(folder)).iterations == run.iteration == 0


def test_what_this_machine_lacks_is_said(tmp_path, monkeypatch):
    folder = queued(tmp_path / "a")
    stored = json.loads((folder / "config.json").read_text())
    stored["settings"]["device"] = "cuda"
    (folder / "config.json").write_text(json.dumps(stored))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NotHere, match="sees no CUDA GPU"):
        worker.train_run(folder)
    run = runs.look(folder)
    assert (run.state, "sees no CUDA GPU" in run.message, run.elsewhere) == ("failed", True, True)
    runs.enqueue(folder)
    assert not runs.look(folder).elsewhere


def test_the_rate_is_that_of_the_last_seconds_by_a_clock_that_cannot_jump(tmp_path, monkeypatch):
    folder, now = queued(tmp_path / "a"), 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    work = worker._Work(folder, TINY)
    for seconds, iteration in [(0, 100), (10, 200), (11, 300), (12, 400), (13, 500), (14, 600), (15, 700)]:
        now = 1000.0 + seconds
        monkeypatch.setattr(time, "time", lambda seconds=seconds: 1e9 * (-1) ** seconds)
        work.state = work.state._replace(iteration=iteration)
        work.tell("running", "training")
    status = runs.read_status(folder)
    assert (status.rate, status.seconds) == (100.0, 15.0)
    again = worker._Work(folder, TINY)
    now += 5
    again.tell("running", "starting")
    assert (runs.read_status(folder).rate, runs.read_status(folder).seconds) == (None, 20.0)


def test_old_snapshots_are_thinned_but_never_the_first_or_the_last(tmp_path):
    for step in range(0, 300_000, 1000):
        (tmp_path / f"step-{step:06d}.safetensors").touch()
        (tmp_path / f"step-{step:06d}.state.safetensors").touch()
        worker._thin(tmp_path)
    kept = sorted(p.name for p in tmp_path.glob("step-??????.safetensors"))
    assert len(kept) == worker.KEEP
    assert kept[0] == "step-000000.safetensors"
    assert kept[-1] == "step-299000.safetensors"
    logs = [math.log1p(int(name[5:11])) for name in kept]
    gaps = [b - a for a, b in itertools.pairwise(logs[1:])]  # the first gap, from 0, is infinite in the logarithm
    assert max(gaps) < 5 * min(gaps)
    assert len(list(tmp_path.glob("*.state.safetensors"))) == worker.KEEP
