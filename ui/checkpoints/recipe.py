"""What a checkpoint is, in words and in code: its recipe, its results, how plain PyTorch loads it, how to train it again.

Nothing here trusts a file: only what was validated when it was loaded is repeated. No streamlit here.
"""

from itertools import pairwise
from typing import Any, NamedTuple

from maml_core.checkpoint import Checkpoint
from maml_core.config import JOINT, PATHS, TrainConfig
from maml_core.palette import ROLES
from ui.shared import rounding

TABLE_STEPS = (0, 1, 5, 10)
"""The inner steps that tables show."""
START = "start"
"""The folder in a zip where the snapshot lies that a run went on from."""
MOST_SHOTS = 4
_FAMILIES = {"sinusoid_2pi": "phases up to 2π", "sinusoid_line": "sine waves and lines"}


CONFIG_LABELS = {
    "algorithm": "algorithm",
    "K": "K shots",
    "num_updates": "inner steps",
    "alpha": "inner step size α",
    "family": "task family",
    "batch_size": "tasks per iteration",
    "max_steps": "iterations",
    "beta": "outer step size β",
    "schedule": "schedule of β",
    "clip": "clip the meta-gradient at",
    "norm": "normalisation",
    "hidden": "hidden layers",
    "multi_step": "multi-step loss",
    "seed": "seed",
}
"""The settings of a training run that there is a choice in, in the order they are asked for."""
CHOICE_LABELS = {name: look.label for name, look in ROLES.items()} | {
    "sinusoid": "phases in [0, π]",
    "sinusoid_2pi": "phases in [0, 2π]",
    "sinusoid_line": "sine waves and lines",
    "batch_norm": "batch norm",
}


def in_words(config: TrainConfig) -> str:
    """One line: the algorithm, its settings, and what is special about it."""
    return ", ".join(_parts(config))


def outer_in_words(config: TrainConfig) -> str:
    """How the outer loop goes: what of a run's recipe `in_words` does not say."""
    default, schedule = TrainConfig(), ", cosine" if config.schedule == "cosine" else ""
    parts = [f"β {config.beta:g}{schedule}", f"{config.max_steps:,} iterations"]
    parts += [f"{config.batch_size:,} tasks each"] if config.batch_size != default.batch_size else []
    parts += [f"clipped at {config.clip:g}"] if config.clip else []
    return ", ".join(parts)


def of_checkpoint(saved: Checkpoint) -> str:
    """The line of its config, and how far it was trained."""
    config, done = saved.config, f"{saved.iterations:,}"
    if saved.from_elsewhere:
        return ", ".join([*_parts_told(config), "trained elsewhere: these settings were stated, not recorded"])
    trained = f"iteration {done} of {config.max_steps:,}" if saved.iterations < config.max_steps else f"{done} iterations"
    alpha = [f"α {config.alpha:g} found by search"] if "alpha_search" in saved.run else []
    return ", ".join([*_parts(config), *alpha, trained if saved.is_trained else f"untrained: {trained}"])


def settings(saved: Checkpoint) -> dict[str, Any]:
    """Every setting of its training that is known, as plain JSON values."""
    known = saved.config.to_dict()
    if not saved.from_elsewhere:
        return known
    steps = [] if saved.config.algorithm in JOINT else ["num_updates"]
    return {name: known[name] for name in ("algorithm", "alpha", *steps, "hidden")}


def _parts_told(config: TrainConfig) -> list[str]:
    """What is known of a network that other code trained."""
    steps = [] if config.algorithm in JOINT else [counted(config.num_updates, "inner step")]
    return [ROLES[config.algorithm].label, *steps, f"α {config.alpha:g}", _layers(config)]


def _parts(config: TrainConfig) -> list[str]:
    joint, default = config.algorithm in JOINT, TrainConfig()
    parts = [ROLES[config.algorithm].label, counted(config.K, "shot")]
    parts += [] if joint else [counted(config.num_updates, "inner step"), f"α {config.alpha:g}"]
    parts += ["multi-step loss"] if config.multi_step else []
    parts += ["batch normalisation"] if config.norm == "batch_norm" else []
    parts += [_FAMILIES[config.family]] if config.family in _FAMILIES else []
    parts += [_layers(config)] if config.hidden != default.hidden else []
    parts += [f"seed {config.seed}"] if config.seed != default.seed else []
    return parts


