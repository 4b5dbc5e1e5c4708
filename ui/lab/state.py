"""The lab's state: every setting that changes the picture, its default and range, and its form in the address.

Pure: no streamlit here. A state is immutable; what a person does makes a new one.
"""

import base64
import binascii
import dataclasses
import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from maml_core.config import FREEZES, MAX_SHOTS, PLACEMENTS
from maml_core.reading import number, quoted
from maml_core.tasks import place
from ui.shared.learners import OWN, check_learners, in_order
from ui.shared.query import NONE, read_number, write_number
from ui.shared.ranges import FAMILY, RANGES, Y_LIMIT, Range

CHOICES = {
    "placement": PLACEMENTS,
    "freeze": FREEZES,
    "ghosts": ("before", "previous", "all", "none"),
    "view": ("overlay", "panels"),
}
HIDE = ("truth", "names")
Shots = tuple[tuple[float, float], ...]


class Task(NamedTuple):
    """A sinusoid, and what sampling shots from it draws: places in x, and standard normal noise."""

    amplitude: float
    phase: float
    x: np.ndarray  # (MAX_SHOTS,)
    z: np.ndarray  # (MAX_SHOTS,)

    def curve(self, x: Any) -> Any:
        """The true function at x, elementwise."""
        return self.amplitude * np.sin(x - self.phase)


def task_of_seed(seed: int) -> Task:
    """The task of that seed, in numbers short enough for an address (two decimals)."""
    draw = np.random.default_rng(seed)
    amplitude, phase = draw.uniform(*FAMILY.amplitude), draw.uniform(*FAMILY.phase)
    x, z = draw.uniform(*FAMILY.x, MAX_SHOTS), draw.standard_normal(MAX_SHOTS)
    return Task(round(amplitude, 2), RANGES["phase"].clip(round(phase, 2)), x.round(2), z.round(3))


@dataclass(frozen=True)
class LabState:
    """What the lab shows. amplitude, phase and shots are None while they follow from the seed."""

    seed: int = 15
    amplitude: float | None = None
    phase: float | None = None
    K: int = 5
    alpha: float = 0.01
    num_updates: int = 10
    noise: float = 0.0
    shots: Shots | None = None
    step: int = 1
    learners: tuple[str, ...] = ("maml", "pretrained")  # while names are hidden, in the order of their letters
    free: bool = False  # whether clicks place shots off the curve
    placement: str = "anywhere"  # where sampled shots lie
    freeze: str = "none"  # what stays where it is in adaptation
    hide: tuple[str, ...] = ()
    ghosts: str = "before"  # which earlier steps are drawn too
    view: str = "overlay"  # all learners in one plot, or a plot for each
    present: bool = False  # large, for a projector

    @property
    def task(self) -> Task:
        """The sinusoid on show."""
        task = task_of_seed(self.seed)
        amplitude = task.amplitude if self.amplitude is None else self.amplitude
        phase = task.phase if self.phase is None else self.phase
        return task._replace(amplitude=amplitude, phase=phase)

    @property
    def points(self) -> Shots:
        """The shots on show: those edited by hand, or K sampled ones."""
        if self.shots is not None:
            return self.shots
        task = self.task
        x = task.x[: self.K]
        if self.placement != "anywhere":
            low, high = FAMILY.x
            uniform = torch.from_numpy((x - low) / (high - low))
            x = place(uniform, FAMILY.x, self.placement).numpy().round(2)
        y = np.clip(task.curve(x) + self.noise * task.z[: self.K], -Y_LIMIT, Y_LIMIT).round(3)
        return tuple(zip(x.tolist(), y.tolist(), strict=True))

    def new_task(self) -> "LabState":
        """Another task, with its own sampled shots."""
        return replace(self, seed=_other_seed(self.seed), amplitude=None, phase=None, shots=None)

    def sample_shots(self) -> "LabState":
        """K other shots of the same task."""
        return replace(self, seed=_other_seed(self.seed), amplitude=self.task.amplitude, phase=self.task.phase, shots=None)

    def place(self, shots: Iterable[Iterable[float]]) -> "LabState":
        """These shots, by hand."""
        return replace(self, shots=_checked_shots(shots))

    def change(self, name: str, value: Any) -> "LabState":
        """One setting changed. Shots edited by hand keep their distance from a curve that moves; K and placement sample anew."""
        after = replace(self, **{name: value})
        if name in ("K", "placement"):
            after = replace(after, shots=None)
        elif name == "hide" and ("names" in value) != ("names" in self.hide):
            after = after.shuffle() if "names" in value else replace(after, learners=in_order(self.learners))
        elif name in ("amplitude", "phase") and self.shots is not None:
            before, now = self.task, after.task
            moved = [(x, float(np.clip(y - before.curve(x) + now.curve(x), -Y_LIMIT, Y_LIMIT).round(3))) for x, y in self.shots]
            after = replace(after, shots=tuple(moved))
        return replace(after, step=min(after.step, after.num_updates))

    def shuffle(self) -> "LabState":
        """The learners behind letters, in random order, before any step: MAML and at least one other."""
        learners = set(self.learners) | {"maml"}
        learners |= {"pretrained"} if len(learners) == 1 else set()
        return replace(self, learners=tuple(random.sample(sorted(learners), len(learners))), step=0)

    def to_query(self) -> dict[str, str]:
        """The address parameters of this state; what is at its default is left out."""
        query = {}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if value != f.default:
                query[f.name] = _WRITE.get(f.name, write_number)(value)
        if "names" in self.hide:
            query["learners"] = _disguise(_write_learners(self.learners))
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> tuple["LabState", list[str]]:
        """The state of an address, and one sentence for each parameter that could not be used."""
        values: dict[str, Any] = {}
        problems = []
        for f in dataclasses.fields(cls):
            if f.name not in query:
                continue
            try:
                values[f.name] = _READ.get(f.name, read_number)(f.name, query[f.name])
            except ValueError as error:
                instead = "the task's own" if f.default is None else _WRITE.get(f.name, write_number)(f.default)
                problems.append(f"{f.name}={quoted(query[f.name])} in the address: {error}. Using {instead} instead.")
        state = cls(**values)
        if "step" in values and state.step > state.num_updates:
            problems.append(
                f"step={state.step} in the address is past the last of {state.num_updates} inner steps. Showing the last."
            )
        return replace(state, step=min(state.step, state.num_updates)), problems

    @classmethod
    def only_from(cls, query: Mapping[str, str]) -> "LabState":
        """The state of an address all of which can be used: a download should not be of something else. Raises ValueError."""
        state, problems = cls.from_query(query)
        if problems:
            raise ValueError(" ".join(problems))
        return state


