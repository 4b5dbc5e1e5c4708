"""The process that trains one run, to be paused, stopped and resumed: `python -m maml_core.runs.worker FOLDER [TASKS]`."""

import json
import math
import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import torch

from maml_core import checkpoint as ckpt
from maml_core import runs
from maml_core.baselines import VALIDATION_SEED, tune_alpha
from maml_core.checkpoint import Checkpoint
from maml_core.config import CLASSIFICATION, JOINT, TEST_SAMPLE, TrainConfig
from maml_core.errors import CheckpointError, ConfigError, NotHere, RunError, RunFailed, RunPaused, TrainingDiverged
from maml_core.evaluation import evaluate
from maml_core.runs import RunSettings
from maml_core.runs.obeying import obeying, stop_like_ctrl_c, undisturbed
from maml_core.training import Record, TrainingState, init, is_compiled, likely_path, meta_train

KEEP = 24
"""Snapshots kept in a run's folder: the first, the last, and others spread evenly in log(iteration)."""
VALIDATION_TASKS, VALIDATION_EPISODES = 1000, 200
"""Of curves, and of drawings, which take far longer to look at."""
RESULT_SHOTS, RESULT_UPDATES = (5, 10), 10
DRAWING_SHOTS, DRAWING_UPDATES = (1, 5), 5
RATE_SECONDS = 5.0
"""How far back the rate looks."""


def main(folder: Path, test_sample: int = TEST_SAMPLE) -> int:
    """Train the run if it is still meant to start, and measure it on so many fresh tasks; returns the exit status.

    What goes wrong stands in status.json and stderr.
    """
    if sys.platform != "win32":  # there, whoever starts this process says so
        os.nice(10)
    with suppress(OSError):  # where memory runs out, Linux ends a run and not the server
        Path("/proc/self/oom_score_adj").write_text("1000")
    stop_like_ctrl_c()
    try:
        with runs.held(folder):
            if runs.read_status(folder).state == "queued":  # else its owner thought better of it meanwhile
                _train_held(folder, test_sample)
    except (RunPaused, KeyboardInterrupt):
        pass
    except (RunError, RunFailed, ConfigError, TrainingDiverged) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def train_run(
    folder: Path,
    *,
    test_sample: int = TEST_SAMPLE,
    on_start: Callable[[RunSettings], None] = lambda settings: None,
    on_record: Callable[[Record], None] = lambda record: None,
    on_measure: Callable[[], None] = lambda: None,
) -> Checkpoint:
    """Train the run in this folder from where it stands to its end, or until it is asked to stop; a finished one is only read.

    Appends to metrics.jsonl, keeps status.json and checkpoints up to date, calls on_start once it is settled how the run is
    executed, on_record after every record, and on_measure before the trained checkpoint is measured on test_sample fresh
    tasks. A KeyboardInterrupt saves what there is, marks the run interrupted and is raised again.

    Raises:
        RunError: the folder holds no run, cannot be written, its training state cannot be read, or another process trains it.
        RunPaused: the run was asked to pause.
        NotHere: the run asks for what this machine lacks.
        TrainingDiverged: the loss stopped being finite; the last good checkpoint is kept.
        RunFailed: anything else; log.txt holds the details.
    """
    runs.read_config(folder)
    with runs.held(folder):
        if runs.read_status(folder).state == "finished" and (final := runs.final_of(folder)).exists():
            return ckpt.load(final)
        with suppress(OSError):
            (folder / "control.json").unlink()  # asked of an earlier process
        return _train_held(folder, test_sample, on_start, on_record, on_measure)


def is_milestone(iteration: int) -> bool:
    """Whether a snapshot is taken and validated here: often at first, where most is learned."""
    return iteration in (0, 100, 200, 300, 500, 700) or iteration % 10 ** max(3, len(str(iteration)) - 2) == 0


