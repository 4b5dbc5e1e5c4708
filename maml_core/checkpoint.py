"""Checkpoints: one safetensors file, named as plain `torch.nn.Sequential` names it, with its recipe and results as metadata.

from safetensors.torch import load_file
net = torch.nn.Sequential(Linear(1, 40), ReLU(), Linear(40, 40), ReLU(), Linear(40, 1))
net.load_state_dict(load_file("pretrained/maml.safetensors"))
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from maml_core import __version__
from maml_core.algorithms import StepSize
from maml_core.config import ConfigError, TrainConfig
from maml_core.network import MLP, Params
from maml_core.training import State, shapes, split

FORMAT_VERSION = "1"
MAX_BYTES = 64 * 2**20
_PARTS = State._fields[1:]

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

    def split(self, alpha: float | None = None) -> tuple[Params, StepSize]:
        """theta, and the step sizes to adapt it with: its own, or alpha (learned ones are scaled by alpha / config.alpha)."""
        return split(self.learned, self.config, alpha)

    @property
    def network(self) -> MLP:
        """The network that theta is for."""
        return MLP.of(self.config)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint, replacing the file at once or not at all."""
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
    _write(path, to_bytes(_plain(checkpoint.learned), metadata))


def load(path: Path) -> Checkpoint:
    """Read and validate a checkpoint: format, recipe, names, shapes, types, and that every value is finite.

    Raises:
        CheckpointError: with one sentence on what is wrong.
    """
    tensors, metadata = _read(path)
    if "config" not in metadata:
        raise CheckpointError(f"{path.name} carries no recipe (metadata `config`); it was not written by this project")
    if metadata.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path.name} has format version {metadata.get('format_version')}; this version reads {FORMAT_VERSION}"
        )
    try:
        config = TrainConfig.from_dict(_parse(metadata["config"]))
        iterations = int(metadata.get("iterations", ""))
        results = _checked_results(_parse(metadata.get("results", "{}")))
        run = _parse(metadata.get("run", "{}"))
    except (ConfigError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} has damaged metadata: {error}") from None
    expected = shapes(config)
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
    return Checkpoint({name: tensors[name] for name in expected}, config, iterations, results, run)


def save_state(path: Path, state: State) -> None:
    """Write what a resumed run needs beside its checkpoint: the parameters and Adam's moments."""
    parts = {f"{part}.{name}": value for part in _PARTS for name, value in getattr(state, part).items()}
    _write(path, to_bytes(_plain(parts), {"iteration": str(state.iteration)}))


def load_state(path: Path, config: TrainConfig) -> State:
    """Read a state written by `save_state`. Raises CheckpointError if it does not fit the config."""
    tensors, metadata = _read(path)
    names = shapes(config)
    if tensors.keys() != {f"{part}.{name}" for part in _PARTS for name in names} or "iteration" not in metadata:
        raise CheckpointError(f"{path.name} is not the training state of this run")
    return State(int(metadata["iteration"]), *({name: tensors[f"{part}.{name}"] for name in names} for part in _PARTS))


def _plain(tensors: Params) -> Params:
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)


def _read(path: Path) -> tuple[Params, dict[str, str]]:
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise CheckpointError(f"{path.name} has {size / 2**20:.0f} MiB; a checkpoint has at most {MAX_BYTES // 2**20}")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise CheckpointError(f"there is no checkpoint {path}") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path.name} is not a safetensors file, or is damaged: {error}") from None


def _parse(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {text[:40]!r}")
    return value


def _checked_results(results: dict[str, Any]) -> Results:
    for k, steps in results.items():
        if not (k.isdecimal() and isinstance(steps, dict)):
            raise ValueError("results must map K to inner steps")
        for step, stats in steps.items():
            if not (step.isdecimal() and isinstance(stats, dict) and all(type(v) in (int, float) for v in stats.values())):
                raise ValueError("results must map each inner step to numbers")
    return results
