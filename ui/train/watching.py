"""What is said of the runs of this server: the list, the progress of one, what it is to beat, what its snapshots have learned.

One look at the files serves everybody: a class of thirty watches. No streamlit here.
"""

import base64
import json
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from maml_core import runs
from maml_core.baselines import PUBLISHED
from maml_core.checkpoint import CheckpointError
from maml_core.config import CLASSIFICATION, TrainConfig
from maml_core.errors import RunError
from maml_core.files import signature
from maml_core.reading import whole_of
from maml_core.runs import Limits, Run, estimating
from maml_core.runs.scheduler import place_in_queue
from ui.checkpoints import recipe
from ui.lab import engine
from ui.lab.state import LabState
from ui.shared import learners, turns, visitors
from ui.shared.learners import RUN
from ui.shared.ranges import RANGES

FRESH = 0.3
"""Seconds that one look at the folder of runs serves everybody."""
SHARE = 0.1
"""Of the time, which looks take at most: where there are so many runs that a look takes long, it serves longer."""
LISTED = 30
UNDER_WAY = ("queued", "running")
MOST_BYTES = 500_000
"""Bytes of a run's metrics in one answer. There is always another."""
TAIL = 65_536
"""Bytes at the end of a run's metrics in which there is a validation."""


def list_for(token: str, also: Collection[str] = (), local: bool = False) -> dict[str, Any]:
    """The runs of this server as one visitor sees them, newest first.

    Of those that are over or paused, the LISTED newest and the visitor's own, and those named in `also`; `older` counts the
    others. local: as in steering.refusal; `here` says so, and then every run may be steered (`may`).
    """
    known = seen()
    mine = visitors.owner(token) if token else None
    rows = [row | {"mine": whose == mine, "may": local or whose == mine} for row, whose in known.rows]
    shown = [row for at, row in enumerate(rows) if at < LISTED or row["mine"] or row["state"] in UNDER_WAY or row["name"] in also]
    rows = [row | known.places.get(row["name"], {}) for row in shown]
    return {"runs": rows, "older": len(known.rows) - len(rows), "damaged": known.damaged, "here": local}


class Seen(NamedTuple):
    """All runs of this server at one moment, newest first."""

    known: list[Run]
    rates: estimating.Rates  # that they have reached
    rows: list[tuple[dict[str, Any], str]]  # what is said of each, and its owner
    places: dict[str, dict[str, Any]]  # name of a waiting run -> position, and seconds until it starts
    damaged: dict[str, str]  # name -> what is wrong


_look_lock = threading.Lock()
_last_look: tuple[float, Seen | None] = (-1.0, None)
"""Until when it serves, and what was seen."""
_rows: dict[str, tuple[tuple, Run, dict[str, Any]]] = {}
"""Of each run: what its files looked like when it was read, the run, and what is said of it."""


def look_again() -> None:
    """The next look is a new one: something was done to a run."""
    global _last_look
    _last_look = (-1.0, None)


def seen() -> Seen:
    """One look for everybody. A run is read again only when one of its files has changed, or while it trains."""
    global _last_look, _rows
    with _look_lock:
        until, last = _last_look
        if last is None or time.monotonic() > until:
            began, now, damaged = time.monotonic(), {}, {}
            for folder in runs.folders(learners.runs_folder()):
                if not RUN.fullmatch(folder.name):
                    continue
                try:
                    now[folder.name] = _read(folder, _rows.get(folder.name))
                except (RunError, ValueError, OSError) as error:
                    if folder.exists():
                        damaged[folder.name] = str(error)
            _rows = now
            found = sorted(((run, row) for _, run, row in now.values()), key=lambda it: (it[0].created, it[0].name), reverse=True)
            known = [run for run, _ in found]
            limits, going = Limits.from_environment(), [run for run in known if run.state in ("queued", "running")]
            rates = estimating.rates(known)
            left = {run.name: _seconds_left(run, rates, limits.test_sample) for run in going}
            places = place_in_queue(known, limits, left)
            last = Seen(
                known,
                rates,
                [(row | {"left": left.get(run.name), "fresh": limits.test_sample}, run.about["owner"]) for run, row in found],
                {name: {"position": at, "starts_in": wait} for name, (at, wait) in places.items()},
                damaged,
            )
            ended = time.monotonic()
            _last_look = (ended + max(FRESH, (ended - began) / SHARE), last)
        return last


def _read(folder: Path, before: tuple[tuple, Run, dict[str, Any]] | None) -> tuple[tuple, Run, dict[str, Any]]:
    files = tuple(signature(folder / name) for name in ("config.json", "status.json", "about.json", "metrics.jsonl"))
    if before and before[0] == files and before[1].state != "running":
        return before
    run = runs.look(folder)
    if run.config.family in CLASSIFICATION:
        raise RunError("it learns to tell characters apart, and this page draws curves: measure it on the command line")
    row = _row(run, files[-1][1])
    json.dumps(row, allow_nan=False, ensure_ascii=False).encode()  # raises ValueError for what cannot be sent
    return files, run, row


