"""Characters nobody has written before: random strokes, other drawings of them, and their ink, as functions of random numbers.

After the idea of B. Lake, R. Salakhutdinov, J. Tenenbaum. Human-level concept learning through probabilistic program induction.
Science 2015: a character is a few strokes hung on each other, and a drawing of it is those strokes a little off.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

STROKES, POINTS = 4, 40
SIDE = 28
"""Pixels along a side of an image."""
ORDERS = 4
"""Cosines in the warp of a stroke, the constant included."""
TURNS = 4
_PER_STROKE = 12 + TURNS
RANDOMS = 4 + STROKES * _PER_STROKE
"""Random numbers that make a character."""
VARIATION = 9 + STROKES * ORDERS * 2
"""Random numbers that make another drawing of it, its pen included."""
PEN = (0.035, 0.075)
"""Half the width of a line. The image reaches from -1 to 1."""
_TAU = 0.065
"""Standard deviation of the dabs that a line is made of: less than a pixel, more than half their distance."""
_FAR = -30
"""Exponent below which a dab is as good as nothing. Products of much smaller numbers are denormal, and slow."""
_SCRIBBLE = 16
"""Times POINTS, at most, that a person's stroke gets."""
_EDGE = 2 / SIDE / 4
"""How soft a line's edge is: it fades over about a pixel."""


class Strokes(NamedTuple):
    """Drawings: x to the right, y down, both in [-1, 1]."""

    points: Tensor  # (..., S, P, 2)
    present: Tensor  # (..., S), 1 for a stroke that is there


def character(uniforms: Tensor) -> Strokes:
    """(..., RANDOMS) uniform in [0, 1) -> new characters of one to STROKES strokes, (..., STROKES, POINTS, 2)."""
    count, spread, extent, agreement = uniforms[..., :4].unbind(-1)
    each = uniforms[..., 4:].unflatten(-1, (STROKES, _PER_STROKE))
    thresholds = torch.tensor([0.16, 0.52, 0.84], dtype=uniforms.dtype, device=uniforms.device)
    strokes = 1 + (count[..., None] >= thresholds).sum(-1)  # (...)
    present = (torch.arange(STROKES, device=uniforms.device) < strokes[..., None]).to(uniforms.dtype)  # (..., S)
    kind = each[..., 0]
    kind = torch.where(strokes[..., None] == 1, 0.3 + 0.65 * kind, kind)  # a lone line or dot is hardly a character
    shapes = _shapes(torch.cat([kind[..., None], each[..., 1:]], -1), agreement)  # (..., S, P, 2)
    placed = [shapes[..., 0, :, :]]
    for s in range(1, STROKES):
        placed.append(_hung(shapes[..., s, :, :], placed, each[..., s, :], spread))
    points = torch.stack(placed, -3)
    there = present[..., None, None] > 0
    low = points.where(there, math.inf).amin((-3, -2), keepdim=True)
    high = points.where(there, -math.inf).amax((-3, -2), keepdim=True)
    half = ((high - low) / 2).amax(-1, keepdim=True).clamp_min(0.05)
    size = (0.5 + 0.35 * extent)[..., None, None, None]
    narrow = torch.tensor([0.85, 1.0], dtype=uniforms.dtype, device=uniforms.device)  # as letters are
    return Strokes((points - (low + high) / 2) * (size / half) * narrow, present)


