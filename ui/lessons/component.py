"""The lesson view: a component that lists the lesson cards and shows one of them; all of it lives in the browser.

It asks the routes below /lessons and /lab. Which card is on show stands in the address, and how far a person is in the browser's
own storage.
"""

import json
from dataclasses import asdict

from maml_core.palette import NEUTRAL, ROLES
from ui.shared import modules

KEY = "lessons"
_component = modules.component("lessons/main.js")


def lessons() -> None:
    """Draw."""
    _component(key=KEY, data=json.dumps({"looks": {role: asdict(look) for role, look in (ROLES | NEUTRAL).items()}}))
