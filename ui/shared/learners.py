"""Which checkpoints there are and how they are called: shipped, untrained, uploaded, of training runs. No streamlit here."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from maml_core import PRETRAINED, baselines, checkpoint, files, runs
from maml_core.checkpoint import MAX_BYTES, Checkpoint, CheckpointError, Told
from maml_core.config import CLASSIFICATION
from maml_core.errors import RunError
from maml_core.files import signature, temporary_for, write_atomically
from maml_core.palette import ROLES, Look
from maml_core.reading import content, json_object
from ui.shared.incoming import legible
from ui.shared.remembered import remembered

ROOT = Path(__file__).parents[2]
LEARNERS = ("maml", "fomaml", "reptile", "anil", "meta_sgd", "pretrained", "oracle", "random")
"""Everything that can be chosen, in the order it is shown: shipped checkpoints, and the network before any training."""
RUN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
"""The name of a run: that of its folder."""
OWN = re.compile(rf"shipped:[a-z0-9_]{{1,60}}|upload:[0-9a-f]{{12}}|run:{RUN.pattern}(@[0-9]{{1,9}})?")
"""A checkpoint that takes the lab's one place for a checkpoint of one's own: shipped beside LEARNERS (by its file's name),
uploaded (by the start of its digest), the latest of a run (by its folder's name), or a run's snapshot at an iteration."""
MAX_WEIGHTS = 100_000
"""Of an own checkpoint's network in the lab: every inner step of it is held in memory."""
KEEP_UPLOADS = 200
KEEP_DELETED = 1000
"""Uploads that are remembered as deleted, for those who come by a link."""
TITLE_LIMIT, SHORT_TITLE = 32, 16
"""Characters of an upload's title, and of it beside a curve in the lab."""
MAX_ABOUT = 4096
"""Bytes of what is kept beside an upload."""
TITLES = {
    "maml_best": "MAML best",
    "maml_tf": "MAML-tf",
    "maml_tf_small_alpha": "MAML-tf low α",
    "maml_batch_norm": "MAML + BN",
    "pretrained_2pi": "pretrained 2π",
}
"""Of the shipped checkpoints beside LEARNERS, by their files' names."""


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """These learners as they are always shown: shipped ones in their order, then a person's own."""
    chosen = set(names)
    return (*(name for name in LEARNERS if name in chosen), *sorted(chosen - set(LEARNERS)))


def check_learners(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same names. Raises ValueError if one of them cannot be a learner's."""
    if unknown := [name for name in names if name not in LEARNERS and not OWN.fullmatch(name)]:
        raise ValueError(f"there is no learner {unknown[0]!r:.40}; choose from {', '.join(LEARNERS)}")
    return names


def runs_folder() -> Path:
    """Where the app's training runs live, and under .uploads what people brought."""
    return Path(os.environ.get("MAML_LAB_RUNS") or ROOT / "runs")


def run_folder(name: str) -> Path:
    """The folder of a run. Raises ValueError for what cannot be the name of one."""
    if not RUN.fullmatch(name):
        raise ValueError("There is no such run on this server")
    return runs_folder() / name


def snapshot(run: str, iteration: int) -> Path:
    """The file of a run's snapshot. Raises CheckpointError if it is not there (any more)."""
    for path in runs.snapshots_of(run_folder(run)):
        if runs.iteration_of(path) == iteration:
            return path
    raise CheckpointError(f"the run {run} has no snapshot at iteration {iteration:,} (any more): choose another")


def role(name: str) -> str:
    """What a learner is drawn as: its own name, or "own" for one that takes the place of a person's checkpoint."""
    return "own" if OWN.fullmatch(name) else name


def look(name: str) -> Look:
    """How a learner is drawn and called in the lab, where at most one is a person's own."""
    drawn = ROLES[role(name)]
    if name.startswith("upload:"):
        return replace(drawn, label=_bounded(title(name), SHORT_TITLE))
    return replace(drawn, label=title(name)) if name.startswith("shipped:") else drawn


def title(name: str) -> str:
    """What a learner is called among several of its kind. Plain text, not to be shown as HTML or Markdown."""
    kind, _, own = name.partition(":")
    if kind == "shipped":
        return TITLES.get(own, own)
    if kind == "upload":
        return _about(own).get("title") or f"upload {own[:6]}"
    return run_title(own) if kind == "run" else ROLES[name].label


def run_title(own: str) -> str:
    """What its owner calls a run, or the name of its folder; and the iteration, where one of its snapshots is meant."""
    run, _, iteration = own.partition("@")
    try:
        called = runs.read_about(run_folder(run)).get("title") or run
    except (RunError, ValueError):
        called = run
    if not iteration:
        return called
    return f"{called} at {int(iteration):,}" if int(iteration) else f"{called}, untrained"


def stem(name: str) -> str:
    """What a learner's file is called when it is taken away, without the ending."""
    kind, _, own = name.partition(":")
    return f"upload-{own}" if kind == "upload" else own or name


def shipped() -> list[str]:
    """Every checkpoint in pretrained/, as names of learners: the lab's in their order, then the others."""
    others = sorted(path.stem for path in PRETRAINED.glob("*.safetensors") if path.stem not in LEARNERS)
    return [*(name for name in LEARNERS if name != "random"), *(f"shipped:{other}" for other in others)]


def uploads() -> list[str]:
    """What people brought to this server, newest first, as names of learners."""
    try:
        found = [(path.stat().st_mtime_ns, f"upload:{path.stem}") for path in _uploads().glob("*.safetensors")]
    except OSError:
        return []
    return [name for _, name in sorted(found, reverse=True) if OWN.fullmatch(name)]


def find(name: str) -> Path:
    """The file of a learner. Raises CheckpointError if it has none (any more)."""
    kind, _, own = name.partition(":")
    if kind == "upload":
        path = _uploads() / f"{own}.safetensors"
        if not path.is_file():
            if _about(own).get("deleted"):
                raise CheckpointError("that uploaded checkpoint was deleted from this server")
            raise CheckpointError("that uploaded checkpoint is not on this server (any more): upload it again")
        return path
    if kind == "run":
        run, _, iteration = own.partition("@")
        if iteration:
            return snapshot(run, int(iteration))
        try:
            return runs.latest_checkpoint(run_folder(run))
        except RunError:
            raise CheckpointError(f"there is no checkpoint of a run named {run} on this server") from None
    path = PRETRAINED / f"{own or name}.safetensors"
    if kind == "shipped" and not path.is_file():
        raise CheckpointError(f"there is no shipped checkpoint {own}")
    return path


def version(name: str) -> int:
    """Changes when the learner's file does. Raises CheckpointError if there is none."""
    try:
        return find(name).stat().st_mtime_ns if OWN.fullmatch(name) else 0
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror}") from None


def get(name: str) -> Checkpoint:
    """The checkpoint of a learner; "random" is where the others' training started. Raises CheckpointError if it is missing."""
    return _get(name, version(name))


@remembered
def _get(name: str, version: int) -> Checkpoint:
    if name == "random":
        return baselines.random()
    found = checkpoint.load(find(name))
    if OWN.fullmatch(name):
        _check(found)
    return found


def missing(names: Iterable[str]) -> dict[str, CheckpointError]:
    """Those of the learners whose checkpoint is not there, or not any more, each with the reason."""
    found = {}
    for name in names:
        try:
            get(name)
        except CheckpointError as error:
            found[name] = error
    return found


def add(content: bytes, called: str = "", owner: str = "", told: Told | None = None) -> str:
    """Keep an uploaded checkpoint and give its name as a learner.

    called: its file's name, which becomes its title; owner: who may delete it (visitors.owner); told: as in checkpoint.load.

    Raises:
        NoRecipe: it says nothing of its training, and nothing is told.
        CheckpointError: it is none, or cannot be kept; one sentence on why.
    """
    called = " ".join(legible(called).split()) or "the file"
    if len(content) > MAX_BYTES:
        raise CheckpointError(f"{called} has {len(content) / 2**20:.1f} MiB; at most {MAX_BYTES // 2**20} MiB are allowed")
    mark = json.dumps([told, owner]) if told or owner else ""
    digest, folder = hashlib.sha256(content + mark.encode()).hexdigest()[:12], _uploads()
    path = folder / f"{digest}.safetensors"
    arriving = temporary_for(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files.sweep(folder)
        arriving.write_bytes(content)
        found = checkpoint.load(arriving, told, called)
        _check(found)
        if not checkpoint.is_as_saved(arriving, found):
            checkpoint.save(arriving, found)
        about = {"title": _free_title(called.removesuffix(".safetensors"), digest), "owner": owner}
        write_atomically(path.with_suffix(".json"), json.dumps(about).encode())
        arriving.replace(path)
        _make_room(folder)
    except OSError as error:
        raise CheckpointError(f"the server cannot store uploads ({error.strerror or error})") from None
    finally:
        arriving.unlink(missing_ok=True)
    return f"upload:{digest}"


def sweep() -> None:
    """Remove what processes that were killed have left half written: uploads, and what is said about runs."""
    for folder in (_uploads(), *runs.folders(runs_folder())):
        files.sweep(folder)


def may_delete(name: str, owner: str, local: bool) -> bool:
    """Whether this visitor may delete this learner: an upload that this browser brought, or any at the server itself."""
    kind, _, own = name.partition(":")
    return kind == "upload" and bool(OWN.fullmatch(name)) and (local or (bool(owner) and _about(own).get("owner") == owner))


def delete(name: str, owner: str, local: bool) -> None:
    """Delete an upload for everybody. Raises CheckpointError if this visitor may not, or it cannot be done."""
    if not may_delete(name, owner, local):
        raise CheckpointError("only the browser that uploaded a checkpoint, or one on the server itself, can delete it")
    path = find(name)
    try:
        write_atomically(path.with_suffix(".json"), b'{"deleted": true}')
        path.unlink(missing_ok=True)
        left = [about for about in path.parent.glob("*.json") if not about.with_suffix(".safetensors").exists()]
        for old in sorted(left, key=signature)[:-KEEP_DELETED]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise CheckpointError(f"it cannot be deleted ({error.strerror or error})") from None


def _make_room(folder: Path) -> None:
    """Keep few enough uploads: what goes first is that of whoever has most, and of that the oldest."""
    kept = list(folder.glob("*.safetensors"))
    owners = {path: _about(path.stem).get("owner", "") for path in kept}
    of = Counter(owners.values())
    for old in sorted(kept, key=lambda path: (-of[owners[path]], signature(path)))[: max(0, len(kept) - KEEP_UPLOADS)]:
        old.unlink(missing_ok=True)
        old.with_suffix(".json").unlink(missing_ok=True)


def _about(digest: str) -> dict[str, Any]:
    """What is kept beside an upload: its title and its owner, or that it was deleted; nothing if that is damaged."""
    path = _uploads() / f"{digest}.json"
    return _read_about(path, signature(path))


@lru_cache(maxsize=2048)
def _read_about(path: Path, signature: tuple[int, int]) -> dict[str, Any]:
    try:
        about = json_object(content(path, MAX_ABOUT), typed=True)
    except (OSError, ValueError):
        return {}
    texts = {key: about[key] for key in ("title", "owner") if isinstance(about.get(key), str)}
    return texts | {"title": _bounded(legible(texts.get("title", "")), TITLE_LIMIT), "deleted": about.get("deleted") is True}


def _free_title(wanted: str, digest: str) -> str:
    """A title that no shipped learner and no other upload has: with a number, if need be."""
    others = {title(name) for name in uploads() if name != f"upload:{digest}"}
    taken = {text.casefold() for text in (*others, *TITLES.values(), *(look.label for look in ROLES.values()))}
    for number in count(1):
        mark = f" ({number})" if number > 1 else ""
        free = _bounded(wanted, TITLE_LIMIT - len(mark)) + mark
        if free.casefold() not in taken:
            break
    return free


def _bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{legible(text, limit - 1)}…"


def trained_here() -> list[str]:
    """The runs with a checkpoint to show, newest first, as names of learners."""
    found = []
    with suppress(OSError):
        for folder in runs_folder().iterdir():
            if RUN.fullmatch(folder.name):
                with suppress(RunError):  # nothing to show yet
                    found.append((runs.latest_checkpoint(folder).stat().st_mtime_ns, f"run:{folder.name}"))
    return [name for _, name in sorted(found, reverse=True)]


def _uploads() -> Path:
    return runs_folder() / ".uploads"


def _check(found: Checkpoint) -> None:
    if found.config.family in CLASSIFICATION:
        raise CheckpointError("it tells characters apart, and this page draws curves: choose one that was trained on sine waves")
    weights = sum(value.numel() for value in found.learned.values())
    if weights > MAX_WEIGHTS:
        raise CheckpointError(f"its network has {weights:,} parameters; the lab shows networks with up to {MAX_WEIGHTS:,}")
