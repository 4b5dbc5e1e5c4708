"""What is remembered: the right results, those used last, and never more bytes than there may be."""

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maml_core.errors import ConfigError
from ui.shared import learners, remembered
from ui.shared.remembered import Memory, memory, size_of

MEGABYTE = 2**20


class Pair(NamedTuple):
    one: np.ndarray
    other: np.ndarray


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60), st.integers(0, 40))
def test_the_budget_is_never_exceeded_and_those_used_last_are_held(asked, most):
    """Beside a plain list of what was used, oldest first. A value has its number times 100 bytes, and grows where told."""
    held, plain = Memory(most * 100 + 1000), OrderedDict[int, int]()
    sizes = {number: number for number in range(10)}
    for number, grows in asked:
        if grows:
            sizes[number] += 1
            held.hold(number, bytes(100 * sizes[number]))
            plain.pop(number, None)
        else:
            made = []
            value = held.get(number, lambda number=number, made=made: made.append(number) or bytes(100 * sizes[number]))
            assert len(value) == 100 * sizes[number]
            assert bool(made) == (number not in plain)
        cost = size_of((number, bytes(100 * sizes[number])))
        plain.setdefault(number, cost)
        plain.move_to_end(number)
        if cost > held.most:
            del plain[number]
        while sum(plain.values()) > held.most:
            plain.popitem(last=False)
        assert held.size == sum(plain.values()) <= held.most
        assert len(held) == len(plain)


def test_a_function_is_run_once_for_the_same_arguments_and_again_when_what_it_gave_has_gone(monkeypatch):
    run = []

    @remembered.remembered
    def square(number: int) -> np.ndarray:
        run.append(number)
        return np.full(MEGABYTE // 8, float(number**2))

    memory.clear()
    monkeypatch.setattr(memory, "most", int(2.5 * MEGABYTE))
    assert [square(number)[0] for number in (2, 3, 2, 4, 2, 3)] == [4, 9, 4, 16, 4, 9]
    assert run == [2, 3, 4, 3]
    memory.clear()


def test_features_share_one_budget():
    """One lets go of what another was asked for first."""
    held = Memory(3 * MEGABYTE)

    def a(key: int) -> int:
        return held.get(("a", key), lambda: np.zeros(MEGABYTE // 8)).nbytes

    def b(key: int) -> int:
        return held.get(("b", key), lambda: np.zeros(MEGABYTE // 4)).nbytes

    for key in range(20):
        assert (a(key), b(key)) == (MEGABYTE, 2 * MEGABYTE)
        assert held.size <= held.most


def test_what_fails_is_tried_again():
    held = Memory(MEGABYTE)
    with pytest.raises(ValueError, match="not now"):
        held.get("key", lambda: (_ for _ in ()).throw(ValueError("not now")))
    assert held.get("key", lambda: 1) == 1


@pytest.mark.parametrize(
    ("value", "least"),
    [
        (np.zeros(MEGABYTE)[:3], 8 * MEGABYTE),  # a part keeps all of it
        (torch.zeros(MEGABYTE)[:3], 4 * MEGABYTE),
        (torch.zeros(MEGABYTE)[:3].numpy()[1:], 4 * MEGABYTE),
        (Pair(*np.zeros((2, MEGABYTE))), 16 * MEGABYTE),
        ({"a": ["x" * MEGABYTE], "b": [b"x" * MEGABYTE]}, 2 * MEGABYTE),
        ([float(number) for number in range(1000)], 24_000),
    ],
)
def test_a_size_is_that_of_all_that_is_kept_once(value, least):
    assert least <= size_of(value) < 1.5 * least
    assert size_of([value, value]) < 1.5 * least


def test_a_checkpoint_weighs_what_its_numbers_do():
    found = learners.get("meta_sgd")
    numbers = sum(4 * value.numel() for value in found.learned.values())
    assert numbers < size_of(found) < 4 * numbers


def test_many_threads_leave_it_in_order():
    held = Memory(50 * 1100)

    def work(seed: int) -> None:
        for step in range(200):
            key = (seed * step) % 97
            assert held.get(key, lambda key=key: bytes([key]) * 1000)[0] == key

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < held.size <= held.most
    held.clear()
    assert (held.size, len(held)) == (0, 0)


def test_the_environment_sets_the_budget(monkeypatch):
    monkeypatch.setattr(memory, "most", memory.most)
    monkeypatch.setenv("MAML_LAB_MEMORY_MB", "70")
    remembered.start()
    assert memory.most == 70 * MEGABYTE
    monkeypatch.setenv("MAML_LAB_MEMORY_MB", "lots")
    with pytest.raises(ConfigError, match="MAML_LAB_MEMORY_MB=lots is not possible"):
        remembered.start()
