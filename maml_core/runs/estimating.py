"""How long a run will take on this machine: by the rate of a run of the same program, else by trying a few iterations."""

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from itertools import pairwise

import torch

from maml_core.config import JOINT, TEST_SAMPLE, TrainConfig
from maml_core.network import MLP
from maml_core.runs import Run
from maml_core.training import is_compiled, likely_path, meta_train, program_of

SPEEDUP = {"traced": 1.9, "compiled": 14.0}
"""Of a path over the eager one, as `python -m benchmarks.peers` finds it. A run of the same program knows better."""
STARTING, COMPILING = 3.0, 20.0
"""Seconds until the first iteration, and those that compiling adds, as `python -m benchmarks.time_to_target` finds them."""
MEASURING, SEARCHING = 3.0, 15.0
"""Seconds that the result takes to measure on TEST_SAMPLE tasks, and those that a baseline's step size takes to find."""
TRIED = 5
LIGHT = 10_000_000
"""Multiplications up to which an iteration is tried; a heavier one is counted."""


def seconds(config: TrainConfig, done: int = 0, known: Iterable[Run] = (), test_sample: int = TEST_SAMPLE) -> float:
    """Until a run of this config has ended, `done` iterations of it being behind it. known: runs whose rates may tell.

    test_sample: fresh tasks that the result is measured on.
    """
    path, program = likely_path(config), program_of(config)
    alike = (run.rate for run in known if run.rate and run.settings.path == path and program_of(run.config) == program)
    rate = max(alike, default=0.0) or SPEEDUP[path] * _eager_rate(program)
    compiling = COMPILING if path == "compiled" and not is_compiled(config) else 0.0
    return STARTING + compiling + (config.max_steps - done) / rate + measuring(config, test_sample)


def measuring(config: TrainConfig, test_sample: int = TEST_SAMPLE) -> float:
    """Seconds from the last iteration to the end of a run of this config."""
    return MEASURING * test_sample / TEST_SAMPLE + SEARCHING * (config.algorithm in JOINT)


@lru_cache(maxsize=256)
def _eager_rate(program: TrainConfig) -> float:
    """Iterations a second on the eager path."""
    work = _multiplications(program)
    if work > LIGHT:  # by what the reference program takes for its steps, and what this machine multiplies in a second
        reference = program_of(TrainConfig())
        steps = (1 + program.inner_steps) / (1 + reference.inner_steps)
        return 1 / (steps / _eager_rate(reference) + work / _multiplications_per_second())
    trial = replace(program, max_steps=TRIED)
    next(meta_train(replace(trial, max_steps=1), path="eager"))
    began = time.perf_counter()
    next(meta_train(trial, path="eager"))
    return TRIED / (time.perf_counter() - began)


def _multiplications(config: TrainConfig) -> float:
    """Of one iteration: forward and backward passes over the shots, and adapted weights for every task."""
    weights = sum(a * b for a, b in pairwise(MLP.of(config).sizes))
    return config.batch_size * (config.K + 1) * (2 + 3 * config.inner_steps) * weights


@cache
def _multiplications_per_second() -> float:
    """What one core reaches on products of middling size."""
    matrix = torch.ones(200, 200)
    began, times = time.perf_counter(), 20
    for _ in range(times):
        matrix @ matrix
    return times * 200**3 / (time.perf_counter() - began)
