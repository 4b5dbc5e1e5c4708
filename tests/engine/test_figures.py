"""Looks: one for every learner, told apart without colour, and seen on both backgrounds."""

from dataclasses import replace

import numpy as np
import pytest

from maml_core.config import ALGORITHMS
from maml_core.figures import ExampleTask, LossByStep, comparison_figure, evaluation_figure, label_colour, spread, template
from maml_core.palette import FONT, NEUTRAL, PAPER, ROLES


def contrast(colour: str, background: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""

    def luminance(hexadecimal: str) -> float:
        channels = (int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(colour), luminance(background)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_looks_without_a_meaning_are_told_apart():
    looks = list(NEUTRAL.values())
    assert len({(look.light, look.dash) for look in looks}) == len({(look.dark, look.dash) for look in looks}) == len(looks)
    assert len({look.light for look in looks[:6]}) == len({look.dark for look in looks[:6]}) == 6, "as many as Geometry has tasks"


@pytest.mark.parametrize("role", sorted(ROLES.keys() - {"shot"}))
def test_every_line_is_seen_in_both_themes(role):
    assert contrast(ROLES[role].light, "#ffffff") >= 3
    assert contrast(ROLES[role].dark, "#0e1117") >= 3


def test_no_two_learners_share_a_dash():
    dashes = [ROLES[name].dash for name in ALGORITHMS]
    assert len(set(dashes)) == len(dashes)


def evaluated(algorithm):
    x = np.linspace(-5, 5, 11)
    example = ExampleTask(x, np.sin(x), x[:3], np.sin(x[:3]), np.zeros((4, 11)))
    steps = [{"step": s, "mean": 1.0, "ci95": 0.1, "median": 0.9, "diverged": 0.0} for s in range(4)]
    return evaluation_figure("title", algorithm, example, steps)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_learner_can_be_drawn(algorithm):
    figure = evaluated(algorithm)
    assert {trace.name for trace in figure.data} == {
        "true",
        "before adaptation",
        f"{ROLES[algorithm].label} after 3 steps",
        "shots",
        "mean, 95% interval",
        "median",
    }


@pytest.mark.parametrize("dark", [False, True])
def test_a_comparison_shows_every_mean_its_band_and_its_name_in_the_themes_colours(dark):
    looks = [ROLES["maml"], ROLES["pretrained"], NEUTRAL["B"]]
    learners = [
        LossByStep(look, np.array([3.0, m, m / 2]), np.array([0.5, 0.1, m]))
        for look, m in zip(looks, (0.3, 2, 0.31), strict=True)
    ]
    figure = comparison_figure(learners, dark)
    for i, (look, mean, ci95) in enumerate(learners):
        band, line = figure.data[2 * i : 2 * i + 2]
        assert line.name == look.label
        assert list(line.y) == list(mean)
        assert line.line.color == (look.dark if dark else look.light)
        assert line.line.dash == look.plotly_dash
        assert list(band.y[:3]) == list(mean + ci95)
        assert min(band.y) > 0, "a log scale has no place for 0"
        assert band.y[-1] == mean[0] - ci95[0]
        low, high = (10**end for end in figure.layout.yaxis.range)
        assert low < min(mean) <= max(mean + ci95) < high
    labels = {note.text: note for note in figure.layout.annotations}
    assert set(labels) == {look.label for look in looks}
    assert all(note.x == 2 for note in labels.values())
    assert labels["MAML"].y < labels["B"].y < labels["pretrained"].y, "in the order of their last losses"
    assert labels["B"].y - labels["MAML"].y > 0.04, "and not over each other"


def test_all_figures_have_the_one_template_of_the_palette():
    compared = [comparison_figure([LossByStep(ROLES["maml"], np.ones(3), np.zeros(3))], dark) for dark in (False, True)]
    for figure, dark in [(evaluated("maml"), False), *zip(compared, (False, True), strict=True)]:
        assert figure.layout.template == template(dark)
        layout = figure.layout.template.layout
        assert (layout.paper_bgcolor, layout.font.family) == (PAPER.colour(dark), FONT)
        for text in (layout.font.color, layout.hoverlabel.font.color):
            assert contrast(text, PAPER.colour(dark)) >= 7
    learner = next(trace for trace in evaluated("maml").data if trace.name == "MAML after 3 steps")
    assert learner.line == compared[0].data[1].line, "one look, whoever draws"


@pytest.mark.parametrize(
    "look", [*(ROLES[name] for name in sorted(ROLES.keys() - {"shot"})), *NEUTRAL.values()], ids=lambda look: look.label
)
def test_every_label_can_be_read_in_both_themes(look):
    assert contrast(label_colour(look, False), "#ffffff") >= 4.5
    assert contrast(label_colour(look, True), "#0e1117") >= 4.5


def test_labels_are_spread_in_their_order_and_inside():
    wanted = np.array([0.5, 0.52, 0.98, 0.51, 0.0])
    at = spread(wanted, 0.1, 0.0, 1.0)
    assert list(np.argsort(at)) == list(np.argsort(wanted))
    assert np.diff(np.sort(at)).min() >= 0.1 - 1e-9
    assert at.min() >= 0
    assert at.max() <= 1
    assert spread(np.array([0.2, 0.8]), 0.1, 0, 1) == pytest.approx([0.2, 0.8])


def test_a_name_is_text_and_no_tags():
    look = replace(ROLES["own"], label="<a href='x'>run</a> & co")
    figure = comparison_figure([LossByStep(look, np.ones(3), np.zeros(3))])
    said = [figure.layout.annotations[0].text, *(trace.name for trace in figure.data)]
    assert all("<" not in text and "&lt;a" in text for text in said)
