"""Plain state_dicts: tensors that came without a recipe, recognised as Linear layers from one input to one output."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from torch import Tensor

WRAPPERS = ("module", "_orig_mod")
"""What DataParallel and torch.compile put into names."""
MOST_TRIES = 10_000
"""Layers that are looked at while their order is sought."""


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without WRAPPERS in their names; as they are where two would then be called the same."""
    names = {name: ".".join(part for part in name.split(".") if part not in WRAPPERS) for name in tensors}
    if "" in names.values() or len(set(names.values())) < len(names):
        return dict(tensors)
    return {names[name]: value for name, value in tensors.items()}


def layers(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of the Linear layers, without .weight and .bias, from one input to one output.

    Their order follows from their shapes, and from the numbers in names that differ in nothing else.

    Raises:
        ValueError: it is no such network. The message ends a sentence that begins with the file's name.
    """
    if not tensors:
        raise ValueError("holds no tensors")
    found = list(dict.fromkeys(name.rpartition(".")[0] for name in tensors))
    for name, value in tensors.items():
        layer, _, kind = name.rpartition(".")
        if kind not in ("weight", "bias") or value.dim() != (2 if kind == "weight" else 1):
            raise ValueError(f"holds {_shown(name)} of shape {_shape(value)}, which belongs to no Linear layer: {_WANTED}")
        if not value.is_floating_point():
            raise ValueError(f"holds {_shown(name)} of whole numbers: weights must be floating-point numbers")
        if (other := f"{layer}.{'bias' if kind == 'weight' else 'weight'}".lstrip(".")) not in tensors:
            raise ValueError(f"holds {_shown(name)} without {_shown(other)}: {_WANTED}, each with weights and biases")
    shapes = {layer: tuple(tensors[f"{layer}.weight".lstrip(".")].shape) for layer in found}
    for layer, (outputs, _) in shapes.items():
        if len(bias := tensors[f"{layer}.bias".lstrip(".")]) != outputs:
            raise ValueError(f"has {len(bias)} biases in {_shown(layer)} for {outputs} outputs: {_WANTED}")
    if not any(inputs == 1 for _, inputs in shapes.values()) or not any(outputs == 1 for outputs, _ in shapes.values()):
        ends = ", ".join(f"{inputs} to {outputs}" for outputs, inputs in list(shapes.values())[:4])
        raise ValueError(f"has layers of {ends} units: the network must take one input, x, and give one output, y")
    if len(found) == 1:
        raise ValueError("holds a single Linear layer: a network needs at least one hidden layer")
    ways = list(islice(_ways(shapes), 2))
    if not ways:
        raise ValueError(f"has layers that do not follow one another from one input to one output: {_WANTED}")
    if len(ways) > 1:
        raise ValueError("has layers of equal shapes whose order its names do not tell: number them, as torch.nn.Sequential does")
    return ways[0]


_WANTED = "only Linear layers with ReLU between them can be used"


def _ways(shapes: Mapping[str, tuple[int, ...]]) -> Iterator[list[str]]:
    """Every order in which each layer takes what the one before gives, and numbered names of one kind ascend."""
    kinds = {layer: re.sub(r"[0-9]+", "#", layer) for layer in shapes}
    ranked = sorted(shapes, key=lambda layer: [int(digits) for digits in re.findall(r"[0-9]{1,9}", layer)])
    tries = 0

    def after(way: list[str], width: int, left: list[str]) -> Iterator[list[str]]:
        nonlocal tries
        if not left and width == 1:
            yield way
        kinds_seen: set[str] = set()
        for layer in left:
            first, kinds_seen = kinds[layer] not in kinds_seen, kinds_seen | {kinds[layer]}
            tries += 1
            if first and shapes[layer][1] == width and tries < MOST_TRIES:
                yield from after([*way, layer], shapes[layer][0], [other for other in left if other != layer])

    return after([], 1, ranked)


def _shown(name: str) -> str:
    return f"{name!r:.60}"


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "1"
