"""How much of runs there may be, as the environment says it: at once, in line, how long one may take, what all may hold."""

import os
import sys
from dataclasses import dataclass

from maml_core.config import MOST_TEST_SAMPLE, TEST_SAMPLE
from maml_core.reading import setting


@dataclass(frozen=True)
class Limits:
    """What there may be. All but `runs` and `test_sample` bind those alone who are not at the server itself."""

    runs: int
    """In training at once."""
    per_person: int = 3
    """In training or waiting, of one browser."""
    test_sample: int = TEST_SAMPLE
    """Fresh tasks that a run is measured on at its end."""
    per_address: int = 60
    """In training or waiting, from one network: a class behind one address has room in it."""
    in_all: int = 100
    """In training or waiting, from anywhere."""
    minutes: int = 30
    """That one run may be expected to take: a lesson has no more."""
    megabytes: int = 2000
    """That all runs may hold on disk: those that are over go first."""

    @classmethod
    def from_environment(cls) -> "Limits":
        """As it is set, each in the variable named here; the runs at once are by default one fewer than there are cores.

        Raises:
            ConfigError: one of them is not a whole number, or out of range.
        """
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        return cls(
            setting("MAML_LAB_MAX_RUNS", max(1, cores - 1), 1, 1000),
            setting("MAML_LAB_MAX_RUNS_PER_PERSON", cls.per_person, 1, 1000),
            setting("MAML_LAB_TEST_SAMPLE", cls.test_sample, 2, MOST_TEST_SAMPLE),
            setting("MAML_LAB_MAX_RUNS_PER_ADDRESS", cls.per_address, 1, 1000),
            setting("MAML_LAB_MAX_RUNS_IN_ALL", cls.in_all, 1, 1000),
            setting("MAML_LAB_MAX_RUN_MINUTES", cls.minutes, 1, 1_000_000),
            setting("MAML_LAB_RUNS_MB", cls.megabytes, 1, 1_000_000),
        )
