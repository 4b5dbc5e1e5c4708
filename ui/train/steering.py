"""Training from the app: who may, which recipes are offered, and what is done to a run. No streamlit here."""

import os
import secrets
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from maml_core import PRETRAINED, checkpoint, runs
from maml_core.config import ConfigError, TrainConfig
from maml_core.errors import RunError
from maml_core.reading import whole
from maml_core.runs import Limits, estimating
from maml_core.runs.scheduler import Scheduler
from ui.checkpoints.recipe import CONFIG_LABELS
from ui.shared import incoming, learners, visitors
from ui.train import everybody, keeping, watching

DEMO = TrainConfig(beta=0.005, schedule="cosine", max_steps=7000)
POLICIES = ("everyone", "teacher", "off")
HERE = "here"
"""Said with resume: to go on with what this machine has, in another way than before."""

_scheduler: Scheduler | None = None


def start() -> None:
    """Start queued runs from now on, for as long as this server is up. Raises ConfigError if a limit set for it is none."""
    global _scheduler
    learners.sweep()
    if os.environ.get("MAML_LAB_TRAINING") == "off":
        return
    _scheduler = Scheduler(learners.runs_folder(), Limits.from_environment(), keeping.make_room)
    _scheduler.start()


def stop() -> None:
    """Start no more runs. Those that train go on."""
    if _scheduler:
        _scheduler.stop()


@cache
def presets() -> dict[str, TrainConfig]:
    """The recipes to begin with. All but the demo are those of shipped checkpoints."""
    shipped = {"MAML-tf's recipe": "maml_tf", "Best MAML": "maml_best", "Meta-SGD": "meta_sgd"}
    files = {name: PRETRAINED / f"{file}.safetensors" for name, file in shipped.items()}
    return {"Quick demo": DEMO} | {name: checkpoint.load(file).config for name, file in files.items()}


def widths(text: str) -> tuple[int, ...]:
    """Widths of hidden layers as a person writes them. Raises ConfigError for what is none."""
    try:
        return tuple(whole(part.strip()) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"hidden={text!r:.40} is not possible: give widths separated by commas, such as 40, 40") from None


def time_words(config: TrainConfig, done: int = 0) -> str:
    """How long a run of this config would take here, `done` iterations of it being behind it, in words."""
    seconds = _seconds(config, done)
    if seconds < 55:
        return f"about {5 * max(1, round(seconds / 5))} s"
    if seconds < 5400:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:,.0f} h" if seconds < 172_800 else f"about {seconds / 86_400:,.0f} days"


def too_long(config: TrainConfig, local: bool, done: int = 0) -> str:
    """Why a run would take longer than this visitor's may, or nothing. done: as in `time_words`; local: as in `refusal`."""
    minutes = Limits.from_environment().minutes
    if local or _seconds(config, done) <= 60 * minutes:
        return ""
    return (
        f"This run would take {time_words(config, done)}, and at most {minutes:,} min are allowed on this server: "
        f"lower {CONFIG_LABELS['max_steps']}, {CONFIG_LABELS['batch_size']} or {CONFIG_LABELS['hidden']}"
    )


def _seconds(config: TrainConfig, done: int) -> float:
    return estimating.seconds(config, done, watching.seen().rates, Limits.from_environment().test_sample)


def refusal(local: bool) -> str:
    """Why this visitor may not train, or nothing. local: whether the browser is on the machine that serves.

    `MAML_LAB_TRAINING` decides: everyone (the default), teacher (the machine that serves alone), or off.
    """
    policy = os.environ.get("MAML_LAB_TRAINING") or "everyone"
    if policy not in POLICIES:
        return f"Training is off: MAML_LAB_TRAINING is {policy!r:.40}, but must be one of {', '.join(POLICIES)}."
    if policy == "off":
        return "Training is switched off on this server. You can still watch the runs here."
    if policy == "teacher" and not local:
        return "On this server only the teacher can start runs. You can watch them here."
    return ""


def press(
    config: TrainConfig,
    token: str,
    title: str,
    *,
    local: bool,
    network: str = "",
    device: str = "auto",
    beginning: Path | None = None,
) -> str:
    """Queue a new run and give its name. beginning: the snapshot to go on from; local: as in `refusal`.

    Raises:
        ConfigError, RunError: with one sentence on why not.
    """
    if why := refusal(local) or too_long(config, local, runs.iteration_of(beginning) if beginning else 0):
        raise RunError(why)
    if not keeping.make_room() and not local:
        raise RunError("The runs on this server hold all the space they may: ask who sits at the server to delete some")
    folder, about = _new_folder(learners.runs_folder(), config.algorithm), keeping.asked_by(token, network, local)
    try:
        runs.create(folder, config, device=device, start=beginning, about={"title": title} | about)
        _enqueue(folder, local)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _changed()
    return folder.name


def _enqueue(folder: Path, local: bool) -> None:
    runs.enqueue(folder, None if local else Limits.from_environment())


def _new_folder(root: Path, algorithm: str) -> Path:
    """A folder for a run, with a name that no other run has or had."""
    while True:
        folder = root / f"{algorithm}-{secrets.token_hex(3)}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunError(f"Runs cannot be saved in {root}: {error.strerror}") from None
        return folder


def act(name: str, do: str, value: Any, token: str, local: bool) -> None:
    """Do to a run what its owner asks, or who sits at the server; and what these ask for of everybody's.

    Raises:
        RunError, CheckpointError: with one sentence on why not.
    """
    if not everybody.act(name, do, local):
        folder = learners.run_folder(name)
        if not local and runs.look(folder).about["owner"] != visitors.owner(token):
            raise RunError("Only the browser that started a run can control it")
        _act(folder, do, value, local)
    _changed()


def _act(folder: Path, do: str, value: Any, local: bool) -> None:
    if do == "resume":
        run = runs.look(folder)
        if why := refusal(local) or too_long(run.config, local, run.iteration):
            raise RunError(why)
        if value == HERE:
            runs.execute_otherwise(folder, replace(run.settings, path="auto", device="auto"))
        _enqueue(folder, local)
    elif do in ("pause", "stop"):
        runs.ask(folder, do)
    elif do == "delete":
        runs.delete(folder)
    elif do == "rename":
        title, note = (value.get(part) if isinstance(value, dict) else None for part in ("title", "note"))
        if not (isinstance(title, str) and isinstance(note, str)):
            raise RunError("A name and a note are needed, both as text")
        runs.rename(folder, title=incoming.legible(title), note=incoming.legible(note))
    else:
        raise RunError(f"There is no way to {do[:20]} a run")


def _changed() -> None:
    """The next look is a new one, and a queued run need not wait for the scheduler's next round."""
    watching.look_again()
    if _scheduler:
        _scheduler.wake()
