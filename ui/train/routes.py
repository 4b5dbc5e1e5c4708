"""Training from the app: who may, which recipes are offered, and the routes by which a page watches and steers runs.

Everything that moves while a run trains is served by these routes, at a fraction of what a rerun of a page costs: a class of
thirty watches. No streamlit here.
"""

import base64
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Collection, Container, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.routing import Route

from maml_core import checkpoint, estimating, runs
from maml_core.baselines import PUBLISHED
from maml_core.checkpoint import CheckpointError
from maml_core.config import ConfigError, TrainConfig
from maml_core.files import signature
from maml_core.reading import whole, whole_of
from maml_core.runs import Run, RunError
from maml_core.scheduler import Limits, Scheduler, place_in_queue
from ui.base_path import cookie_path
from ui.checkpoints import recipe
from ui.lab import engine
from ui.lab.state import RANGES, RUN, LabState
from ui.shared import incoming, learners
from ui.shared.routes import of_query, route

COOKIE = "maml_lab_visitor"
"""Holds what a browser is known by: a long random word that nobody else knows. Runs keep its digest alone."""
DEMO = TrainConfig(beta=0.005, schedule="cosine", max_steps=7000)
POLICIES = ("everyone", "teacher", "off")
FRESH = 0.3
"""Seconds that one look at the folder of runs serves everybody."""
HERE = "here"
"""Said with resume: to go on with what this machine has, in another way than before."""
LISTED = 30
UNDER_WAY = ("queued", "running", "paused")
MOST = 500_000
"""Bytes of a run's metrics in one answer. There is always another."""
TAIL = 65_536
"""Bytes at the end of a run's metrics in which there is a validation."""

_scheduler: Scheduler | None = None


def start() -> None:
    """Start queued runs from now on, for as long as this server is up. Raises ConfigError if a limit set for it is none."""
    global _scheduler
    learners.sweep()
    if os.environ.get("MAML_LAB_TRAINING") == "off":
        return
    _scheduler = Scheduler(learners.runs_folder(), Limits.from_environment())
    _scheduler.start()


def stop() -> None:
    """Start no more runs. Those that train go on."""
    if _scheduler:
        _scheduler.stop()


@cache
def presets() -> dict[str, TrainConfig]:
    """The recipes to begin with. All but the demo are those of shipped checkpoints."""
    shipped = {"MAML-tf's recipe": "maml_tf", "Best MAML": "maml_best", "Meta-SGD": "meta_sgd"}
    files = {name: learners.PRETRAINED / f"{file}.safetensors" for name, file in shipped.items()}
    return {"Quick demo": DEMO} | {name: checkpoint.load(file).config for name, file in files.items()}


def widths(text: str) -> tuple[int, ...]:
    """Widths of hidden layers as a person writes them. Raises ConfigError for what is none."""
    try:
        return tuple(whole(part.strip()) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"hidden={text!r:.40} is not possible: give widths separated by commas, such as 40, 40") from None


def time_words(config: TrainConfig) -> str:
    """How long a run of this config would take here, in words."""
    seconds = estimating.seconds(config, known=_seen().known, test_sample=Limits.from_environment().test_sample)
    if seconds < 55:
        return f"about {5 * max(1, round(seconds / 5))} s"
    if seconds < 5400:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.0f} h" if seconds < 172_800 else f"about {seconds / 86_400:,.0f} days"


def new_cookie(word: str = "") -> str:
    """What makes a browser known from now on, for a year: a word that only it and this server see, a new one if none is given.

    Lax: it must come along when somebody follows a link to here, or it would be taken for a stranger and given another.
    """
    return f"{COOKIE}={word or secrets.token_urlsafe(24)}; Path={cookie_path()}; Max-Age=31536000; HttpOnly; SameSite=Lax"


