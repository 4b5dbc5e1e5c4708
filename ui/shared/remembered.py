"""What functions once gave is remembered for all who ask the same, within one budget of bytes. No streamlit here."""

import functools
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
import torch

from maml_core.reading import setting

MEBIBYTES = 80
"""Of all that is remembered: the one bound that every feature shares, unless `MAML_LAB_MEMORY_MB` says another."""

Asked = ParamSpec("Asked")
Given = TypeVar("Given")


class _Held(NamedTuple):
    value: Any
    size: int


class Memory:
    """Values by key: those used last, as many as lie within a number of bytes."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is held under this key, or what `make()` gives, which is held from now on."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key].value
        value = make()
        made = _Held(value, size_of((key, value)))
        with self._lock:
            if key in self._held:  # another was quicker, and some have that one already
                return self._held[key].value
            self._hold(key, made)
        return value

    def hold(self, key: Hashable, value: Any) -> None:
        """Hold this value under this key, by the size that it has now."""
        held = _Held(value, size_of((key, value)))
        with self._lock:
            self._hold(key, held)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self.size = 0

    def _hold(self, key: Hashable, held: _Held) -> None:
        self._drop(key)
        if held.size > self.most:
            return
        while self.size + held.size > self.most:
            self._drop(next(iter(self._held)))
        self._held[key] = held
        self.size += held.size

    def _drop(self, key: Hashable) -> None:
        if key in self._held:
            self.size -= self._held.pop(key).size


memory = Memory(MEBIBYTES * 2**20)


def start() -> None:
    """Take the budget that the environment sets. Raises ConfigError if it is none."""
    memory.most = setting("MAML_LAB_MEMORY_MB", MEBIBYTES, 64, 10**6) * 2**20


def remembered(function: Callable[Asked, Given]) -> Callable[Asked, Given]:
    """The same function, which is not run again for arguments that it was given before, as long as what it gave is held.

    That depends on the arguments alone, and nobody changes it. A single number is not worth it: for those there is lru_cache.
    """

    @functools.wraps(function)
    def recall(*args: Asked.args, **kwargs: Asked.kwargs) -> Given:
        found: Given = memory.get((function, args, *kwargs.items()), lambda: function(*args, **kwargs))
        return found

    return recall


def size_of(value: Any) -> int:
    """About how many bytes a value takes, with all in it: of an array what lies under it, of several views of that once."""
    seen, size, inside = dict[int, Any](), 0, [value]
    while inside:
        each = _under(inside.pop())
        if id(each) not in seen and not isinstance(each, type | Callable):  # code is there anyway
            seen[id(each)] = each
            size += sys.getsizeof(each)
            inside += _in(each)
    return size


def _under(value: Any) -> Any:
    """What holds the numbers of an array; any other value as it is."""
    while isinstance(value, np.ndarray) and value.base is not None:
        value = value.base
    return value


def _in(value: Any) -> Iterable[Any]:
    if isinstance(value, torch.Tensor):
        return [value.untyped_storage()]
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return value
    return [vars(value)] if hasattr(value, "__dict__") else []
