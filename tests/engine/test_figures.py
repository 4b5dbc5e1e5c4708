"""Looks: one for every learner, told apart without colour, and seen on both backgrounds."""

import numpy as np
import pytest

from maml_core.config import ALGORITHMS
from maml_core.figures import ExampleTask, evaluation_figure
from maml_core.palette import ROLES


def contrast(colour: str, background: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""

    def luminance(hexadecimal: str) -> float:
        channels = (int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(colour), luminance(background)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("role", sorted(ROLES.keys() - {"shot"}))
def test_every_line_is_seen_in_both_themes(role):
    assert contrast(ROLES[role].light, "#ffffff") >= 3
    assert contrast(ROLES[role].dark, "#0e1117") >= 3


def test_no_two_learners_share_a_dash():
    dashes = [ROLES[name].dash for name in ALGORITHMS]
    assert len(set(dashes)) == len(dashes)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_learner_can_be_drawn(algorithm):
    x = np.linspace(-5, 5, 11)
    example = ExampleTask(x, np.sin(x), x[:3], np.sin(x[:3]), np.zeros((4, 11)))
    steps = [{"step": s, "mean": 1.0, "ci95": 0.1, "median": 0.9, "diverged": 0.0} for s in range(4)]
    figure = evaluation_figure("title", algorithm, example, steps)
    assert {trace.name for trace in figure.data} == {
        "true",
        "before adaptation",
        f"{ROLES[algorithm].label} after 3 steps",
        "shots",
        "mean, 95% interval",
        "median",
    }
