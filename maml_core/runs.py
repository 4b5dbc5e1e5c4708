"""A run's folder on disk (config, status, metrics, checkpoints), and training into one, to be interrupted and resumed."""

import json
import math
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import torch

from maml_core import checkpoint as ckpt
from maml_core.baselines import VALIDATION_SEED, tune_alpha
from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.config import JOINT, ConfigError, TrainConfig
from maml_core.evaluation import StepStats, evaluate
from maml_core.files import write_atomically
from maml_core.training import PATHS, Record, State, TrainingDiverged, choose_path, init, meta_train

SAVE_EVERY = 1000
"""Meta-iterations between two checkpoints, each with a validation."""
KEEP = 10
"""Checkpoints kept in a run's folder: the first, the last, and others spread evenly in log(iteration)."""
VALIDATION_TASKS = 1000
RESULT_SHOTS = (5, 10)
RESULT_UPDATES = 10
STATE = ".state.safetensors"
DEVICES = ("auto", "cpu", "cuda")


class RunError(RuntimeError):
    """A run folder that cannot be used as asked. The message says why and what to do."""


class RunFailed(RuntimeError):
    """A run that broke off by itself. The message says where the details are."""


@dataclass(frozen=True)
class RunSettings:
    """How a run is executed. Recorded when it starts and kept when it resumes: the bits depend on it.

    Raises:
        ConfigError: a setting is unknown, or CUDA is asked for and missing.
    """

    path: str
    device: str
    threads: int

    def __post_init__(self) -> None:
        if self.path not in PATHS:
            raise ConfigError(f"path={self.path!r:.60} is not possible: choose one of {', '.join(PATHS)}")
        if self.device not in DEVICES[1:]:
            raise ConfigError(f"device={self.device!r:.60} is not possible: choose one of {', '.join(DEVICES)}")
        if type(self.threads) is not int or not 1 <= self.threads <= 256:
            raise ConfigError(f"threads={self.threads!r:.60} is not possible: it must be between 1 and 256")
        choose_device(self.device)

    @classmethod
    def choose(cls, config: TrainConfig, path: str = "auto", device: str = "auto", threads: int = 1) -> "RunSettings":
        """The settings with every "auto" resolved for this machine and the length of this run."""
        device = choose_device(device)
        return cls(choose_path(config, device) if path == "auto" else path, device, threads)


def choose_device(device: str = "auto") -> str:
    """A GPU if there is one, for "auto". Raises ConfigError if CUDA is asked for and missing."""
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise ConfigError("device='cuda' is not possible: this PyTorch sees no CUDA GPU; use device='cpu' or 'auto'")
    return ("cuda" if cuda else "cpu") if device == "auto" else device


def create(folder: Path, config: TrainConfig, path: str = "auto", device: str = "auto", threads: int = 1) -> RunSettings:
    """Make the folder of a new run, and settle how it is executed (which may take a compilation).

    Raises:
        ConfigError: a setting is unknown, or asks for what this machine lacks.
        RunError: there is a run in the folder, or it cannot be written.
    """
    try:
        if (folder / "config.json").exists() or any((folder / "checkpoints").glob("*")):
            raise RunError(f"{folder} already holds a run; add --resume to go on with it, or choose another --run-dir")
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        settings = RunSettings.choose(config, path, device, threads)
        _write_json(folder / "config.json", {"config": config.to_dict(), "settings": asdict(settings)})
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}; choose another --run-dir") from None
    return settings


def read_config(folder: Path) -> tuple[TrainConfig, RunSettings]:
    """What the run in this folder is. Raises RunError if there is none, or its config.json is damaged."""
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config, settings = TrainConfig.from_dict(stored["config"]), stored["settings"]
        settings = {name: settings[name] for name in RunSettings.__dataclass_fields__}
    except FileNotFoundError:
        raise RunError(f"{folder} holds no run (there is no config.json in it); start one without --resume") from None
    except OSError as error:
        raise RunError(f"{folder / 'config.json'} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{folder / 'config.json'} is damaged ({error}); start a new run in another --run-dir") from None
    return config, RunSettings(**settings)


def read_status(folder: Path) -> dict[str, Any]:
    """The run's status.json; empty if there is none that can be read."""
    try:
        status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
        return status if isinstance(status, dict) else {}
    except (OSError, ValueError):
        return {}


