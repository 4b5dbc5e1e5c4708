"""The explore view: a component that draws error over shots, step size and inner step, and refines it while one looks.

It asks the routes of ui/explore/maps.py for the maps; Python tells it whose maps, under which conditions.
"""

import json
from dataclasses import asdict
from typing import Any

from maml_core import sweeps
from maml_core.config import DIVERGED_ABOVE, JOINT
from maml_core.palette import ROLES
from ui.checkpoints import comparison
from ui.explore import published
from ui.explore.exploration import ALPHA_ROWS, CONDITIONS, MAP_STEPS, MORE_SHOT_ROWS, SHOT_ROWS, Exploration
from ui.shared import learners, modules

KEY = "explore"
BASELINE = "pretrained"
"""What the others are to beat, at its own step size."""
_component = modules.component("explore/main.js")


def explore(state: Exploration) -> None:
    """Draw."""
    _component(key=KEY, data=json.dumps(payload(state)))


def payload(state: Exploration) -> dict[str, Any]:
    """What the component needs to know before it asks for a map. Raises CheckpointError if a learner is missing."""
    looks = {f"learner{i}": look for i, look in enumerate(comparison.looks(state.learners))}
    return {
        "learners": [_about(name, role, look.label) for name, (role, look) in zip(state.learners, looks.items(), strict=True)],
        "baseline": _about(BASELINE, "pretrained", ROLES["pretrained"].label),
        "K": state.K,
        "alpha": state.alpha,
        "conditions": state.conditions,
        "condition_names": [CONDITIONS[name] for name in state.conditions],
        "tasks": state.tasks,
        "view": state.view,
        "rows": {"K": SHOT_ROWS + MORE_SHOT_ROWS * ("shots" in state.conditions), "alpha": ALPHA_ROWS},
        "steps": MAP_STEPS,
        "points": sweeps.POINTS,
        "looks": {role: asdict(look) for role, look in (ROLES | looks).items()},
        "diverged": DIVERGED_ABOVE,
        "published": published.payload() if state.view == "published" else None,
    }


def _about(name: str, role: str, label: str) -> dict[str, Any]:
    """K, steps: the shots and the inner steps it was trained for; 0 steps for one that was not trained to adapt, 0 shots where
    that is not known."""
    saved = learners.get(name)
    adapts = saved.is_trained and saved.config.algorithm not in JOINT
    steps, K = saved.config.inner_steps if adapts else 0, 0 if saved.from_elsewhere else saved.config.K
    return {"key": name, "role": role, "label": label, "K": K, "steps": steps, "alpha": saved.config.alpha}
