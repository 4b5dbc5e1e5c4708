"""The shared inputs, each with its help text: what happens when it is raised or lowered."""

from bisect import bisect_left
from collections.abc import Callable

import streamlit as st

from maml_core.palette import ROLES
from ui import engine
from ui.state import LEARNERS, RANGES

Change = Callable[[str], None]
"""Called with the name of the setting whose widget (of the same key) was moved."""

EXACT = "exact_"
"""Prefix of the keys of number fields that stand beside a slider."""
EXACT_NAMES = {"alpha": "step size α", "noise": "noise σ", "amplitude": "amplitude A", "phase": "phase φ"}

_E24 = (1.0, 1.1, 1.2, 1.3, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4, 2.7, 3.0, 3.3, 3.6, 3.9, 4.3, 4.7, 5.1, 5.6, 6.2, 6.8, 7.5, 8.2, 9.1)
ALPHAS = (*(round(m * 10.0**e, 7) for e in (-4, -3, -2, -1) for m in _E24), 1.0)
"""Evenly spaced in the logarithm, in preferred numbers (IEC 60063)."""


def amplitude(change: Change) -> None:
    """The amplitude A of the sinusoid."""
    low, high = RANGES["amplitude"]
    help = "Height of the sine wave, in units of y. Larger waves lie further from both initialisations and give larger gradients."
    st.slider("amplitude A", low, high, step=0.01, key="amplitude", help=help, on_change=change, args=("amplitude",))


def phase(change: Change) -> None:
    """The phase of the sinusoid."""
    low, high = RANGES["phase"]
    help = "Shift of the sine wave to the right, in radians. Training tasks had phases from 0 to π."
    st.slider("phase φ", low, high, step=0.01, key="phase", help=help, on_change=change, args=("phase",))


def shots(change: Change) -> None:
    """How many shots sampling draws."""
    low, high = RANGES["K"]
    help = (
        "How many points to adapt to. More: a better fit. Fewer: more is left to the initialisation. Moving it samples that many."
    )
    st.slider("K shots", int(low), int(high), key="K", help=help, on_change=change, args=("K",))


def alpha(change: Change) -> None:
    """The inner step size, on a log scale, with a mark at each learner's own. Any value in range is a position once it is set."""
    help = "Inner step size. Higher: each step goes further, until adaptation diverges. Lower: more steps are needed."
    options = sorted({*ALPHAS, st.session_state["alpha"]})
    st.select_slider("step size α", options, key="alpha", help=help, format_func=_plain, on_change=change, args=("alpha",))
    own = {ROLES[name].label: engine.learner(name).config.alpha for name in st.session_state["learners"]}
    ticks = "".join(
        f'<i style="left: {100 * bisect_left(options, value) / (len(options) - 1):.2f}%"></i>' for value in own.values()
    )
    groups = {value: [label for label, other in own.items() if other == value] for value in own.values()}
    text = "; ".join(f"{', '.join(labels)} {_plain(value)}" for value, labels in groups.items())
    if own:
        st.html(f'<div class="own-alpha">{ticks}<span>own: {text}</span></div>')


def num_updates(change: Change) -> None:
    """How many inner steps are taken."""
    low, high = RANGES["num_updates"]
    help = "How many inner gradient steps there are to walk through. More of them show what happens past the number trained for."
    st.slider("inner steps", int(low), int(high), key="num_updates", help=help, on_change=change, args=("num_updates",))


def noise(change: Change) -> None:
    """The noise on sampled shots."""
    low, high = RANGES["noise"]
    help = "Standard deviation of Gaussian noise on sampled shots, in units of y. Shots edited by hand stay where you put them."
    st.slider("noise σ", low, high, step=0.05, key="noise", help=help, on_change=change, args=("noise",))


def learners(change: Change) -> None:
    """Which learners are drawn."""
    help = "The initialisations that adapt to the shots, all with the same shots, step size and number of steps."
    st.pills(
        "learners",
        LEARNERS,
        selection_mode="multi",
        key="learners",
        help=help,
        label_visibility="collapsed",
        format_func=lambda name: ROLES[name].label,
        on_change=change,
        args=("learners",),
    )


def free(change: Change) -> None:
    """Whether a click places a shot where it is, or on the curve above or below it."""
    help = "On: a shot goes exactly where you click or drag. Off: it sits on the true curve."
    st.toggle("place shots off the curve", key="free", help=help, on_change=change, args=("free",))


def exact_values(change: Change) -> None:
    """The settings that a slider rounds, to the last digit."""
    with st.popover("exact values"):
        for name, label in EXACT_NAMES.items():
            low, high = RANGES[name]
            key = EXACT + name
            st.number_input(label, low, high, value=None, step=None, format="%.6g", key=key, on_change=change, args=(key,))


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if value < 0.001 else f"{value:g}"
