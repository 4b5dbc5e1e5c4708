"""The start view: a component that shows one task before any step and after it, and leads on to the other pages."""

from ui import modules, task_plot
from ui.state import LabState

KEY = "start_view"
_component = modules.component(KEY)


def start_view() -> None:
    """Draw. Other tasks come by the lab's route."""
    _component(key=KEY, data=task_plot.payload(LabState(step=0)))
