"""What the arguments of a measure may be: each a type with its check, and the same in words. No streamlit here."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qsl

import numpy as np

from ui.geometry import world
from ui.lab.state import CHOICES, LabState
from ui.shared import learners
from ui.shared.learners import LEARNERS
from ui.shared.ranges import RANGES

HALVES = {"all": (-np.inf, np.inf), "left": (-np.inf, 0.0), "right": (0.0, np.inf)}
WAVES = {"cos": 0, "sin": 1}


class Checked(NamedTuple):
    """What an argument may be: a check that gives the value or raises ValueError, and the same in words."""

    check: Callable[[Any], Any]
    words: str


def number_in(low: float, high: float, whole: bool = False) -> Checked:
    kind = "a whole number" if whole else "a number"
    words = f"{kind} from {low:g} to {high:g}"

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
            raise ValueError(f"it must be {words}")
        return int(value) if whole else float(value)

    return Checked(check, words)


def _one_of(*choices: str) -> Checked:
    words = f"one of {', '.join(choices)}"

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"it must be {words}")
        return value

    return Checked(check, words)


def _learner(value: Any) -> str:
    names = {*LEARNERS, *learners.shipped()}
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"there is no learner {value!r:.40}; there are {', '.join(sorted(names))}")
    return value


def lab(value: Any) -> LabState:
    """The lab's state in an address query string. Raises ValueError for what the lab could not use."""
    query = query_of(value)
    fields = LabState.__dataclass_fields__
    if unknown := [name for name in query if name not in fields]:
        raise ValueError(f"the lab has no setting {unknown[0]!r:.40}; it has {', '.join(fields)}")
    state, problems = LabState.from_query(query)
    if problems:
        raise ValueError(problems[0].partition(". ")[0])
    return state


def world_query(value: Any) -> str:
    """An address query string of the two-parameter world, checked. Raises ValueError for what is not one of its settings."""
    query = query_of(value)
    if unknown := [name for name in query if name not in world.PARAMETERS]:
        raise ValueError(f"the world has no setting {unknown[0]!r:.40}; it has {', '.join(world.PARAMETERS)}")
    world.numbers(query)
    return value


def query_of(value: Any) -> dict[str, str]:
    if not isinstance(value, str):
        raise ValueError("it must be an address query, such as seed=15&K=5")
    try:
        return dict(parse_qsl(value, keep_blank_values=True, strict_parsing=bool(value)))
    except ValueError:
        raise ValueError(f"{value!r:.60} is not an address query, such as seed=15&K=5") from None


def _number_in_range(name: str) -> Checked:
    low, high = RANGES[name]
    return number_in(low, high, whole=name in ("K", "num_updates", "step"))


Learner = Annotated[str, Checked(_learner, f"one of {', '.join(LEARNERS)}, or shipped:NAME of a file in pretrained/")]
Step = Annotated[int, _number_in_range("step")]
ShotCount = Annotated[int, _number_in_range("K")]
Alpha = Annotated[float | None, _number_in_range("alpha")]
Noise = Annotated[float, _number_in_range("noise")]
Placement = Annotated[str, _one_of(*CHOICES["placement"])]
Freeze = Annotated[str, _one_of(*CHOICES["freeze"])]
Lab = Annotated[LabState, Checked(lab, "the lab's address parameters, such as seed=15&K=5")]
Half = Annotated[str, _one_of(*HALVES)]
Wave = Annotated[str, _one_of(*WAVES)]
X = Annotated[float, number_in(-20, 20)]
World = Annotated[str, Checked(world_query, "the Geometry page's address parameters, such as difference=1")]
Follower = Annotated[str, _one_of(*world.FOLLOWS)]
