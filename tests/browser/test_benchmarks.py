"""Every benchmark runs, as `make bench` runs it, but for a few rounds. What it measures is for a quiet machine."""

import importlib.util
import os
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = re.findall(r"python -m (benchmarks\.\w+)", (ROOT / "Makefile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def started():
    """All of them at work, two at a time: they wait more than they compute."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(
                subprocess.run,
                [sys.executable, "-m", name, "--quick"],
                cwd=ROOT,
                env=environment,
                text=True,
                capture_output=True,
                timeout=300,
            )
            for name in BENCHMARKS
        }


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_and_prints_figures(started: dict[str, Future], name: str):
    done = started[name].result()
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d\.\d", done.stdout)
    assert "Traceback" not in done.stderr


def test_every_benchmark_is_one_that_make_bench_runs():
    run_by_a_person = {
        path.stem for path in (ROOT / "benchmarks").glob("*.py") if "def main() -> None:" in path.read_text("utf-8")
    }
    assert {name.removeprefix("benchmarks.") for name in BENCHMARKS} == run_by_a_person


def test_a_library_that_is_not_installed_is_left_out_in_a_sentence(started: dict[str, Future]):
    said = started["benchmarks.peers"].result().stdout
    for library, contender in (("jax", "JAX jit + scan, optax"), ("torchopt", "TorchOpt"), ("higher", "higher")):
        line = next(line for line in said.splitlines() if line.startswith(contender))
        missing = importlib.util.find_spec(library) is None
        assert ("is not installed; pip install -r requirements-peers.txt brings it" in line) == missing
