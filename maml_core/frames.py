"""Results as pandas DataFrames: one row for each measurement, and every setting of it a column.

The frames are long, for `groupby`, `pivot` and whatever plots by column; `set_index` makes an index of any column. pandas is
imported when a frame is made: where it is not installed, every function here raises ImportError, which says how to install it.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from maml_core.evaluation import StepStats, summarise
from maml_core.runs import merged, read_config, read_metrics

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from maml_core.baselines import TableRow
    from maml_core.sweeps import Row

STATISTICS = list(StepStats._fields)
"""Columns of every frame of errors: step, mean, ci95, median, diverged."""


def steps_frame(result: Iterable[StepStats]) -> "pd.DataFrame":
    """What `evaluation.evaluate` returns: one row an inner step."""
    return _pandas().DataFrame(list(result), columns=STATISTICS)


def table_frame(rows: "Mapping[str, TableRow]") -> "pd.DataFrame":
    """A table of checkpoints by name, each as `baselines.as_published` measures it: checkpoint, K, and the statistics."""
    measured = [(name, k, *stats) for name, row in rows.items() for k, steps in row.items() for stats in steps]
    return _pandas().DataFrame(measured, columns=["checkpoint", "K", *STATISTICS])


def metrics_frame(folder: Path) -> "pd.DataFrame":
    """The training of a run, one row for each record: iteration, and loss_before and loss_after over the block up to it.

    A live run gives what it has so far. Raises RunError where the folder holds no run.
    """
    columns = ["iteration", "loss_before", "loss_after"]
    return _pandas().DataFrame([line for line in _lines(folder) if "loss_after" in line], columns=columns)


def validation_frame(folder: Path) -> "pd.DataFrame":
    """How a run adapts to its validation tasks, one row for each inner step at each snapshot: iteration, and the statistics.

    Raises RunError where the folder holds no run.
    """
    measured = [{"iteration": line["iteration"]} | stats for line in _lines(folder) for stats in line.get("validation", [])]
    return _pandas().DataFrame(measured, columns=["iteration", *STATISTICS])


def sweep_frame(rows: "Sequence[Row]", losses: "Tensor") -> "pd.DataFrame":
    """What `sweeps.query_losses` returns for these rows, (rows, steps, tasks): K, alpha, and the statistics over the tasks.

    alpha is NaN where a row has learned step sizes, one for each weight.
    """
    sizes = [float("nan") if isinstance(row.alpha, Mapping) else float(row.alpha) for row in rows]
    settings = zip(rows, sizes, losses, strict=True)
    measured = [(row.K, alpha, *stats) for row, alpha, of_row in settings for stats in summarise(of_row)]
    return _pandas().DataFrame(measured, columns=["K", "alpha", *STATISTICS])


def _lines(folder: Path) -> list[dict[str, Any]]:
    read_config(folder)  # or a folder that was mistyped would be an empty frame
    return merged(read_metrics(folder)[0])


def _pandas() -> ModuleType:
    try:
        import pandas
    except ImportError:
        raise ImportError("frames need pandas, which is not installed: pip install pandas") from None
    return pandas
