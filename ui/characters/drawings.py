"""A drawing: strokes of points on a grid, and the one text form that it has in addresses, in requests and in the browser.

Two letters a point, x and y; STROKE between strokes, DRAWING between drawings. drawings.js says the same in the browser.
No streamlit here.
"""

import string
from collections.abc import Iterable
from itertools import groupby

import torch

from maml_core import characters
from maml_core.reading import quoted

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
"""What a place on an axis is written as, 0 to 63: base64 as in addresses."""
STROKE, DRAWING = ".", ".."
MOST_POINTS, MOST_STROKES = 24, 12
"""Of a stroke, and of a drawing."""
PEN = 3.5
"""How wide a stroke is on the page, in places of the grid: about as wide as in the image that the networks see."""

TAP = 2
"""Places of the grid up to which a drawing is a dot: enlarged, a hand's tremor would be a scribble."""
SMOOTH = 0.35
"""Places of the grid that a stroke may leave the line by that it was made of."""

Stroke = tuple[tuple[int, int], ...]
Drawing = tuple[Stroke, ...]
_PLACE = {letter: place for place, letter in enumerate(LETTERS)}
_LAST = len(LETTERS) - 1


def write(drawing: Drawing) -> str:
    """As text; empty for a drawing without strokes."""
    return STROKE.join("".join(LETTERS[x] + LETTERS[y] for x, y in stroke) for stroke in drawing)


def write_all(drawings: Iterable[Drawing]) -> str:
    """Several, empty ones in their places."""
    return DRAWING.join(map(write, drawings))


def read(text: str) -> Drawing:
    """The drawing of this text. Raises ValueError, in a clause, for any other text."""
    strokes = text.split(STROKE) if text else []
    if len(strokes) > MOST_STROKES:
        raise ValueError(f"a drawing can have at most {MOST_STROKES} strokes")
    return tuple(map(_stroke, strokes))


def read_all(text: str, most: int) -> tuple[Drawing, ...]:
    """Several of them, at most so many. Raises ValueError, in a clause."""
    parts = text.split(DRAWING)
    if len(parts) > most:
        raise ValueError(f"there can be at most {most} drawings")
    return tuple(map(read, parts))


def _stroke(text: str) -> Stroke:
    if not text or len(text) % 2 or not set(text) <= _PLACE.keys():
        raise ValueError(f"{quoted(text)} is no stroke, which is written in pairs of letters from A-Z, a-z, 0-9, - and _")
    if len(text) > 2 * MOST_POINTS:
        raise ValueError(f"a stroke can have at most {MOST_POINTS} points")
    return tuple((_PLACE[x], _PLACE[y]) for x, y in zip(text[::2], text[1::2], strict=True))


def of_strokes(strokes: characters.Strokes) -> Drawing:
    """What the generator made, points (S, P, 2), on the grid; as large as it is, unless it would not fit."""
    present = strokes.points[strokes.present > 0]  # (strokes, P, 2)
    places = (present / present.abs().max().clamp(1) + 1) / 2 * _LAST
    return tuple(_on_grid(stroke) for stroke in places)


def _on_grid(points: torch.Tensor) -> Stroke:
    """As few of the points (P, 2) as follow the line closely: all of them, rounded, would tremble."""
    near = SMOOTH
    while len(kept := _thinned(points, near)) > MOST_POINTS:
        near *= 1.3
    return tuple((round(x), round(y)) for (x, y), _ in groupby(kept.round().tolist()))


def _thinned(points: torch.Tensor, near: float) -> torch.Tensor:
    """Douglas and Peucker: the ends, and between them what lies farther than `near` from the line through what is kept."""
    start, leg = points[0], points[-1] - points[0]
    along = ((points - start) @ leg / leg.square().sum().clamp_min(1e-9)).clamp(0, 1)
    away = (points - start - along[:, None] * leg).square().sum(1).sqrt()
    at = int(away.argmax())
    if away[at] <= near:
        return points[[0, -1]]
    return torch.cat([_thinned(points[: at + 1], near)[:-1], _thinned(points[at:], near)])


def image(drawing: Drawing) -> torch.Tensor:
    """As the networks see it, (28, 28) in [0, 1]: by what renders the drawings that they are trained on."""
    return characters.ink(characters.resampled(steadied(drawing)), sum(characters.PEN) / 2)


def steadied(drawing: Drawing) -> Drawing:
    """The same drawing; a dot, if it is a tap."""
    points = [point for stroke in drawing for point in stroke]
    tapped = all(max(axis) - min(axis) <= TAP for axis in zip(*points, strict=True))
    return ((points[0],),) if tapped else drawing
