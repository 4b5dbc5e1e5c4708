"""The maps of the Explore page: measured a round at a time while somebody looks, kept for everybody, served by routes.

A browser asks for a map again and again, each time with how many tasks it has seen; every answer holds more, until it asks
no more. So what nobody looks at costs nothing, and to cancel is not to ask. No streamlit here.
"""

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import torch
from starlette.routing import Route

from maml_core import sweeps
from maml_core.evaluation import StepStats
from maml_core.reading import whole_of
from maml_core.sweeps import MOST_TASKS, Row, Tasks
from ui.explore import published
from ui.explore.exploration import ALPHA_ROWS, MAP_STEPS, MORE_SHOT_ROWS, SHOT_ROWS, Exploration
from ui.lab import engine
from ui.lab.state import LabState
from ui.shared import learners
from ui.shared.learners import in_order
from ui.shared.ranges import FAMILY, RANGES, Y_LIMIT
from ui.shared.remembered import memory, remembered
from ui.shared.routes import of_query, route
from ui.shared.tables import csv_download, csv_text
from ui.shared.turns import go_on, measuring

FIRST, ROUND = 20, 200
"""Tasks a cell after the first round of measuring, so that there is a map at once, and those that a full round adds; fewer for a
network larger than the usual."""
USUAL = 2_000
"""Numbers that the network of a usual learner has."""
ALONG = ("K", "alpha")


class Asked(NamedTuple):
    """A map: one learner, by shots or by step size."""

    learner: str
    along: str  # what differs from row to row, of ALONG
    K: int  # shots of every row, in a map by step size; else 0
    alpha: float | None  # step size of every row, in a map by shots; None: the learner's own
    conditions: tuple[str, ...]

    @property
    def rows(self) -> tuple[float, ...]:
        """The number of shots, or the step size, of each row."""
        if self.along == "alpha":
            return ALPHA_ROWS
        return SHOT_ROWS + MORE_SHOT_ROWS * ("shots" in self.conditions)

    def setting(self, row: int) -> tuple[int, float | None]:
        """The shots and the step size of a row."""
        return (self.K, self.rows[row]) if self.along == "alpha" else (int(self.rows[row]), self.alpha)

    @property
    def trial(self) -> tuple[str, ...]:
        """The conditions that decide which tasks there are."""
        return tuple(name for name in self.conditions if name in sweeps.CONDITIONS)


def ask(query: Mapping[str, str]) -> Asked:
    """The map that these parameters ask for. Raises ValueError for what cannot be asked."""
    along = query.get("along", "K")
    if along not in ALONG:
        raise ValueError(f"along={along[:20]} is not possible: it must be one of {', '.join(ALONG)}")
    state, problems = Exploration.from_query(
        {name: query[name] for name in ("learners", "K", "alpha", "conditions") if name in query}
    )
    if problems:
        raise ValueError(" ".join(problems))
    if len(state.learners) != 1:
        raise ValueError("name one learner")
    by_shots = along == "K"
    return Asked(state.learners[0], along, 0 if by_shots else state.K, state.alpha if by_shots else None, state.conditions)


