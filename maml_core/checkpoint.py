"""Checkpoints: one safetensors file, named as plain `torch.nn.Sequential` names it, with its recipe and results as metadata.

from safetensors.torch import load_file
net = torch.nn.Sequential(Linear(1, 40), ReLU(), Linear(40, 40), ReLU(), Linear(40, 1))
net.load_state_dict(load_file("pretrained/maml.safetensors"))
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from maml_core import __version__, problems, sniffing, state_dicts
from maml_core.algorithms import StepSize, adapt
from maml_core.config import CLASSIFICATION, DIVERGED_ABOVE, GRADIENT, JOINT, TrainConfig
from maml_core.errors import CheckpointError, ConfigError, NoRecipe
from maml_core.files import write_atomically
from maml_core.network import MLP, Params
from maml_core.problems import Problem
from maml_core.reading import is_number, json_object, quoted, whole, whole_of
from maml_core.training import ALPHA, TrainingState, shapes, split

FORMAT_VERSION = "2"
_READ = ("1", FORMAT_VERSION)
"""The first did not say what problem it is for: regression."""
MAX_BYTES = 64 * 2**20
MAX_TENSORS = 500
_PARTS = TrainingState._fields[1:]
_STATS = {"mean", "ci95", "median", "diverged", "tasks"}

Results = dict[str, dict[str, dict[str, float]]]
"""K -> inner step -> mean, ci95, median, diverged, tasks. Keys are decimal strings, as in JSON."""


class Told(NamedTuple):
    """What a person says of a network that carries no recipe. The baselines take no inner steps in training."""

    algorithm: str
    alpha: float
    num_updates: int = 1


@dataclass(frozen=True)
class Checkpoint:
    """A trained initialisation, how it was obtained, and what was measured on it."""

    learned: Params
    """The initialisation theta, and for Meta-SGD its step sizes as alpha.NAME."""
    config: TrainConfig
    iterations: int
    results: Results = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    """How the run was executed: path, device, threads, torch version; for a baseline, the step sizes tried.
    Of a network from elsewhere: {"origin": "elsewhere"}; of its config only what people see, algorithm, alpha, num_updates and
    hidden, is known."""
    own: Problem | None = None
    """What it was trained on, if that is another problem than the config describes."""

    @property
    def from_elsewhere(self) -> bool:
        """Whether it was trained by other code, and its recipe is what somebody told."""
        return self.run.get("origin") == "elsewhere"

    @property
    def is_trained(self) -> bool:
        """Whether it is more than the random network that training starts from."""
        return self.iterations > 0 or self.from_elsewhere

    def split(self, alpha: float | None = None, freeze: str = "none") -> tuple[Params, StepSize]:
        """theta, and the step sizes to adapt it with: its own, or alpha; without what is frozen. See training.split."""
        return split(self.learned, self.config, alpha, freeze, problem=self.own)

    @property
    def problem(self) -> Problem:
        """What it was trained on."""
        return self.own or problems.of(self.config)

    @property
    def network(self) -> MLP:
        """The network that theta is for, where curves are learned."""
        return MLP.of(self.config)

    def tasks(self, K: int, query: int, *, family: str | None = None, placement: str = "anywhere") -> Problem:
        """Tasks to adapt and judge it on; see `problems.of`."""
        return problems.of(self.config, K=K, query=query, family=family, placement=placement)

    def warning(self) -> str:
        """A sentence where it diverges at once, on a sine wave of amplitude 1, before a step or after one of its own; else ''."""
        if self.own or self.config.family in CLASSIFICATION:
            return ""
        net, (theta, alpha) = self.network, self.split()
        x = torch.linspace(-5, 5, 11)[:, None]  # (11, 1)
        told = torch.tensor([1.0, 0.0]).expand(len(x), 2)[:, : self.config.inputs - 1]  # the oracle's: amplitude and phase
        given = torch.cat([x, told], 1)
        with torch.no_grad():
            losses = [net.mse(adapted, given, x.sin()).item() for adapted in adapt(net.mse, theta, given, x.sin(), alpha, 1)]
        step = next((step for step, loss in enumerate(losses) if not loss <= DIVERGED_ABOVE), None)
        if step is None:
            return ""
        largest = max(value.abs().max().item() for value in theta.values())
        when = "after one inner step" if step else "before any inner step"
        where = f"on a sine wave of amplitude 1 its error is over {DIVERGED_ABOVE:g} {when}"
        return f"It diverges: {where}. Its largest weight is {largest:.2g}."


def save(path: Path | str, checkpoint: Checkpoint) -> None:
    """Write the checkpoint, replacing the file at once or not at all."""
    write_atomically(Path(path), dumps(checkpoint))


def dumps(checkpoint: Checkpoint) -> bytes:
    """The content of the checkpoint's file."""
    metadata = {
        "format_version": FORMAT_VERSION,
        "problem": problems.name(checkpoint.problem),
        "algorithm": checkpoint.config.algorithm,
        "config": json.dumps(checkpoint.config.to_dict()),
        "results": json.dumps(checkpoint.results, allow_nan=False),
        "created_by": f"maml_core {__version__}",
        "seed": str(checkpoint.config.seed),
        "iterations": str(checkpoint.iterations),
        "run": json.dumps(checkpoint.run, allow_nan=False),
    }
    return to_bytes(_plain(checkpoint.learned), metadata)


