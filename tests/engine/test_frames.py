"""Data frames against the plain values that they are made of."""

import math
import subprocess
import sys

import pytest
import torch

from maml_core import baselines, frames, runs, sweeps
from maml_core.config import TrainConfig
from maml_core.errors import RunError
from maml_core.evaluation import StepStats, evaluate, summarise
from maml_core.network import MLP
from maml_core.runs import worker

STATISTICS = ["step", "mean", "ci95", "median", "diverged"]


def rows_of(frame):
    return list(frame.itertuples(index=False, name=None))


def test_an_evaluation_is_a_row_for_each_step():
    start = baselines.random()
    stats = evaluate(start.learned, start.config, K=3, num_updates=2, test_tasks=10)
    frame = frames.steps_frame(stats)
    assert list(frame.columns) == STATISTICS
    assert rows_of(frame) == [tuple(step) for step in stats]
    assert rows_of(frames.steps_frame([])) == []


def test_a_table_is_a_row_for_each_checkpoint_shots_and_step():
    table = {name: baselines.as_published(baselines.random(), test_tasks=tasks) for name, tasks in (("a", 4), ("b", 6))}
    frame = frames.table_frame(table)
    assert list(frame.columns) == ["checkpoint", "K", *STATISTICS]
    assert len(frame) == 2 * 2 * 11
    for name, k, step, *statistics in rows_of(frame):
        assert StepStats(step, *statistics) == table[name][k][step]


def test_a_run_is_a_row_for_each_record_and_for_each_step_of_a_validation(tmp_path):
    folder = tmp_path / "run"
    runs.create(folder, TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=250, num_updates=2), "traced")
    with pytest.raises(RunError, match="holds no run"):
        frames.metrics_frame(tmp_path)
    assert len(frames.metrics_frame(folder)) == len(frames.validation_frame(folder)) == 0
    worker.train_run(folder, test_sample=10)
    with (folder / "metrics.jsonl").open("a") as file:  # a resume repeats an iteration: the later line wins
        file.write('{"iteration": 200, "loss_before": 7.0, "loss_after": 5.0}\n')
    metrics, validation = frames.metrics_frame(folder), frames.validation_frame(folder)
    assert list(metrics.columns) == ["iteration", "loss_before", "loss_after"]
    assert list(metrics["iteration"]) == [100, 200, 250]
    assert rows_of(metrics)[1] == (200, 7.0, 5.0)
    assert list(validation.columns) == ["iteration", *STATISTICS]
    lines = runs.merged(runs.read_metrics(folder)[0])
    expected = [(line["iteration"], *stats.values()) for line in lines for stats in line.get("validation", [])]
    assert rows_of(validation) == expected
    assert [row[:2] for row in expected] == [(at, step) for at in (0, 100, 250) for step in range(3)]


def test_a_sweep_is_a_row_for_each_setting_and_step():
    net = MLP((1, 8, 1))
    theta = net.init(torch.Generator().manual_seed(0))
    learned = {name: torch.full_like(value, 0.01) for name, value in theta.items()}
    rows = [sweeps.Row(1, 0.02), sweeps.Row(5, 0.005), sweeps.Row(5, learned)]
    losses = sweeps.query_losses(net.mse, theta, rows, sweeps.draw().part(0, 6), 2)
    frame = frames.sweep_frame(rows, losses)
    assert list(frame.columns) == ["K", "alpha", *STATISTICS]
    plain = [(row.K, *stats) for row, of_row in zip(rows, losses, strict=True) for stats in summarise(of_row)]
    assert rows_of(frame.drop(columns="alpha")) == plain
    assert list(frame["alpha"][:6]) == [0.02] * 3 + [0.005] * 3
    assert all(map(math.isnan, frame["alpha"][6:]))
    with pytest.raises(ValueError, match="zip"):
        frames.sweep_frame(rows[:2], losses)


def test_pandas_is_imported_when_asked_for_and_its_absence_says_what_to_do():
    script = (
        "import sys; sys.modules['pandas'] = None\n"  # as if it were not installed
        "from maml_core import frames\n"
        "try: frames.steps_frame([])\n"
        "except ImportError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "frames need pandas, which is not installed: pip install pandas\n"
