"""Where learners end in the two-parameter world of the geometry page, by the engine: no picture. No streamlit here.

The world's shapes and defaults are those of geometry/toy.js and address.js; a test holds them equal.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import grad

from maml_core.algorithms import meta_objective
from maml_core.network import Params
from maml_core.reading import number
from maml_core.tasks import Batch

SHAPES = ((20, 3, 0.3), (105, 2.6, 0.5), (62, 1.4, 0.25), (150, 3, 0.6), (5, 0.7, 0.2), (80, 2, 0.8))
"""Of each task: the angle of its first axis in degrees, the curvatures along both axes."""
TASKS, THETA, ALPHA, DIFFERENCE = "-2.4,1.2;1.4,1.7;2.6,-1;-0.9,-1.6", "-3.1,-0.4", 0.3, 1.0
MOST_ALPHA = 0.6
PARAMETERS = ("theta", "tasks", "alpha", "difference", "learners", "step")
"""Of the world's address."""
FOLLOWS = {"maml": (1, False), "fomaml": (1, True), "pretrained": (0, False)}
"""Learner -> inner steps in its objective, and whether it is first order. (Reptile has no objective.)"""


def numbers(query: Mapping[str, str]) -> tuple[float, float, list[tuple[float, float]], tuple[float, float]]:
    """alpha, the difference of curvatures, the tasks' optima and theta of an address.

    Raises:
        ValueError: they are not what the Geometry page would show.
    """
    try:
        alpha, difference = number(query.get("alpha", str(ALPHA))), number(query.get("difference", str(DIFFERENCE)))
        places = [(number(x), number(y)) for x, y in (pair.split(",") for pair in query.get("tasks", TASKS).split(";"))]
        x, y = map(number, query.get("theta", THETA).split(","))
        wrong = not (0 <= alpha <= MOST_ALPHA and 0 <= difference <= 1 and 3 <= len(places) <= len(SHAPES))
        wrong = wrong or not all(abs(a) <= 3.5 and abs(b) <= 2.5 for a, b in [*places, (x, y)])
    except ValueError:
        wrong = True
    if wrong:
        raise ValueError("the world has 3 to 6 tasks and theta as x,y pairs inside its plane, alpha to 0.6, difference to 1")
    return alpha, difference, places, (x, y)


def tasks(query: Mapping[str, str]) -> tuple[Batch, float]:
    """The tasks of an address as a batch (Hessians as x, optima as y), and its alpha. Raises ValueError as `numbers` does."""
    alpha, difference, centres, _ = numbers(query)
    c = torch.tensor(centres, dtype=torch.float64)  # (T, 2)
    degrees, *curvatures = torch.tensor(SHAPES[: len(c)], dtype=torch.float64).T
    first, second = (values**difference for values in curvatures)
    cos, sin = torch.deg2rad(degrees).cos(), torch.deg2rad(degrees).sin()
    off = (first - second) * cos * sin
    rows = [torch.stack([first * cos**2 + second * sin**2, off], 1), torch.stack([off, first * sin**2 + second * cos**2], 1)]
    H = torch.stack(rows, 1)  # (T, 2, 2)
    return Batch(H, c, H, c), alpha


def loss(params: Params, x: Tensor, y: Tensor) -> Tensor:
    """1/2 (theta - c)' H (theta - c). x: (2, 2) H, y: (2,) c."""
    away = params["theta"] - y
    return 0.5 * away @ x @ away


def end(learner: str, query: Mapping[str, str]) -> Tensor:
    """Where a learner's outer loop comes to rest, (2,): its gradient is affine in theta, so one Newton step finds it."""
    batch, alpha = tasks(query)
    steps, first_order = FOLLOWS[learner]

    def follows(theta: Tensor) -> Tensor:
        at = {"theta": theta}
        return grad(lambda t: meta_objective(loss, t, batch, alpha, steps, first_order=first_order))(at)["theta"]

    origin, unit = torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    here = follows(origin)
    slope = torch.stack([follows(direction) - here for direction in unit], 1)
    return torch.linalg.solve(slope, -here)


def mean_loss(theta: Tensor, steps: int, query: Mapping[str, str]) -> float:
    """The tasks' mean loss at theta (2,) after that many inner steps."""
    batch, alpha = tasks(query)
    return meta_objective(loss, {"theta": theta}, batch, alpha, steps).item()