class _Work:
    """How far the run has come in this process, told in its status and kept in snapshots."""

    def __init__(self, folder: Path, config: TrainConfig):
        self.folder, self.config, self.state = folder, config, init(config)
        self.execution: dict[str, Any] = {}
        self.before, self.began = runs.read_status(folder), time.monotonic()
        self.marks: deque[tuple[float, int]] = deque()
        """When which iteration was reached, over the last RATE_SECONDS."""

    def keep(self) -> None:
        """Write a snapshot, once it is settled how the run is executed: before that there is nothing new."""
        if self.execution:
            runs.save_snapshot(self.folder, self.state, self.config, self.execution)
            _thin(self.folder / "checkpoints")

    def checkpoint(self) -> Checkpoint:
        """What was trained so far; nothing of it is measured."""
        return Checkpoint(self.state.learned, self.config, self.state.iteration, run=self.execution)

    def obey(self, *_: object) -> None:
        """Raise KeyboardInterrupt if the owner asks for something."""
        if runs.read_request(self.folder):
            raise KeyboardInterrupt

    def end_early(self) -> str | None:
        """Keep what was trained, and end as the owner asks, which is returned; interrupted, if they ask for nothing."""
        request = runs.read_request(self.folder)
        self.keep()
        if request == "stop":
            ckpt.save(runs.final_of(self.folder), self.checkpoint())
            self.tell("stopped")
        elif request == "pause":
            self.tell("paused")
        else:
            self.tell("interrupted", message="interrupted by the user; resume to continue")
        return request

    def tell(self, state: str, phase: str = "training", message: str = "", elsewhere: bool = False) -> None:
        """Write the status. Times and rate are by a clock that does not jump."""
        now, iteration = time.monotonic(), self.state.iteration
        if (state, phase) == ("running", "training"):
            self.marks.append((now, iteration))
        while len(self.marks) > 2 and now - self.marks[0][0] > RATE_SECONDS:
            self.marks.popleft()
        (then, first), (last, reached) = (self.marks[0], self.marks[-1]) if self.marks else ((now, 0), (now, 0))
        status = runs.Status(
            state,
            iteration,
            self.config.max_steps,
            os.getpid(),
            message=message[:500],
            rate=(reached - first) / (last - then) if last > then else None,
            seconds=self.before.seconds + now - self.began,
            phase=phase,
            ticket=self.before.ticket,
            elsewhere=elsewhere,
        )
        runs.write_status(self.folder, status)

    def fail(self, why: str, details: str = "", elsewhere: bool = False) -> None:
        """Say in the status and the log that it failed, as far as they can still be written."""
        with suppress(OSError):
            self.tell("failed", message=why, elsewhere=elsewhere)
        with suppress(OSError):
            if details:
                with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
                    log.write(details)


def _train_held(
    folder: Path,
    test_sample: int = TEST_SAMPLE,
    on_start: Callable[[RunSettings], None] = lambda settings: None,
    on_record: Callable[[Record], None] = lambda record: None,
    on_measure: Callable[[], None] = lambda: None,
) -> Checkpoint:
    """`train_run`, for whoever holds the run."""
    config, settings = runs.read_config(folder)
    work = _Work(folder, config)

    try:
        try:
            work.state = _last_state(folder, config)
            work.tell("running", "starting")
            _sweep(folder)
            with obeying(folder, work.end_early):
                _advance(work, settings, on_start, on_record)
                on_measure()
                work.tell("running", "measuring")
                done = _measured(work, test_sample)
            ckpt.save(runs.final_of(folder), done)
            work.tell("finished")
            return done
        except KeyboardInterrupt:
            with undisturbed():
                request = work.end_early()
            if request == "stop":
                return work.checkpoint()
            if request == "pause":
                raise RunPaused(f"paused at iteration {work.state.iteration:,} of {config.max_steps:,}") from None
            raise
        except TrainingDiverged as error:
            work.state = error.last
            work.keep()
            work.tell("diverged", message=str(error))
            raise
        finally:
            (folder / "control.json").unlink(missing_ok=True)
    except (TrainingDiverged, RunPaused):
        raise
    except OSError as error:
        if not folder.is_dir():
            raise RunError(
                f"{folder} was removed or moved while it was being trained; if it was moved, resume it where it is now"
            ) from None
        where = error.filename or folder  # what is written through an open file has no name in its error: that is the run's own
        why = f"{where} cannot be written: {error.strerror or error}; free some space or correct its permissions, then resume"
        work.fail(why)
        raise RunError(why) from None
    except RunError as error:
        work.fail(str(error))
        raise
    except ConfigError as error:  # the config was checked when it was read: what can fail now is how it is executed
        work.fail(str(error), elsewhere=True)
        raise NotHere(str(error)) from None
    except Exception as error:
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no further message'}"
        work.fail(why, traceback.format_exc())
        raise RunFailed(f"the run failed: {why:.300}; details are in {folder / 'log.txt'}") from error


