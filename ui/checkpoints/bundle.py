"""A checkpoint to download: a zip of its file, recipe, results, a run's metrics and a README. No streamlit here."""

import json
import re
from pathlib import Path

from maml_core import runs
from maml_core.checkpoint import Checkpoint, CheckpointError
from ui.checkpoints import recipe
from ui.shared import learners, zips
from ui.shared.tables import csv_text


def zipped(name: str) -> bytes:
    """The zip of a learner. Raises CheckpointError if it is missing or damaged."""
    saved, path, stem = learners.get(name), learners.find(name), learners.stem(name)
    files: dict[str, str | bytes] = {
        f"{stem}.safetensors": path.read_bytes(),
        "config.json": json.dumps(recipe.settings(saved), indent=1) + "\n",
        "results.csv": results_csv(saved),
    }
    if name.startswith("run:") and (metrics := metrics_csv(path.parent.parent)):
        files["metrics.csv"] = metrics
    if begun := recipe.started_at(saved):
        files |= _start(name, begun)
    files["README.md"] = readme(saved, learners.title(name), f"{stem}.safetensors", list(files))
    return zips.packed({f"{stem}/{file}": content for file, content in files.items()})


def _start(name: str, iteration: int) -> dict[str, bytes]:
    """The snapshot that a run went on from, with its training state; nothing where it is not at hand."""
    try:
        snapshot = learners.snapshot(name.removeprefix("run:").partition("@")[0], iteration)
        return {f"{recipe.START}/{path.name}": path.read_bytes() for path in (snapshot, runs.training_state_of(snapshot))}
    except (CheckpointError, ValueError, OSError):
        return {}


def readme(saved: Checkpoint, title: str, file: str, beside: list[str]) -> str:
    """What this is, its results, how to load it and how to train it again, as Markdown. beside: the other files."""
    lines = [f"# {_plain(title)}", "", recipe.of_checkpoint(saved) + ".", ""]
    heads, rows, tasks = recipe.results_table(saved)
    if rows:
        lines += [f"Mean error (MSE on query points) over {tasks:,.0f} fresh tasks, with its 95% interval, by inner step:", ""]
        lines += [f"| inner steps | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
        lines += [f"| {step} | {' | '.join(cells)} |" for step, cells in rows]
        lines += [""]
    lines += ["Load it in plain PyTorch:", "", "```python", recipe.load_lines(saved, file), "```", ""]
    if not saved.from_elsewhere:
        start = " (`start/` is the folder beside this file: give its full path)" if recipe.started_at(saved) else ""
        lines += [
            f"Train it again, in the folder of MAML Lab, whose README says how to set it up{start}:",
            "",
            "```sh",
            recipe.command(saved),
            "```",
            "",
        ]
    about = {
        file: "the network, with its recipe and results as metadata",
        "config.json": "what was stated about its training" if saved.from_elsewhere else "every setting of its training",
        "results.csv": "the results at every inner step; a task with an error over 100 has diverged and counts as 100",
        "metrics.csv": "mean losses since the line before: on the shots before adaptation, on the query points after it",
    }
    about |= {name: "what its training continued from" for name in beside if name.startswith(recipe.START)}
    lines += [f"- `{name}`: {about[name]}" for name in beside]
    return "\n".join(lines) + "\n"


def results_csv(saved: Checkpoint) -> str:
    """One row for each number of shots and inner step."""
    columns = ("mean", "ci95", "median", "diverged", "tasks")
    rows = [
        (K, step, *(stats[column] for column in columns))
        for K in sorted(saved.results, key=int)
        for step, stats in sorted(saved.results[K].items(), key=lambda item: int(item[0]))
    ]
    return csv_text(("shots", "step", *columns), rows)


def metrics_csv(folder: Path) -> str:
    """A run's metrics, one row an iteration; empty if there are none to read.

    validation_N: the mean error after N inner steps, where it was measured.
    """
    found = {}
    for line in runs.merged(runs.read_metrics(folder)[0]):
        losses = {name: line[name] for name in ("loss_before", "loss_after") if name in line}
        measured = {f"validation_{stats['step']}": stats["mean"] for stats in line.get("validation", [])}
        found[line["iteration"]] = losses | measured
    columns = list(dict.fromkeys(name for entry in found.values() for name in entry))
    rows = [(iteration, *(entry.get(name, "") for name in columns)) for iteration, entry in found.items()]
    return csv_text(("iteration", *columns), rows) if rows else ""


def _plain(text: str) -> str:
    """Text as Markdown that says just this."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", " ".join(text.split()))