def _shapes(u: Tensor, agreement: Tensor) -> Tensor:
    """(..., S, _PER_STROKE), (...) -> strokes around the origin, (..., S, P, 2): a heading at every point, summed up."""
    kind, aim, near, bend, sweep, closed, ratio, size = (part[..., None] for part in u[..., :8].unbind(-1))
    turns = u[..., 12:]
    t = (torch.arange(POINTS, dtype=u.dtype, device=u.device) + 0.5) / POINTS  # (P,)
    axis = torch.round(aim * 8) * (math.pi / 4) + 0.1 * (2 * near - 0.5)
    first = torch.where(near < 0.5, axis, 2 * math.pi * aim)
    line = (bend - 0.5) * 1.2 * t
    around = torch.where(closed < 0.35, 2 * math.pi, math.pi * (0.5 + 1.5 * sweep)) * torch.where(bend < 0.5, -1, 1)
    arc = around * t
    normal = _normal(turns)  # (..., S, TURNS)
    at = t * TURNS
    whole = at.floor()
    passed = (whole[:, None] > torch.arange(TURNS, device=u.device)).to(u.dtype)  # (P, TURNS)
    within = (whole[:, None] == torch.arange(TURNS, device=u.device)).to(u.dtype) * (at - whole)[:, None]
    walk = 1.1 * (normal @ (passed + within).T)
    # Corners: one to three sharp turns, at even distances.
    corners = 1 + (3 * sweep).floor()
    turned = (t[:, None] * (corners[..., None] + 1) > torch.arange(1, TURNS, device=u.device)).to(u.dtype)  # (..., P, TURNS-1)
    sharp = torch.where(normal > 0, 1, -1) * (0.7 + 1.7 * turns)
    corner = (turned * sharp[..., None, 1:]).sum(-1)
    heading = first + torch.where(kind < 0.30, line, torch.where(kind < 0.53, arc, torch.where(kind < 0.75, walk, corner)))
    steps = torch.stack([heading.cos(), heading.sin()], -1)  # (..., S, P, 2)
    along = torch.cat([first.cos(), first.sin()], -1)[..., None, :]
    squeezed = steps + ((0.55 + 0.75 * ratio)[..., None] - 1) * (steps * along).sum(-1, keepdim=True) * along
    steps = torch.where(((kind >= 0.30) & (kind < 0.53))[..., None], squeezed, steps)
    points = steps.cumsum(-2)
    low, high = points.amin(-2, keepdim=True), points.amax(-2, keepdim=True)
    points = (points - (low + high) / 2) / (high - low).amax(-1, keepdim=True)
    apart = (agreement[..., None, None] < 0.5).to(u.dtype) * 0.6 + 0.4  # half the characters have strokes of nearly one size
    lengths = torch.exp(apart * (math.log(0.45) + size * math.log(1.7 / 0.45)))
    dot = kind >= 0.95
    return points * torch.where(dot, 0.03, lengths)[..., None]


