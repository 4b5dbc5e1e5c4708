"""Characters, other drawings of them, and ink: against plain loops and true distances."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maml_core import characters
from maml_core.characters import POINTS, RANDOMS, SIDE, STROKES, VARIATION, Strokes

SEEDED = torch.Generator()


def uniforms(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=SEEDED.manual_seed(seed))


def drawn(one: Strokes, variation: torch.Tensor) -> torch.Tensor:
    """Images (C, drawings, SIDE, SIDE) of characters (C, ...)."""
    drawings = characters.again(Strokes(one.points[:, None], one.present[:, None]), variation)
    present = drawings.present.expand(*variation.shape[:2], STROKES)
    return characters.ink(Strokes(drawings.points, present), characters.pen(variation))


def true_ink(strokes: Strokes, pen: float) -> torch.Tensor:
    """By the distance of every pixel's centre to the nearest of many points along the strokes."""
    image = torch.zeros(SIDE, SIDE)
    shares = torch.linspace(0, 1, 9)[:, None, None, None]
    there = strokes.points[strokes.present > 0]  # (s, P, 2)
    dense = (there[:, :-1] + shares * there.diff(dim=1)).reshape(-1, 2)
    for row in range(SIDE):
        for column in range(SIDE):
            pixel = torch.tensor([2 * column + 1, 2 * row + 1]) / SIDE - 1
            distance = (dense - pixel).square().sum(1).min().sqrt()
            image[row, column] = torch.sigmoid((pen - distance) / characters._EDGE)
    return image


def line(*corners: tuple[float, float]) -> torch.Tensor:
    return characters._evenly(torch.tensor(corners))


def strokes(*points: torch.Tensor) -> Strokes:
    return Strokes(torch.stack(points), torch.ones(len(points)))


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 4, 1.4, math.pi / 2])
@pytest.mark.parametrize("pen", characters.PEN)
def test_the_ink_of_a_line_is_that_of_its_distance(angle, pen):
    end = torch.tensor([math.cos(angle), math.sin(angle)]) * 0.7
    drawing = strokes(line(tuple((-end).tolist()), tuple(end.tolist())))
    image, true = characters.ink(drawing, pen), true_ink(drawing, pen)
    pixels = (2 * torch.arange(SIDE) + 1) / SIDE - 1
    along = (pixels * end[0] + pixels[:, None] * end[1]) / 0.7
    assert (image - true).abs()[along.abs() < 0.45].max() < 0.03, "away from the ends"
    assert (image - true).abs()[along.abs() > 0.82].max() < 0.06, "and beyond them"
    assert float(image.sum()) == pytest.approx(float(true.sum()), rel=0.15), "an end is rounded off a little"


def test_the_ink_of_characters_is_near_that_of_the_distance():
    one, variation = characters.character(uniforms(6, RANDOMS)), uniforms(6, VARIATION, seed=1)
    drawings, pens = characters.again(one, variation), characters.pen(variation)
    images = characters.ink(drawings, pens)
    for image, points, present, pen in zip(images, *drawings, pens, strict=True):
        true = true_ink(Strokes(points, present), float(pen))
        assert (image - true).abs().mean() < 0.06
        assert torch.corrcoef(torch.stack([image.flatten(), true.flatten()]))[0, 1] > 0.85


def test_ink_is_a_sum_of_dabs():
    generator = SEEDED.manual_seed(2)
    points, present = torch.rand(2, 5, 2, generator=generator) * 2 - 1, torch.tensor([1.0, 0.0])
    image = characters.ink(Strokes(points, present), 0.05, side=9)
    tau = characters._TAU
    for row in range(9):
        for column in range(9):
            total = 0.0
            for p in range(5):
                legs = [math.dist(points[0, a], points[0, a + 1]) for a in (p - 1, p) if 0 <= a < 4]
                weight = max(sum(legs) / 2 / (tau * math.sqrt(2 * math.pi)), 1 / 5)
                away = math.dist(points[0, p], ((2 * column + 1) / 9 - 1, (2 * row + 1) / 9 - 1))
                total += weight * math.exp(-(away**2) / (2 * tau**2))
            distance = tau * math.sqrt(-2 * math.log(min(max(total, 1e-30), 1)))
            expected = 1 / (1 + math.exp(-(0.05 - distance) / characters._EDGE))
            assert float(image[row, column]) == pytest.approx(expected, abs=1e-4)


def test_strokes_that_cross_leave_no_blob():
    across, down = line((-0.6, 0.01), (0.6, 0.01)), line((0.01, -0.6), (0.01, 0.6))
    both = characters.ink(strokes(across, down), 0.05)
    either = torch.maximum(characters.ink(strokes(across), 0.05), characters.ink(strokes(down), 0.05))
    more = both - either
    assert more.min() > -1e-6
    assert more.sum() < 5, "pixels that are dark for no other reason than the crossing"


def test_a_stroke_that_is_absent_leaves_no_ink():
    points = torch.stack([line((-0.5, 0.0), (0.5, 0.0)), line((0.0, -0.5), (0.0, 0.5))])
    one = characters.ink(Strokes(points, torch.tensor([1.0, 0.0])), 0.05)
    assert torch.allclose(one, characters.ink(strokes(points[0]), 0.05))


def test_a_dot_shows():
    at = torch.tensor([1 / SIDE, 1 / SIDE])  # the centre of a pixel
    assert characters.ink(strokes(at.expand(POINTS, 2)), 0.05).max() > 0.9
    assert characters.ink(characters.resampled([[(3, 3)]]), 0.05).sum() > 1.5


