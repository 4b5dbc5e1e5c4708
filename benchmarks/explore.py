"""How quickly the Explore page's maps are there: `python -m benchmarks.explore [--learner maml]`. Seconds, the best of three.

first    a map of 20 numbers of shots by 20 updates over 200 tasks a cell, on one core, as the server measures it
page     both maps of one learner and the baseline's at once, on two cores, over the same 200 tasks
refined  one map over 2,000 tasks
padded   the first map with every K padded to 20 shots and weighted, all in one batch
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor
from torch.func import vmap

from benchmarks import options
from maml_core import sweeps
from maml_core.algorithms import adapt
from ui.explore import maps
from ui.lab import engine
from ui.shared import learners
from ui.shared.remembered import memory

STEPS, SHOTS = 20, 20
TASKS, REFINED = 200, 2000


def main() -> None:
    """Measure and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--learner", default="maml")
    arguments = parser.parse_args()
    learner, tasks, refined, times = arguments.learner, *((5, 5, 1) if arguments.quick else (TASKS, REFINED, 3))
    maps.ROUND = min(maps.ROUND, tasks)
    engine.warm()
    asked = {"learners": learner, "along": "K"}
    both = [asked, {"learners": learner, "along": "alpha"}, {"learners": "pretrained", "along": "K"}]
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"first    {best(lambda: measured(asked, tasks), times):.2f}")
    print(f"page     {best(lambda: together(both, tasks), times):.2f}")
    print(f"padded   {best(lambda: padded(learner, tasks), times):.2f}")
    print(f"refined  {best(lambda: measured(asked, refined), 1):.2f}")


def best(act: Callable[[], object], times: int) -> float:
    """The shortest of some repeats, in seconds: others use this machine too."""
    took = []
    for _ in range(times):
        memory.clear()
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return min(took)


def measured(query: dict[str, str], tasks: int) -> None:
    """Ask as a browser does, until there are as many tasks."""
    have = 0
    while have < tasks:
        have = maps.answer(query | {"have": str(have)})["tasks"]


def together(queries: list[dict[str, str]], tasks: int) -> None:
    """As a browser that asks two questions at once."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda query: measured(query, tasks), queries))


@torch.no_grad()
def padded(learner: str, tasks: int) -> Tensor:
    """(SHOTS, tasks, STEPS + 1): one batch over K, a chunk of tasks at a time."""
    saved = learners.get(learner)
    theta, alpha = saved.split()
    net, batch = saved.network, sweeps.draw().part(0, tasks)
    weights = torch.tril(torch.ones(SHOTS, SHOTS)) / torch.arange(1, SHOTS + 1)[:, None]  # (SHOTS, SHOTS): a row a K

    def task(w: Tensor, x: Tensor, y: Tensor, x_query: Tensor, y_query: Tensor) -> Tensor:
        def loss(phi: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return (w[:, None] * (net.apply(phi, x) - y).square()).sum()

        return torch.stack([net.mse(phi, x_query, y_query) for phi in adapt(loss, theta, x, y, alpha, STEPS)])

    over_shots = vmap(task, (0, None, None, None, None))
    x, y = batch.x_support[:, :SHOTS], batch.y_support[:, :SHOTS]
    return vmap(over_shots, (None, 0, 0, 0, 0), 1, chunk_size=10)(weights, x, y, batch.x_query, batch.y_query)


if __name__ == "__main__":
    main()
