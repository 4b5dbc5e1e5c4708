"""Every setting of a training run: what it is, its range, its default and where that comes from."""

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Any

from maml_core.errors import ConfigError

GRADIENT = ("maml", "fomaml", "reptile", "anil", "meta_sgd")
"""Learners that adapt by inner steps."""
JOINT = ("pretrained", "oracle")
"""Baselines: trained on all tasks at once, without inner steps."""
METRIC = ("prototypical", "matching")
"""Learners that compare instead: nothing of them changes for a task; see metric.py."""
ALGORITHMS = (*GRADIENT, *JOINT, *METRIC)
REGRESSION = ("sinusoid", "sinusoid_2pi", "sinusoid_line")
CLASSIFICATION = ("characters",)
FAMILIES = (*REGRESSION, *CLASSIFICATION)
_CURVES = {"algorithm": (*GRADIENT, *JOINT), "norm": ("none", "batch_norm"), "model_type": ("fc",), "loss_type": ("mse",)}
_IMAGES = {"algorithm": (*GRADIENT, *METRIC), "norm": ("layer_norm",), "model_type": ("conv",), "loss_type": ("cross_entropy",)}
SCHEDULES = ("constant", "cosine")
PLACEMENTS = ("anywhere", "left", "cluster", "even")
"""Where the shots of a task lie in x; see tasks.place."""
FREEZES = ("none", "body", "head")
"""What stays where it is during adaptation: nothing, all but the last layer, or the last layer."""

DIVERGED_ABOVE = 100.0
"""A task whose query MSE is not finite or exceeds this has diverged; the mean counts it as this."""

PATHS = ("eager", "traced", "compiled")
"""How a meta-step is executed; see programs.py."""
DEVICES = ("auto", "cpu", "cuda")

MAX_WEIGHTS = 2**20
MAX_BATCH = 100_000
"""Shots in a meta-batch: what a block of random numbers takes in memory."""
MAX_ADAPTED = 2**27
"""Weights that a meta-iteration adapts, over all tasks and inner steps: what its gradient takes in memory."""
MAX_SHOTS = 50
MAX_DRAWINGS = 5
"""Shots of each class."""
TRAINING_QUERY = 3
"""Drawings of each class that the meta-objective judges by."""
MAX_BLOCKS = 5
MAX_PIXELS = 2**28
"""Numbers that the drawings of a meta-batch become in the first block, over all inner steps: what they take in memory."""
MAX_UPDATES = 50
TEST_SAMPLE, MOST_TEST_SAMPLE = 10_000, 1_000_000
"""Fresh tasks that a trained network is measured on: by default, and at most."""