def latest_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of the run in this folder (or of a folder of checkpoints): the final one, or the furthest.

    Raises:
        RunError: there is none.
    """
    try:
        inside = folder / "checkpoints"
        inside = inside if inside.is_dir() else folder
        found = [inside / "final.safetensors"] if (inside / "final.safetensors").exists() else _snapshots(inside)
        found = found or checkpoints(inside)
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}") from None
    if not found:
        raise RunError(f"there is no checkpoint (*.safetensors) in {folder}")
    return found[-1]


def checkpoints(folder: Path) -> list[Path]:
    """Every checkpoint right in this folder, by name; training states are not checkpoints."""
    return sorted(path for path in folder.glob("*.safetensors") if not path.name.endswith(STATE))


def train(
    folder: Path,
    *,
    result_tasks: int = 10_000,
    on_record: Callable[[Record], None] = lambda record: None,
    on_measure: Callable[[], None] = lambda: None,
) -> Checkpoint:
    """Train the run in this folder from where it stands to its end; a finished one is only read.

    Appends to metrics.jsonl, keeps status.json and checkpoints up to date, calls on_record after every record and on_measure
    before the trained checkpoint is measured on result_tasks fresh tasks. A KeyboardInterrupt saves what there is, marks the
    run interrupted and is raised again.

    Raises:
        RunError: the folder holds no run, cannot be written, or its training state cannot be read.
        TrainingDiverged: the loss stopped being finite; the last good checkpoint is kept.
        RunFailed: anything else; log.txt holds the details.
    """
    config, settings = read_config(folder)
    final = folder / "checkpoints" / "final.safetensors"
    if read_status(folder).get("state") == "finished" and final.exists():
        return ckpt.load(final)
    torch.set_num_threads(settings.threads)
    state = _last_state(folder, config)
    execution = asdict(settings) | {"torch": torch.__version__, "command": f"{config.command} --path {settings.path}"}

    def keep() -> None:
        name = folder / "checkpoints" / f"step-{state.iteration:06d}.safetensors"
        ckpt.save_state(_state_of(name), state, config)
        ckpt.save(name, Checkpoint(state.learned, config, state.iteration, run=execution))
        _thin(folder / "checkpoints")

    def status(word: str, message: str = "") -> None:
        place = {"iteration": state.iteration, "max_steps": config.max_steps}
        _write_json(
            folder / "status.json", {"state": word} | place | {"pid": os.getpid(), "time": time.time(), "message": message}
        )

    try:
        try:
            status("running")
            if state.iteration == 0:
                keep()
            with _appending(folder / "metrics.jsonl") as metrics:
                for record in meta_train(config, state=state, path=settings.path, device=settings.device):
                    line: dict[str, Any] = {
                        "iteration": record.iteration,
                        "loss_before": record.loss_before,
                        "loss_after": record.loss_after,
                    }
                    if record.iteration % SAVE_EVERY == 0:
                        line["validation"] = [stats._asdict() for stats in _validate(config, record.state)]
                    # The line first: where a resume repeats an iteration the later line wins, but nothing mends a gap.
                    metrics.write(json.dumps(line, allow_nan=False) + "\n")
                    metrics.flush()
                    state = record.state
                    if record.iteration % SAVE_EVERY == 0:
                        keep()
                    status("running")
                    on_record(record)
            keep()
            on_measure()
            done = _measured(config, state, execution, result_tasks)
            ckpt.save(final, done)
            status("finished")
            return done
        except KeyboardInterrupt:
            _ignore_further_interrupts()
            keep()
            status("interrupted", "stopped by the user; resume to go on")
            raise
        except TrainingDiverged as error:
            state = error.last
            keep()
            status("diverged", str(error))
            raise
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror or error}") from None
    except (TrainingDiverged, RunError):
        raise
    except Exception as error:
        message = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no further message'}"
        try:
            status("failed", message)
            with (folder / "log.txt").open("a", encoding="utf-8") as log:
                log.write(traceback.format_exc())
        except OSError:
            pass  # the message itself still goes out
        raise RunFailed(f"the run failed: {message:.300}; details are in {folder / 'log.txt'}") from error


def _measured(config: TrainConfig, state: State, execution: dict[str, Any], result_tasks: int) -> Checkpoint:
    """The trained state as a checkpoint with its table of results; a baseline with the step size that suits it best."""
    if config.algorithm in JOINT:
        tuning = tune_alpha(state.learned, config)
        config = replace(config, alpha=tuning.alpha)
        execution = execution | {"alpha_search": {f"{alpha:g}": mean for alpha, mean in tuning.means.items()}}
    results: ckpt.Results = {}
    for k in RESULT_SHOTS:
        steps = evaluate(state.learned, config, K=k, num_updates=RESULT_UPDATES, test_tasks=result_tasks)
        results[str(k)] = {
            str(stats.step): {name: value for name, value in stats._asdict().items() if name != "step"} | {"tasks": result_tasks}
            for stats in steps
        }
    return Checkpoint(state.learned, config, state.iteration, results, execution)


def _validate(config: TrainConfig, state: State) -> list[StepStats]:
    return evaluate(
        state.learned,
        config,
        K=config.K,
        num_updates=config.num_updates,
        test_tasks=VALIDATION_TASKS,
        seed=VALIDATION_SEED,
    )


def _snapshots(folder: Path) -> list[Path]:
    """step-NNNNNN.safetensors in the order of their iterations."""
    numbered = {}
    for path in folder.glob("step-*.safetensors"):
        number = path.name.removeprefix("step-").removesuffix(".safetensors")
        if number.isdecimal():
            numbered[int(number)] = path
    return [numbered[number] for number in sorted(numbered)]


def _state_of(snapshot: Path) -> Path:
    return snapshot.with_suffix(STATE)


def _last_state(folder: Path, config: TrainConfig) -> State:
    """The newest readable training state of the run, or its start if none was ever written."""
    error = None
    for snapshot in reversed(_snapshots(folder / "checkpoints")):
        try:
            return ckpt.load_state(_state_of(snapshot), config)
        except CheckpointError as unreadable:
            error = error or unreadable
    if error:
        raise RunError(f"{folder} cannot be resumed: {error}")
    return init(config)


def _thin(folder: Path) -> None:
    """Keep KEEP snapshots: drop the one closest to its neighbours in log(iteration), never the first or the last."""
    snapshots = _snapshots(folder)
    while len(snapshots) > KEEP:
        at = [math.log1p(int(p.stem.removeprefix("step-"))) for p in snapshots]
        closest = min(range(1, len(at) - 1), key=lambda i: at[i + 1] - at[i - 1])
        dropped = snapshots.pop(closest)
        dropped.unlink(missing_ok=True)
        _state_of(dropped).unlink(missing_ok=True)


def _appending(path: Path) -> TextIO:
    """The file, open for appending whole lines: a last one that a crash cut short is ended first."""
    torn = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
    file = path.open("a", encoding="utf-8", newline="\n")
    if torn:
        file.write("\n")
    return file


def _ignore_further_interrupts() -> None:
    """An impatient second Ctrl-C must not cut short what the first one is saving."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(value, indent=1).encode())
