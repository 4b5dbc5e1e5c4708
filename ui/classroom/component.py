"""The classroom view: a component that opens a room or joins one, for its teacher and for a student; it all lives in the browser.

It asks the routes below /classroom, and those of cards and the lab. The room on show stands in the address, a teacher's secret in
the browser's own storage.
"""

import json
from dataclasses import asdict

from maml_core.palette import NEUTRAL, ROLES
from ui.classroom.room import MAX_NAME
from ui.shared import modules

KEY = "classroom"
_component = modules.component("classroom/main.js")


def classroom() -> None:
    """Draw."""
    looks = {role: asdict(look) for role, look in (ROLES | NEUTRAL).items()}
    _component(key=KEY, data=json.dumps({"looks": looks, "longest": MAX_NAME}))
