"""What MAML is compared with, made as strong as it can be: a baseline gets the step size that suits it best."""

from collections.abc import Callable
from typing import NamedTuple

from maml_core.checkpoint import Checkpoint
from maml_core.config import TEST_SAMPLE, TrainConfig
from maml_core.evaluation import StepStats, evaluate, unheard
from maml_core.network import Params
from maml_core.training import init

STEP_SIZES = (*(round(m * 10.0**e, 6) for e in (-4, -3, -2) for m in (1, 1.5, 2, 3, 5, 7)), 0.1)
VALIDATION_SEED = 20_171
"""Tasks that choose a step size are none of the tasks that report results (seed 0)."""
PUBLISHED = {5: {1: 0.6609, 5: 0.3024, 10: 0.2714}, 10: {1: 0.4506, 5: 0.2024, 10: 0.1903}}
"""The table in MAML-tf's README, K -> inner steps -> loss: trained 10-shot with 1 update. Its code's default is
100 test tasks."""
PUBLISHED_STEPS = tuple(PUBLISHED[10])
TableRow = dict[int, list[StepStats]]
"""Of a table such as that: K -> the statistics after each inner step, from 0 on."""


def random() -> Checkpoint:
    """A network that learned nothing: where a run of the default config starts."""
    config = TrainConfig()
    return Checkpoint(init(config).learned, config, iterations=0)


def as_published(
    checkpoint: Checkpoint, *, test_tasks: int = TEST_SAMPLE, on_tasks: Callable[[int], object] = unheard
) -> TableRow:
    """A checkpoint on fresh tasks of its own family, with the shots and up to the steps of the published table.

    on_tasks: told the number of tasks that were just measured.
    """
    learned, config, last = checkpoint.learned, checkpoint.config, PUBLISHED_STEPS[-1]
    return {k: evaluate(learned, config, K=k, num_updates=last, test_tasks=test_tasks, on_tasks=on_tasks) for k in PUBLISHED}


class Tuning(NamedTuple):
    """The chosen fine-tuning step size, and the mean query MSE that each candidate came to."""

    alpha: float
    means: dict[float, float]


def tune_alpha(
    learned: Params,
    config: TrainConfig,
    *,
    num_updates: int = 10,
    tasks: int = 1000,
    on_tasks: Callable[[int], object] = unheard,
) -> Tuning:
    """The inner step size with the lowest mean query loss after num_updates, over STEP_SIZES, on validation tasks.

    The paper fine-tunes its baseline "using an automatically tuned step size" (section 5.1). One size serves every K and step:
    the best for config.K shots. The mean counts diverged tasks as 100, so a size that is too large for some tasks loses.
    on_tasks: as in `evaluate`.
    """
    means = {
        alpha: evaluate(
            learned,
            config,
            K=config.K,
            num_updates=num_updates,
            test_tasks=tasks,
            alpha=alpha,
            seed=VALIDATION_SEED,
            on_tasks=on_tasks,
        )[-1].mean
        for alpha in STEP_SIZES
    }
    return Tuning(min(means, key=means.__getitem__), means)
