"""Settings of the test tools themselves."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Timings on shared machines say nothing about correctness.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("ours"), max_examples=5000)
settings.load_profile("ours")

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"  # as many workers as cores: a thread each, in what a test starts as well


@pytest.fixture(scope="session", autouse=True)
def nothing_compiled_before(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What this machine compiled earlier must not decide which path a test takes."""
    os.environ["MAML_LAB_CACHE"] = str(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(autouse=True)
def the_main_module_stays_what_it_was() -> Iterator[None]:
    """AppTest makes a page the main module, which every process that is forked later would then run first."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
