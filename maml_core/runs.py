"""A training run as a folder on disk: what is in it, reading it, and asking for changes. It is trained by worker.py.

torch is imported where tensors are, so that what needs none of them is quick.
"""

import json
import shutil
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maml_core.config import DEVICES, PATHS, TrainConfig
from maml_core.errors import CheckpointError, ConfigError, NotHere, RunError, RunIsLive
from maml_core.files import Held, is_full, is_locked, lock, write_atomically
from maml_core.reading import content, is_number, json_object, whole

if TYPE_CHECKING:
    from maml_core.training import State

STATES = ("queued", "running", "paused", "interrupted", "finished", "stopped", "failed", "diverged")
CAN_GO_ON = ("paused", "interrupted", "failed")
PHASES = ("starting", "compiling", "training", "measuring")
REQUESTS = ("pause", "stop")
STATE = ".state.safetensors"
LIMITS = {"title": 60, "note": 500, "owner": 100}
"""Characters in what a person may say about a run."""
MAX_TICKET = 2**50
PATIENCE = 5.0
"""Seconds to wait for a lock that others hold for moments."""


@dataclass(frozen=True)
class RunSettings:
    """How a run is executed. Decided when it first starts and kept when it resumes, unless somebody asks for another way
    (`execute_otherwise`): the bits depend on it.

    Raises:
        ConfigError: a setting is unknown.
    """

    path: str = "auto"
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        if self.path not in ("auto", *PATHS):
            raise ConfigError(f"path={self.path!r:.60} is not possible: choose one of auto, {', '.join(PATHS)}")
        if self.device not in DEVICES:
            raise ConfigError(f"device={self.device!r:.60} is not possible: choose one of {', '.join(DEVICES)}")
        if type(self.threads) is not int or not 1 <= self.threads <= 256:
            raise ConfigError(f"threads={self.threads!r:.60} is not possible: it must be between 1 and 256")

    @property
    def settled(self) -> bool:
        """Whether nothing is left to decide."""
        return "auto" not in (self.path, self.device)

    def settle(self, config: TrainConfig) -> "RunSettings":
        """The settings with every "auto" decided for this machine and the length of this run, which may take a compilation.

        Raises:
            ConfigError: they ask for what this machine lacks.
        """
        from maml_core.training import choose_path

        device = choose_device(self.device)
        return replace(self, device=device, path=choose_path(config, device) if self.path == "auto" else self.path)


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
            self.state in STATES
            and self.phase in PHASES
            and isinstance(self.message, str)
            and type(self.elsewhere) is bool
            and all(type(count) is int and 0 <= count < 2**53 for count in counts)
            and all(type(number) in (int, float) and abs(number) < 1e15 for number in numbers)
        ):
            raise ValueError("a field has a value that it cannot have")


@dataclass(frozen=True)
class Run:
    """Everything there is to show about a run, read at one moment. `config` to `about` as given, the rest as in Status."""

    name: str
    folder: Path
    config: TrainConfig
    settings: RunSettings
    about: dict[str, Any]
    """title, note, owner, and parent: None, or the {"run", "iteration"} that it went on from."""
    created: float
    state: str
    iteration: int
    max_steps: int
    phase: str
    message: str
    rate: float | None
    seconds: float
    ticket: int | None
    """While queued."""
    elsewhere: bool
    time: float


def choose_device(device: str = "auto") -> str:
    """A GPU if there is one, for "auto". Raises ConfigError if CUDA is asked for and missing."""
    if device == "cpu":
        return device
    import torch

    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise ConfigError("device='cuda' is not possible: this PyTorch sees no CUDA GPU; use device='cpu' or 'auto'")
    return ("cuda" if cuda else "cpu") if device == "auto" else device


def has_device(device: str) -> bool:
    """Whether this machine has it."""
    try:
        choose_device(device)
    except ConfigError:
        return False
    return True