def _other_seed(seed: int) -> int:
    return random.choice([other for other in random.sample(range(1, 10_000), 2) if other != seed])


def _checked_shots(shots: Iterable[Iterable[float]]) -> Shots:
    points = []
    x_range, y_range = Range(*FAMILY.x), Range(-Y_LIMIT, Y_LIMIT)
    for point in shots:
        x, y = map(float, point)
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError("a shot must be two finite numbers")
        points.append((round(x_range.clip(x), 3) + 0.0, round(y_range.clip(y), 3) + 0.0))  # no minus zero, as in the browser
    if len(points) > MAX_SHOTS:
        raise ValueError(f"a task can have at most {MAX_SHOTS} shots, not {len(points)}")
    return tuple(points)


def _read_shots(name: str, text: str) -> Shots:
    if text == NONE:
        return ()
    pairs = [pair.split(",") for pair in text.split(";") if pair.strip()]
    try:
        points = [(number(x.strip()), number(y.strip())) for x, y in pairs]
    except ValueError:
        raise ValueError("shots are x,y pairs separated by semicolons, such as 1.5,2;-3,0.4") from None
    x_range = FAMILY.x
    if not all(x_range[0] <= x <= x_range[1] and abs(y) <= Y_LIMIT for x, y in points):
        raise ValueError(f"a shot has x from {x_range[0]:g} to {x_range[1]:g} and y from {-Y_LIMIT:g} to {Y_LIMIT:g}")
    return _checked_shots(points)


def _read_learners(name: str, text: str) -> tuple[str, ...]:
    text = _undisguise(text)
    if text == NONE:
        return ()
    names = tuple(dict.fromkeys(text.split(",")))
    own = [n for n in check_learners(names) if OWN.fullmatch(n)]
    if len(own) > 1:
        raise ValueError("only one checkpoint of your own, or one named shipped:…, can be shown at a time")
    return names


def _write_learners(learners: tuple[str, ...]) -> str:
    return ",".join(learners) or NONE


def _disguise(text: str) -> str:
    """Not for the eye that wanders over the address bar. No secret: `_undisguise` gives it back."""
    return "~" + base64.urlsafe_b64encode(bytes((byte + 91 + 37 * i) % 256 for i, byte in enumerate(text.encode()))).decode()


def _undisguise(text: str) -> str:
    if not text.startswith("~"):
        return text
    try:
        return bytes((byte - 91 - 37 * i) % 256 for i, byte in enumerate(base64.urlsafe_b64decode(text[1:]))).decode("ascii")
    except (binascii.Error, ValueError):
        raise ValueError("the hidden list of learners is damaged") from None


def _read_choice(name: str, text: str) -> str:
    if text not in CHOICES[name]:
        raise ValueError(f"it must be one of {', '.join(CHOICES[name])}")
    return text


def _read_hide(name: str, text: str) -> tuple[str, ...]:
    words = text.split(",")
    if unknown := [word for word in words if word not in HIDE]:
        raise ValueError(f"{unknown[0]!r:.40} cannot be hidden; it must be {' or '.join(HIDE)}, or both separated by a comma")
    return tuple(word for word in HIDE if word in words)


def _read_switch(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("it must be 1 or 0")
    return text == "1"


_READ = {
    "shots": _read_shots,
    "learners": _read_learners,
    "free": _read_switch,
    "present": _read_switch,
    "hide": _read_hide,
    **dict.fromkeys(CHOICES, _read_choice),
}
_WRITE: dict[str, Callable[[Any], str]] = {
    "hide": ",".join,
    **dict.fromkeys(CHOICES, str),
    **dict.fromkeys(("free", "present"), lambda on: str(int(on))),
    "shots": lambda shots: ";".join(f"{x:g},{y:g}" for x, y in shots) or NONE,
    "learners": _write_learners,
}
