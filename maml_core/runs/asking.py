"""What is asked of a run by whoever it belongs to: to wait for its turn, to pause, to stop."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from maml_core.errors import RunError, RunIsLive
from maml_core.files import Held, lock, write_atomically, write_json
from maml_core.reading import content, json_object
from maml_core.runs.about import read_about
from maml_core.runs.folder import folders, look
from maml_core.runs.limits import Limits
from maml_core.runs.recipe import check_exists, writing
from maml_core.runs.snapshots import final_of, iteration_of, snapshots_of
from maml_core.runs.status import CAN_GO_ON, PATIENCE, Status, held, is_live, read_status, trained_elsewhere, write_status

REQUESTS = ("pause", "stop")


def enqueue(folder: Path, limits: Limits | None = None) -> None:
    """Put a run that is new, paused, interrupted or failed at the end of the queue. One that waits already stays where it is.

    limits: how many may be in training or waiting, of one owner, from one network and in all; None for any number.

    Raises:
        RunError: the run cannot go on, or there are as many as that; what to do instead.
    """
    root = folder.parent
    if read_status(folder).state == "running" and is_live(folder):  # before the queue, which may be another account's too
        raise trained_elsewhere(folder)
    with writing(folder), _only_one(root / ".queue.lock"), held(folder):
        status, run = read_status(folder), look(folder)
        state = "interrupted" if status.state == "running" else status.state
        if state == "queued":
            return
        if state not in CAN_GO_ON:
            raise RunError(_cannot_go_on(run.name, state))
        everybody = {other: read_status(other) for other in folders(root)}
        if limits:
            busy = [other for other, its in everybody.items() if other != folder and _is_busy(other, its)]
            _check_room(run.about, [_about(other) for other in busy], limits)
        (folder / "control.json").unlink(missing_ok=True)
        ticket = 1 + max(its.ticket for its in (status, *everybody.values()))
        status = replace(status, ticket=ticket, max_steps=run.max_steps, rate=None, phase="starting", elsewhere=False)
        write_status(folder, replace(status, state="queued", message=""))


def ask(folder: Path, request: str) -> None:
    """Ask for a pause or a stop. A live run obeys after the block it is in; any other changes at once.

    Stopping keeps the checkpoint: final.safetensors is what was trained last.

    Raises:
        RunError: there is nothing to pause or stop, or the folder cannot be written.
    """
    if request not in REQUESTS:
        raise RunError(f"a run cannot be asked to {request!r:.60}: choose one of {', '.join(REQUESTS)}")
    done = {"pause": "paused", "stop": "stopped"}[request]
    check_exists(folder)
    with writing(folder):
        try:
            with held(folder):
                status = read_status(folder)
                state = "interrupted" if status.state == "running" else status.state
                if state == done:
                    return
                if state not in ("queued", "interrupted") and not (request == "stop" and state in CAN_GO_ON):
                    raise RunError(f"{folder.name} is {state}: there is nothing to {request}")
                if request == "stop" and (kept := snapshots_of(folder)):
                    write_atomically(final_of(folder), kept[-1].read_bytes())
                    status = replace(status, iteration=iteration_of(kept[-1]))
                write_status(folder, replace(status, state=done, message="", rate=None))
        except RunIsLive:
            write_json(folder / "control.json", {"request": request})


def read_request(folder: Path) -> str | None:
    """What the owner asks of the live run, if anything."""
    try:
        request = json_object(content(folder / "control.json"))["request"]
    except (OSError, ValueError, KeyError):
        return None
    return request if request in REQUESTS else None


def _cannot_go_on(name: str, state: str) -> str:
    return {
        "finished": f"{name} is finished; start a new run from one of its snapshots, with a larger max_steps",
        "stopped": f"{name} was stopped; start a new run from one of its snapshots",
        "diverged": f"{name} would diverge again; start a new run from one of its snapshots, with a smaller beta or alpha",
    }[state]


def _is_busy(folder: Path, status: Status) -> bool:
    return status.state == "queued" or (status.state == "running" and is_live(folder))


def _about(folder: Path) -> dict[str, Any]:
    try:
        return read_about(folder)
    except RunError:
        return {}


def _check_room(mine: dict[str, Any], busy: list[dict[str, Any]], limits: Limits) -> None:
    """Raises RunError where there is no room for one more: what is said about it, and about those that train or wait."""

    def alike(name: str) -> int:
        return sum(bool(mine[name]) and other.get(name) == mine[name] for other in busy)

    if alike("owner") >= limits.per_person:
        raise RunError(
            f"one person can have {_counted(limits.per_person)} in training or waiting here; "
            "wait until one of yours has ended, or pause or stop one"
        )
    if alike("network") >= limits.per_address:
        raise RunError(f"{_counted(limits.per_address)} can be in training or waiting from one address; {_SOON}")
    if len(busy) >= limits.in_all:
        raise RunError(f"{_counted(limits.in_all)} can be in training or waiting on this server; {_SOON}")


_SOON = "wait until one has ended, or ask who sits at the server to clear the line"


def _counted(runs: int) -> str:
    return f"{runs} run{'s' if runs > 1 else ''}"


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Wait for the lock that orders a queue."""
    with ExitStack() as holding:
        try:
            holding.enter_context(lock(path, PATIENCE))
        except Held:
            raise RunError("the queue is busy; try again") from None
        yield