def owner(token: str) -> str:
    """What a run keeps of the browser that started it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


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


def is_local(address: str | None, headers: Container[str]) -> bool:
    """Whether a browser is on this machine. Not one that something here speaks for: a proxy says so in a header."""
    forwarded = ("x-forwarded-for", "forwarded", "x-real-ip")
    return address in (None, "127.0.0.1", "::1") and not any(name in headers for name in forwarded)


def press(
    config: TrainConfig, token: str, title: str, *, local: bool, device: str = "auto", beginning: Path | None = None
) -> str:
    """Queue a new run and give its name. beginning: the snapshot to go on from; local: as in `refusal`.

    Raises:
        ConfigError, RunError: with one sentence on why not.
    """
    if why := refusal(local):
        raise RunError(why)
    folder = _new_folder(learners.runs_folder(), config.algorithm)
    try:
        runs.create(folder, config, device=device, start=beginning, about={"title": title, "owner": owner(token)})
        runs.enqueue(folder, Limits.from_environment().per_person)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _changed()
    return folder.name


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
    """Do to a run what its owner asks.

    Raises:
        RunError: with one sentence on why not.
    """
    run = runs.look(learners.run_folder(name))
    if run.about["owner"] != owner(token):
        raise RunError("Only the browser that started a run can control it")
    if do == "resume":
        if why := refusal(local):
            raise RunError(why)
        if value == HERE:
            runs.execute_otherwise(run.folder, replace(run.settings, path="auto", device="auto"))
        runs.enqueue(run.folder, Limits.from_environment().per_person)
    elif do in ("pause", "stop"):
        runs.ask(run.folder, do)
    elif do == "delete":
        runs.delete(run.folder)
    elif do == "rename":
        title, note = (value.get(part) if isinstance(value, dict) else None for part in ("title", "note"))
        if not (isinstance(title, str) and isinstance(note, str)):
            raise RunError("A name and a note are needed, both as text")
        runs.rename(run.folder, title=incoming.legible(title), note=incoming.legible(note))
    else:
        raise RunError(f"There is no way to {do[:20]} a run")
    _changed()


# What is served


def routes() -> list[Route]:
    """The routes, below /train."""

    async def steer(request: Request) -> dict[str, Any]:
        asked = await incoming.json_object(request)
        if not {"run", "do"} <= asked.keys():
            raise incoming.Refused(400, "run and do are expected")
        what = str(asked["run"]), str(asked["do"]), asked.get("value")
        await run_in_threadpool(act, *what, token=token_of(request), local=asks_here(request))
        return {}

    return [
        route("/train/runs.json", lambda request: list_for(token_of(request), request.query_params.getlist("also"))),
        route("/train/run.json", of_query(details)),
        route("/train/task.json", of_query(task)),
        route("/train/act", steer, method="POST"),
    ]


def token_of(request: Request) -> str:
    """The word that a browser is known by, or nothing."""
    return request.cookies.get(COOKIE, "")


def asks_here(asker: HTTPConnection) -> bool:
    """Whether who asks is at the server itself."""
    return is_local(asker.client.host if asker.client else "", asker.headers)


def list_for(token: str, also: Collection[str] = ()) -> dict[str, Any]:
    """The runs of this server as one visitor sees them, newest first.

    Of those that are over, the LISTED newest and the visitor's own, and those named in `also`; `older` counts the others.
    """
    seen = _seen()
    mine = owner(token) if token else None
    rows = [row | {"mine": whose == mine} for row, whose in seen.rows]
    shown = [row for at, row in enumerate(rows) if at < LISTED or row["mine"] or row["state"] in UNDER_WAY or row["name"] in also]
    rows = [row | seen.places.get(row["name"], {}) for row in shown]
    return {"runs": rows, "older": len(seen.rows) - len(rows), "damaged": seen.damaged}


class Seen(NamedTuple):
    """All runs of this server at one moment, newest first."""

    known: list[Run]
    rows: list[tuple[dict[str, Any], str]]  # what is said of each, and its owner
    places: dict[str, dict[str, Any]]  # name of a waiting run -> position, and seconds until it starts
    damaged: dict[str, str]  # name -> what is wrong


_look_lock = threading.Lock()
_last_look: tuple[float, Seen | None] = (-1.0, None)
_rows: dict[str, tuple[tuple, Run, dict[str, Any]]] = {}
"""Of each run: what its files looked like when it was read, the run, and what is said of it."""


def _changed() -> None:
    """The next look is a new one, and a queued run need not wait for the scheduler's next round."""
    global _last_look
    _last_look = (-1.0, None)
    if _scheduler:
        _scheduler.wake()


