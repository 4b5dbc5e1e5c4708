"""The lab picture: a Streamlit v2 component that draws one task and every inner step of every learner, and edits the shots.

Python sends all inner steps at once; stepping, scrubbing, playing and placing shots happen in the browser (lab.js). What
comes back is the list of shots after each edit, and the step when it has come to rest.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import streamlit as st

from maml_core.config import DIVERGED_ABOVE, MAX_SHOTS
from maml_core.palette import NEUTRAL, ROLES, Look
from ui.lab import engine
from ui.lab.state import LabState
from ui.shared import learners, modules
from ui.shared.ranges import FAMILY, Y_LIMIT

KEY = "picture"
MAIN = "lab/main.js"
COMMON = ("true", "before", "shot")
"""Roles that are no learners."""

_component = modules.component(MAIN)

MESSAGES = ("shots", "step", "act")
"""What the browser says as a state of the component, which later messages carry along."""


def picture(data: str, *, on_message: Callable[[], None], on_address: Callable[[], None]) -> None:
    """Draw `payload(...)`. A callback runs after the browser has said something: `messages`, or `address`."""
    told = {f"on_{name}_change": on_message for name in MESSAGES}
    _component(key=KEY, data=data, on_address_change=on_address, **told)


def messages(heard: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What the browser has said that is not yet `heard`, in the order in which it was said, and that is added to `heard`.

    shots: {epoch, rev, points, n}, after an edit. step: {step, n}, when it has come to rest.
    act: {visit, name, value, n}, what a button asks for; value belongs to some names alone.
    """
    said = {name: st.session_state[KEY].get(name) for name in MESSAGES}
    news = {name: message for name, message in said.items() if message and message != heard.get(name)}
    heard |= news
    return sorted(news.items(), key=lambda item: item[1]["n"])


def address() -> dict[str, str]:
    """The address parameters after Back or forward in the browser."""
    return st.session_state[KEY]["address"]


def payload(
    state: LabState,
    *,
    epoch: str = "",
    rev: int = 0,
    step_epoch: str = "",
    visit: str = "",
    remember: bool = False,
    fresh: bool = True,
    verdict: dict[str, str] | None = None,
) -> str:
    """Everything the picture needs, as one JSON string with base64 float32 arrays.

    epoch names the last change of shots made by Python: the browser replaces its own shots only when it changes. rev is the
    last of the browser's edits contained in it. step_epoch does the same for the step. remember: whether the browser's Back
    should lead to the picture before this one; the browser keeps the address equal to `query` in any case.
    visit: names this session, so that what was asked of a server since restarted is not done again.
    fresh: whether Python has just met this visitor, who may hold an edit that went to a server since restarted.
    verdict: what a blind vote came to: {guess, and each letter: the label behind it}.

    While names are hidden, nothing in it tells who is who. Raises CheckpointError if a learner is missing.
    """
    task, shots, blind = state.task, state.points, "names" in state.hide
    runs = engine.on_show(state)
    drawn = []
    for letter, name, run in zip(NEUTRAL, state.learners, runs, strict=False):
        arrays = {field: _base64(value) for field, value in run._asdict().items()}
        about = {"name": letter, "trained_steps": 0, "own_alpha": state.alpha, "results": {}} if blind else _about(name)
        drawn.append(about | {"layers": run.moved.shape[1]} | arrays)
    looks = {role: ROLES[role] for role in COMMON} | NEUTRAL if blind else ROLES | _looks(state.learners)
    content = {
        "epoch": epoch,
        "rev": rev,
        "step_epoch": step_epoch,
        "visit": visit,
        "query": state.to_query(),
        "names": [field.name for field in fields(state)],
        "remember": remember,
        "fresh": fresh,
        "step": state.step,
        "default_step": LabState.step,
        "K": state.K,
        "updates": state.num_updates,
        "alpha": state.alpha,
        "amplitude": task.amplitude,
        "phase": task.phase,
        "noise": state.noise,
        "placement": state.placement,
        "freeze": state.freeze,
        "free": state.free,
        "truth_hidden": "truth" in state.hide,
        "blind": blind,
        "verdict": verdict,
        "ghosts": state.ghosts,
        "panels": state.view == "panels",
        "present": state.present,
        "by_hand": state.shots is not None,
        "shots": shots,
        "learners": drawn,
        "looks": {role: asdict(look) for role, look in looks.items()},
        "limits": {"x": FAMILY.x, "y": [-Y_LIMIT, Y_LIMIT], "shots": MAX_SHOTS, "diverged": DIVERGED_ABOVE},
    }
    return json.dumps(content)


def _looks(names: tuple[str, ...]) -> dict[str, Look]:
    return {learners.role(name): learners.look(name) for name in names}


def _about(name: str) -> dict[str, Any]:
    checkpoint = learners.get(name)
    return {
        "name": learners.role(name),
        "key": name,
        "algorithm": checkpoint.config.algorithm,
        "trained": checkpoint.is_trained,
        "trained_steps": checkpoint.config.inner_steps if checkpoint.is_trained else 0,
        "own_alpha": checkpoint.config.alpha,
        "results": checkpoint.results,
    }


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode("ascii")
