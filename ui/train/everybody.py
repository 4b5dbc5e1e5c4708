"""What who sits at the server sees and does of everybody's: all runs and uploads, and what they hold. No streamlit here."""

from contextlib import suppress
from typing import Any

from maml_core import runs
from maml_core.checkpoint import CheckpointError
from maml_core.errors import RunError
from maml_core.files import signature
from maml_core.runs import Limits
from ui.shared import learners
from ui.train import keeping, watching

REFUSED = "Only who sits at the server can see and end what belongs to everybody"
STOPPED = {"stop all": ("queued", "running"), "clear": ("queued",)}
"""What can be asked for of all runs at once -> the states of those that it stops."""


def listed() -> dict[str, Any]:
    """All runs, newest first, and all uploads, each with its size in bytes; what all runs hold, and may."""
    seen, root = watching.seen(), learners.runs_folder()
    found = [(run.name, run.about["title"] or run.name, run.state) for run in seen.known]
    found += [(name, name, "damaged") for name in seen.damaged]
    rows = [{"name": name, "title": title, "state": state, "size": keeping.held(root / name)} for name, title, state in found]
    return {
        "runs": rows,
        "uploads": [{"name": name, "title": learners.title(name), "size": _size(name)} for name in learners.uploads()],
        "held": sum(row["size"] for row in rows),
        "room": Limits.from_environment().megabytes * keeping.MEGABYTE,
    }


def act(name: str, do: str, local: bool) -> bool:
    """Stop all runs, or all that wait, or delete an upload, where that is asked for; whether it was.

    Raises:
        RunError, CheckpointError: with one sentence on why not.
    """
    if do in STOPPED:
        if not local:
            raise RunError(REFUSED)
        for run in watching.seen().known:
            if run.state in STOPPED[do]:
                with suppress(RunError):  # it has ended by itself
                    runs.ask(run.folder, "stop")
    elif do == "delete" and name.startswith("upload:"):
        learners.delete(name, "", local)
    else:
        return False
    return True


def _size(upload: str) -> int:
    try:
        return signature(learners.find(upload))[1]
    except CheckpointError:  # deleted since
        return 0
