"""Seconds from the start of `python -m maml_core train` to a validation error under MAML-tf's 0.4506 (10 shots, 1 update).

`python -m benchmarks.time_to_target`: with nothing compiled before (the run is traced), and with the program compiled already.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import options
from maml_core.baselines import PUBLISHED

TARGET = PUBLISHED[10][1]
RECIPE = ["--beta", "0.005", "--batch-size", "50", "--schedule", "cosine", "--max-steps", "6000"]


def main() -> None:
    """Measure and print. Quick: only the first run, until it has any error after an iteration."""
    quick = options.parser(__doc__).parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MAML_LAB_CACHE"] = str(Path(folder) / "cache")
        measure(Path(folder) / "cold", "nothing compiled", math.inf if quick else TARGET)
        if not quick:
            start_run(Path(folder) / "compile", ["--path", "compiled", "--batch-size", "50", "--max-steps", "100"]).wait()
            measure(Path(folder) / "warm", "compiled before", TARGET)


def measure(folder: Path, what: str, target: float) -> None:
    """One run: when its first record came, and when its validation error was under the target. SystemExit if it never was."""
    began, first = time.perf_counter(), 0.0
    run = start_run(folder, RECIPE)
    while run.poll() is None:
        time.sleep(0.05)
        for text in lines(folder / "metrics.jsonl"):
            line, now = json.loads(text), time.perf_counter() - began
            if not line["iteration"]:
                continue
            first = first or now
            if "validation" in line and line["validation"][1]["mean"] < target:
                run.terminate()
                run.wait()
                path = json.loads((folder / "config.json").read_text())["settings"]["path"]
                error = line["validation"][1]["mean"]
                print(
                    f"{what} ({path}): first 100 iterations after {first:.1f} s; {error:.3f} < {target} after {now:.1f} s, "
                    f"{line['iteration']:,} iterations",
                    flush=True,
                )
                return
    raise SystemExit(f"{what}: the run ended, and its error was never below {target}")


def start_run(folder: Path, options: list[str]) -> subprocess.Popen:
    """Start a run."""
    command = [sys.executable, "-m", "maml_core", "train", "--run-dir", str(folder), "--quiet", "--test-sample", "100", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def lines(path: Path) -> list[str]:
    """The whole lines of a file that is being written."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


if __name__ == "__main__":
    main()