class Measured:
    """One map, as far as it has been measured."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.lock = threading.Lock()
        self.losses = torch.empty(len(asked.rows), MAP_STEPS + 1, 0)  # (rows, MAP_STEPS + 1, tasks)
        self._cells: list[list[StepStats]] = []
        self._counted = -1

    @property
    def tasks(self) -> int:
        """How many tasks each cell has met."""
        return self.losses.shape[2]

    def go_on(self, have: int) -> None:
        """Measure one more round, unless there is more than `have` already. Raises CheckpointError if the learner is missing."""
        with self.lock:
            if self.tasks > have or self.tasks >= MOST_TASKS:
                return
            checkpoint = learners.get(self.asked.learner)
            settings = [self.asked.setting(row) for row in range(len(self.asked.rows))]
            rows = [Row(K, checkpoint.split(alpha)[1]) for K, alpha in settings]
            theta = checkpoint.split()[0]
            full = max(5, round(ROUND * min(1, USUAL / checkpoint.network.weights)))
            count = full - self.tasks % full if self.tasks else min(FIRST, full)
            batch = _drawn(self.asked.trial, checkpoint.config.algorithm == "oracle").part(self.tasks, count)
            found = sweeps.query_losses(checkpoint.network.mse, theta, rows, batch, MAP_STEPS, on_tasks=go_on)
            self.losses = torch.cat([self.losses, found], 2)

    def cells(self) -> list[list[StepStats]]:
        """The statistics of each row at each step."""
        with self.lock:
            if self._counted != self.tasks:
                self._cells, self._counted = sweeps.cells(self.losses), self.tasks
            return self._cells


def find(asked: Asked) -> Measured:
    """The map, perhaps not measured yet: the same for everybody. Raises CheckpointError if the learner is missing."""
    found: Measured = memory.get(_key(asked), lambda: Measured(asked))
    return found


def _measured(asked: Asked, have: int = 0) -> Measured:
    """The map with more tasks than `have`, if there are more."""
    found = find(asked)
    found.go_on(have)
    memory.hold(_key(asked), found)  # by the size that it has now
    return found


def _key(asked: Asked) -> tuple[Any, ...]:
    return Measured, asked, learners.version(asked.learner)


@remembered
def _drawn(conditions: tuple[str, ...], oracle: bool) -> Tasks:
    return sweeps.draw(conditions, oracle=oracle)


def answer(query: Mapping[str, str]) -> dict[str, Any]:
    """A map with more tasks than `have` of the query, as lists of rows of cells: what a browser draws."""
    have = whole_of(query, "have", 0, MOST_TASKS, "0")
    measured = _measured(ask(query), have)
    cells = measured.cells()
    columns = {
        name: [[getattr(cell, name) for cell in row] for row in cells]  # as measured: only the browser rounds
        for name in ("mean", "ci95", "median", "diverged")
    }
    return {"tasks": measured.tasks, "rows": measured.asked.rows} | columns


def examples(query: Mapping[str, str]) -> dict[str, Any]:
    """The typical, the best and the worst task of one cell, {name: {loss, amplitude, phase, href}}: row and step say which.

    href opens exactly this task in the lab, and is empty for a task that lies outside of what the lab shows. loss is what the lab
    says of it there, over the whole curve; of a task outside, what the map counted, over sweeps.POINTS points of the curve. It is
    None where it is not a number.
    """
    asked = ask(query)
    row, step = (whole_of(query, name, 0, most) for name, most in (("row", len(asked.rows) - 1), ("step", MAP_STEPS)))
    losses = _measured(asked).losses[row, step]
    drawn = _drawn(asked.trial, learners.get(asked.learner).config.algorithm == "oracle")
    K, _ = asked.setting(row)
    found: dict[str, Any] = {}
    for name, task in sweeps.examples(losses)._asdict().items():
        amplitude, phase = drawn.parameters[task].tolist()
        shots = torch.cat([drawn.batch.x_support[task, :K, :1], drawn.batch.y_support[task, :K]], 1).tolist()
        state = lab_state(asked, row, step, amplitude, phase, shots)
        loss = losses[task].item()
        if state:
            loss = float(engine.on_show(state)[state.learners.index(asked.learner)].query[step])
        href = "lab?" + urlencode(state.to_query()) if state else ""
        found[name] = {"loss": loss if math.isfinite(loss) else None, "amplitude": amplitude, "phase": phase, "href": href}
    return found


def lab_state(asked: Asked, row: int, step: int, amplitude: float, phase: float, shots: list[list[float]]) -> LabState | None:
    """The lab on this task, with these shots, at the row's step size and this step. None where the lab cannot show it."""
    (low, high), (early, late) = FAMILY.amplitude, FAMILY.phase
    shown = low <= amplitude <= high and early <= phase <= late and all(abs(y) <= Y_LIMIT for _, y in shots)
    if not shown:
        return None
    learner, (K, alpha) = asked.learner, asked.setting(row)
    return LabState(
        amplitude=round(amplitude, 4),
        phase=RANGES["phase"].clip(round(phase, 4)),
        K=int(RANGES["K"].clip(K)),
        alpha=RANGES["alpha"].clip(learners.get(learner).config.alpha if alpha is None else alpha),
        num_updates=max(step, LabState.num_updates),
        shots=tuple((round(x, 3), round(y, 3)) for x, y in shots),
        step=step,
        learners=in_order({learner, "pretrained"}),
        free="noise" in asked.conditions,
    )


def as_csv(query: Mapping[str, str]) -> str:
    """One row a cell of the map, as far as it is measured."""
    measured = _measured(ask(query))
    asked, cells, tasks = measured.asked, measured.cells(), measured.tasks
    own = learners.get(asked.learner).config.alpha
    return csv_text(
        ("learner", "conditions", "K", "alpha", "step", "mean", "ci95", "median", "diverged", "tasks"),
        (
            (
                learners.title(asked.learner),
                " ".join(asked.conditions),
                K,
                f"{own if alpha is None else alpha:g}",
                s.step,
                *(f"{value:.7g}" for value in (s.mean, s.ci95, s.median, s.diverged)),
                tasks,
            )
            for row in range(len(cells))
            for K, alpha in [asked.setting(row)]
            for s in cells[row]
        ),
    )


def routes() -> list[Route]:
    """The routes, below /explore."""
    made: dict[str, Callable[[Mapping[str, str]], Any]] = {
        "map.json": answer,
        "examples.json": examples,
        "published.json": published.measure,
        "published.csv": lambda query: csv_download(published.table_csv(query), "maml-lab-published.csv"),
        "map.csv": lambda query: csv_download(as_csv(query), "maml-lab-map.csv"),
    }
    return [route(f"/explore/{name}", of_query(make), desk=measuring) for name, make in made.items()]
