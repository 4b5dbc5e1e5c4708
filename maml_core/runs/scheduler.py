"""Which waiting run starts next, and starting it as a process that outlives this one."""

import heapq
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import maml_core
from maml_core import runs
from maml_core.errors import RunError
from maml_core.files import Held, lock
from maml_core.runs import Limits, Run

TICK_SECONDS = 1.0
"""A press wakes it; this is how soon the end of a run is noticed."""
HOME = Path(maml_core.__file__).parents[1]
"""Where a worker starts, since it has to find the package that this one is of."""


class Scheduler:
    """Starts waiting runs of one folder, first come first served. Of several on one folder, one at a time does."""

    def __init__(self, root: Path, limits: Limits, before_start: Callable[[], object] = lambda: None):
        """before_start: called before any run is started."""
        self.root, self.limits, self._before_start = root, limits, before_start
        self._children: dict[Path, tuple[subprocess.Popen[bytes], int]] = {}  # run -> its process, and the ticket it had
        self._given_up: set[tuple[Path, int]] = set()
        self._in_charge = ExitStack()
        self._is_in_charge = self._stopping = self._told = False
        self._one_tick = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Tick in a thread of its own, until `stop`."""
        self._stopping = False
        self._thread = threading.Thread(target=self._tick_on, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Start nothing more, and let another scheduler take over. The runs go on."""
        self._stopping = True
        self._woken.set()
        if self._thread:
            self._thread.join()
        with self._one_tick:
            self._in_charge.close()
            self._is_in_charge = False

    def wake(self) -> None:
        """Tick now: there is news."""
        self._woken.set()

    def tick(self) -> None:
        """One round: take note of processes that have ended, and start the runs that there is a place for.

        Raises:
            OSError: the folder of runs cannot be written.
        """
        with self._one_tick:
            self._reap()
            if not self._take_charge():
                return
            statuses = {folder: runs.read_status(folder) for folder in runs.folders(self.root)}
            live = {folder for folder, status in statuses.items() if status.state == "running" and runs.is_live(folder)}
            places = self.limits.runs - len(live | self._children.keys())
            waiting = sorted((status.ticket, folder) for folder, status in statuses.items() if status.state == "queued")
            for ticket, folder in waiting:
                if places > 0 and folder not in self._children and (folder, ticket) not in self._given_up:
                    self._before_start()
                    self._launch(folder, ticket)
                    places -= 1

    def _tick_on(self) -> None:
        while not self._stopping:
            try:
                self.tick()
            except Exception:  # a queue that stands still for good is worse than whatever this is
                logging.getLogger(__name__).exception("the scheduler failed in this round; it will try again")
            self._woken.wait(TICK_SECONDS)
            self._woken.clear()

    def _take_charge(self) -> bool:
        """Whether this is the one scheduler of the folder. It stays so until it stops or its process ends."""
        if not self._is_in_charge and self.root.is_dir():
            with suppress(Held):
                try:
                    self._in_charge.enter_context(lock(self.root / ".scheduler.lock"))
                except PermissionError:
                    if not self._told:
                        why = "another account's server starts the runs in %s, and no other: its .scheduler.lock cannot be opened"
                        logging.getLogger(__name__).warning(why, self.root)
                    self._told = True
                    return False
                self._is_in_charge = True
        return self._is_in_charge

    def _launch(self, folder: Path, ticket: int) -> None:
        try:
            with (folder / "log.txt").open("ab") as log:
                self._children[folder] = _detached(folder, log.fileno(), self.limits.test_sample), ticket
        except OSError as error:
            self._fail(folder, ticket, f"its process could not be started: {error.strerror or error}")

    def _reap(self) -> None:
        for folder, (child, ticket) in list(self._children.items()):
            if child.poll() is not None:
                del self._children[folder]
                self._fail(folder, ticket, f"its process ended before training began (status {child.returncode}); see log.txt")

    def _fail(self, folder: Path, ticket: int, why: str) -> None:
        """Take a run that does not start out of the queue, or it would be started over and over."""
        if not self._waits(folder, ticket):
            return
        self._given_up.add((folder, ticket))  # in case that cannot be written
        with suppress(RunError, OSError), runs.held(folder):
            if self._waits(folder, ticket):
                runs.write_status(folder, replace(runs.read_status(folder), state="failed", message=why))

    def _waits(self, folder: Path, ticket: int) -> bool:
        status = runs.read_status(folder)
        return (status.state, status.ticket) == ("queued", ticket)


def place_in_queue(
    everybody: Iterable[Run], limits: Limits, seconds_left: Mapping[str, float]
) -> dict[str, tuple[int, float | None]]:
    """Name -> (position, from 1, and seconds until it starts) of each waiting run.

    seconds_left: how long each run still trains once it does. The start is None where that is not known of a run before it.
    """
    everybody = list(everybody)
    ends = [seconds_left.get(run.name, float("inf")) for run in everybody if run.state == "running"]
    heapq.heapify(ends)
    places: dict[str, tuple[int, float | None]] = {}
    waiting = (run for run in everybody if run.state == "queued")
    for position, run in enumerate(sorted(waiting, key=lambda run: run.ticket or 0), 1):
        begins = 0.0
        while len(ends) >= limits.runs:
            begins = heapq.heappop(ends)
        places[run.name] = position, None if begins == float("inf") else begins
        heapq.heappush(ends, begins + seconds_left.get(run.name, float("inf")))
    return places


def _detached(folder: Path, log: int, test_sample: int) -> subprocess.Popen[bytes]:
    """The worker as a process that neither a closed terminal nor the end of this server takes with it."""
    command = [sys.executable, "-m", "maml_core.runs.worker", str(folder.resolve()), str(test_sample)]
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=HOME, creationflags=flags
        )
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=HOME, start_new_session=True
    )
