"""metrics.jsonl in a run's folder: one line for each record of its training, which are only ever appended."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maml_core.reading import is_number, json_object


def read_metrics(folder: Path, offset: int = 0, most: int = -1) -> tuple[list[dict[str, Any]], int]:
    """The lines of metrics.jsonl from this byte on, `most` bytes of them, and the byte to go on from next time.

    A last line that is still being written is left for then; damaged lines are skipped. Where a resume repeated an iteration
    there is more than one line of it: see `merged`. A file that has become shorter is read from its beginning.
    """
    try:
        with (folder / "metrics.jsonl").open("rb") as file:
            size = file.seek(0, 2)
            file.seek(offset := offset if offset <= size else 0)
            read = file.read(most)
    except OSError:
        return [], 0
    lines = read[: read.rfind(b"\n") + 1]
    return [line for text in lines.split(b"\n") if (line := _metric(text))], offset + len(lines)


def merged(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line an iteration, in order; of several the later wins."""
    latest = {line["iteration"]: line for line in lines}
    return [latest[iteration] for iteration in sorted(latest)]


def _metric(text: bytes) -> dict[str, Any] | None:
    """One line of metrics.jsonl, or None if it is damaged."""
    from maml_core.evaluation import StepStats

    try:
        line = json_object(text)
        placed = type(line["iteration"]) is int and 0 <= line["iteration"] < 2**53
        losses = all(is_number(line[name]) for name in ("loss_before", "loss_after") if name in line)
        steps = line.get("validation", [])
        measured = all(is_number(stats[name]) for stats in steps for name in StepStats._fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return line if placed and losses and measured else None
