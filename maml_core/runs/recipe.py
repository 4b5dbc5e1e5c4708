"""config.json in a run's folder, which makes it one: what is trained, how it is executed, and what it went on from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from maml_core.config import TrainConfig
from maml_core.errors import ConfigError, NotHere, RunError
from maml_core.files import write_json
from maml_core.reading import content, json_object
from maml_core.runs.execution import RunSettings


def read_config(folder: Path) -> tuple[TrainConfig, RunSettings]:
    """What the run in this folder is. Before it first started its settings may be "auto" still.

    Raises:
        RunError: there is none, or its config.json is damaged.
    """
    return read_recipe(folder)[1:]


def read_start(folder: Path) -> dict[str, Any] | None:
    """The run and iteration that this run went on from, if it did not begin at 0. Raises RunError as `read_config` does."""
    return read_recipe(folder)[0].get("start")


def changes(folder: Path) -> list[int]:
    """The iterations from which the run went on in another way than before. Raises RunError as `read_config` does."""
    return list(read_recipe(folder)[0].get("changes", []))


def settle(folder: Path) -> RunSettings:
    """Decide how the run is executed, which may take a compilation, and record it; from then on only read it.

    Raises:
        NotHere: the run asks for what this machine lacks.
        RunError: the folder holds no run, or its config.json is damaged.
        OSError: config.json cannot be written.
    """
    stored, config, asked = read_recipe(folder)
    try:
        settings = asked.settle(config)
    except ConfigError as error:
        raise NotHere(str(error)) from None
    if settings != asked:
        write_json(folder / "config.json", stored | {"settings": asdict(settings)})
    return settings


def read_recipe(folder: Path) -> tuple[dict[str, Any], TrainConfig, RunSettings]:
    """config.json as it is, which is not to be changed in memory, and what it stands for.

    Raises:
        RunError: there is none, or it is damaged.
    """
    path = folder / "config.json"
    try:
        return _parsed(content(path))
    except FileNotFoundError:
        raise RunError(f"{folder} holds no run (there is no config.json in it); start a new one") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({error}); start a new run in another folder") from None


@lru_cache(maxsize=1024)  # lists of many runs are read again and again
def _parsed(text: bytes) -> tuple[dict[str, Any], TrainConfig, RunSettings]:
    stored = json_object(text)
    config, settings = TrainConfig.from_dict(stored["config"]), stored["settings"]
    settings = RunSettings(**{f.name: settings[f.name] for f in fields(RunSettings)})
    stored.setdefault("created", 0.0)
    if type(stored["created"]) not in (int, float) or not abs(stored["created"]) < 1e15:
        raise ValueError(f"created={stored['created']!r:.60} is not a time")
    if "start" in stored:
        check_parent(stored["start"])
    return stored, config, settings


def check_parent(parent: Any) -> None:
    """Raises ValueError for what cannot be where a run went on from: {"run", "iteration"}."""
    if not (isinstance(parent, dict) and isinstance(parent.get("run"), str) and type(parent.get("iteration")) is int):
        raise ValueError("a parent is the name of a run and an iteration of it")


def check_exists(folder: Path) -> None:
    """Raises RunError where there is no run, not even a damaged one."""
    if not (folder / "config.json").exists():
        raise RunError(f"{folder} holds no run, or no longer")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What fails inside for want of space or permission becomes a RunError, with one sentence."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror or error}") from None
