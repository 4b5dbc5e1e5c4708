"""The kinds of answers to a lesson's question: how each is read, judged against what was measured, and counted.

No streamlit here. An answer is an option's index, a number, or a sketch: SKETCH numbers, y at equal distances in x.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from maml_core.reading import number, whole
from ui.lab import engine
from ui.lab.state import LabState
from ui.lessons import measures
from ui.lessons.arguments import HALVES
from ui.lessons.expressions import Expression, Values
from ui.shared.ranges import FAMILY, Y_LIMIT

SKETCH = 41
MOST_SKETCHES = 60
"""Sketches in a tally."""

Answer = int | float | tuple[float, ...]


@dataclass(frozen=True)
class Option:
    """One of a choice: what it says, when it is so, and what is said to those who chose it when it is not."""

    text: str
    when: Expression
    said: str


@dataclass(frozen=True)
class Choice:
    """One option of several. An answer is its index."""

    options: tuple[Option, ...]
    kind: ClassVar[str] = "choice"

    @property
    def texts(self) -> list[str]:
        """Everything that it may say."""
        return [text for option in self.options for text in (option.text, option.said)]

    @property
    def names(self) -> set[str]:
        """The numbers that decide."""
        return {name for option in self.options for name in option.when.names}

    def read(self, text: str) -> int:
        """An answer from an address. Raises ValueError for what is none."""
        try:
            return whole(text, 0, len(self.options) - 1)
        except ValueError:
            raise ValueError(f"An answer must be the number of an option, from 0 to {len(self.options) - 1}") from None

    def write(self, answer: Answer) -> str:
        """As `read` reads it."""
        return str(answer)

    def truth(self, values: Values, observe: LabState | None) -> int | None:
        """The option that is so; None when it is not exactly one."""
        holding = [at for at, option in enumerate(self.options) if option.when.value(values)]
        return holding[0] if len(holding) == 1 else None

    def is_right(self, answer: Answer, truth: Any) -> bool:
        """Whether this answer is the truth."""
        return answer == truth

    def said(self, answer: Answer, truth: Any) -> str:
        """What is said to a wrong answer."""
        assert isinstance(answer, int)
        return self.options[answer].said

    def tally(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """How many chose each option."""
        return {"kind": self.kind, "counts": [sum(answer == at for answer in answers) for at in range(len(self.options))]}


@dataclass(frozen=True)
class Slider:
    """A number on an axis. truth: None where nothing is measured before the answer, as for a run of one's own."""

    label: str
    low: float
    high: float
    truth_of: Expression | None
    within: float  # a factor on a log axis, else a distance
    said_low: str  # to an answer below the truth
    said_high: str
    log: bool = False
    unit: str = ""
    kind: ClassVar[str] = "slider"

    @property
    def texts(self) -> list[str]:
        """Everything that it may say."""
        return [self.said_low, self.said_high]

    @property
    def names(self) -> set[str]:
        """The numbers that decide."""
        return set(self.truth_of.names) if self.truth_of else set()

    def read(self, text: str) -> float:
        """An answer from an address. Raises ValueError for what is none."""
        try:
            value = number(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise ValueError(f"An answer must be a number from {self.low:g} to {self.high:g}")
        return min(max(float(f"{value:.4g}"), self.low), self.high)

    def write(self, answer: Answer) -> str:
        """As `read` reads it."""
        return f"{answer:.6g}"

    def truth(self, values: Values, observe: LabState | None) -> float | None:
        """The number that was measured. Raises ValueError if it has no place on such an axis."""
        if self.truth_of is None:
            return None
        found = self.truth_of.value(values)
        if not math.isfinite(found) or (self.log and found <= 0):
            raise ValueError(f"{self.label}: what was measured, {found:g}, has no place on this axis")
        return found

    def is_right(self, answer: Answer, truth: Any) -> bool:
        """Whether this answer is near enough."""
        assert isinstance(answer, int | float)
        return max(answer / truth, truth / answer) <= self.within if self.log else abs(answer - truth) <= self.within

    def said(self, answer: Answer, truth: Any) -> str:
        """What is said to a wrong answer."""
        return self.said_low if answer < truth else self.said_high

    def tally(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """All of them, from low to high."""
        return {"kind": self.kind, "values": sorted(answers)}


@dataclass(frozen=True)
class Sketch:
    """A curve: what a learner makes of the task on show, at a step. half: where the sketch is judged."""

    learner: str
    label: str
    step: int
    within: float  # mean squared distance
    said_wrong: str
    half: str = "all"
    kind: ClassVar[str] = "sketch"

    @property
    def texts(self) -> list[str]:
        """Everything that it may say."""
        return [self.said_wrong]

    @property
    def names(self) -> set[str]:
        """The numbers that decide: none, the curve itself does."""
        return set()

    def read(self, text: str) -> tuple[float, ...]:
        """An answer from an address. Raises ValueError for what is none."""
        try:
            values = [float(part) for part in text.split(",", SKETCH)]
        except ValueError:
            values = []
        if len(values) != SKETCH or not all(abs(value) <= Y_LIMIT for value in values):
            raise ValueError(f"An answer must be {SKETCH} numbers from {-Y_LIMIT:g} to {Y_LIMIT:g} with commas between them")
        return tuple(round(value, 2) + 0.0 for value in values)

    def write(self, answer: Answer) -> str:
        """As `read` reads it."""
        assert isinstance(answer, tuple)
        return ",".join(f"{value:g}" for value in answer)

    def truth(self, values: Values, observe: LabState | None) -> list[float]:
        """The learner's curve, SKETCH numbers. Raises ValueError if it diverged."""
        assert observe
        shown = replace(observe, num_updates=max(observe.num_updates, self.step))
        every = (len(engine.GRID) - 1) // (SKETCH - 1)
        curve = measures.curve(shown, self.learner, self.step)[::every]
        if not np.isfinite(curve).all():
            raise ValueError(f"The curve of {self.learner} at step {self.step} is not finite: there is nothing to compare with")
        return [round(float(y), 4) for y in curve]

    def is_right(self, answer: Answer, truth: Any) -> bool:
        """Whether the mean squared distance is small enough."""
        return self.apart(answer, truth)["distance"] <= self.within

    def apart(self, answer: Answer, truth: Any) -> dict[str, float]:
        """The mean squared distance where it is judged, and that within which it is right."""
        low, high = HALVES[self.half]
        x = np.linspace(*FAMILY.x, SKETCH)
        inside = (x >= low) & (x <= high)
        return {"distance": float(np.square(np.subtract(answer, truth))[inside].mean()), "within": self.within}

    def said(self, answer: Answer, truth: Any) -> str:
        """What is said to a wrong answer."""
        return self.said_wrong

    def tally(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The sketches themselves."""
        return {"kind": self.kind, "sketches": [list(answer) for answer in answers[:MOST_SKETCHES] if isinstance(answer, tuple)]}


Kind = Choice | Slider | Sketch
