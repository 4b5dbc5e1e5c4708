"""Checkpoints: one safetensors file, named as plain `torch.nn.Sequential` names it, with its recipe and results as metadata.

from safetensors.torch import load_file
net = torch.nn.Sequential(Linear(1, 40), ReLU(), Linear(40, 40), ReLU(), Linear(40, 1))
net.load_state_dict(load_file("pretrained/maml.safetensors"))
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from maml_core import __version__
from maml_core.algorithms import StepSize
from maml_core.config import ConfigError, TrainConfig
from maml_core.files import write_atomically
from maml_core.network import MLP, Params
from maml_core.training import State, shapes, split

FORMAT_VERSION = "1"
MAX_BYTES = 64 * 2**20
MAX_TENSORS = 500
_PARTS = State._fields[1:]
_STATS = {"mean", "ci95", "median", "diverged", "tasks"}

Results = dict[str, dict[str, dict[str, float]]]
"""K -> inner step -> mean, ci95, median, diverged, tasks. Keys are decimal strings, as in JSON."""


class CheckpointError(ValueError):
    """A file that is not a usable checkpoint. The message is one sentence that says why."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained initialisation, how it was obtained, and what was measured on it."""

    learned: Params
    """The initialisation theta, and for Meta-SGD its step sizes as alpha.NAME."""
    config: TrainConfig
    iterations: int
    results: Results = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    """How the run was executed: path, device, threads, torch version; for a baseline, the step sizes tried."""

    def split(self, alpha: float | None = None, freeze: str = "none") -> tuple[Params, StepSize]:
        """theta, and the step sizes to adapt it with: its own, or alpha; without what is frozen. See training.split."""
        return split(self.learned, self.config, alpha, freeze)

    @property
    def network(self) -> MLP:
        """The network that theta is for."""
        return MLP.of(self.config)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint, replacing the file at once or not at all."""
    write_atomically(path, dumps(checkpoint))


def dumps(checkpoint: Checkpoint) -> bytes:
    """The content of the checkpoint's file."""
    metadata = {
        "format_version": FORMAT_VERSION,
        "algorithm": checkpoint.config.algorithm,
        "config": json.dumps(checkpoint.config.to_dict()),
        "results": json.dumps(checkpoint.results, allow_nan=False),
        "created_by": f"maml_core {__version__}",
        "seed": str(checkpoint.config.seed),
        "iterations": str(checkpoint.iterations),
        "run": json.dumps(checkpoint.run, allow_nan=False),
    }
    return to_bytes(_plain(checkpoint.learned), metadata)


def load(path: Path | str) -> Checkpoint:
    """Read and validate a checkpoint: format, recipe, names, shapes, types, and that every value is finite.

    Raises:
        CheckpointError: with one sentence on what is wrong.
    """
    path = Path(path)
    tensors, metadata = _read(path)
    if "config" not in metadata:
        raise CheckpointError(f"{path.name} carries no recipe (metadata `config`); it was not written by this project")
    if metadata.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path.name} has format version {metadata.get('format_version')}; this version reads {FORMAT_VERSION}"
        )
    try:
        config = TrainConfig.from_dict(_parse(metadata["config"]))
        iterations = _whole(metadata.get("iterations", ""))
        results = _checked_results(_parse(metadata.get("results", "{}")))
        run = _parse(metadata.get("run", "{}"))
    except (ConfigError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} has damaged metadata: {_line(error)}") from None
    _check_tensors(path, tensors, shapes(config))
    return Checkpoint({name: tensors[name] for name in shapes(config)}, config, iterations, results, run)


def save_state(path: Path, state: State, config: TrainConfig) -> None:
    """Write what a resumed run needs beside its checkpoint: what is learned and Adam's moments."""
    parts = {f"{part}.{name}": value for part in _PARTS for name, value in getattr(state, part).items()}
    write_atomically(path, to_bytes(_plain(parts), {"iteration": str(state.iteration), "config": json.dumps(config.to_dict())}))


def load_state(path: Path, config: TrainConfig) -> State:
    """Read a state written by `save_state`. Raises CheckpointError if it does not fit the config."""
    tensors, metadata = _read(path)
    names = shapes(config)
    _check_tensors(path, tensors, {f"{part}.{name}": shape for part in _PARTS for name, shape in names.items()})
    if metadata.get("config") != json.dumps(config.to_dict()):
        raise CheckpointError(f"{path.name} is the training state of another run")
    try:
        iteration = _whole(metadata.get("iteration", ""))
    except ValueError as error:
        raise CheckpointError(f"{path.name} has damaged metadata: {error}") from None
    return State(iteration, *({name: tensors[f"{part}.{name}"] for name in names} for part in _PARTS))


def _check_tensors(path: Path, tensors: Params, expected: dict[str, tuple[int, ...]]) -> None:
    if missing := sorted(expected.keys() - tensors.keys()):
        raise CheckpointError(f"{path.name} lacks the tensor {missing[0]} that its recipe calls for")
    if extra := sorted(tensors.keys() - expected.keys()):
        raise CheckpointError(f"{path.name} holds a tensor {extra[0]} that its recipe does not call for")
    for name, shape in expected.items():
        value = tensors[name]
        if value.dtype != torch.float32:
            raise CheckpointError(f"{path.name}: {name} is {str(value.dtype).removeprefix('torch.')}; it must be float32")
        if value.shape != shape:
            raise CheckpointError(f"{path.name}: {name} has shape {tuple(value.shape)}; its recipe calls for {shape}")
        if not value.isfinite().all():
            raise CheckpointError(f"{path.name}: {name} holds values that are not finite (NaN or infinity)")


def _plain(tensors: Params) -> Params:
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def _read(path: Path) -> tuple[Params, dict[str, str]]:
    try:
        if not path.is_file():
            raise CheckpointError(f"there is no checkpoint {path}")
        if (size := path.stat().st_size) > MAX_BYTES:
            raise CheckpointError(f"{path.name} has {size / 2**20:.1f} MiB; a checkpoint has at most {MAX_BYTES // 2**20}")
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if len(names) > MAX_TENSORS:
                raise CheckpointError(f"{path.name} holds {len(names):,} tensors; a checkpoint has at most {MAX_TENSORS}")
            # Cloned: what safetensors hands out is the file itself, and would change or vanish with it.
            return {name: file.get_tensor(name).clone() for name in names}, file.metadata() or {}
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path.name} is not a safetensors file, or is damaged: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _parse(text: str) -> dict[str, Any]:
    value = json.loads(text, parse_constant=no_constant)
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {text[:40]!r}")
    return value


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e12  # false for NaN too


def no_constant(name: str) -> NoReturn:
    """For `json.loads`: refuse NaN and infinity, which are no JSON."""
    raise ValueError(f"{name} is not a number")


def _whole(text: str) -> int:
    if not (text.isdecimal() and len(text) < 12):
        raise ValueError(f"{text!r:.40} is not a number of iterations")
    return int(text)


def _checked_results(results: dict[str, Any]) -> Results:
    for k, steps in results.items():
        if not (k.isdecimal() and isinstance(steps, dict)):
            raise ValueError("results must map K to inner steps")
        for step, stats in steps.items():
            if not (
                step.isdecimal() and isinstance(stats, dict) and stats.keys() >= _STATS and all(map(_is_number, stats.values()))
            ):
                raise ValueError(f"results must map each inner step to the numbers {', '.join(sorted(_STATS))}")
    return results
