"""Where a run stands, and whose it is at the moment: status.json, and the lock of the process that trains it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from maml_core.errors import RunError, RunIsLive
from maml_core.files import Held, is_full, is_locked, lock, write_json
from maml_core.reading import content, json_object
from maml_core.runs.snapshots import furthest

RUN_STATES = ("queued", "running", "paused", "interrupted", "finished", "stopped", "failed", "diverged")
CAN_GO_ON = ("paused", "interrupted", "failed")
PHASES = ("starting", "compiling", "training", "measuring")
MAX_TICKET = 2**50
PATIENCE = 5.0
"""Seconds to wait for a lock that others hold for moments."""


@dataclass(frozen=True)
class Status:
    """Where a run stands, as status.json says it. Written only by whoever holds the run (`held`)."""

    state: str = "interrupted"
    iteration: int = 0
    max_steps: int = 0
    pid: int = 0
    time: float = 0.0
    """When this was written. For display alone, as is pid: clocks jump, and process ids are used again."""
    message: str = ""
    rate: float | None = None
    """Meta-iterations a second, lately."""
    seconds: float = 0.0
    """Spent on this run so far, over all its resumes."""
    phase: str = "starting"
    ticket: int = 0
    """The place in the queue it last had: lower is served first. No two are the same."""
    elsewhere: bool = False
    """Whether it failed since this machine lacks what another had: see `execute_otherwise`."""

    def __post_init__(self) -> None:
        counts = (self.iteration, self.max_steps, self.pid, self.ticket)
        numbers = (self.time, self.seconds, 0.0 if self.rate is None else self.rate)
        if not (
            self.state in RUN_STATES
            and self.phase in PHASES
            and isinstance(self.message, str)
            and type(self.elsewhere) is bool
            and all(type(count) is int and 0 <= count < 2**53 for count in counts)
            and all(type(number) in (int, float) and abs(number) < 1e15 for number in numbers)
        ):
            raise ValueError("a field has a value that it cannot have")


def read_status(folder: Path) -> Status:
    """The run's status.json as it was last written; where there is none, or a damaged one, an interrupted run's."""
    try:
        stored = json_object(content(folder / "status.json"))
        more = {f.name: stored[f.name] for f in fields(Status)[2:] if f.name in stored}
        status = Status(stored["state"], stored["iteration"], **more)
        if status.ticket >= MAX_TICKET:
            raise ValueError("no such ticket was ever given")
        return status
    except FileNotFoundError:
        message = ""
    except OSError as error:  # such as another account's: whether it trains is for its lock to say
        return Status("running", furthest(folder), message=f"status.json cannot be read: {error.strerror or error}")
    except (ValueError, KeyError, TypeError):
        message = "status.json is damaged; resuming continues from the last checkpoint"
    return Status(iteration=furthest(folder), message=message)


def write_status(folder: Path, status: Status) -> None:
    """Replace status.json; only for whoever holds the run. Raises OSError."""
    write_json(folder / "status.json", asdict(replace(status, time=time.time())))


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Be the only one to change this run. A run is live as long as a process holds it, however that process ends.

    Raises:
        RunIsLive: another process trains it, or may. One that holds it for a moment only is waited for.
        RunError: the folder is missing or cannot be written.
    """
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as holding:
        while True:
            try:
                if not folder.is_dir():
                    raise RunError(f"{folder} holds no run, or no longer")
                holding.enter_context(lock(folder / "run.lock", 0.1))
                break
            except Held:
                if read_status(folder).state == "running" or time.monotonic() > deadline:
                    raise trained_elsewhere(folder) from None
            except OSError as error:
                if read_status(folder).state == "running" and is_live(folder):
                    raise trained_elsewhere(folder) from None
                raise RunError(f"{folder} cannot be written: {error.strerror or error}") from None
        yield


def is_live(folder: Path) -> bool:
    """Whether a process is training this run, or may be: what another account does may not be looked at, and is not dead."""
    return is_locked(folder / "run.lock") is not False


def trained_elsewhere(folder: Path) -> RunIsLive:
    """Why a run that somebody else holds may not be changed."""
    if is_locked(folder / "run.lock") is None:
        return RunIsLive(f"{folder.name} belongs to another account, which may be training it; pause, stop or resume it there")
    return RunIsLive(f"{folder.name} is being trained by another process; pause or stop it first")


def goes_on(folder: Path) -> str:
    """What to say of a run whose process has ended without a word."""
    goes_on = f"continues from iteration {furthest(folder):,}"
    if is_full(folder):
        return f"no space is left on the disk of {folder}, and its process has ended; make room, then resume: it {goes_on}"
    return f"its process ended without notice; resuming {goes_on}"
