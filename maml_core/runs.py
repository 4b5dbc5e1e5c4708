"""A run's folder on disk (config, status, metrics, checkpoints), and training into one, to be interrupted and resumed."""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from maml_core import checkpoint as ckpt
from maml_core.baselines import tune_alpha
from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.config import JOINT, ConfigError, TrainConfig
from maml_core.evaluation import evaluate
from maml_core.training import Record, State, TrainingDiverged, choose_path, init, meta_train

SAVE_EVERY = 1000
"""Meta-iterations between two checkpoints, each with a validation."""
KEEP = 10
"""Checkpoints kept in a run's folder: the first, the last, and others spread evenly in log(iteration)."""
VALIDATION_TASKS = 300
RESULT_SHOTS = (5, 10)
RESULT_UPDATES = 10


class RunError(RuntimeError):
    """A run folder that cannot be used as asked. The message says why and what to do."""


@dataclass(frozen=True)
class RunSettings:
    """How a run is executed. Recorded when it starts and kept when it resumes: the bits depend on it."""

    path: str
    device: str
    threads: int

    @classmethod
    def choose(cls, config: TrainConfig, path: str = "auto", device: str = "auto", threads: int = 1) -> "RunSettings":
        """Resolve "auto". Raises ConfigError if CUDA is asked for and missing."""
        cuda = torch.cuda.is_available()
        if device == "cuda" and not cuda:
            raise ConfigError("device='cuda' is not possible: this PyTorch sees no CUDA GPU; use device='cpu' or 'auto'")
        device = ("cuda" if cuda else "cpu") if device == "auto" else device
        return cls(choose_path(config, device) if path == "auto" else path, device, threads)


def create(folder: Path, config: TrainConfig, settings: RunSettings) -> None:
    """Make the folder of a new run. Raises RunError if there is a run in it or it cannot be written."""
    if (folder / "config.json").exists():
        raise RunError(f"{folder} already holds a run; add --resume to go on with it, or choose another --run-dir")
    try:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        _write_json(folder / "config.json", {"config": config.to_dict(), "settings": vars(settings)})
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}; choose another --run-dir") from None


def read_config(folder: Path) -> tuple[TrainConfig, RunSettings]:
    """What the run in this folder is. Raises RunError if there is none, or its config.json is damaged."""
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return TrainConfig.from_dict(stored["config"]), RunSettings(**stored["settings"])
    except FileNotFoundError:
        raise RunError(f"{folder} holds no run (there is no config.json in it); start one without --resume") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder / 'config.json'} is damaged ({error}); start a new run in another --run-dir") from None


def latest_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of the run in this folder (or of a folder of checkpoints). Raises RunError if there is none."""
    inside = folder / "checkpoints"
    found = [p for p in (inside if inside.is_dir() else folder).glob("*.safetensors") if ".state" not in p.name]
    if not found:
        raise RunError(f"there is no checkpoint (*.safetensors) in {folder}")
    return max(found, key=lambda p: (p.stem == "final", p.stat().st_mtime, p.name))


def train(folder: Path, *, result_tasks: int = 10_000, on_record: Callable[[Record], None] = lambda record: None) -> Checkpoint:
    """Train the run in this folder from where it stands to its end.

    Appends to metrics.jsonl, keeps status.json and checkpoints up to date, and measures the final checkpoint on
    result_tasks fresh tasks. A KeyboardInterrupt saves what there is, marks the run interrupted and is raised again.

    Raises:
        RunError: the folder holds no run, or cannot be written.
        TrainingDiverged: the loss stopped being finite; the last good checkpoint is kept.
    """
    config, settings = read_config(folder)
    torch.set_num_threads(settings.threads)
    state = _last_state(folder, config)
    execution = vars(settings) | {"torch": torch.__version__}

    def keep(state: State) -> None:
        name = folder / "checkpoints" / f"step-{state.iteration:06d}.safetensors"
        ckpt.save_state(name.with_suffix(".state.safetensors"), state)
        ckpt.save(name, Checkpoint(state.learned, config, state.iteration, run=execution))
        _thin(folder / "checkpoints")

    def status(word: str, message: str = "") -> None:
        _write_json(
            folder / "status.json",
            {
                "state": word,
                "iteration": state.iteration,
                "max_steps": config.max_steps,
                "pid": os.getpid(),
                "time": time.time(),
                "message": message,
            },
        )

    try:
        status("running")
        if state.iteration == 0:
            keep(state)
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
            for record in meta_train(config, state=state, path=settings.path, device=settings.device):
                state = record.state
                line: dict[str, Any] = {
                    "iteration": record.iteration,
                    "loss_before": record.loss_before,
                    "loss_after": record.loss_after,
                }
                if state.iteration % SAVE_EVERY == 0:
                    keep(state)
                    validation = evaluate(
                        state.learned, config, K=config.K, num_updates=config.num_updates, test_tasks=VALIDATION_TASKS
                    )
                    line["validation"] = [stats._asdict() for stats in validation]
                metrics.write(json.dumps(line) + "\n")
                metrics.flush()
                status("running")
                on_record(record)
        done = _measured(config, state, execution, result_tasks)
        ckpt.save(folder / "checkpoints" / "final.safetensors", done)
        status("finished")
        return done
    except KeyboardInterrupt:
        keep(state)
        status("interrupted", "stopped by the user; resume to go on")
        raise
    except TrainingDiverged as error:
        state = error.last
        keep(state)
        status("diverged", str(error))
        raise
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from None


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


def _last_state(folder: Path, config: TrainConfig) -> State:
    """The newest readable training state of the run, or its start."""
    for path in sorted((folder / "checkpoints").glob("step-*.state.safetensors"), reverse=True):
        try:
            return ckpt.load_state(path, config)
        except CheckpointError:
            continue
    return init(config)


def _thin(folder: Path) -> None:
    """Keep KEEP snapshots: drop the one closest to its neighbours in log(iteration), never the first or the last."""
    snapshots = sorted(p for p in folder.glob("step-*.safetensors") if ".state" not in p.name)
    while len(snapshots) > KEEP:
        at = [math.log1p(int(p.stem.removeprefix("step-"))) for p in snapshots]
        closest = min(range(1, len(at) - 1), key=lambda i: at[i + 1] - at[i - 1])
        dropped = snapshots.pop(closest)
        dropped.unlink(missing_ok=True)
        dropped.with_suffix(".state.safetensors").unlink(missing_ok=True)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=1), encoding="utf-8")
    temporary.replace(path)