def _seen() -> Seen:
    """One look for everybody. A run is read again only when one of its files has changed, or while it trains."""
    global _last_look, _rows
    with _look_lock:
        when, seen = _last_look
        if seen is None or time.monotonic() - when > FRESH:
            now, damaged = {}, {}
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
            left = {run.name: _seconds_left(run, known, limits.test_sample) for run in going}
            places = place_in_queue(known, limits, left)
            seen = Seen(
                known,
                [(row | {"left": left.get(run.name)}, run.about["owner"]) for run, row in found],
                {name: {"position": at, "starts_in": wait} for name, (at, wait) in places.items()},
                damaged,
            )
            _last_look = (time.monotonic(), seen)
        return seen


def _read(folder: Path, before: tuple[tuple, Run, dict[str, Any]] | None) -> tuple[tuple, Run, dict[str, Any]]:
    files = tuple(signature(folder / name) for name in ("config.json", "status.json", "about.json", "metrics.jsonl"))
    if before and before[0] == files and before[1].state != "running":
        return before
    run = runs.look(folder)
    row = _row(run, files[-1][1])
    json.dumps(row, allow_nan=False, ensure_ascii=False).encode()  # raises ValueError for what cannot be sent
    return files, run, row


def _seconds_left(run: Run, known: list[Run], test_sample: int) -> float:
    if run.state == "running" and run.rate:
        return (run.max_steps - run.iteration) / run.rate + estimating.measuring(run.config, test_sample)
    return estimating.seconds(run.config, run.iteration, known, test_sample)


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
    for line in reversed(runs.metrics(folder, max(0, size - TAIL))[0]):
        if line.get("validation"):
            last = line["validation"][-1]
            return {"iteration": line["iteration"], "mean": last["mean"], "ci95": last["ci95"]}
    return None


def details(query: Mapping[str, str]) -> dict[str, Any]:
    """What the list does not say of a run: the lines of its metrics from a byte offset on and the offset to ask from next time,
    the iterations of its snapshots, and what it is to beat."""
    since = whole_of(query, "since", 0, 10**12, "0")
    run = runs.look(learners.run_folder(query.get("run", "")))
    lines, offset = runs.metrics(run.folder, since, MOST)
    iterations = [runs.iteration_of(path) for path in runs.snapshots(run.folder)]
    return {"metrics": lines, "offset": offset, "snapshots": iterations, "marks": marks(run.config)}


def task(query: Mapping[str, str]) -> dict[str, Any]:
    """One task, and what each snapshot of a run makes of its shots: the network before any training where there is no run.

    seed, amplitude, phase and shots are the lab's own. curves: (N, 2, 201) and query: (N, 2), before and after all inner steps,
    little-endian float32.
    """
    name = query.get("run", "")
    state, problems = LabState.from_query({key: query[key] for key in ("seed", "amplitude", "phase", "shots") if key in query})
    if problems:
        raise ValueError(" ".join(problems))
    config, by_iteration = TrainConfig(), {0: "random"}
    if name:
        run = runs.look(learners.run_folder(name))
        config = run.config
        by_iteration = {at: f"run:{name}@{at}" for at in map(runs.iteration_of, runs.snapshots(run.folder))}
    state = replace(state, K=int(RANGES["K"].clip(config.K)))
    found, why = {}, ""
    for at, learner in by_iteration.items():
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
