"""What a page without a browser has put on itself: its nodes, and what it gave to its components."""

import json
from collections.abc import Iterator
from typing import Any


def walk(node: Any) -> Iterator[Any]:
    """Everything below a node of AppTest's tree."""
    for child in getattr(node, "children", {}).values():
        yield child
        yield from walk(child)


def _given(app: Any) -> list[Any]:
    return [json.loads(json.loads(node.proto.json)) for node in walk(app.main) if node.type == "bidi_component"]


def data(app: Any) -> list[Any]:
    """What each of a page's components that draw was given, in their order."""
    return [given for given in _given(app) if "parameters" not in given]


def address(app: Any) -> dict[str, str]:
    """What the browser was told to have in the address."""
    (told,) = (given["parameters"] for given in _given(app) if "parameters" in given)
    return {name: value for name, value in told.items() if value is not None}
