"""Every benchmark runs, as `make bench` runs it, but for a few rounds. What it measures is for a quiet machine."""

import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from conftest import QUICKLY

ROOT = Path(__file__).parents[2]
BENCHMARKS = re.findall(r"python -m (benchmarks\.\w+)", (ROOT / "Makefile").read_text(encoding="utf-8"))


@cache
def done(name: str) -> subprocess.CompletedProcess[str]:
    """What a benchmark said, run once."""
    return subprocess.run(
        [sys.executable, "-m", name, "--quick"],
        cwd=ROOT,
        env=os.environ | QUICKLY | {"OMP_NUM_THREADS": "1"},
        text=True,
        capture_output=True,
        timeout=300,
    )


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_and_prints_figures(name: str):
    assert done(name).returncode == 0, done(name).stderr
    assert re.search(r"\d\.\d", done(name).stdout)
    assert "Traceback" not in done(name).stderr


def test_every_benchmark_is_one_that_make_bench_runs():
    run_by_a_person = {
        path.stem for path in (ROOT / "benchmarks").glob("*.py") if "def main() -> None:" in path.read_text("utf-8")
    }
    assert {name.removeprefix("benchmarks.") for name in BENCHMARKS} == run_by_a_person


def test_a_library_that_is_not_installed_is_left_out_in_a_sentence():
    said = done("benchmarks.peers").stdout
    for library, contender in (("jax", "JAX jit + scan, optax"), ("torchopt", "TorchOpt"), ("higher", "higher")):
        line = next(line for line in said.splitlines() if line.startswith(contender))
        missing = importlib.util.find_spec(library) is None
        assert ("is not installed; pip install -r requirements-peers.txt brings it" in line) == missing
