"""Training from the app: who may, which recipes are offered, and the routes by which a page watches and steers runs.

Everything that moves while a run trains is served by these routes, at a fraction of what a rerun of a page costs: a class of
thirty watches. No streamlit here.
"""

import base64
import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from maml_core import checkpoint, estimating, runs
from maml_core.baselines import PUBLISHED
from maml_core.checkpoint import CheckpointError
from maml_core.config import JOINT, ConfigError, TrainConfig
from maml_core.runs import Run, RunError
from maml_core.scheduler import Limits, Scheduler, place_in_queue
from ui import engine, library, recipe
from ui.state import RANGES, LabState

COOKIE = "maml_lab_visitor"
"""Holds what a browser is known by: a long random word that nobody else knows. Runs keep its digest alone."""
DEMO = TrainConfig(beta=0.005, schedule="cosine", max_steps=7000)
POLICIES = ("everyone", "teacher", "off")
FRESH = 0.3
"""Seconds that one look at the folder of runs serves everybody."""

_scheduler: Scheduler | None = None


def start() -> None:
    """Start queued runs from now on, for as long as this server is up. Raises ConfigError if a limit set for it is none."""
    global _scheduler
    _scheduler = Scheduler(library.runs_folder(), Limits.from_environment())
    _scheduler.start()


def stop() -> None:
    """Start no more runs. Those that train go on."""
    if _scheduler:
        _scheduler.stop()


@cache
def presets() -> dict[str, TrainConfig]:
    """The recipes to begin with. All but the demo are those of shipped checkpoints."""
    shipped = {"MAML-tf's recipe": "maml_tf", "Best MAML": "maml_best", "Meta-SGD": "meta_sgd"}
    files = {name: library.PRETRAINED / f"{file}.safetensors" for name, file in shipped.items()}
    return {"20-second demo": DEMO} | {name: checkpoint.load(file).config for name, file in files.items()}


def means_nothing(setting: str, values: Mapping[str, Any]) -> bool:
    """Whether this setting has no effect beside the others."""
    return setting in ("num_updates", "alpha", "multi_step") and values["algorithm"] in JOINT


def widths(text: str) -> tuple[int, ...]:
    """Widths of hidden layers as a person writes them. Raises ConfigError for what is none."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"hidden={text!r:.40} is not possible: give widths with commas between them, such as 40, 40") from None


def time_words(config: TrainConfig) -> str:
    """How long a run of this config would take here, in words."""
    seconds = estimating.seconds(config, known=runs.list_runs(library.runs_folder())[0])
    if seconds < 55:
        return f"about {5 * max(1, round(seconds / 5))} s"
    if seconds < 5400:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.1f} h"


def new_cookie() -> str:
    """What makes a browser known from now on, for a year: a word that only it and this server see."""
    return f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict"


def owner(token: str) -> str:
    """What a run keeps of the browser that started it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def refusal(local: bool) -> str:
    """Why this visitor may not train, or nothing. local: whether the browser is on the machine that serves.

    `MAML_LAB_TRAINING` decides: everyone (the default), teacher (the machine that serves alone), or off.
    """
    policy = os.environ.get("MAML_LAB_TRAINING") or "everyone"
    if policy not in POLICIES:
        return f"Training is off: MAML_LAB_TRAINING is {policy!r:.40}, and must be one of {', '.join(POLICIES)}."
    if policy == "off":
        return "Training is switched off on this server. The runs here can still be watched."
    if policy == "teacher" and not local:
        return "On this server the teacher alone starts runs. They can be watched here."
    return ""


def press(config: TrainConfig, token: str, title: str, *, device: str = "auto", beginning: Path | None = None) -> str:
    """Queue a new run and give its name. beginning: the snapshot to go on from.

    Raises:
        ConfigError, RunError: with one sentence on why not.
    """
    folder = _new_folder(library.runs_folder(), config.algorithm)
    try:
        runs.create(folder, config, device=device, start=beginning, about={"title": title, "owner": owner(token)})
        runs.enqueue(folder, Limits.from_environment().per_person)
    except (ConfigError, RunError):
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
            raise RunError(f"Runs cannot be kept in {root}: {error.strerror}") from None
        return folder


