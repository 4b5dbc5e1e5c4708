"""The process that trains a run: killed, paused, stopped, starved of disk, and what is left of the run each time."""

import itertools
import math

from maml_core import worker


def test_old_snapshots_are_thinned_but_never_the_first_or_the_last(tmp_path):
    for step in range(0, 300_000, 1000):
        (tmp_path / f"step-{step:06d}.safetensors").touch()
        (tmp_path / f"step-{step:06d}.state.safetensors").touch()
        worker._thin(tmp_path)
    kept = sorted(p.name for p in tmp_path.glob("step-??????.safetensors"))
    assert len(kept) == worker.KEEP
    assert kept[0] == "step-000000.safetensors"
    assert kept[-1] == "step-299000.safetensors"
    logs = [math.log1p(int(name[5:11])) for name in kept]
    gaps = [b - a for a, b in itertools.pairwise(logs[1:])]  # the first gap, from 0, is infinite in the logarithm
    assert max(gaps) < 5 * min(gaps)
    assert len(list(tmp_path.glob("*.state.safetensors"))) == worker.KEEP
