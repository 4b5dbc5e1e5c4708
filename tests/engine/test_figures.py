"""Looks: one for every learner, told apart without colour, and seen on both backgrounds."""

import re
from pathlib import Path

import numpy as np
import pytest

from maml_core.config import ALGORITHMS
from maml_core.figures import ExampleTask, evaluation_figure, template
from maml_core.palette import FONT, NEUTRAL, PAPER, ROLES

LOOKS = Path(__file__).parents[2] / "ui" / "shared" / "looks.js"


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


def test_figures_have_the_one_template_of_the_palette_which_has_both_themes():
    figure = evaluated("maml")
    assert figure.layout.template == template()
    for dark in (False, True):
        layout = template(dark).layout
        assert (layout.paper_bgcolor, layout.font.family) == (PAPER.colour(dark), FONT)
        for text in (layout.font.color, layout.hoverlabel.font.color):
            assert contrast(text, PAPER.colour(dark)) >= 7
    learner = next(trace for trace in figure.data if trace.name == "MAML after 3 steps")
    assert (learner.line.color, learner.line.dash) == (ROLES["maml"].light, ROLES["maml"].plotly_dash)


@pytest.mark.parametrize(
    "look", [*(ROLES[name] for name in sorted(ROLES.keys() - {"shot"})), *NEUTRAL.values()], ids=lambda look: look.label
)
def test_every_label_can_be_read_in_both_themes(look):
    """In the mixture of its colour and the ink that pages give it."""
    share = (
        int(re.search(r"-text`, `color-mix\(in srgb, \$\{colour\} (\d+)%, var\(--ink\)\)`", LOOKS.read_text("utf-8"))[1]) / 100
    )

    def mixed(colour: str, ink: str) -> str:
        pairs = [(int(colour[i : i + 2], 16), int(ink[i : i + 2], 16)) for i in (1, 3, 5)]
        return "#" + "".join(f"{round(share * own + (1 - share) * other):02x}" for own, other in pairs)

    assert contrast(mixed(look.light, ROLES["true"].light), "#ffffff") >= 4.5
    assert contrast(mixed(look.dark, ROLES["true"].dark), "#0e1117") >= 4.5
