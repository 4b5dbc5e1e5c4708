"""Every setting of a training run: what it is, its range, its default and where that comes from."""

import dataclasses
import itertools
import types
import typing
from dataclasses import dataclass, field
from typing import Any

ALGORITHMS = ("maml", "fomaml", "reptile", "anil", "meta_sgd", "pretrained", "oracle")
JOINT = ("pretrained", "oracle")
"""Baselines: trained on all tasks at once, without inner steps."""
FAMILIES = ("sinusoid", "sinusoid_2pi", "sinusoid_line")
NORMS = ("none", "batch_norm")
SCHEDULES = ("constant", "cosine")
PLACEMENTS = ("anywhere", "left", "cluster", "even")
"""Where the shots of a task lie in x; see tasks.place."""
FREEZES = ("none", "body", "head")
"""What stays where it is during adaptation: nothing, all but the last layer, or the last layer."""

DIVERGED_ABOVE = 100.0
"""A task whose query MSE is not finite or exceeds this has diverged; the mean counts it as this."""

MAX_WEIGHTS = 2**20
MAX_BATCH = 100_000
"""Shots in a meta-batch: what a block of random numbers takes in memory."""
MAX_ADAPTED = 2**27
"""Weights that a meta-iteration adapts, over all tasks and inner steps: what its gradient takes in memory."""
MAX_SHOTS = 50
MAX_UPDATES = 50


class ConfigError(ValueError):
    """A setting that cannot be used. The message says what was wrong and what is allowed."""


