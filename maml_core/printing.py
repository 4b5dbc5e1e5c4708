"""What the command line prints: results on stdout, as text or as JSON, and progress on stderr. No torch here."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maml_core.config import CLASSIFICATION, TrainConfig

if TYPE_CHECKING:
    from tqdm import tqdm

    from maml_core.baselines import TableRow
    from maml_core.checkpoint import Checkpoint
    from maml_core.evaluation import StepStats

NAME_WIDTH = 24
CELL_WIDTH = 34


def as_json(value: dict[str, Any]) -> None:
    """One object, on one line."""
    print(json.dumps(value, allow_nan=False))


def task_bar(tasks: int, unit: str = "task") -> "tqdm":
    """Progress on stderr where that is a terminal, gone when it is done."""
    from tqdm import tqdm

    return tqdm(total=tasks, unit=unit, unit_scale=True, file=sys.stderr, mininterval=0.2, disable=None, leave=False)


def trained(final: Path, done: "Checkpoint") -> None:
    """Where a trained checkpoint lies, and its results."""
    print(f"checkpoint: {final}")
    for k, steps in done.results.items():
        shown = [(step, steps[str(step)]) for step in (0, 1, 5, 10) if str(step) in steps]
        cells = "   ".join(f"{step}: {stats['mean']:.3f} ± {stats['ci95']:.3f}" for step, stats in shown)
        print(f"{k}-shot {judged(done.config)} by inner step (alpha {done.config.alpha:g})   {cells}")


def judged(config: TrainConfig) -> str:
    """What its results are."""
    return "accuracy" if config.family in CLASSIFICATION else "error"


def steps(stats: Sequence["StepStats"]) -> None:
    """An evaluation, a line for each inner step."""
    print("step      mean ± 95%         median   diverged")
    for s in stats:
        print(f"{s.step:>4}  {s.mean:>8.4f} ± {s.ci95:<8.4f}  {s.median:>8.4f}   {s.diverged:>7.2%}")


def table(rows: Mapping[str, "TableRow"], seeds: Mapping[str, Sequence["TableRow"]], test_sample: int) -> None:
    """MAML-tf's table and ours, one part for each number of shots. seeds: NAME -> the rows of that recipe, a seed each."""
    from maml_core.baselines import PUBLISHED, PUBLISHED_STEPS

    print(f"Error after 1, 5 and 10 inner steps, over {test_sample:,} fresh tasks of each checkpoint's own family.")
    print("mean ± 95% interval (median; share diverged). A diverged task counts as 100.\n")
    for k, published in PUBLISHED.items():
        _line(f"{k}-shot", [f"{n} step{'s' if n > 1 else ''}" for n in PUBLISHED_STEPS])
        _line("MAML-tf, published", [f"{mean:.4f}  (no interval)" for mean in published.values()])
        for name, row in rows.items():
            cells = (row[k][n] for n in PUBLISHED_STEPS)
            _line(name, [f"{c.mean:.4f} ± {c.ci95:.4f} ({c.median:.3f}; {c.diverged:.1%})" for c in cells])
        for name, several in seeds.items():
            means = [[row[k][n].mean for row in several] for n in PUBLISHED_STEPS]
            _line(f"{name}, {len(several)} seeds", [f"{min(m):.4f} to {max(m):.4f}" for m in means])
        print()


def _line(name: str, cells: Sequence[str]) -> None:
    print((name.ljust(NAME_WIDTH) + "".join(cell.ljust(CELL_WIDTH) for cell in cells)).rstrip())