def load(path: Path | str, told: Told | None = None, called: str | None = None, *, problem: Problem | None = None) -> Checkpoint:
    """Read and validate a checkpoint: format, recipe, names, shapes, types, and that every value is finite.

    A plain state_dict without a recipe is taken with what somebody tells of it. called: the file's name in messages.
    problem: what it was trained on, if that is another one than its config describes.

    Raises:
        NoRecipe: it is a plain state_dict of a usable network, and nothing is told of it.
        CheckpointError: with one sentence on what is wrong.
    """
    path = Path(path)
    name = quoted(called or path.name)
    tensors, metadata = _read(path, name)
    tensors = state_dicts.unwrapped(tensors)
    if "config" not in metadata:
        return _from_elsewhere(name, tensors, told)
    if told:
        raise CheckpointError(f"{name} carries its own recipe, so nothing need be stated about it")
    if (version := metadata.get("format_version", "none")) not in _READ:
        raise CheckpointError(f"{name} has format version {quoted(version)}; this version reads {' and '.join(_READ)}")
    try:
        config = TrainConfig.from_dict(_parsed(metadata, "config"))
        iterations = whole_of(metadata, "iterations")
        results = _checked_results(_parsed(metadata, "results"))
        run = _parsed(metadata, "run")
    except ValueError as error:
        raise CheckpointError(f"{name} has damaged metadata: {_line(error)}") from None
    theirs, ours = (
        metadata.get("problem", problems.name(problems.of(TrainConfig()))),
        problems.name(problem or problems.of(config)),
    )
    if theirs != ours:
        remedy = "load it with the Problem that it was trained on" if problem is None else "load it without, or with its own"
        raise CheckpointError(f"{name} is for the problem {quoted(theirs)}, not for {quoted(ours)}", remedy)
    expected = shapes(config, problem)
    _check_tensors(name, tensors, expected)
    return Checkpoint({name: tensors[name] for name in expected}, config, iterations, results, run, problem)


def is_as_saved(path: Path, checkpoint: Checkpoint) -> bool:
    """Whether the file that this was loaded from is what `save` writes: with its recipe, and the names of the contract."""
    with safe_open(path, framework="pt") as file:
        return set(file.keys()) == checkpoint.learned.keys() and "config" in (file.metadata() or {})


def _from_elsewhere(name: str, tensors: Params, told: Told | None) -> Checkpoint:
    """A plain state_dict as a checkpoint, its layers renamed and its numbers as float32."""
    theta, sizes = ({n: v for n, v in tensors.items() if n.startswith(ALPHA) is learned} for learned in (False, True))
    try:
        order = state_dicts.layers(theta)
    except ValueError as error:
        raise CheckpointError(f"{name} carries no recipe of this project, and {error}") from None
    hidden = [len(theta[f"{layer}.bias".lstrip(".")]) for layer in order[:-1]]
    renamed = {f"{layer}.{kind}".lstrip("."): f"{2 * at}.{kind}" for at, layer in enumerate(order) for kind in ("weight", "bias")}
    choices = tuple(c for c in (*GRADIENT, "pretrained") if (c == "meta_sgd") is bool(sizes))
    widths = "-".join(map(str, (1, *hidden, 1)))
    if told is None:
        why = f"{name} holds a network ({widths}), but no record of its training: state its algorithm, its α and its inner steps"
        raise NoRecipe(why, choices)
    if told.algorithm not in choices:
        why = f"algorithm={quoted(told.algorithm)} is not possible for {name}: choose one of {', '.join(choices)}"
        raise CheckpointError(why + (", since it holds learned step sizes" if sizes else ""))
    steps = TrainConfig.num_updates if told.algorithm in JOINT else told.num_updates
    try:  # a batch of one task: how many there were is not known, and no reason to refuse a large network
        config = TrainConfig(algorithm=told.algorithm, alpha=told.alpha, hidden=tuple(hidden), batch_size=1, num_updates=steps)
    except ConfigError as error:
        raise CheckpointError(f"{name} cannot be used: {error}") from None
    learned = {new: theta[old].float() for old, new in renamed.items()}
    learned |= {ALPHA + new: sizes[ALPHA + old].float() for old, new in renamed.items() if ALPHA + old in sizes}
    _check_tensors(name, learned | {n: v for n, v in sizes.items() if n.removeprefix(ALPHA) not in renamed}, shapes(config))
    return Checkpoint(learned, config, 0, run={"origin": "elsewhere"})


