"""Check lesson files, and measure what they claim: `python -m ui.lessons [FOLDER]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from ui.lessons.settle import settle
from ui.lessons.shelf import folder, shelf


def report(where: Path) -> tuple[list[str], int]:
    """One line a file, and the exit status: 2 if one cannot be used, 1 if a claim does not hold today, else 0."""
    lessons, broken = shelf(where)
    lines, status = [str(error) for error in broken], 2 if broken else 0
    for lesson in lessons.values():
        try:
            failed = settle(lesson).failed
        except ValueError as error:
            failed = [str(error)]
        lines.append(f"{lesson.file}: {'; '.join(f'does not hold: {claim}' for claim in failed) or 'holds'}")
        status = max(status, 1 if failed else 0)
    return lines, status


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a folder of lessons."""
    parser = argparse.ArgumentParser(prog="python -m ui.lessons", description="Check lesson files, and measure what they claim.")
    parser.add_argument("folder", nargs="?", type=Path, default=folder(), help="default: %(default)s")
    where = parser.parse_args(arguments).folder
    torch.set_num_threads(1)  # as the server does
    lines, status = report(where)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
