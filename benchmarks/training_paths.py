"""Meta-iterations a second on the reference workload, one thread: every execution path side by side, in turns, in one run.

`python -m benchmarks.training_paths [--rounds 5] [--seconds 2]`. The ratios are the result; the rates depend on the machine.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Iterator

import torch

from maml_core.config import TrainConfig
from maml_core.training import BLOCK, PATHS, Record, meta_train


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = TrainConfig(max_steps=10_000_000)  # the reference workload is the default
    paths = [path for path in PATHS if path != "compiled" or shutil.which("g++") or shutil.which("clang++")]
    runs: dict[str, Iterator[Record]] = {}
    for path in paths:
        began = time.perf_counter()
        runs[path] = meta_train(config, path=path)
        next(runs[path])
        print(f"{path:10} first {BLOCK} iterations after {time.perf_counter() - began:5.1f} s", flush=True)
    rates: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(args.rounds):
        for path in paths:
            rates[path].append(_rate(runs[path], args.seconds))
    base = statistics.median(rates["eager"])
    for path in paths:
        median = statistics.median(rates[path])
        print(f"{path:10} {median:8,.0f} iterations/s   {median / base:5.2f} x eager", flush=True)


def _rate(run: Iterator[Record], seconds: float) -> float:
    began, iterations = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        next(run)
        iterations += BLOCK
    return iterations / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
