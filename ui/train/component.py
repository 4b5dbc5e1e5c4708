"""The training view: a component that lists the runs of this server, draws how one learns, and steers it.

It asks the routes of ui/train/routes.py for all that moves. Python tells it which run to show after a press of Train; it tells
Python which run, or which snapshot, a new one is to be made from.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import streamlit as st

from maml_core.config import DIVERGED_ABOVE, MAX_SHOTS
from maml_core.palette import NEUTRAL, ROLES
from ui.shared import modules
from ui.shared.ranges import FAMILY, Y_LIMIT

KEY = "train"
_component = modules.component("train/main.js")


def train(selected: str, pressed: int, marks: list[dict[str, Any]], *, on_template: Callable[[], None]) -> None:
    """Draw. selected: the run that the last press of Train started, the `pressed`th; marks: what is to be beaten, while there is
    no run to show; on_template: see `template`.
    """
    data = {
        "selected": selected,
        "pressed": pressed,
        "marks": marks,
        "looks": {role: asdict(look) for role, look in (ROLES | NEUTRAL).items()},
        "limits": {"x": FAMILY.x, "y": [-Y_LIMIT, Y_LIMIT], "shots": MAX_SHOTS, "diverged": DIVERGED_ABOVE},
    }
    _component(key=KEY, data=json.dumps(data), on_template_change=on_template)


def template() -> dict[str, Any]:
    """The run that a new one is to be made from: {run, iteration}; iteration is None unless it is to go on from a snapshot."""
    return st.session_state[KEY]["template"]
