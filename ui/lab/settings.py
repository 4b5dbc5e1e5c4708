"""The lab's settings that are scales or choices, as data: for Streamlit's widgets, and for a lab without Streamlit.

No streamlit here.
"""

from typing import NamedTuple

from ui.lab.state import CHOICES
from ui.shared.ranges import RANGES

_E24 = (1.0, 1.1, 1.2, 1.3, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4, 2.7, 3.0, 3.3, 3.6, 3.9, 4.3, 4.7, 5.1, 5.6, 6.2, 6.8, 7.5, 8.2, 9.1)
ALPHAS = (*(round(m * 10.0**e, 7) for e in (-4, -3, -2, -1) for m in _E24), 1.0)
"""Evenly spaced in the logarithm, in preferred numbers (IEC 60063)."""


class Setting(NamedTuple):
    """A setting of the lab that is a scale or a choice: what stands beside it, and the values it can be moved to."""

    label: str
    help: str
    values: tuple
    names: tuple[str, ...] = ()  # of a choice's values, as a person reads them


def _whole(name: str) -> tuple[int, ...]:
    low, high = RANGES[name]
    return tuple(range(int(low), int(high) + 1))


SETTINGS = {
    "K": Setting(
        "K shots",
        "How many shots to adapt to. More: a better fit. Fewer: more is left to the initialisation. "
        "Moving this samples that many.",
        _whole("K"),
    ),
    "alpha": Setting(
        "inner step size α",
        "Higher: each inner step goes further, until adaptation diverges. Lower: more steps are needed.",
        ALPHAS,
    ),
    "num_updates": Setting(
        "inner steps",
        "How many inner steps to show. More: see what happens beyond the number trained for.",
        _whole("num_updates"),
    ),
    "amplitude": Setting(
        "amplitude A",
        "Height of the sine wave. Sampled shots move with it.",
        tuple(round(0.1 * i, 1) for i in range(1, round(10 * RANGES["amplitude"].high) + 1)),
    ),
    "phase": Setting(
        "phase φ",
        "How far the sine wave is shifted to the right, in radians. Sampled shots move with it.",
        tuple(round(0.05 * i, 2) for i in range(int(20 * RANGES["phase"].high) + 1)),
    ),
    "noise": Setting(
        "noise σ",
        "Standard deviation of Gaussian noise on sampled shots, in units of y. Shots edited by hand stay where you put them.",
        tuple(round(0.05 * i, 2) for i in range(round(RANGES["noise"].high / 0.05) + 1)),
    ),
    "placement": Setting(
        "where shots lie",
        "Where sampled shots lie in x. The left half, or one cluster, leaves the rest of the curve to the initialisation.",
        CHOICES["placement"],
        ("anywhere", "left half", "cluster", "evenly"),
    ),
    "freeze": Setting(
        "layers that adapt",
        "The others stay as they were trained. If the head alone adapts, the features are reused as they are (ANIL’s claim).",
        CHOICES["freeze"],
        ("all", "head only", "body only"),
    ),
}
"""The settings that a lab without Streamlit can be given too, by lab/alone.js."""