def setting(default: Any, help: str, *, low: float | None = None, high: float | None = None, choices: tuple = ()) -> Any:
    """A dataclass field that carries its own documentation and range (both ends included)."""
    return field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run. Defaults: alpha, K, steps and network from Finn et al. 2017, section 5.1; the rest from its code.

    Defaults of a family of images: OF_IMAGES, which `of` fills in.

    A baseline's alpha may be set, since that of a trained one is the step size that was found; a new run does not ask for it.

    Raises:
        ConfigError: a value has the wrong type, is out of range, or has no effect beside the others (`without_effect`).
    """

    algorithm: str = setting(
        "maml", "what is learned, and how: see algorithms.py; pretrained and oracle are the baselines", choices=ALGORITHMS
    )
    family: str = setting(
        "sinusoid",
        "the tasks: phases in [0, pi], phases in [0, 2 pi], half sine waves and half lines, or characters of random strokes",
        choices=FAMILIES,
    )
    way: int = setting(5, "classes per task, where a task is to tell classes apart", low=2, high=20)
    K: int = setting(10, "shots per task, or per class; the meta-objective uses as many query points", low=1, high=1000)
    num_updates: int = setting(1, "inner steps in training (the baselines use none)", low=1, high=MAX_UPDATES)
    alpha: float = setting(
        0.01, "inner step size; meta_sgd starts from it; the baselines find theirs by search after training", low=1e-6, high=10
    )
    beta: float = setting(0.001, "outer step size (of Adam)", low=1e-7, high=1)
    schedule: str = setting("constant", "outer step size over the run: constant, or cosine decay to zero", choices=SCHEDULES)
    clip: float = setting(0.0, "largest norm of the meta-gradient; 0 for no clipping", low=0, high=1e6)
    multi_step: bool = setting(
        False, "count the query loss after every inner step, not only the last (MAML++)", choices=(False, True)
    )
    batch_size: int = setting(25, "tasks in a meta-batch", low=1, high=10_000)
    max_steps: int = setting(70_000, "iterations (outer steps)", low=1, high=10_000_000)
    hidden: tuple[int, ...] = setting((40, 40), "width of each hidden layer, or filters of each convolution", low=1, high=1024)
    norm: str = setting(
        "none",
        "normalisation after each hidden layer; batch_norm uses the batch at hand (transductive), layer_norm each image alone",
        choices=_CURVES["norm"] + _IMAGES["norm"],
    )
    model_type: str = setting(
        "fc", "the kind of network: fully connected, or convolutions", choices=_CURVES["model_type"] + _IMAGES["model_type"]
    )
    loss_type: str = setting("mse", "mean squared error, or cross-entropy", choices=_CURVES["loss_type"] + _IMAGES["loss_type"])
    seed: int = setting(1, "seed of the initial weights and of every task", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            object.__setattr__(self, f.name, _checked(f, getattr(self, f.name)))
        for name, possible in (_IMAGES if self.family in CLASSIFICATION else _CURVES).items():
            if (value := getattr(self, name)) not in possible:
                raise ConfigError(f"{name}={value!r} is not possible with family={self.family!r}: {one_of(possible)}")
        usual = defaults(self.family)
        for name, why in without_effect(self.algorithm, self.num_updates, self.family).items():
            found_by_search = name == "alpha" and self.algorithm in JOINT
            if not found_by_search and (value := getattr(self, name)) != usual[name]:
                raise ConfigError(f"{name}={value} has no effect here: {why}; leave it out")
        if not self.hidden or len(self.hidden) > 16:
            raise ConfigError(f"hidden has {len(self.hidden)} layers; give the widths of 1 to 16 hidden layers, such as 40,40")
        if sum(a * b for a, b in zip(self.hidden, self.hidden[1:], strict=False)) > MAX_WEIGHTS:
            raise ConfigError(f"hidden={self.hidden} is not possible: at most {MAX_WEIGHTS:,} weights between hidden layers")
        if self.family in CLASSIFICATION:
            self._check_images()
            return
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

    def _check_images(self) -> None:
        if self.K > MAX_DRAWINGS:
            raise ConfigError(f"K={self.K} is not possible with family={self.family!r}: it must be between 1 and {MAX_DRAWINGS}")
        if len(self.hidden) > MAX_BLOCKS:
            raise ConfigError(
                f"hidden has {len(self.hidden)} layers: of an image of 28 x 28 pixels {MAX_BLOCKS} blocks leave one pixel; "
                f"give at most {MAX_BLOCKS}, such as 32,32,32,32"
            )
        pixels = self.batch_size * self.way * (self.K + TRAINING_QUERY) * 14 * 14 * self.hidden[0] * (1 + self.inner_steps)
        if pixels > MAX_PIXELS:
            raise ConfigError(
                f"batch_size={self.batch_size} is not possible with way={self.way}, K={self.K}, "
                f"num_updates={self.num_updates} and {self.hidden[0]} filters: "
                f"a meta-batch then holds {pixels:,} numbers, and at most {MAX_PIXELS:,} are possible"
            )

    @classmethod
    def of(cls, **given: Any) -> "TrainConfig":
        """The config of these settings; where one is left out, what is usual for the family."""
        return cls(**(OF_IMAGES if given.get("family") in CLASSIFICATION else {}) | given)

    @property
    def inner_steps(self) -> int:
        """Inner steps inside the meta-objective: joint training is the objective with none, and who compares takes none."""
        return 0 if self.algorithm in JOINT + METRIC else self.num_updates

    @property
    def inputs(self) -> int:
        """Inputs of the network: x, and for the oracle the amplitude and phase too."""
        return 3 if self.algorithm == "oracle" else 1

    @property
    def command(self) -> str:
        """The command line that trains this: every setting that is not at its default."""
        words, usual = ["python -m maml_core train"], defaults(self.family) | {"family": DEFAULTS["family"]}
        for f in dataclasses.fields(self):
            value, found_by_search = getattr(self, f.name), f.name == "alpha" and self.algorithm in JOINT
            if value == usual[f.name] or found_by_search:
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
        """The inverse of `to_dict`. Missing fields take their defaults, and so do those without effect, which older records hold.

        Raises:
            ConfigError: a field is unknown, or its value is not possible.
        """
        if not isinstance(values, dict):
            raise ConfigError(f"a config is an object of settings, not {type(values).__name__}")
        if unknown := sorted(set(map(str, values)) - DEFAULTS.keys()):
            raise ConfigError(f"unknown setting {unknown[0]!r:.60}; known are {', '.join(sorted(DEFAULTS))}")
        usual = defaults(values.get("family", DEFAULTS["family"]))
        checked = {f.name: _checked(f, values.get(f.name, usual[f.name])) for f in dataclasses.fields(cls)}
        idle = without_effect(checked["algorithm"], checked["num_updates"], checked["family"]).keys()
        found_by_search = {"alpha"} if checked["algorithm"] in JOINT else set()
        return cls(**checked | {name: usual[name] for name in idle - found_by_search})


DEFAULTS: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(TrainConfig)}
OF_IMAGES: dict[str, Any] = {
    "K": 1,
    "alpha": 0.4,
    "beta": 0.002,
    "schedule": "cosine",
    "clip": 10.0,
    "batch_size": 8,
    "max_steps": 20_000,
    "hidden": (32, 32, 32, 32),
} | {name: possible[0] for name, possible in _IMAGES.items()}
"""What is usual for a family of images, where it is not what is usual for one of curves."""


def choices(name: str, family: str) -> tuple:
    """What a setting with a choice can be beside this family."""
    usual = _IMAGES if family in CLASSIFICATION else _CURVES
    return usual.get(name) or next(f.metadata["choices"] for f in dataclasses.fields(TrainConfig) if f.name == name)


def defaults(family: object) -> dict[str, Any]:
    """The settings of a run of this family, where nothing else is said."""
    return DEFAULTS | (OF_IMAGES | {"family": family} if family in CLASSIFICATION else {})


def without_effect(algorithm: str, num_updates: int, family: str = DEFAULTS["family"]) -> dict[str, str]:
    """The settings of a new run that change nothing beside these, each with the reason."""
    return _idle_steps(algorithm, num_updates) | ({} if family in CLASSIFICATION else {"way": "a curve has no classes"})


def _idle_steps(algorithm: str, num_updates: int) -> dict[str, str]:
    if algorithm in METRIC:
        return dict.fromkeys(("num_updates", "multi_step", "alpha"), "a learner that compares takes no inner steps")
    if algorithm in JOINT:
        steps = "the baselines are trained without inner steps"
        return {
            "num_updates": steps,
            "multi_step": steps,
            "alpha": "the step size of a baseline is found by search after training",
        }
    if algorithm == "reptile":
        return {"multi_step": "Reptile uses only where the inner steps end"}
    if num_updates == 1:
        return {"multi_step": "there is only one inner step"}
    return {}


def _checked(f: dataclasses.Field, value: Any) -> Any:
    """The value, if it is of exactly the type of the default and in range; also an int for a float, and a list for a tuple."""
    kind, (low, high, choices) = type(f.default), (f.metadata[key] for key in ("low", "high", "choices"))
    right = type(value) is kind
    if kind is tuple and isinstance(value, (list, tuple)):
        value, right = tuple(value), all(type(item) is int for item in value)
    elif kind is float and type(value) is int:
        value, right = (float(value) if abs(value) <= high else value), True  # a larger one may be no float
    if choices:
        if not right or value not in choices:
            raise ConfigError(f"{f.name}={value!r:.60} is not possible: {one_of(choices)}")
    elif not right or not all(low <= item <= high for item in (value if kind is tuple else (value,))):  # false for NaN too
        what = "" if right else {int: "a whole number ", float: "a number "}.get(kind, "a list of whole numbers, each ")
        raise ConfigError(f"{f.name}={value!r:.60} is not possible: it must be {what}{between(low, high)}")
    return value


def between(low: float, high: float) -> str:
    """A range, in a message."""
    return f"between {low:g} and {high if isinstance(high, int) else format(high, 'g')}"


def one_of(choices: tuple) -> str:
    """A choice, in a message."""
    return f"choose one of {', '.join(str(choice).lower() if isinstance(choice, bool) else choice for choice in choices)}"
