"""The geometry view: a component that shows a world of two parameters, all of which moves in the browser."""

import json
from dataclasses import asdict

from maml_core.palette import NEUTRAL, ROLES
from ui.shared import modules

KEY = "geometry"
_component = modules.component("geometry/main.js")


def geometry() -> None:
    """Draw. Its settings live in the address, and the browser keeps them there."""
    _component(key=KEY, data=json.dumps({"looks": {role: asdict(look) for role, look in (ROLES | NEUTRAL).items()}}))
