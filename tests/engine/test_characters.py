"""Random characters, their ink against brute force, and what a person draws."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.fx.experimental.proxy_tensor import make_fx

from maml_core import characters
from maml_core.characters import PEN, POINTS, RANDOMS, SIDE, STROKES, VARIATION, Strokes


def uniforms(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def centres(side=SIDE):
    """Centres of the pixels, (side, side, 2), row by row: x to the right, y down."""
    at = [(2 * pixel + 1) / side - 1 for pixel in range(side)]
    return torch.tensor([[(x, y) for x in at] for y in at])


def image(drawings, pen=0.055):
    """Of points (S, P, 2), every stroke there."""
    return characters.ink(Strokes(drawings, torch.ones(len(drawings))), pen)


def drawn(number, seed=0):
    """That many drawings, each of a character of its own, as images."""
    one, other = characters.character(uniforms(number, RANDOMS, seed=seed)), uniforms(number, VARIATION, seed=seed + 1)
    return characters.ink(characters.again(one, other), characters.pen(other))


def circle(points):
    turn = torch.linspace(0, 2 * math.pi, points)
    return 0.6 * torch.stack([turn.cos(), turn.sin()], -1)


def straight(start, end, points):
    return torch.lerp(torch.tensor(start), torch.tensor(end), torch.linspace(0, 1, points)[:, None])


LINES = {
    "a circle": circle,
    "across": lambda points: straight((-1.3, 0.1), (1.3, 0.1), points),
    "oblique": lambda points: straight((-1.3, -0.9), (1.3, 1.2), points),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("pen", PEN)
def test_ink_is_a_function_of_the_distance_to_the_line(line, pen):
    dense = line(5000)
    distance = (centres().flatten(0, 1)[:, None] - dense).square().sum(-1).sqrt().amin(1).unflatten(0, (SIDE, SIDE))
    expected = torch.sigmoid((pen - distance) / (2 / SIDE / 4))
    torch.testing.assert_close(image(line(POINTS)[None], pen), expected, rtol=0, atol=0.08)


def test_ink_is_that_of_a_plain_loop_over_pixels_and_points():
    side, tau, edge, pen = 9, 0.065, 2 / SIDE / 4, 0.06
    points, present = characters.character(uniforms(3, RANDOMS))
    images = characters.ink(Strokes(points.double(), present.double()), pen, side)
    for strokes, there, ours in zip(points.tolist(), present.tolist(), images, strict=True):
        dabs = []
        for stroke, shown in zip(strokes, there, strict=True):
            legs = [0, *(math.dist(a, b) for a, b in itertools.pairwise(stroke)), 0]
            for point, before, after in zip(stroke, legs, legs[1:], strict=False):
                dabs.append((point, shown * max((before + after) / 2 / (tau * math.sqrt(2 * math.pi)), 1 / POINTS)))
        for row, centre_row in zip(ours.tolist(), centres(side).double().tolist(), strict=True):
            for value, centre in zip(row, centre_row, strict=True):
                density = sum(weight * math.exp(-(math.dist(point, centre) ** 2) / (2 * tau**2)) for point, weight in dabs)
                distance = tau * math.sqrt(-2 * math.log(min(max(density, 1e-30), 1)))
                assert value == pytest.approx(1 / (1 + math.exp((distance - pen) / edge)), abs=1e-4)


def test_y_goes_down_and_x_to_the_right():
    corner = image(straight((0.5, -0.9), (0.9, -0.9), POINTS)[None])  # above, on the right
    assert corner[: SIDE // 4, SIDE // 2 :].sum() > 0.99 * corner.sum()


def test_a_dot_shows_a_crossing_is_no_blob_and_a_stroke_that_is_not_there_leaves_nothing():
    at = centres()[9, 4]
    dot = image(at.expand(1, POINTS, 2))
    assert dot[9, 4] > 0.8
    assert dot.sum() < 6
    one, other = straight((-0.8, 0.02), (0.8, 0.02), POINTS), straight((0.02, -0.8), (0.02, 0.8), POINTS)
    cross = image(torch.stack([one, other]))
    apart = torch.maximum(image(one[None]), image(other[None]))
    assert (cross - apart).sum() < 5, "a few pixels"
    torch.testing.assert_close(
        characters.ink(Strokes(torch.stack([one, other]), torch.tensor([1.0, 0.0])), 0.055), image(one[None])
    )


def test_a_wider_pen_leaves_more_ink():
    strokes = characters.character(uniforms(RANDOMS))
    widths = [float(characters.ink(strokes, pen).sum()) for pen in (0.03, 0.05, 0.07, 0.09)]
    assert widths == sorted(widths)
    assert widths[-1] > 1.5 * widths[0]


def test_characters_have_one_to_four_strokes_and_fit_their_box():
    points, present = characters.character(uniforms(3000, RANDOMS))
    assert points.shape == (3000, STROKES, POINTS, 2)
    counts = torch.bincount(present.sum(1).long(), minlength=STROKES + 1)
    assert counts[0] == 0
    assert (counts[1:] > 100).all()
    assert torch.equal(present, present.sort(1, descending=True).values), "those that are there come first"
    shown = points.where(present[..., None, None] > 0, torch.zeros(()))
    assert shown.abs().amax() <= 0.85 + 1e-5
    assert points.isfinite().all()


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2**-24])
def test_the_ends_of_the_random_numbers_are_characters_too(uniform):
    other = torch.full((VARIATION,), uniform)
    drawing = characters.again(characters.character(torch.full((RANDOMS,), uniform)), other)
    assert drawing.points.isfinite().all()
    assert PEN[0] <= characters.pen(other) <= PEN[1]
    assert characters.ink(drawing, characters.pen(other)).sum() > 5


def test_each_drawing_has_ink_in_bounds():
    images = drawn(2000)
    assert images.shape == (2000, SIDE, SIDE)
    assert images.isfinite().all()
    assert images.min() >= 0
    assert images.max() <= 1
    assert (images.flatten(1).amax(1) > 0.4).float().mean() > 0.995


def test_drawings_of_a_character_differ_and_resemble_each_other_more_than_those_of_others():
    number, times = 200, 6
    points, present = characters.character(uniforms(number, RANDOMS))
    other = uniforms(number, times, VARIATION, seed=1)
    drawings = characters.again(Strokes(points[:, None], present[:, None].expand(number, times, STROKES)), other)
    images = characters.ink(drawings, characters.pen(other)).flatten(2)
    apart = torch.cdist(images, images)  # of one character
    assert apart[:, ~torch.eye(times, dtype=bool)].min() > 0.5
    strangers = torch.cdist(images[:, 0], images[:, 1])
    assert apart[:, 0, 1].mean() < 0.9 * strangers[~torch.eye(number, dtype=bool)].mean()


def test_random_numbers_alone_decide_whatever_the_shape_of_the_batch():
    u, v = uniforms(2, 3, RANDOMS), uniforms(2, 3, VARIATION, seed=1)
    together = characters.ink(characters.again(characters.character(u), v), characters.pen(v))
    for i in range(2):
        for j in range(3):
            alone = characters.ink(characters.again(characters.character(u[i, j]), v[i, j]), characters.pen(v[i, j]))
            torch.testing.assert_close(together[i, j], alone, rtol=1e-4, atol=1e-4)


def test_it_can_be_traced():
    def program(u, v):
        return characters.ink(characters.again(characters.character(u), v), characters.pen(v))

    traced = make_fx(program)(uniforms(4, RANDOMS), uniforms(4, VARIATION, seed=1))
    u, v = uniforms(4, RANDOMS, seed=2), uniforms(4, VARIATION, seed=3)
    torch.testing.assert_close(traced(u, v), program(u, v))


def test_a_persons_strokes_lie_evenly_on_their_lines_in_the_middle():
    strokes = characters.resampled([[(10, 10), (10, 11), (10, 30), (10, 110)], [(10, 110), (60, 110)]])
    assert strokes.points.shape == (2, POINTS, 2)
    assert strokes.present.tolist() == [1, 1]
    legs = (strokes.points[:, 1:] - strokes.points[:, :-1]).square().sum(-1).sqrt()
    torch.testing.assert_close(legs, legs.mean(1, keepdim=True).expand_as(legs), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(strokes.points.amin((0, 1)), torch.tensor([-0.34, -0.68]))
    torch.testing.assert_close(strokes.points.amax((0, 1)), torch.tensor([0.34, 0.68]))
    assert (strokes.points[0, :, 0] == strokes.points[0, 0, 0]).all(), "a straight line stays one"


def test_where_and_how_large_a_person_draws_does_not_matter():
    strokes = [[(0, 0), (3, 4), (6, 0)], [(1, 2), (5, 2)]]
    here = characters.resampled(strokes).points
    there = characters.resampled([[(1000 + 37 * x, 37 * y - 500) for x, y in stroke] for stroke in strokes]).points
    torch.testing.assert_close(here, there)


def test_a_long_scribble_is_a_line_without_gaps():
    """Of a hundred runs across the box; spread over POINTS points its dabs would be islands."""
    turns = [(side, row / 8) for row in range(9) for side in ((0, 1) if row % 2 else (1, 0))]
    strokes = characters.resampled([turns])
    assert strokes.points.shape[1] > POINTS
    middle = characters.ink(strokes, 0.055)[:, 6:-6].amax(0)
    assert middle.min() > 0.5
    assert middle.max() - middle.min() < 0.1
    assert characters.resampled([[(i % 2, i) for i in range(5000)]] * 2).points.shape[1] <= 16 * POINTS


places = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(places, max_size=6), max_size=4))
def test_whatever_a_person_draws_has_ink(strokes):
    if not any(strokes):
        with pytest.raises(ValueError, match="at least one point; draw something"):
            characters.resampled(strokes)
        return
    drawing = characters.resampled(strokes)
    assert len(drawing.points) == sum(map(bool, strokes))
    assert drawing.points.isfinite().all()
    assert drawing.points.abs().max() <= 0.68 + 1e-5
    seen = characters.ink(drawing, 0.055)
    assert seen.isfinite().all()
    assert 1 < seen.sum() < SIDE * SIDE


def test_each_stroke_is_bent_in_its_own_way():
    one, straight = characters.character(uniforms(4, RANDOMS)), torch.full((4, VARIATION), 0.5)
    bent = straight.clone()
    bent[:, 9:] = uniforms(4, VARIATION - 9, seed=1)
    moved = characters.again(one, bent).points - characters.again(one, straight).points  # (4, STROKES, POINTS, 2)
    assert (moved.std(2) > 1e-3).all(), "a stroke is not only moved"
    assert (moved.diff(dim=1).abs().mean((2, 3)) > 1e-3).all(), "nor all strokes alike"
    assert (moved.diff(dim=2).abs() < 0.1).all(), "and it stays smooth"


def test_pens_differ_as_much_as_they_may():
    pens = characters.pen(uniforms(500, VARIATION))
    low, high = PEN
    assert low <= pens.min() <= pens.max() <= high
    assert pens.max() - pens.min() > 0.9 * (high - low)