def _advance(
    work: _Work, settings: RunSettings, on_start: Callable[[RunSettings], None], on_record: Callable[[Record], None]
) -> None:
    """Train from where the run stands to its last iteration."""
    folder, config = work.folder, work.config
    torch.set_num_threads(settings.threads)
    with _appending(folder / "metrics.jsonl") as metrics:
        if work.state.iteration == 0:  # before the wait for a compiler: a first point to look at
            _write_line(metrics, {"iteration": 0, "validation": _validate(config, work.state)})
        work.obey()
        path = likely_path(config) if settings.path == "auto" else settings.path
        work.tell("running", "compiling" if path == "compiled" and not is_compiled(config) else "starting")
        settings = runs.settle(folder)
        work.obey()
        work.execution = asdict(settings) | {"torch": torch.__version__, "command": f"{config.command} --path {settings.path}"}
        if changes := runs.changes(folder):
            work.execution["changes"] = changes
        if start := runs.read_start(folder):
            work.execution["start"] = start
        if work.state.iteration == 0:
            work.keep()
        on_start(settings)
        for record in meta_train(config, state=work.state, path=settings.path, device=settings.device):
            line: dict[str, Any] = {
                "iteration": record.iteration,
                "loss_before": record.loss_before,
                "loss_after": record.loss_after,
            }
            if milestone := is_milestone(record.iteration) or record.iteration == config.max_steps:
                line["validation"] = _validate(config, record.state)
            # The line first: where a resume repeats an iteration the later line wins, but nothing mends a gap.
            _write_line(metrics, line)
            work.state = record.state
            if milestone:
                work.keep()
            work.tell("running", "training")
            on_record(record)
            work.obey()


def _measured(work: _Work, test_sample: int) -> Checkpoint:
    """What was trained as a checkpoint with its table of results; a baseline with the step size that suits it best."""
    learned, config, execution = work.state.learned, work.config, work.execution
    if config.algorithm in JOINT:
        tuning = tune_alpha(learned, config, on_tasks=work.obey)
        config = replace(config, alpha=tuning.alpha)
        execution = execution | {"alpha_search": {f"{alpha:g}": mean for alpha, mean in tuning.means.items()}}
    results: ckpt.Results = {}
    images = config.family in CLASSIFICATION
    shots, last = (DRAWING_SHOTS, DRAWING_UPDATES) if images else (RESULT_SHOTS, RESULT_UPDATES)
    for k in shots:
        steps = evaluate(learned, config, K=k, num_updates=last, test_tasks=test_sample, on_tasks=work.obey)
        results[str(k)] = {
            str(stats.step): {name: value for name, value in stats._asdict().items() if name != "step"} | {"tasks": test_sample}
            for stats in steps
        }
    return Checkpoint(learned, config, work.state.iteration, results, execution)


def _validate(config: TrainConfig, state: TrainingState) -> list[dict[str, Any]]:
    stats = evaluate(
        state.learned,
        config,
        K=config.K,
        num_updates=config.num_updates,
        test_tasks=VALIDATION_EPISODES if config.family in CLASSIFICATION else VALIDATION_TASKS,
        seed=VALIDATION_SEED,
    )
    return [step._asdict() for step in stats]


def _last_state(folder: Path, config: TrainConfig) -> TrainingState:
    """The newest readable training state of the run, or its start if none was ever written."""
    error = None
    for snapshot in reversed(runs.snapshots_of(folder)):
        try:
            return ckpt.load_state(runs.training_state_of(snapshot), config)
        except CheckpointError as unreadable:
            error = error or unreadable
    if error:
        raise RunError(f"{folder} cannot be resumed: {error}")
    return init(config)


def _thin(folder: Path) -> None:
    """Keep KEEP snapshots: drop the one closest to its neighbours in log(iteration), never the first or the last."""
    snapshots = runs.snapshots_in(folder)
    while len(snapshots) > KEEP:
        at = [math.log1p(runs.iteration_of(path)) for path in snapshots]
        closest = min(range(1, len(at) - 1), key=lambda i: at[i + 1] - at[i - 1])
        dropped = snapshots.pop(closest)
        dropped.unlink(missing_ok=True)
        runs.training_state_of(dropped).unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what a killed process left half done, and the checkpoint of an end that is no longer one."""
    inside = folder / "checkpoints"
    halves = [*folder.glob(".*.json.*"), *inside.glob(".*")]
    known = {runs.training_state_of(snapshot) for snapshot in runs.snapshots_of(folder)}
    for path in (*halves, *(set(inside.glob(f"step-*{runs.TRAINING_STATE_SUFFIX}")) - known), runs.final_of(folder)):
        path.unlink(missing_ok=True)


def _appending(path: Path) -> TextIO:
    """The file, open for appending whole lines: a last one that a crash cut short is ended first."""
    torn = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
    file = path.open("a", encoding="utf-8", newline="\n")
    if torn:
        file.write("\n")
    return file


def _write_line(metrics: TextIO, line: dict[str, Any]) -> None:
    metrics.write(json.dumps(line, allow_nan=False) + "\n")
    metrics.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
