"""What a run keeps of what it learns: snapshots, the training states that resuming needs, and the checkpoint of its end.

torch is imported where tensors are, so that what needs none of them is quick.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maml_core.config import TrainConfig
from maml_core.errors import CheckpointError, RunError
from maml_core.reading import whole

if TYPE_CHECKING:
    from maml_core.training import TrainingState

TRAINING_STATE_SUFFIX = ".state.safetensors"
"""How the name of the training state beside a snapshot ends."""


def snapshots_of(folder: Path) -> list[Path]:
    """The run's snapshots, checkpoints/step-NNNNNN.safetensors, in the order of their iterations."""
    return snapshots_in(folder / "checkpoints")


def snapshots_in(folder: Path) -> list[Path]:
    """The step-NNNNNN.safetensors right in this folder, in the order of their iterations."""
    numbered = {}
    for path in folder.glob("step-*.safetensors"):
        with suppress(ValueError):  # not ours, such as a training state beside one
            numbered[iteration_of(path)] = path
    return [numbered[number] for number in sorted(numbered)]


def iteration_of(snapshot: Path) -> int:
    """The iteration that a snapshot was taken at. Raises ValueError for a file of another name."""
    return whole(snapshot.stem.removeprefix("step-"))


def training_state_of(snapshot: Path) -> Path:
    """Where the training state that belongs to a snapshot lies."""
    return snapshot.with_suffix(TRAINING_STATE_SUFFIX)


def final_of(folder: Path) -> Path:
    """Where the checkpoint of an ended run lies."""
    return folder / "checkpoints" / "final.safetensors"


def furthest(folder: Path) -> int:
    """The iteration of the run's last snapshot; 0 where there is none, or none that may be seen."""
    try:
        return max((iteration_of(path) for path in snapshots_of(folder)), default=0)
    except OSError:
        return 0


def latest_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of the run in this folder (or of a folder of checkpoints): the final one, or the furthest.

    Raises:
        RunError: there is none.
    """
    try:
        inside = folder / "checkpoints"
        inside = inside if inside.is_dir() else folder
        found = [inside / "final.safetensors"] if (inside / "final.safetensors").exists() else snapshots_in(inside)
        found = found or checkpoints_in(inside)
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}") from None
    if not found:
        raise RunError(f"there is no checkpoint (*.safetensors) in {folder}")
    return found[-1]


def checkpoints_in(folder: Path) -> list[Path]:
    """Every checkpoint right in this folder, by name; training states are not checkpoints."""
    return sorted(path for path in folder.glob("*.safetensors") if not path.name.endswith(TRAINING_STATE_SUFFIX))


def save_snapshot(folder: Path, state: "TrainingState", config: TrainConfig, execution: dict[str, Any]) -> None:
    """Write a snapshot: the checkpoint, and beside it all that a resume needs. Raises OSError."""
    from maml_core import checkpoint as ckpt

    name = folder / "checkpoints" / f"step-{state.iteration:06d}.safetensors"
    ckpt.save_state(training_state_of(name), state, config)
    ckpt.save(name, ckpt.Checkpoint(state.learned, config, state.iteration, run=execution))


def training_state_at(start: Path, config: TrainConfig) -> "TrainingState":
    """The training state beside a snapshot, for a run of this config to go on from. Raises RunError where it cannot, and why."""
    if not training_state_of(start).exists():
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
        state = ckpt.load_state(training_state_of(start), theirs)
    except CheckpointError as error:
        raise RunError(f"this run cannot start there: {error}") from None
    if state.iteration >= config.max_steps:
        raise RunError(
            f"max_steps={config.max_steps} is not possible: {start.name} is already at iteration {state.iteration}; choose more"
        )
    return state