def setting(default: Any, help: str, *, low: float | None = None, high: float | None = None, choices: tuple = ()) -> Any:
    """A dataclass field that carries its own documentation and range (both ends included)."""
    return field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run. Defaults: alpha, K, steps and network from Finn et al. 2017, section 5.1; the rest from its code.

    Raises:
        ConfigError: a value has the wrong type or is out of range.
    """

    algorithm: str = setting(
        "maml", "what is learned, and how: see algorithms.py; pretrained and oracle are the baselines", choices=ALGORITHMS
    )
    family: str = setting(
        "sinusoid", "the tasks: phases in [0, pi], phases in [0, 2 pi], or half sinusoids and half lines", choices=FAMILIES
    )
    K: int = setting(10, "shots per task; as many query points are used for the meta-objective", low=1, high=1000)
    num_updates: int = setting(1, "inner gradient steps in training (the baselines use none)", low=1, high=MAX_UPDATES)
    alpha: float = setting(
        0.01, "inner step size; meta_sgd starts there; the baselines find theirs by search after training", low=1e-6, high=10
    )
    beta: float = setting(0.001, "outer (Adam) step size", low=1e-7, high=1)
    schedule: str = setting("constant", "outer step size over the run: constant, or cosine decay to zero", choices=SCHEDULES)
    clip: float = setting(0.0, "largest norm of the meta-gradient; 0 for no clipping", low=0, high=1e6)
    multi_step: bool = setting(
        False, "judge the network after every inner step, not only the last (MAML++)", choices=(False, True)
    )
    batch_size: int = setting(25, "tasks in a meta-batch", low=1, high=10_000)
    max_steps: int = setting(70_000, "meta-iterations (outer steps)", low=1, high=10_000_000)
    hidden: tuple[int, ...] = setting((40, 40), "width of each hidden layer", low=1, high=1024)
    norm: str = setting(
        "none", "normalisation after each hidden layer; batch_norm uses the batch at hand (transductive)", choices=NORMS
    )
    model_type: str = setting("fc", "the kind of network: fully connected", choices=("fc",))
    loss_type: str = setting("mse", "mean squared error", choices=("mse",))
    seed: int = setting(1, "seeds the initial weights and every task", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for f in dataclasses.fields(self):
            value = _check_type(f.name, hints[f.name], getattr(self, f.name))
            object.__setattr__(self, f.name, value)
            for item in value if isinstance(value, tuple) else (value,):
                _check_range(f, item)
        if not self.hidden or len(self.hidden) > 16:
            raise ConfigError(f"hidden has {len(self.hidden)} layers; give the widths of 1 to 16 hidden layers, such as 40,40")
        if sum(a * b for a, b in zip(self.hidden, self.hidden[1:], strict=False)) > MAX_WEIGHTS:
            raise ConfigError(f"hidden={self.hidden} is not possible: at most {MAX_WEIGHTS:,} weights between hidden layers")
        if self.batch_size * self.K > MAX_BATCH:
            raise ConfigError(
                f"batch_size={self.batch_size} is not possible with K={self.K}: a meta-batch has at most {MAX_BATCH:,} shots"
            )
        widths = (self.inputs, *self.hidden, 1)
        weights = sum(a * b for a, b in itertools.pairwise(widths))
        if self.batch_size * weights * self.inner_steps > MAX_ADAPTED:
            raise ConfigError(
                f"batch_size={self.batch_size} is not possible with {weights:,} weights and num_updates={self.num_updates}: "
                f"their product is at most {MAX_ADAPTED:,}"
            )
        if self.norm == "batch_norm" and self.K == 1:
            raise ConfigError("norm='batch_norm' is not possible with K=1: normalised over one point, the network cannot see x")

        if self.algorithm == "oracle" and self.family == "sinusoid_line":
            raise ConfigError(
                "family='sinusoid_line' is not possible with algorithm='oracle': the oracle is told amplitude and phase"
            )

    @property
    def inner_steps(self) -> int:
        """Inner steps inside the meta-objective: joint training is the objective with none."""
        return 0 if self.algorithm in JOINT else self.num_updates

    @property
    def inputs(self) -> int:
        """Inputs of the network: x, and for the oracle the amplitude and phase too."""
        return 3 if self.algorithm == "oracle" else 1

    @property
    def command(self) -> str:
        """The command line that trains this: every setting that is not at its default."""
        words = ["python -m maml_core train"]
        for f in dataclasses.fields(self):
            value, found_by_search = getattr(self, f.name), f.name == "alpha" and self.algorithm in JOINT
            if value == f.default or found_by_search:
                continue
            flag = "--" + f.name.replace("_", "-")
            if isinstance(value, bool):
                words.append(flag)
            elif isinstance(value, tuple):
                words += [flag, ",".join(map(str, value))]
            else:
                words += [flag, str(value).removesuffix(".0")]
        return " ".join(words)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, in field order."""
        return dataclasses.asdict(self) | {"hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """The inverse of `to_dict`; missing fields take their defaults. Raises ConfigError on unknown fields."""
        if not isinstance(values, dict):
            raise ConfigError(f"a config is an object of settings, not {type(values).__name__}")
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(set(map(str, values)) - known):
            raise ConfigError(f"unknown setting {unknown[0]!r:.60}; known are {', '.join(sorted(known))}")
        return cls(**values)


def _check_type(name: str, hint: Any, value: Any) -> Any:
    """Accept exactly the declared type, an int where a float is meant, and a list where a tuple is."""
    if isinstance(hint, types.GenericAlias):
        if isinstance(value, (list, tuple)) and all(type(item) is int for item in value):
            return tuple(value)
    elif hint is float and type(value) in (int, float):
        try:
            return float(value)
        except OverflowError:
            raise ConfigError(f"{name} is not possible: it is too large for a number") from None
    elif type(value) is hint:
        return value
    wanted = {int: "a whole number", float: "a number", str: "a word"}.get(hint, "a list of whole numbers")
    raise ConfigError(f"{name}={value!r:.60} is not possible: it must be {wanted}")


def _check_range(f: dataclasses.Field, value: Any) -> None:
    low, high, choices = (f.metadata[key] for key in ("low", "high", "choices"))
    if choices and value not in choices:
        raise ConfigError(f"{f.name}={value!r:.60} is not possible: choose one of {', '.join(choices)}")
    if low is not None and not low <= value <= high:  # false for NaN too
        raise ConfigError(f"{f.name}={str(value)[:20]} is not possible: it must be between {low:g} and {high:g}")