def save_state(path: Path, state: TrainingState, config: TrainConfig) -> None:
    """Write what a resumed run needs beside its checkpoint: what is learned and Adam's moments."""
    parts = {f"{part}.{name}": value for part in _PARTS for name, value in getattr(state, part).items()}
    write_atomically(path, to_bytes(_plain(parts), {"iteration": str(state.iteration), "config": json.dumps(config.to_dict())}))


def load_state(path: Path, config: TrainConfig, problem: Problem | None = None) -> TrainingState:
    """Read a state written by `save_state`. Raises CheckpointError if it does not fit the config (and the problem)."""
    tensors, metadata = _read(path, quoted(path.name))
    names = shapes(config, problem)
    _check_tensors(path.name, tensors, {f"{part}.{name}": shape for part in _PARTS for name, shape in names.items()})
    try:
        theirs = TrainConfig.from_dict(_parsed(metadata, "config"))  # read, since an older one may hold idle settings
        iteration = whole_of(metadata, "iteration")
    except ValueError as error:
        raise CheckpointError(f"{path.name} has damaged metadata: {error}") from None
    if theirs != config:
        raise CheckpointError(f"{path.name} is the training state of another run")
    return TrainingState(iteration, *({name: tensors[f"{part}.{name}"] for name in names} for part in _PARTS))


def _check_tensors(file: str, tensors: Params, expected: dict[str, tuple[int, ...]]) -> None:
    if missing := sorted(expected.keys() - tensors.keys()):
        raise CheckpointError(f"{file} lacks the tensor {missing[0]} that its recipe calls for")
    if extra := sorted(tensors.keys() - expected.keys()):
        raise CheckpointError(f"{file} holds a tensor {quoted(extra[0])} that its recipe does not call for")
    for name, shape in expected.items():
        value = tensors[name]
        if value.dtype != torch.float32:
            raise CheckpointError(f"{file}: {name} is {str(value.dtype).removeprefix('torch.')}; it must be float32")
        if value.shape != shape:
            raise CheckpointError(f"{file}: {name} has shape {quoted(str(tuple(value.shape)))}; its recipe calls for {shape}")
        if not value.isfinite().all():
            raise CheckpointError(f"{file}: {name} holds values that are not finite (NaN or infinity)")


def _plain(tensors: Params) -> Params:
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def _read(path: Path, name: str) -> tuple[Params, dict[str, str]]:
    try:
        if not path.is_file():
            raise CheckpointError(f"there is no checkpoint {path}")
        if (size := path.stat().st_size) > MAX_BYTES:
            raise CheckpointError(f"{name} has {size / 2**20:.1f} MiB; a checkpoint may have at most {MAX_BYTES // 2**20}")
        if wrong := sniffing.what_is_wrong(path, name):
            raise CheckpointError(f"{name} {wrong.why}", wrong.remedy)
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if len(names) > MAX_TENSORS:
                raise CheckpointError(f"{name} holds {len(names):,} tensors; a checkpoint may have at most {MAX_TENSORS}")
            # Cloned: what safetensors hands out is the file itself, and would change or vanish with it.
            return {key: file.get_tensor(key).clone() for key in names}, file.metadata() or {}
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{name} is not a safetensors file, or is damaged: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _parsed(metadata: dict[str, str], name: str) -> dict[str, Any]:
    try:
        return json_object(metadata.get(name, "" if name == "config" else "{}"))
    except ValueError as error:
        raise ValueError(f"{name} cannot be read: {error}") from None


def _checked_results(results: dict[str, Any]) -> Results:
    for shots, steps in results.items():
        if not (_is_count(shots) and isinstance(steps, dict)):
            raise ValueError("results must map K to inner steps")
        for step, stats in steps.items():
            if not (
                _is_count(step)
                and isinstance(stats, dict)
                and stats.keys() >= _STATS
                and all(is_number(value, 1e12) for value in stats.values())
            ):
                raise ValueError(f"results must map each inner step to the numbers {', '.join(sorted(_STATS))}")
    return results


def _is_count(key: str) -> bool:
    """Whether it is as `save` writes a number of shots or steps."""
    try:
        return str(whole(key, 0, 10**6)) == key
    except ValueError:
        return False