def create(
    folder: Path,
    config: TrainConfig,
    path: str = "auto",
    device: str = "auto",
    threads: int = 1,
    *,
    start: Path | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Make the folder of a new run. Nothing is compiled, and nothing starts: see `enqueue`, and worker.train.

    start: a snapshot of any run, to go on from under this config.
    about: title, note, owner, parent.

    Raises:
        ConfigError: a setting is unknown, or asks for what this machine lacks.
        RunError: there is a run in the folder, it cannot be written, or this config cannot go on from that snapshot.
    """
    settings = RunSettings(path, device, threads)
    if device == "cuda":
        choose_device(device)
    known = _checked_about(about or {})
    stored = {"config": config.to_dict(), "settings": asdict(settings), "created": time.time()}
    begun = None
    if start:
        begun = state_at(start, config)
        stored["start"] = {"run": start.parent.parent.name, "iteration": begun.iteration}
    try:
        if folder.exists() and (any((folder / "checkpoints").glob("*")) or (folder / "config.json").exists()):
            raise RunError(f"{folder} already holds a run; add --resume to continue it, or choose another --run-dir")
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        with held(folder):
            if (folder / "config.json").exists():
                raise RunError(f"{folder} already holds a run; choose another name")
            if start and begun:
                save(folder, begun, config, {"start": stored["start"]})
                so_far = [line for line in merged(metrics(start.parent.parent)[0]) if line["iteration"] <= begun.iteration]
                write_atomically(folder / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in so_far).encode())
            if known:
                write_json(folder / "about.json", known)
            write_json(folder / "config.json", stored)  # last: this is what makes the folder a run
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}; choose another folder") from None


def settle(folder: Path) -> RunSettings:
    """Decide how the run is executed, which may take a compilation, and record it; from then on only read it.

    Raises:
        NotHere: the run asks for what this machine lacks.
        RunError: the folder holds no run, or its config.json is damaged.
        OSError: config.json cannot be written.
    """
    stored, config, asked = _recipe(folder)
    try:
        settings = asked.settle(config)
    except ConfigError as error:
        raise NotHere(str(error)) from None
    if settings != asked:
        write_json(folder / "config.json", stored | {"settings": asdict(settings)})
    return settings


def execute_otherwise(folder: Path, settings: RunSettings) -> int:
    """Let a run go on in another way than before, such as on a machine without what it began on; "auto" is decided anew.

    Returns the iteration that it goes on from. From there on, unless that is 0, its bits differ from those of a run that was
    executed in one way throughout; `changes` remembers where.

    Raises:
        ConfigError: the settings ask for what this machine lacks.
        RunError: the folder holds no run, it is live, or it cannot be written.
    """
    _check_exists(folder)
    if settings.device == "cuda":
        choose_device("cuda")
    with _writing(folder), held(folder):
        stored, _, before = _recipe(folder)
        reached = _reached(folder)
        if settings != before:
            at = sorted({*changes(folder), reached} - {0})
            write_json(folder / "config.json", stored | {"settings": asdict(settings), "changes": at})
    return reached


def changes(folder: Path) -> list[int]:
    """The iterations from which the run went on in another way than before. Raises RunError as `read_config` does."""
    return list(_recipe(folder)[0].get("changes", []))


def read_config(folder: Path) -> tuple[TrainConfig, RunSettings]:
    """What the run in this folder is. Before it first started its settings may be "auto" still.

    Raises:
        RunError: there is none, or its config.json is damaged.
    """
    return _recipe(folder)[1:]


def read_start(folder: Path) -> dict[str, Any] | None:
    """The run and iteration that this run went on from, if it did not begin at 0. Raises RunError as `read_config` does."""
    return _recipe(folder)[0].get("start")


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
        return Status("running", _reached(folder), message=f"status.json cannot be read: {error.strerror or error}")
    except (ValueError, KeyError, TypeError):
        message = "status.json is damaged; resuming continues from the last checkpoint"
    return Status(iteration=_reached(folder), message=message)


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
                    raise _trained_elsewhere(folder) from None
            except OSError as error:
                if read_status(folder).state == "running" and is_live(folder):
                    raise _trained_elsewhere(folder) from None
                raise RunError(f"{folder} cannot be written: {error.strerror or error}") from None
        yield


def is_live(folder: Path) -> bool:
    """Whether a process is training this run, or may be: what another account does may not be looked at, and is not dead."""
    return is_locked(folder / "run.lock") is not False


def look(folder: Path) -> Run:
    """The run in this folder. Raises RunError with one sentence if there is none, or it is damaged."""
    stored, config, settings = _recipe(folder)
    status = read_status(folder)
    if status.state == "running" and not is_live(folder):
        status = read_status(folder)  # it may have ended properly, or been resumed, since
        if status.state == "running" and not is_live(folder):
            status = replace(status, state="interrupted", rate=None, message=_goes_on(folder))
    about = {"title": "", "note": "", "owner": "", "parent": stored.get("start")}
    try:
        about |= read_about(folder)
    except RunError as error:
        status = replace(status, message=status.message or str(error))
    moment = {f.name: getattr(status, f.name) for f in fields(Status) if f.name not in ("pid", "max_steps", "ticket")}
    ticket = status.ticket if status.state == "queued" else None
    return Run(
        folder.name, folder, config, settings, about, stored["created"], max_steps=config.max_steps, ticket=ticket, **moment
    )


def list_runs(root: Path) -> tuple[list[Run], dict[str, str]]:
    """The runs in this folder, newest first, and what is wrong with those that are damaged, by name.

    Folders that hold no run, or whose name begins with a dot, are none of them.
    """
    found, damaged = [], {}
    for folder in folders(root):
        try:
            found.append(look(folder))
        except RunError as error:
            if folder.exists():
                damaged[folder.name] = str(error)
    return sorted(found, key=lambda run: (run.created, run.name), reverse=True), damaged


def folders(root: Path) -> list[Path]:
    """Where there are runs in this folder, damaged ones too, by name."""
    try:
        return sorted(path.parent for path in root.glob("*/config.json") if not path.parent.name.startswith("."))
    except OSError:
        return []


def metrics(folder: Path, offset: int = 0, most: int = -1) -> tuple[list[dict[str, Any]], int]:
    """The lines of metrics.jsonl from this byte on, `most` bytes of them, and the byte to go on from next time.

    A last line that is still being written is left for then; damaged lines are skipped. Where a resume repeated an iteration
    there is more than one line of it: see `merged`. A file that has become shorter is read from its beginning.
    """
    try:
        with (folder / "metrics.jsonl").open("rb") as file:
            size = file.seek(0, 2)
            file.seek(offset := offset if offset <= size else 0)
            read = file.read(most)
    except OSError:
        return [], 0
    lines = read[: read.rfind(b"\n") + 1]
    return [line for text in lines.split(b"\n") if (line := _metric(text))], offset + len(lines)


def merged(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line an iteration, in order; of several the later wins."""
    latest = {line["iteration"]: line for line in lines}
    return [latest[iteration] for iteration in sorted(latest)]


def snapshots(folder: Path) -> list[Path]:
    """The run's snapshots, checkpoints/step-NNNNNN.safetensors, in the order of their iterations."""
    return numbered(folder / "checkpoints")


def numbered(folder: Path) -> list[Path]:
    """The step-NNNNNN.safetensors right in this folder, in the order of their iterations."""
    numbered = {}
    for path in folder.glob("step-*.safetensors"):
        with suppress(ValueError):  # not ours, such as a training state beside one
            numbered[iteration_of(path)] = path
    return [numbered[number] for number in sorted(numbered)]


def state_of(snapshot: Path) -> Path:
    """Where the training state that belongs to a snapshot lies."""
    return snapshot.with_suffix(STATE)


def final_of(folder: Path) -> Path:
    """Where the checkpoint of an ended run lies."""
    return folder / "checkpoints" / "final.safetensors"


def iteration_of(snapshot: Path) -> int:
    """The iteration that a snapshot was taken at. Raises ValueError for a file of another name."""
    return whole(snapshot.stem.removeprefix("step-"))


def latest_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of the run in this folder (or of a folder of checkpoints): the final one, or the furthest.

    Raises:
        RunError: there is none.
    """
    try:
        inside = folder / "checkpoints"
        inside = inside if inside.is_dir() else folder
        found = [inside / "final.safetensors"] if (inside / "final.safetensors").exists() else numbered(inside)
        found = found or checkpoints(inside)
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}") from None
    if not found:
        raise RunError(f"there is no checkpoint (*.safetensors) in {folder}")
    return found[-1]


def checkpoints(folder: Path) -> list[Path]:
    """Every checkpoint right in this folder, by name; training states are not checkpoints."""
    return sorted(path for path in folder.glob("*.safetensors") if not path.name.endswith(STATE))


def save(folder: Path, state: "State", config: TrainConfig, execution: dict[str, Any]) -> None:
    """Write a snapshot: the checkpoint, and beside it all that a resume needs. Raises OSError."""
    from maml_core import checkpoint as ckpt

    name = folder / "checkpoints" / f"step-{state.iteration:06d}.safetensors"
    ckpt.save_state(state_of(name), state, config)
    ckpt.save(name, ckpt.Checkpoint(state.learned, config, state.iteration, run=execution))


def enqueue(folder: Path, per_person: int | None = None) -> None:
    """Put a run that is new, paused, interrupted or failed at the end of the queue. One that waits already stays where it is.

    per_person: how many runs of one owner may be in training or waiting; None for any number.

    Raises:
        RunError: the run cannot go on, or its owner has as many as that; what to do instead.
    """
    root = folder.parent
    if read_status(folder).state == "running" and is_live(folder):  # before the queue, which may be another account's too
        raise _trained_elsewhere(folder)
    with _writing(folder), _only_one(root / ".queue.lock"), held(folder):
        status, run = read_status(folder), look(folder)
        state = "interrupted" if status.state == "running" else status.state
        if state == "queued":
            return
        if state not in CAN_GO_ON:
            raise RunError(_cannot_go_on(run.name, state))
        everybody = {other: read_status(other) for other in folders(root)}
        if per_person is not None and run.about["owner"]:
            busy = [other for other, its in everybody.items() if other != folder and _is_busy(other, its)]
            if sum(_owner(other) == run.about["owner"] for other in busy) >= per_person:
                raise RunError(
                    f"one person can have {per_person} run{'s' if per_person > 1 else ''} in training or waiting here; "
                    "wait until one of yours has ended, or pause or stop one"
                )
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
    _check_exists(folder)
    with _writing(folder):
        try:
            with held(folder):
                status = read_status(folder)
                state = "interrupted" if status.state == "running" else status.state
                if state == done:
                    return
                if state not in ("queued", "interrupted") and not (request == "stop" and state in CAN_GO_ON):
                    raise RunError(f"{folder.name} is {state}: there is nothing to {request}")
                if request == "stop" and (kept := snapshots(folder)):
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


def delete(folder: Path) -> None:
    """Remove a run and everything in its folder, damaged or not.

    Raises:
        RunError: it is live, there is none, or it cannot be removed.
    """
    _check_exists(folder)
    try:
        with held(folder):
            for name in ("config.json", "status.json"):  # from here on it is no run to anybody
                (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder)
    except RunIsLive as error:
        raise RunError(str(error)) from None
    except OSError as error:
        raise RunError(f"{folder} cannot be removed: {error.strerror or error}") from None


def rename(folder: Path, title: str | None = None, note: str | None = None) -> None:
    """Say something else about a run: None leaves what is there.

    Raises:
        RunError: a text is too long or holds control characters, or the folder cannot be written.
    """
    given = {name: text for name, text in (("title", title), ("note", note)) if text is not None}
    new = _checked_about(given)
    with _writing(folder):
        _recipe(folder)
        try:
            old = read_about(folder)
        except RunError:  # damaged: this is how it is mended
            old = {}
        write_json(folder / "about.json", old | new)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace the file at once or not at all. Raises OSError."""
    write_atomically(path, json.dumps(value, indent=1).encode())


def _check_exists(folder: Path) -> None:
    if not (folder / "config.json").exists():
        raise RunError(f"{folder} holds no run, or no longer")


def _recipe(folder: Path) -> tuple[dict[str, Any], TrainConfig, RunSettings]:
    """config.json as it is, which is not to be changed in memory, and what it stands for."""
    path = folder / "config.json"
    try:
        return _parsed(content(path))
    except FileNotFoundError:
        raise RunError(f"{folder} holds no run (there is no config.json in it); start a new one") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({error}); start a new run in another folder") from None


@lru_cache(maxsize=1024)  # lists of many runs are read again and again
def _parsed(text: bytes) -> tuple[dict[str, Any], TrainConfig, RunSettings]:
    stored = json_object(text)
    config, settings = TrainConfig.from_dict(stored["config"]), stored["settings"]
    settings = RunSettings(**{f.name: settings[f.name] for f in fields(RunSettings)})
    stored.setdefault("created", 0.0)
    if type(stored["created"]) not in (int, float) or not abs(stored["created"]) < 1e15:
        raise ValueError(f"created={stored['created']!r:.60} is not a time")
    if "start" in stored:
        _check_parent(stored["start"])
    return stored, config, settings


def state_at(start: Path, config: TrainConfig) -> "State":
    """The training state beside a snapshot, for a run of this config to go on from. Raises RunError where it cannot, and why."""
    if not state_of(start).exists():
        raise RunError(f"{start.name} has no training state beside it; choose a snapshot (step-NNNNNN.safetensors) of a run")
    from maml_core import checkpoint as ckpt
    from maml_core.training import shapes

    try:
        theirs = ckpt.load(start).config
        if shapes(theirs) != shapes(config):
            raise RunError(
                f"this run cannot continue from {start.name}: it learns other weights; "
                "keep hidden and norm as they were, and do not change to or from meta_sgd or oracle"
            )
        state = ckpt.load_state(state_of(start), theirs)
    except CheckpointError as error:
        raise RunError(f"this run cannot start there: {error}") from None
    if state.iteration >= config.max_steps:
        raise RunError(
            f"max_steps={config.max_steps} is not possible: {start.name} is already at iteration {state.iteration}; choose more"
        )
    return state


def _trained_elsewhere(folder: Path) -> RunIsLive:
    if is_locked(folder / "run.lock") is None:
        return RunIsLive(f"{folder.name} belongs to another account, which may be training it; pause, stop or resume it there")
    return RunIsLive(f"{folder.name} is being trained by another process; pause or stop it first")


def _reached(folder: Path) -> int:
    try:
        return max((iteration_of(path) for path in snapshots(folder)), default=0)
    except OSError:
        return 0


def _goes_on(folder: Path) -> str:
    goes_on = f"continues from iteration {_reached(folder):,}"
    if is_full(folder):
        return f"no space is left on the disk of {folder}, and its process has ended; make room, then resume: it {goes_on}"
    return f"its process ended without notice; resuming {goes_on}"


def _cannot_go_on(name: str, state: str) -> str:
    return {
        "finished": f"{name} is finished; start a new run from one of its snapshots, with a larger max_steps",
        "stopped": f"{name} was stopped; start a new run from one of its snapshots",
        "diverged": f"{name} would diverge again; start a new run from one of its snapshots, with a smaller beta or alpha",
    }[state]


def _is_busy(folder: Path, status: Status) -> bool:
    return status.state == "queued" or (status.state == "running" and is_live(folder))


def _owner(folder: Path) -> str:
    try:
        return read_about(folder).get("owner", "")
    except RunError:
        return ""


def read_about(folder: Path) -> dict[str, Any]:
    """What people say about a run: title, note, owner, as far as they do. Raises RunError if that is damaged."""
    try:
        return _checked_about(json_object(content(folder / "about.json")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RunError) as error:
        raise RunError(f"about.json is damaged, so title, note and owner are lost ({error})") from None


def _checked_about(about: Any) -> dict[str, Any]:
    if not isinstance(about, Mapping) or (unknown := sorted(set(map(str, about)) - {*LIMITS, "parent"})):
        raise RunError(f"{unknown[0] if isinstance(about, Mapping) else about!r:.60} is not something to say about a run")
    for name, limit in LIMITS.items():
        text = about.get(name, "")
        if not isinstance(text, str):
            raise RunError(f"the {name} must be text")
        if len(text) > limit:
            raise RunError(f"the {name} has {len(text)} characters; it can have at most {limit}")
        allowed = "\n" if name == "note" else ""
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed for letter in text):
            raise RunError(f"the {name} holds a control character; use letters, digits, punctuation and spaces")
    if about.get("parent") is not None:
        try:
            _check_parent(about["parent"])
        except ValueError as error:
            raise RunError(str(error)) from None
    return dict(about)


def _check_parent(parent: Any) -> None:
    if not (isinstance(parent, dict) and isinstance(parent.get("run"), str) and type(parent.get("iteration")) is int):
        raise ValueError("a parent is the name of a run and an iteration of it")


def _metric(text: bytes) -> dict[str, Any] | None:
    """One line of metrics.jsonl, or None if it is damaged."""
    from maml_core.evaluation import StepStats

    try:
        line = json_object(text)
        placed = type(line["iteration"]) is int and 0 <= line["iteration"] < 2**53
        losses = all(is_number(line[name]) for name in ("loss_before", "loss_after") if name in line)
        steps = line.get("validation", [])
        measured = all(is_number(stats[name]) for stats in steps for name in StepStats._fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return line if placed and losses and measured else None


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror or error}") from None


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Wait for the lock that orders a queue."""
    with ExitStack() as holding:
        try:
            holding.enter_context(lock(path, PATIENCE))
        except Held:
            raise RunError("the queue is busy; try again") from None
        yield