def test_a_wider_pen_leaves_more_ink():
    one = characters.character(uniforms(20, RANDOMS))
    thin, wide = (characters.ink(one, pen) for pen in characters.PEN)
    assert (wide >= thin).all()
    assert (wide.sum((1, 2)) > 1.2 * thin.sum((1, 2))).all()


def test_characters_fill_their_box_around_the_middle():
    points, present = characters.character(uniforms(500, RANDOMS))
    assert points.shape == (500, STROKES, POINTS, 2)
    assert points.isfinite().all()
    assert ((present == 0) | (present == 1)).all()
    assert (present[:, 0] == 1).all()
    assert (present.diff(dim=1) <= 0).all(), "those that are there come first"
    counts = present.sum(1).long().bincount(minlength=STROKES + 1)
    assert counts[0] == 0
    assert (counts[1:] > 50).all()
    there = present[..., None, None] > 0
    low, high = points.where(there, math.inf).amin((1, 2)), points.where(there, -math.inf).amax((1, 2))
    assert (low + high).abs().max() < 1e-4
    assert ((high - low).amax(1) / 2).max() < 0.85 + 1e-4
    assert ((high - low).amax(1) / 2).min() > 0.4


@pytest.mark.parametrize("value", [0.0, 2**-24, 0.5, 1 - 2**-24])
def test_every_random_number_may_take_any_value(value):
    one = characters.character(torch.full((RANDOMS,), value))
    for other in (0.0, 0.5, 1 - 2**-24):
        variation = torch.full((VARIATION,), other)
        image = characters.ink(characters.again(one, variation), characters.pen(variation))
        assert image.isfinite().all()
        assert 0 <= image.min() <= image.max() <= 1


def test_any_batch_shape_gives_what_one_at_a_time_gives():
    randoms, variation = uniforms(2, 3, RANDOMS), uniforms(2, 3, VARIATION, seed=1)

    def image(randoms: torch.Tensor, variation: torch.Tensor) -> torch.Tensor:
        return characters.ink(characters.again(characters.character(randoms), variation), characters.pen(variation))

    together, mapped = image(randoms, variation), torch.vmap(torch.vmap(image))(randoms, variation)
    assert torch.allclose(together, mapped, atol=1e-4)
    for i in range(2):
        for j in range(3):
            assert torch.allclose(together[i, j], image(randoms[i, j], variation[i, j]), atol=1e-4)


def test_drawings_stay_in_the_image_and_show():
    images = drawn(characters.character(uniforms(100, RANDOMS)), uniforms(100, 5, VARIATION, seed=1))
    assert ((images >= 0) & (images <= 1)).all()
    ink = images.sum((2, 3))
    assert (ink > 2).all()
    edge = ink - images[..., 1:-1, 1:-1].sum((2, 3))
    assert (edge / ink).mean() < 0.03
    assert 0.05 < images.mean() < 0.12, "as much as Omniglot's, 0.08"


def test_drawings_differ_and_are_told_by_their_character():
    images = drawn(characters.character(uniforms(20, RANDOMS, seed=3)), uniforms(20, 4, VARIATION, seed=4)).flatten(2)
    apart = torch.cdist(images.flatten(0, 1), images.flatten(0, 1))
    apart.fill_diagonal_(math.inf)
    assert apart.min() > 0.5, "no two are the same"
    told = apart.argmin(1) // 4 == torch.arange(80) // 4
    assert told.float().mean() > 0.25, "by the nearest drawing, pixel by pixel; by chance 0.04"


def test_a_drawing_without_variation_is_the_character_itself():
    one = characters.character(uniforms(4, RANDOMS))
    still = torch.full((4, VARIATION), 0.5)
    still[:, 7] = 0.2 / 0.35  # its size, 1
    assert torch.allclose(characters.again(one, still).points, one.points, atol=1e-5)


def test_pens_are_as_wide_as_they_may_be():
    pens = characters.pen(uniforms(500, VARIATION))
    low, high = characters.PEN
    assert pens.min() >= low
    assert pens.max() <= high
    assert pens.max() - pens.min() > 0.9 * (high - low)


def test_a_persons_strokes_are_as_large_as_in_training_and_in_the_middle():
    corner, dot = [(10, 10), (10, 110), (60, 110)], [(40, 20)]
    points, present = characters.resampled([corner, [], dot], size=0.68)
    assert points.shape == (2, POINTS, 2)
    assert present.tolist() == [1, 1]
    assert torch.allclose(points.amin((0, 1)), torch.tensor([-0.34, -0.68]), atol=1e-5)
    assert torch.allclose(points.amax((0, 1)), torch.tensor([0.34, 0.68]), atol=1e-5)
    legs = points[0].diff(dim=0).square().sum(1).sqrt()
    assert float(legs.median()) == pytest.approx(1.36 * 1.5 / (POINTS - 1), rel=1e-3), "at equal distances along the stroke"
    assert torch.allclose(points[1], torch.tensor([40 - 35, 20 - 60]) * 1.36 / 100, atol=1e-5)
    assert torch.allclose(points[0, 0], torch.tensor([-0.34, -0.68]), atol=1e-5), "in the order it was drawn"


numbers = st.floats(-1e4, 1e4, width=32)


@given(st.lists(st.lists(st.tuples(numbers, numbers), max_size=8), max_size=5))
def test_whatever_a_person_draws_becomes_an_image(lines):
    if not any(lines):
        with pytest.raises(ValueError, match="at least one point"):
            characters.resampled(lines)
        return
    points, present = characters.resampled(lines)
    assert len(points) == len(present) == sum(map(bool, lines))
    assert points.abs().max() <= 0.68 + 1e-3
    image = characters.ink(Strokes(points, present), 0.05)
    assert image.isfinite().all()
    assert image.max() > 0.4