def _hung(shape: Tensor, placed: list[Tensor], u: Tensor, spread: Tensor) -> Tensor:
    """A stroke (..., P, 2) put by the earlier ones: at a point of one of them, free beside them, or parallel to the last."""
    how, which, where, own = u[..., 8:12].unbind(-1)
    shift = torch.stack([u[..., 4], u[..., 5]], -1) * 2 - 1  # (..., 2)
    earlier = torch.stack(placed, -3)  # (..., s, P, 2)
    chosen = (which * len(placed)).long()
    middle = (where * 5 % 1 * POINTS).long()
    at = torch.where(where < 0.3, 0, torch.where(where < 0.6, POINTS - 1, middle))
    index = (chosen * POINTS + at)[..., None, None].expand(*chosen.shape, 1, 2)
    anchor = earlier.flatten(-3, -2).gather(-2, index)  # (..., 1, 2)
    mine = torch.where(own < 0.5, 0, torch.where(own < 0.8, POINTS // 2, POINTS - 1))
    held = shape.gather(-2, mine[..., None, None].expand(*mine.shape, 1, 2))
    hung = shape - held + anchor
    everything = earlier.flatten(-3, -2)
    low, high = everything.amin(-2, keepdim=True), everything.amax(-2, keepdim=True)
    free = shape + (low + high) / 2 + ((high - low) / 2 + 0.25 + 0.3 * spread[..., None, None]) * shift[..., None, :]
    last = placed[-1]
    across = (last[..., -1:, :] - last[..., :1, :]).flip(-1) * torch.tensor([-1.0, 1.0], dtype=u.dtype, device=u.device)
    length = across.square().sum(-1, keepdim=True).sqrt()
    direction = torch.where(length > 0.15, across / length.clamp_min(1e-6), shift[..., None, :])
    gap = torch.where(where < 0.5, -1, 1) * (0.25 + 0.45 * own)
    parallel = last + direction * gap[..., None, None]
    how = how[..., None, None]
    return torch.where(how < 0.16, parallel, torch.where(how < 0.52, free, hung))


def again(strokes: Strokes, uniforms: Tensor) -> Strokes:
    """Another drawing of each character: (..., VARIATION) uniform in [0, 1); the pen is `pen`'s to read from them."""
    level = 0.3 + uniforms[..., 0]
    slant, stretch, shear, turn, right, down = _normal(uniforms[..., 1:7]).unbind(-1)
    size = 0.8 + 0.35 * uniforms[..., 7]
    warp = _normal(uniforms[..., 9:]).unflatten(-1, (STROKES, ORDERS, 2))  # (..., S, ORDERS, 2)
    amounts = torch.tensor([0.07, 0.06, 0.04, 0.025], dtype=uniforms.dtype, device=uniforms.device)
    t = (torch.arange(POINTS, dtype=uniforms.dtype, device=uniforms.device) + 0.5) / POINTS
    cosines = torch.cos(math.pi * torch.arange(ORDERS, device=uniforms.device) * t[:, None]) * amounts  # (P, ORDERS)
    points = strokes.points + level[..., None, None, None] * (cosines @ warp)
    a, b = 1 + 0.1 * slant, 0.13 * shear
    c, d = torch.zeros_like(a), 1 + 0.1 * stretch
    cos, sin = torch.cos(0.1 * turn), torch.sin(0.1 * turn)
    rows = [a * cos - c * sin, b * cos - d * sin, a * sin + c * cos, b * sin + d * cos]
    affine = (torch.stack(rows, -1) * size[..., None]).unflatten(-1, (2, 2))  # (..., 2, 2)
    shift = 0.1 * torch.stack([right, down], -1)[..., None, None, :]
    return Strokes(points @ affine.mT[..., None, :, :] + shift, strokes.present)


def pen(uniforms: Tensor) -> Tensor:
    """(..., VARIATION) -> half widths of lines (...)."""
    return PEN[0] + (PEN[1] - PEN[0]) * uniforms[..., 8]


def ink(strokes: Strokes, pen: Tensor | float, side: int = SIDE) -> Tensor:
    """Drawings as images (..., side, side) in [0, 1], 1 where ink is; pen: half the width of the lines, (...).

    A line is a row of Gaussian dabs, each as heavy as the stretch it stands for: their sum depends on the distance to the line
    alone, from which the distance follows. Gaussians being separable, all dabs of a drawing are one matrix product.
    """
    points, present = strokes
    legs = (points[..., 1:, :] - points[..., :-1, :]).square().sum(-1).sqrt()  # (..., S, P - 1)
    ends = torch.zeros_like(legs[..., :1])
    stretch = (torch.cat([ends, legs], -1) + torch.cat([legs, ends], -1)) / 2  # (..., S, P)
    weight = (stretch / (_TAU * math.sqrt(2 * math.pi))).clamp_min(1 / points.shape[-2]) * present[..., None]
    at = (2 * torch.arange(side, dtype=points.dtype, device=points.device) + 1) / side - 1  # centres of the pixels
    off = (points.flatten(-3, -2).mT[..., None] - at).square() / (-2 * _TAU**2)  # (..., 2, S * P, side)
    dabs = torch.exp(off.clamp_min(_FAR))
    across, down = dabs.unbind(-3)
    density = (down * weight.flatten(-2)[..., None]).mT @ across  # (..., side, side)
    distance = _TAU * (-2 * density.clamp(1e-30, 1).log()).sqrt()
    width = pen[..., None, None] if isinstance(pen, Tensor) else pen
    return torch.sigmoid((width - distance) / _EDGE)


def resampled(strokes: Sequence[Sequence[tuple[float, float]]], size: float = 0.68) -> Strokes:
    """What a person drew, any points in any unit -> Strokes (S, P, 2), as large as in training and in its middle.

    P is POINTS, or a few times as many where a stroke is very long; they lie at equal distances along each.
    size: half the length of the longer side of the drawing's box.
    Raises ValueError where there is no point at all.
    """
    lines = [torch.tensor(list(stroke), dtype=torch.float64).reshape(-1, 2) for stroke in strokes if len(stroke)]
    if not lines:
        raise ValueError("a drawing has at least one point; draw something")
    low, high = torch.cat(lines).amin(0), torch.cat(lines).amax(0)
    half = ((high - low) / 2).amax()
    # A dot, or a few: its size says nothing.
    lines = [(line - (low + high) / 2) / half * size if half > 0 else torch.zeros_like(line) for line in lines]
    longest = max(float((line[1:] - line[:-1]).square().sum(1).sqrt().sum()) for line in lines)
    # A scribble takes more points, or its dabs would not touch; what goes over the image that often is black anyway.
    count = POINTS * min(max(math.ceil(longest / (2 * _TAU * POINTS)), 1), _SCRIBBLE)
    return Strokes(torch.stack([_evenly(line, count) for line in lines]).float(), torch.ones(len(lines)))


def _evenly(line: Tensor, count: int) -> Tensor:
    """(P, 2) -> (count, 2) at equal distances along the same line."""
    legs = (line[1:] - line[:-1]).square().sum(1).sqrt()
    there = torch.cat([torch.zeros_like(line[:1, 0]), legs.cumsum(0)])  # way to each point
    if there[-1] == 0:
        return line[:1].expand(count, 2)
    along = torch.linspace(0, float(there[-1]), count, dtype=line.dtype)
    after = torch.searchsorted(there, along).clamp(1, len(line) - 1)
    share = ((along - there[after - 1]) / (there[after] - there[after - 1]).clamp_min(1e-9))[:, None]
    return line[after - 1] + share * (line[after] - line[after - 1])


def _normal(uniforms: Tensor) -> Tensor:
    """Standard normal numbers of uniform ones, cut off at about 5 standard deviations."""
    return math.sqrt(2) * torch.erfinv((2 * uniforms - 1).clamp(-1 + 1e-6, 1 - 1e-6))