def _layers(config: TrainConfig) -> str:
    return f"hidden layers of {', '.join(map(str, config.hidden))}"


def size_in_words(saved: Checkpoint, bytes: int) -> str:
    """How large the file and the network are."""
    weights = saved.network.weights
    learned = " and a step size for each" if saved.config.algorithm == "meta_sgd" else ""
    return f"{bytes / 1024:,.0f} KB, {weights:,} parameters{learned}"


def load_lines(saved: Checkpoint, file: str) -> str:
    """Three lines of plain PyTorch that load this checkpoint from `file`, without this project."""
    config, layers = saved.config, []
    for fan_in, fan_out in pairwise((config.inputs, *config.hidden)):
        layers.append(f"nn.Linear({fan_in}, {fan_out})")
        if config.norm == "batch_norm":
            layers.append(f"nn.BatchNorm1d({fan_out}, track_running_stats=False)")
        layers.append("nn.ReLU()")
    layers.append(f"nn.Linear({config.hidden[-1]}, 1)")
    learned = config.algorithm == "meta_sgd"
    lines = [
        "import safetensors.torch, torch.nn as nn",
        f"net = nn.Sequential({', '.join(layers)})",
        f"net.load_state_dict(safetensors.torch.load_file({file!r}){', strict=False' if learned else ''})",
    ]
    lines += ["# strict=False: the file also holds the learned step sizes, as alpha.NAME"] if learned else []
    lines += ["# its inputs are x, the amplitude and the phase"] if config.inputs > 1 else []
    lines += ["# batch norm uses the points it is given, so give it many at once"] if config.norm == "batch_norm" else []
    return "\n".join(lines)


def command(saved: Checkpoint) -> str:
    """The command line that trains this checkpoint again; on the same machine and thread count it gives the same numbers."""
    path, iteration = saved.run.get("path"), started_at(saved)
    start = f" --start {START}/step-{iteration:06d}.safetensors" if iteration else ""
    return saved.config.command + start + (f" --path {path}" if path in PATHS else "")


def started_at(saved: Checkpoint) -> int:
    """The iteration of another run that this one went on from; 0 if it began at its beginning."""
    start = saved.run.get("start")
    iteration = start.get("iteration") if isinstance(start, dict) else None
    return iteration if type(iteration) is int and 0 < iteration < saved.config.max_steps else 0


class Results(NamedTuple):
    """A checkpoint's results at TABLE_STEPS, in words: the mean error and its 95% half-width."""

    heads: list[str]  # numbers of shots
    rows: list[tuple[int, list[str]]]  # inner step, a cell for each head; none if nothing was measured
    tasks: float  # that each mean is over


def results_table(saved: Checkpoint) -> Results:
    """What was measured when training ended, for MOST_SHOTS numbers of shots at most."""
    shots = sorted(saved.results, key=int)[:MOST_SHOTS]
    found = {step: [saved.results[K].get(str(step)) for K in shots] for step in TABLE_STEPS}
    rows = [(step, [result_cell(stats) for stats in cells]) for step, cells in found.items() if any(cells)]
    tasks = [stats["tasks"] for cells in found.values() for stats in cells if stats]
    return Results([counted(int(K), "shot") for K in shots], rows, max(tasks, default=0))


def result_cell(stats: dict[str, float] | None) -> str:
    """Mean and interval of one entry of a checkpoint's results; the diverged share where there is one."""
    if stats is None:
        return "–"
    return rounding.interval(stats["mean"], stats["ci95"]) + diverged(stats["diverged"])


def diverged(share: float) -> str:
    """The share that diverged, as a remark; empty if none did."""
    return f" ({percent(share)} diverged)" if share else ""


def percent(share: float) -> str:
    """A share of tasks, in as many digits as say something."""
    return f"{100 * share:.0f}%" if share >= 0.095 else f"{100 * share:.2g}%"


def counted(number: int, what: str) -> str:
    """As in "1 step", "2 steps"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def after(step: int) -> str:
    """The row or column of an inner step."""
    return counted(step, "step") if step else "before"
