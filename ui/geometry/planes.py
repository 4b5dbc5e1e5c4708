"""What the geometry page knows of real networks: the plane a learner adapts in, and the term that FOMAML leaves out.

Served by routes below /geometry, from a cache. No streamlit here.
"""

import base64
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from starlette.routing import Route

from maml_core import curvature, landscape, runs, tasks
from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.tasks import Batch
from ui.shared import learners
from ui.shared.learners import LEARNERS
from ui.shared.remembered import remembered
from ui.shared.routes import of_query, route
from ui.shared.turns import go_on, measuring, once

SIDE = 41
"""Points along each side of the plane on show."""
PLANE_TASKS, LOSS_TASKS, DRAWN_TASKS, STEPS = 64, 32, 8, 10
"""Tasks whose adaptation makes the plane, over whose losses is averaged, whose paths are drawn; inner steps of each."""
SHOTS, QUERY = 10, 20
EXTENT = 0.35
"""Half the width of the plane on show, in units of parameter distance, or twice that, or four times, ..."""
TERM_TASKS, TERM_NUMBERS = 512, 2**22
"""Tasks over which medians of the term are taken, and the most numbers of their gradients: fewer tasks for large networks."""
SHIPPED = ("random", "pretrained", "reptile", "fomaml", "maml")
"""Whose second-order term is shown where there is no run to follow."""


def routes() -> list[Route]:
    """The routes, below /geometry."""
    return [
        route("/geometry/plane.json", of_query(plane), desk=measuring),
        route("/geometry/term.json", of_query(term), desk=measuring),
    ]


def plane(query: Mapping[str, str]) -> dict[str, Any]:
    """The plane that a learner adapts in, the mean loss on it before and after one inner step, and some tasks' paths.

    before, after: (SIDE, SIDE), from the lower left, row by row; paths: (DRAWN_TASKS, STEPS + 1, 2); little-endian float32.
    """
    name = query.get("learner", "maml")
    if name not in LEARNERS:
        raise ValueError(f"there is no plane for {name!r:.40}; choose from {', '.join(LEARNERS)}")
    return once(_plane, name, learners.version(name))


@remembered
def _plane(name: str, version: int) -> dict[str, Any]:
    found = learners.get(name)
    theta, alpha = found.split()
    loss, batch = found.network.mse, _batch(found, PLANE_TASKS)
    phis = landscape.paths(loss, theta, batch, alpha, STEPS)
    go_on()
    ends = {name: phi[:, -1] for name, phi in phis.items()}
    if not all(value.isfinite().all() for value in ends.values()):
        raise ValueError(f"Adaptation of {learners.title(name)} diverges within {STEPS} steps: there is no plane to show")
    plane = landscape.principal_plane(theta, ends)
    places = plane.project(phis)  # (PLANE_TASKS, STEPS + 1, 2)
    reach = places.abs().flatten().quantile(0.95).item()
    extent = EXTENT * 2 ** max(0, math.ceil(math.log2(max(reach, 1e-9) / EXTENT)))
    side = torch.linspace(-extent, extent, SIDE)
    grid = plane.at(torch.cartesian_prod(side, side).flip(1))  # (SIDE * SIDE, ...), the first direction fastest
    few = Batch(*(part[:LOSS_TASKS] for part in batch))
    before = landscape.mean_losses(loss, grid, few, alpha, 0)
    go_on()
    after = landscape.mean_losses(loss, grid, few, alpha, 1)
    moved = landscape.flat(phis, theta) - landscape.flat(theta, theta)  # (PLANE_TASKS, STEPS + 1, P)
    return {
        "learner": name,
        "label": learners.title(name),
        "parameters": moved.shape[2],
        "explained": plane.explained,
        "extent": extent,
        "length": [moved[:, step].norm(dim=1).mean().item() for step in (1, STEPS)],
        "before": _base64(before),
        "after": _base64(after),
        "paths": _base64(places[:DRAWN_TASKS]),
    }


def term(query: Mapping[str, str]) -> dict[str, Any]:
    """The second-order term through a run's snapshots; of the shipped checkpoints, where no run is named."""
    run = query.get("run", "")
    names = list(SHIPPED)
    if run:
        names = [f"run:{run}@{runs.iteration_of(path)}" for path in runs.snapshots_of(learners.run_folder(run))]
        if not names:
            raise ValueError(
                f"The run {run} has no snapshots yet" if learners.run_folder(run).is_dir() else f"There is no run {run}"
            )
    points = []
    for name in names:
        try:
            points.append(once(_term, name, learners.version(name)))
        except CheckpointError:  # thinned out a moment ago
            continue
    every = [{"name": name.removeprefix("run:"), "title": learners.title(name)} for name in learners.trained_here()]
    return {"run": run, "runs": every, "points": points}


def left_out(name: str) -> float:
    """The length of the second-order term over that of the first-order one, the median over tasks. Cached, as all here is."""
    return once(_term, name, learners.version(name))["whole"][0]


@lru_cache(maxsize=512)
def _term(name: str, version: int) -> dict[str, Any]:
    found = learners.get(name)
    theta, alpha = found.split()
    layers = found.network.layers
    count = min(TERM_TASKS, max(1, TERM_NUMBERS // sum(value.numel() for value in theta.values())))
    g, left = curvature.gradient_terms(found.network.mse, theta, _batch(found, count), alpha)
    whole, *each = curvature.ignored(g, left, [list(theta), *layers])
    return {
        "label": learners.title(name),
        "role": learners.role(name),
        "iteration": found.iterations,
        "whole": _known(whole),
        "layers": [_known(part) for part in each],
        "apart": _known([curvature.angle_of_means(g, left)])[0],
    }


def _known(values: Iterable[float]) -> list[float | None]:
    """As JSON says them: None for what is not a number, such as the angle to nothing."""
    return [value if math.isfinite(value) else None for value in values]


def _batch(found: Checkpoint, count: int) -> Batch:
    """The same tasks for every learner of a family; few as they are, spread evenly over all there are, by a Sobol sequence."""
    family, generator = tasks.family(found.config.family), torch.Generator().manual_seed(0)
    uniforms = torch.rand(count, family.randoms + SHOTS + QUERY, generator=generator)
    uniforms[:, : family.randoms] = torch.quasirandom.SobolEngine(family.randoms, scramble=True, seed=0).draw(count)
    return tasks.batch(family, uniforms, SHOTS, found.config.algorithm == "oracle")


def _base64(values: torch.Tensor) -> str:
    return base64.b64encode(np.ascontiguousarray(values.numpy(), "<f4").tobytes()).decode("ascii")