def act(name: str, do: str, value: Any, token: str, local: bool) -> None:
    """Do to a run what its owner asks.

    Raises:
        RunError: with one sentence on why not.
    """
    run = runs.look(library.run_folder(name))
    if run.about["owner"] != owner(token):
        raise RunError("Only the browser that started a run can steer it")
    if do == "resume":
        if why := refusal(local):
            raise RunError(why)
        runs.enqueue(run.folder, Limits.from_environment().per_person)
    elif do in ("pause", "stop"):
        runs.ask(run.folder, do)
    elif do == "delete":
        runs.delete(run.folder)
    elif do == "rename":
        title, note = (value.get(part) if isinstance(value, dict) else None for part in ("title", "note"))
        if not (isinstance(title, str) and isinstance(note, str)):
            raise RunError("A name and a note are needed, both as text")
        runs.rename(run.folder, title=title, note=note)
    else:
        raise RunError(f"There is no way to {do[:20]} a run")
    _changed()


# What is served


def routes() -> list[Route]:
    """The routes, below /train."""

    def route(name: str, make: Callable[[Request], Any], method: str = "GET") -> Route:
        def answer(request: Request) -> Response:
            try:
                return JSONResponse(make(request), headers={"Cache-Control": "no-store"})
            except (RunError, ConfigError, CheckpointError, ValueError) as error:  # one sentence each
                return PlainTextResponse(str(error), status_code=400)

        return Route(f"/train/{name}", answer, methods=[method])

    async def steer(request: Request) -> Response:
        # JSON alone: a form on another site cannot send it.
        if not request.headers.get("content-type", "").startswith("application/json"):
            return PlainTextResponse("JSON is expected", status_code=415)
        try:
            asked = await request.json()
            act(str(asked["run"]), str(asked["do"]), asked.get("value"), _token(request), is_local(request))
        except (RunError, ConfigError) as error:
            return PlainTextResponse(str(error), status_code=400)
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse("run and do are expected", status_code=400)
        return JSONResponse({})

    return [
        route("runs.json", lambda request: list_for(_token(request))),
        route("run.json", lambda request: details(request.query_params)),
        route("task.json", lambda request: task(request.query_params)),
        Route("/train/act", steer, methods=["POST"]),
    ]


