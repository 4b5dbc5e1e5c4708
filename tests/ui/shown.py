"""What a page without a browser has put on itself: its nodes, and what it gave to its components."""

import json
from collections.abc import Iterator
from typing import Any


def walk(node: Any) -> Iterator[Any]:
    """Everything below a node of AppTest's tree."""
    for child in getattr(node, "children", {}).values():
        yield child
        yield from walk(child)


def data(app: Any) -> list[Any]:
    """What each of a page's components was given, in their order."""
    return [json.loads(json.loads(node.proto.json)) for node in walk(app.main) if node.type == "bidi_component"]
