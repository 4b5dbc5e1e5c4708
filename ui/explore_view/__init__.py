"""The explore view: a component that draws error over shots, step size and inner step, and refines it while one looks.

It asks the routes of ui/maps.py for the maps; Python tells it whose maps, under which conditions.
"""

import json
from dataclasses import asdict
from typing import Any

from maml_core.config import DIVERGED_ABOVE, JOINT
from maml_core.palette import HEAT, ROLES
from ui import comparison, library, modules, published
from ui.exploration import ALPHAS, CONDITIONS, MORE_SHOTS, SHOTS, STEPS, Exploration

KEY = "explore_figure"
BASELINE = "pretrained"
"""What the others are to beat, at its own step size."""
_component = modules.component("explore_view")


def explore_view(state: Exploration) -> None:
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
        "rows": {"K": SHOTS + MORE_SHOTS * ("shots" in state.conditions), "alpha": ALPHAS},
        "steps": STEPS,
        "looks": {role: asdict(look) for role, look in (ROLES | looks).items()},
        "heat": HEAT,
        "diverged": DIVERGED_ABOVE,
        "published": published.payload() if state.view == "published" else None,
    }


def _about(name: str, role: str, label: str) -> dict[str, Any]:
    """steps: the inner steps it was trained for, 0 for one that was not trained to adapt."""
    saved = library.get(name)
    adapts = saved.iterations > 0 and saved.config.algorithm not in JOINT
    steps = saved.config.inner_steps if adapts else 0
    return {"key": name, "role": role, "label": label, "K": saved.config.K, "steps": steps, "alpha": saved.config.alpha}
