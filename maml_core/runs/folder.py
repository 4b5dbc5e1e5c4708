"""A run's folder as a whole: beginning one, looking at it, listing many, and removing one."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from maml_core.config import TrainConfig
from maml_core.errors import RunError, RunIsLive
from maml_core.files import write_atomically, write_json
from maml_core.runs.about import checked_about, read_about
from maml_core.runs.execution import RunSettings, choose_device
from maml_core.runs.metrics import merged, read_metrics
from maml_core.runs.recipe import changes, check_exists, read_recipe, writing
from maml_core.runs.snapshots import furthest, save_snapshot, training_state_at
from maml_core.runs.status import Status, goes_on, held, is_live, read_status


@dataclass(frozen=True)
class Run:
    """Everything there is to show about a run, read at one moment. `config` to `about` as given, the rest as in Status."""

    name: str
    folder: Path
    config: TrainConfig
    settings: RunSettings
    about: dict[str, Any]
    """title, note, owner, network, and parent: None, or the {"run", "iteration"} that it went on from."""
    created: float
    state: str
    iteration: int
    max_steps: int
    phase: str
    message: str
    rate: float | None
    seconds: float
    ticket: int | None
    """While queued."""
    elsewhere: bool
    time: float


def create(
    folder: Path,
    config: TrainConfig,
    path: str = "auto",
    device: str = "auto",
    threads: int = 1,
    *,
    start: Path | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Make the folder of a new run. Nothing is compiled, and nothing starts: see `enqueue`, and worker.train_run.

    start: a snapshot of any run, to go on from under this config.
    about: title, note, owner, network, parent.

    Raises:
        ConfigError: a setting is unknown, or asks for what this machine lacks.
        RunError: there is a run in the folder, it cannot be written, or this config cannot go on from that snapshot.
    """
    settings = RunSettings(path, device, threads)
    if device == "cuda":
        choose_device(device)
    known = checked_about(about or {})
    stored = {"config": config.to_dict(), "settings": asdict(settings), "created": time.time()}
    begun = None
    if start:
        begun = training_state_at(start, config)
        stored["start"] = {"run": start.parent.parent.name, "iteration": begun.iteration}
    try:
        if folder.exists() and (any((folder / "checkpoints").glob("*")) or (folder / "config.json").exists()):
            raise RunError(f"{folder} already holds a run; add --resume to continue it, or choose another --run-dir")
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        with held(folder):
            if (folder / "config.json").exists():
                raise RunError(f"{folder} already holds a run; choose another name")
            if start and begun:
                save_snapshot(folder, begun, config, {"start": stored["start"]})
                so_far = [line for line in merged(read_metrics(start.parent.parent)[0]) if line["iteration"] <= begun.iteration]
                write_atomically(folder / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in so_far).encode())
            if known:
                write_json(folder / "about.json", known)
            write_json(folder / "config.json", stored)  # last: this is what makes the folder a run
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}; choose another folder") from None


def look(folder: Path) -> Run:
    """The run in this folder. Raises RunError with one sentence if there is none, or it is damaged."""
    stored, config, settings = read_recipe(folder)
    status = read_status(folder)
    if status.state == "running" and not is_live(folder):
        status = read_status(folder)  # it may have ended properly, or been resumed, since
        if status.state == "running" and not is_live(folder):
            status = replace(status, state="interrupted", rate=None, message=goes_on(folder))
    about = {"title": "", "note": "", "owner": "", "network": "", "parent": stored.get("start")}
    try:
        about |= read_about(folder)
    except RunError as error:
        status = replace(status, message=status.message or str(error))
    moment = {f.name: getattr(status, f.name) for f in fields(Status) if f.name not in ("pid", "max_steps", "ticket")}
    ticket = status.ticket if status.state == "queued" else None
    return Run(
        folder.name, folder, config, settings, about, stored["created"], max_steps=config.max_steps, ticket=ticket, **moment
    )


def list_runs(root: Path) -> tuple[list[Run], dict[str, str]]:
    """The runs in this folder, newest first, and what is wrong with those that are damaged, by name.

    Folders that hold no run, or whose name begins with a dot, are none of them.
    """
    found, damaged = [], {}
    for folder in folders(root):
        try:
            found.append(look(folder))
        except RunError as error:
            if folder.exists():
                damaged[folder.name] = str(error)
    return sorted(found, key=lambda run: (run.created, run.name), reverse=True), damaged


def folders(root: Path) -> list[Path]:
    """Where there are runs in this folder, damaged ones too, by name."""
    try:
        return sorted(path.parent for path in root.glob("*/config.json") if not path.parent.name.startswith("."))
    except OSError:
        return []


def execute_otherwise(folder: Path, settings: RunSettings) -> int:
    """Let a run go on in another way than before, such as on a machine without what it began on; "auto" is decided anew.

    Returns the iteration that it goes on from. From there on, unless that is 0, its bits differ from those of a run that was
    executed in one way throughout; `changes` remembers where.

    Raises:
        ConfigError: the settings ask for what this machine lacks.
        RunError: the folder holds no run, it is live, or it cannot be written.
    """
    check_exists(folder)
    if settings.device == "cuda":
        choose_device("cuda")
    with writing(folder), held(folder):
        stored, _, before = read_recipe(folder)
        reached = furthest(folder)
        if settings != before:
            at = sorted({*changes(folder), reached} - {0})
            write_json(folder / "config.json", stored | {"settings": asdict(settings), "changes": at})
    return reached


def delete(folder: Path) -> None:
    """Remove a run and everything in its folder, damaged or not.

    Raises:
        RunError: it is live, there is none, or it cannot be removed.
    """
    check_exists(folder)
    try:
        with held(folder):
            for name in ("config.json", "status.json"):  # from here on it is no run to anybody
                (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder)
    except RunIsLive as error:
        raise RunError(str(error)) from None
    except OSError as error:
        raise RunError(f"{folder} cannot be removed: {error.strerror or error}") from None
