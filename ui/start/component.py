"""The start view: a component that shows one task before any step and after it, and leads on to the other pages."""

from ui.lab import component
from ui.lab.state import LabState
from ui.shared import modules

KEY = "start"
_component = modules.component("start/main.js")


def start() -> None:
    """Draw. Other tasks come by the lab's route."""
    _component(key=KEY, data=component.payload(LabState(step=0)))
