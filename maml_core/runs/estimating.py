"""How long a run will take on this machine: by the rate of a run of the same program, else by trying a few iterations."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from itertools import pairwise
from types import MappingProxyType

import torch

from maml_core import problems
from maml_core.config import CLASSIFICATION, JOINT, TEST_SAMPLE, TrainConfig
from maml_core.network import MLP
from maml_core.runs import Run
from maml_core.training import is_compiled, likely_path, meta_train, program_of

SPEEDUP = {"traced": 1.9, "compiled": 14.0}
"""Of a path over the eager one, as `python -m benchmarks.peers` finds it. A run of the same program knows better."""
STARTING, COMPILING = 3.0, 20.0
"""Seconds until the first iteration, and those that compiling adds, as `python -m benchmarks.time_to_target` finds them."""
MEASURING, SEARCHING = 3.0, 15.0
"""Seconds that the result takes to measure on TEST_SAMPLE tasks, and those that a baseline's step size takes to find, for the
default network; a larger one takes as much longer as it has more weights."""
TRIED = 5
LIGHT = 10_000_000
"""Multiplications up to which an iteration is tried; a heavier one is counted."""
_DEFAULT = TrainConfig()

Rates = Mapping[tuple[str, TrainConfig], float]
"""A path and what is executed on it (`program_of`) -> iterations a second."""


def rates(known: Iterable[Run]) -> Rates:
    """The best that runs have reached."""
    found: dict[tuple[str, TrainConfig], float] = {}
    for run in known:
        if run.rate:
            what = run.settings.path, program_of(run.config)
            found[what] = max(run.rate, found.get(what, 0.0))
    return found


def seconds(config: TrainConfig, done: int = 0, known: Rates = MappingProxyType({}), test_sample: int = TEST_SAMPLE) -> float:
    """Until a run of this config has ended, `done` iterations of it being behind it. known: what runs have reached.

    test_sample: fresh tasks that the result is measured on.
    """
    path, program = likely_path(config), program_of(config)
    rate = known.get((path, program)) or SPEEDUP[path] * _eager_rate(program)
    compiling = COMPILING if path == "compiled" and not is_compiled(config) else 0.0
    return STARTING + compiling + (config.max_steps - done) / rate + measuring(config, test_sample)


def measuring(config: TrainConfig, test_sample: int = TEST_SAMPLE) -> float:
    """Seconds from the last iteration to the end of a run of this config."""
    size = max(1.0, _weights(config) / _weights(_DEFAULT))
    return size * (MEASURING * test_sample / TEST_SAMPLE + SEARCHING * (config.algorithm in JOINT))


@lru_cache(maxsize=256)
def _eager_rate(program: TrainConfig) -> float:
    """Iterations a second on the eager path."""
    work = _multiplications(program)
    if work > LIGHT:  # by what the reference program takes for its steps, and what this machine multiplies in a second
        reference = program_of(_DEFAULT)
        steps = (1 + program.inner_steps) / (1 + reference.inner_steps)
        return 1 / (steps / _eager_rate(reference) + work / _multiplications_per_second())
    trial = replace(program, max_steps=TRIED)
    next(meta_train(replace(trial, max_steps=1), path="eager"))
    return TRIED / _taken(lambda: next(meta_train(trial, path="eager")))


def _multiplications(config: TrainConfig) -> float:
    """Of one iteration: forward and backward passes over the shots, and adapted weights for every task."""
    points = config.K * (config.way if config.family in CLASSIFICATION else 1)
    return config.batch_size * (points + 1) * (2 + 3 * config.inner_steps) * _weights(config)


def _weights(config: TrainConfig) -> float:
    if config.family in CLASSIFICATION:
        return problems.convolution(config).multiplications
    return sum(a * b for a, b in pairwise(MLP.of(config).sizes))


@cache
def _multiplications_per_second() -> float:
    """What one core reaches on products of middling size."""
    matrix = torch.ones(200, 200)
    return 20 * 200**3 / _taken(lambda: [matrix @ matrix for _ in range(20)])


def _taken(work: Callable[[], object]) -> float:
    """Seconds of one processor, which a crowd does not lengthen; those of the clock where a processor's are counted coarsely."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a run has
    try:
        own, clock = time.thread_time(), time.perf_counter()
        work()
        return (time.thread_time() - own) or (time.perf_counter() - clock)
    finally:
        torch.set_num_threads(threads)
