"""The comparison as a picture: a component that draws mean error by inner step of every learner."""

import json
from dataclasses import asdict
from typing import Any

from ui.checkpoints import comparison, recipe
from ui.checkpoints.comparison import Compared
from ui.shared import modules

KEY = "ckpt_errors"
HEIGHT = 340
"""As in checkpoints.css: its place is kept before it is drawn."""
_component = modules.component("checkpoints/errors.js")


def show(compared: list[Compared]) -> None:
    """Draw."""
    _component(key=KEY, data=json.dumps(payload(compared)), height=HEIGHT)


def payload(compared: list[Compared]) -> dict[str, Any]:
    """The numbers, how each learner is drawn, and what came of it in words."""
    roles = [f"learner{i}" for i in range(len(compared))]
    return {
        "learners": [
            {
                "role": role,
                "mean": [s.mean for s in part.steps],
                "ci95": [s.ci95 for s in part.steps],
                "gone": [recipe.percent(s.diverged) if s.diverged else "" for s in part.steps],
            }
            for role, part in zip(roles, compared, strict=True)
        ],
        "looks": {role: asdict(part.look) for role, part in zip(roles, compared, strict=True)},
        "finding": comparison.finding(compared),
    }