def _seconds_left(run: Run, rates: estimating.Rates, test_sample: int) -> float:
    if run.state == "running" and run.rate:
        return (run.max_steps - run.iteration) / run.rate + estimating.measuring(run.config, test_sample)
    return estimating.seconds(run.config, run.iteration, rates, test_sample)


def _row(run: Run, size: int) -> dict[str, Any]:
    config = run.config
    return {
        "name": run.name,
        "title": run.about["title"] or run.name,
        "note": run.about["note"],
        "parent": run.about["parent"],
        "created": run.created,
        "state": run.state,
        "asked": runs.read_request(run.folder) if run.state == "running" else None,
        "phase": run.phase,
        "message": run.message,
        "elsewhere": run.state in runs.CAN_GO_ON and (run.elsewhere or not runs.has_device(run.settings.device)),
        "iteration": run.iteration,
        "max_steps": run.max_steps,
        "rate": run.rate,
        "algorithm": config.algorithm,
        "family": config.family,
        "K": config.K,
        "steps": config.inner_steps,
        "alpha": config.alpha,
        "beta": config.beta,
        "recipe": recipe.in_words(config),
        "outer": recipe.outer_in_words(config),
        "error": _latest_error(run.folder, size),
        "size": size,
    }


def marks(config: TrainConfig) -> list[dict[str, Any]]:
    """What a run of this config is to beat: the pretrained baseline and MAML-tf's figure, for its shots and its inner steps.

    Each is {role, label, value, about}; about: how the value came about, in words.

    The baseline adapts with its own step size; it is left out where it would take long to measure, and MAML-tf's figure where
    it published none.
    """
    K, steps = config.K, config.inner_steps
    if config.family != "sinusoid" or not steps:
        return []
    baseline, measured, found = learners.get("pretrained"), None, []
    if known := baseline.results.get(str(K), {}).get(str(steps)):
        measured = known["mean"], known["tasks"]
    elif RANGES["K"].high >= K and steps <= 10:
        fresh = engine.fresh("pretrained", K, baseline.config.alpha, steps, 0.0, "anywhere", "none")
        measured = fresh.mean[steps], engine.FRESH_TASKS
    if measured:
        value, tasks = measured
        about = f"α = {baseline.config.alpha:g}, over {tasks:,.0f} tasks"
        found.append({"role": "pretrained", "label": "pretrained", "value": value, "about": about})
    if published := PUBLISHED.get(K, {}).get(steps):
        found.append({"role": "true", "label": "MAML-tf", "value": published, "about": "as published"})
    return found


def _latest_error(folder: Path, size: int) -> dict[str, Any] | None:
    """The run's last validation after its inner steps: {iteration, mean, ci95}, from the end of its metrics."""
    for line in reversed(runs.read_metrics(folder, max(0, size - TAIL))[0]):
        if line.get("validation"):
            last = line["validation"][-1]
            return {"iteration": line["iteration"], "mean": last["mean"], "ci95": last["ci95"]}
    return None


def details(query: Mapping[str, str]) -> dict[str, Any]:
    """What the list does not say of a run: the lines of its metrics from a byte offset on and the offset to ask from next time,
    the iterations of its snapshots, and what it is to beat."""
    since = whole_of(query, "since", 0, 10**12, "0")
    run = runs.look(learners.run_folder(query.get("run", "")))
    lines, offset = runs.read_metrics(run.folder, since, MOST_BYTES)
    iterations = [runs.iteration_of(path) for path in runs.snapshots_of(run.folder)]
    return {"metrics": lines, "offset": offset, "snapshots": iterations, "marks": marks(run.config)}


def task(query: Mapping[str, str]) -> dict[str, Any]:
    """One task, and what each snapshot of a run makes of its shots: the network before any training where there is no run.

    seed, amplitude, phase and shots are the lab's own. curves: (N, 2, 201) and query: (N, 2), before and after all inner steps,
    little-endian float32.
    """
    name = query.get("run", "")
    state = LabState.only_from({key: query[key] for key in ("seed", "amplitude", "phase", "shots") if key in query})
    config, by_iteration = TrainConfig(), {0: "random"}
    if name:
        run = runs.look(learners.run_folder(name))
        config = run.config
        by_iteration = {at: f"run:{name}@{at}" for at in map(runs.iteration_of, runs.snapshots_of(run.folder))}
    state = replace(state, K=int(RANGES["K"].clip(config.K)))
    found, why = {}, ""
    for at, learner in by_iteration.items():
        turns.go_on()
        try:
            found[at] = engine.ends(learner, state.points, state.task.amplitude, state.task.phase, config.num_updates)
        except CheckpointError as error:  # thinned out since it was listed, or too large to show
            why = str(error)
    return {
        "iterations": list(found),
        "why": why,
        "steps": config.num_updates,
        "role": config.algorithm if name else "random",
        "seed": state.seed,
        "amplitude": state.task.amplitude,
        "phase": state.task.phase,
        "shots": state.points,
        "by_hand": state.shots is not None,
        "curves": _base64([ends.curves for ends in found.values()]),
        "query": _base64([ends.query for ends in found.values()]),
    }


def _base64(arrays: list[np.ndarray]) -> str:
    return base64.b64encode(np.array(arrays, "<f4").tobytes()).decode("ascii")