def _token(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def is_local(request: Request) -> bool:
    """Whether the browser is on this machine, and not one that a proxy here speaks for."""
    here = request.client is not None and request.client.host in ("127.0.0.1", "::1")
    return here and "x-forwarded-for" not in request.headers


def list_for(token: str) -> dict[str, Any]:
    """Every run of this server as one visitor sees it, newest first."""
    everything, places, damaged = _seen()
    mine = owner(token) if token else None
    rows = [row | {"mine": about["owner"] == mine} for row, about in everything]
    return {"runs": [row | places.get(row["name"], {}) for row in rows], "damaged": damaged}


_look_lock = threading.Lock()
_last_look: tuple[float, Any] = (-1.0, None)


def _changed() -> None:
    """The next look is a new one, and a queued run need not wait for the scheduler's next round."""
    global _last_look
    _last_look = (-1.0, None)
    if _scheduler:
        _scheduler.wake()


def _seen() -> Any:
    """The rows of all runs, the places of queued ones, and what is wrong with damaged ones: one look for everybody."""
    global _last_look
    with _look_lock:
        when, seen = _last_look
        if seen is None or time.monotonic() - when > FRESH:
            found, damaged = runs.list_runs(library.runs_folder())
            left = {run.name: _seconds_left(run, found) for run in found if run.state in ("queued", "running")}
            places = place_in_queue(found, Limits.from_environment(), left)
            rows = [(_row(run, left.get(run.name)), run.about) for run in found]
            seen = rows, {name: {"position": at, "starts_in": wait} for name, (at, wait) in places.items()}, damaged
            _last_look = (time.monotonic(), seen)
        return seen


def _seconds_left(run: Run, known: list[Run]) -> float:
    if run.state == "running" and run.rate:
        return (run.max_steps - run.iteration) / run.rate + estimating.measuring(run.config)
    return estimating.seconds(run.config, run.iteration, known)


def _row(run: Run, left: float | None) -> dict[str, Any]:
    config = run.config
    return {
        "name": run.name,
        "title": run.about["title"] or run.name,
        "note": run.about["note"],
        "parent": run.about["parent"],
        "state": run.state,
        "phase": run.phase,
        "message": run.message,
        "iteration": run.iteration,
        "max_steps": run.max_steps,
        "rate": run.rate,
        "left": left,
        "algorithm": config.algorithm,
        "K": config.K,
        "steps": config.inner_steps,
        "recipe": recipe.in_words(config),
        "command": config.command,
        "error": _latest_error(run),
    }


def marks(config: TrainConfig) -> list[dict[str, Any]]:
    """What a run of this config is to beat: the pretrained baseline and MAML-tf's figure, for its shots and its inner steps.

    The baseline adapts with its own step size. MAML-tf's figure is left out where it published none.
    """
    steps = config.inner_steps
    if config.family != "sinusoid" or not steps:
        return []
    baseline = library.get("pretrained")
    known = baseline.results.get(str(config.K), {}).get(str(steps))
    alpha = baseline.config.alpha
    mean = known["mean"] if known else engine.fresh("pretrained", config.K, alpha, steps, 0.0, "anywhere", "none").mean[steps]
    found = [{"role": "pretrained", "label": "pretrained", "value": mean}]
    if published := PUBLISHED.get(config.K, {}).get(steps):
        found.append({"role": "true", "label": "MAML-tf", "value": published})
    return found


_tails: dict[str, tuple[int, dict[str, Any] | None]] = {}


def _latest_error(run: Run) -> dict[str, Any] | None:
    """The run's last validation after its inner steps: {iteration, mean, ci95}. Only what is new of its metrics is read."""
    offset, error = _tails.get(run.name, (0, None))
    lines, offset = runs.metrics(run.folder, offset)
    for line in lines:
        if line.get("validation"):
            last = line["validation"][-1]
            error = {"iteration": line["iteration"], "mean": last["mean"], "ci95": last["ci95"]}
    _tails[run.name] = (offset, error)
    return error


def details(query: Mapping[str, str]) -> dict[str, Any]:
    """What the list does not say of a run: the lines of its metrics from a byte offset on and the offset to ask from next time,
    the iterations of its snapshots, and what it is to beat."""
    since = query.get("since", "0")
    if not (since.isdecimal() and len(since) < 12):
        raise ValueError("since must be the offset of an answer before")
    run = runs.look(library.run_folder(query.get("run", "")))
    lines, offset = runs.metrics(run.folder, int(since))
    iterations = [runs.iteration_of(path) for path in runs.snapshots(run.folder)]
    return {"metrics": lines, "offset": offset, "snapshots": iterations, "marks": marks(run.config)}


def task(query: Mapping[str, str]) -> dict[str, Any]:
    """One task, and what each snapshot of a run makes of its shots: the network before any training where there is no run.

    seed, amplitude, phase and shots are the lab's own. curves: (N, S + 1, 201) and query: (N, S + 1), little-endian float32.
    """
    name = query.get("run", "")
    state, problems = LabState.from_query({key: query[key] for key in ("seed", "amplitude", "phase", "shots") if key in query})
    if problems:
        raise ValueError(" ".join(problems))
    config, learners = TrainConfig(), {0: "random"}
    if name:
        run = runs.look(library.run_folder(name))
        config = run.config
        learners = {at: f"run:{name}@{at}" for at in map(runs.iteration_of, runs.snapshots(run.folder))}
    learners = {at: learner for at, learner in learners.items() if _is_there(learner)}
    K, steps, shown = int(RANGES["K"].clip(config.K)), config.num_updates, tuple(learners.values())
    state = replace(state, K=K, learners=shown, alpha=config.alpha, num_updates=steps)
    found = engine.on_show(state) if shown else ()
    shape = (len(learners), steps + 1)
    curves = np.array([trajectory.curves for trajectory in found], "<f4").reshape(*shape, len(engine.GRID))
    losses = np.array([trajectory.query for trajectory in found], "<f4").reshape(shape)
    return {
        "iterations": list(learners),
        "steps": steps,
        "role": config.algorithm if name else "random",
        "seed": state.seed,
        "amplitude": state.task.amplitude,
        "phase": state.task.phase,
        "shots": state.points,
        "by_hand": state.shots is not None,
        "curves": base64.b64encode(curves.tobytes()).decode("ascii"),
        "query": base64.b64encode(losses.tobytes()).decode("ascii"),
    }


def _is_there(learner: str) -> bool:
    """Whether a snapshot still is: they are thinned out as a run goes on."""
    try:
        library.get(learner)
    except CheckpointError:
        return False
    return True
