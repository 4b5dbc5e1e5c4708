"""What runs hold on disk, and which of them go when that is too much. No streamlit here."""

import threading
from collections import Counter
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from maml_core import runs
from maml_core.errors import RunError
from maml_core.files import signature
from maml_core.runs import Limits, Run
from ui.shared import visitors
from ui.train import watching

MEGABYTE = 2**20
"""Bytes; a run counts for one at least, which bounds their number too."""
SHARE = 0.1
"""Of all that may be held: who holds more gives way first."""
GO_ON = ("paused", "interrupted")
AT_THE_SERVER = "here"
"""In the place of a network, for a run of who sits at the server."""

_one_at_a_time = threading.Lock()


def asked_by(token: str, network: str, local: bool) -> dict[str, Any]:
    """What is kept of whoever asks for a run, by which it is theirs and counted: too little to find a network by."""
    return {"owner": visitors.owner(token), "network": AT_THE_SERVER if local else visitors.owner(network)[:4]}


def held(folder: Path) -> int:
    """Bytes of a run's files."""
    return _held(folder, signature(folder), signature(folder / "checkpoints"))


@lru_cache(maxsize=4096)
def _held(folder: Path, *changed: tuple[int, int]) -> int:
    """changed: differs when a file came, went or was replaced."""
    found = 0
    with suppress(OSError):  # deleted meanwhile
        for path in folder.rglob("*"):
            found += signature(path)[1] if path.is_file() else 0
    return found


def make_room() -> bool:
    """Delete runs until all hold no more than they may on disk; whether they do then.

    First goes what somebody holds more than their share of. Then what is over or paused and nobody is here for, the oldest
    first and what can go on last; then that of those who are here, of whoever holds most. What trains or waits never goes, and
    nothing of who sits at the server.
    """
    with _one_at_a_time:
        known, here = watching.seen().known, visitors.owners_here()
        sizes = {run.name: max(held(run.folder), MEGABYTE) for run in known}
        by_owner: Counter[str] = Counter()
        for run in known:
            by_owner[run.about["owner"]] += sizes[run.name]

        def turn(run: Run) -> tuple[Any, ...]:
            is_here, holds = run.about["owner"] in here, by_owner[run.about["owner"]]
            return holds <= most * SHARE, is_here, run.state in GO_ON, -holds if is_here else 0, run.time

        most = Limits.from_environment().megabytes * MEGABYTE
        too_much = sum(sizes.values()) - most
        for run in sorted(filter(_may_go, known), key=turn):
            if too_much <= 0:
                break
            with suppress(RunError):  # it goes on since, or is gone
                if _may_go(runs.look(run.folder)):
                    runs.delete(run.folder)
                    too_much -= sizes[run.name]
                    watching.look_again()
        return too_much <= 0


def _may_go(run: Run) -> bool:
    return run.state not in ("queued", "running") and bool(run.about["owner"]) and run.about["network"] != AT_THE_SERVER
