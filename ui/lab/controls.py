"""The shared inputs, each with its help text: what happens when it is raised or lowered."""

from bisect import bisect_left
from collections.abc import Callable
from html import escape

import streamlit as st

from ui import glossary
from ui.lab.settings import ALPHAS, SETTINGS
from ui.lab.state import CHOICES, HIDE
from ui.shared import learners
from ui.shared.learners import LEARNERS
from ui.shared.messages import plain
from ui.shared.ranges import RANGES

Change = Callable[[str], None]
"""Called with the name of the setting whose widget (of the same key) was moved."""

EXACT = "exact_"
"""Prefix of the keys of number fields that stand beside a slider."""
EXACT_NAMES = ("alpha", "noise", "amplitude", "phase")


def amplitude(change: Change) -> None:
    """The amplitude A of the sinusoid."""
    low, high = RANGES["amplitude"]
    help = (
        "Height of the sine wave, in units of y. A larger one lies further from every initialisation and gives larger gradients."
    )
    st.slider(
        SETTINGS["amplitude"].label, low, high, step=0.01, key="amplitude", help=help, on_change=change, args=("amplitude",)
    )


def phase(change: Change) -> None:
    """The phase of the sinusoid."""
    low, high = RANGES["phase"]
    help = "Shift of the sine wave to the right, in radians. Training tasks had phases from 0 to π."
    st.slider(SETTINGS["phase"].label, low, high, step=0.01, key="phase", help=help, on_change=change, args=("phase",))


def shots(change: Change, by_hand: int | None = None) -> None:
    """How many shots sampling draws; by_hand: how many there are instead."""
    _scale("K", change)
    if by_hand is not None:
        now = f"now {by_hand}, placed by hand" if by_hand else "no shots now"
        st.html(f'<div class="own-alpha"><span>{now}</span></div>')


def alpha(change: Change) -> None:
    """The inner step size, on a log scale, with a mark at each learner's own. Any value in range is a position once it is set."""
    label, help = SETTINGS["alpha"][:2]
    options = sorted({*ALPHAS, st.session_state["alpha"]})
    st.select_slider(label, options, key="alpha", help=help, format_func=_plain, on_change=change, args=("alpha",))
    if "names" in st.session_state["hide"]:
        return  # a step size could tell who is who
    own = {learners.look(name).label: learners.get(name).config.alpha for name in st.session_state["learners"]}
    ticks = "".join(
        f'<i style="left: {100 * bisect_left(options, value) / (len(options) - 1):.2f}%"></i>' for value in own.values()
    )
    groups = {value: [label for label, other in own.items() if other == value] for value in own.values()}
    each = "; ".join(f"{', '.join(labels)} {_plain(value)}" for value, labels in groups.items())
    text = f"own: {each}" if len(own) < 3 else "marks: each learner’s own α"
    if own:
        st.html(f'<div class="own-alpha" title="{escape(each)}">{ticks}<span>{escape(text)}</span></div>')


def num_updates(change: Change) -> None:
    """How many inner steps are taken."""
    _scale("num_updates", change)


def noise(change: Change) -> None:
    """The noise on sampled shots."""
    _scale("noise", change)


def which_learners(change: Change) -> None:
    """Which learners are drawn."""
    own = [name for name in st.session_state["learners"] if name not in LEARNERS]
    st.pills(
        "learners",
        [*LEARNERS, *own],
        selection_mode="multi",
        key="learners",
        label_visibility="collapsed",
        format_func=lambda name: plain(learners.look(name).label),
        on_change=change,
        args=("learners",),
    )
    st.html(glossary.offer("What are these?", [learners.look(name).label for name in LEARNERS]))


def free(change: Change) -> None:
    """Whether a click places a shot where it is, or on the curve above or below it."""
    help = "On: a shot goes exactly where you put it. Off: it sits on the true curve."
    st.toggle("place shots off the curve", key="free", help=help, on_change=change, args=("free",))


def trained_run(change: Change) -> None:
    """A run on this server whose latest checkpoint takes the place of one's own; nothing while there is none."""
    if trained := learners.trained_here():
        help = "The latest checkpoint of a run on this server."
        key, name = "run", lambda run: f"{learners.title(run)} ({learners.stem(run)})"
        st.selectbox("or a run’s checkpoint", trained, None, key=key, help=help, format_func=name, on_change=change, args=(key,))


def placement(change: Change) -> None:
    """Where sampled shots lie."""
    label, help, _, names = SETTINGS["placement"]
    _choice("placement", label, names, help, change)


def freeze(change: Change) -> None:
    """Which layers adapt."""
    label, help, _, names = SETTINGS["freeze"]
    _choice("freeze", label, names, help, change)


def ghosts(change: Change) -> None:
    """Which earlier steps are drawn too."""
    help = "Earlier inner steps, drawn faintly behind the current one."
    _choice("ghosts", "earlier steps shown", ("start", "previous", "all", "none"), help, change)


def view(change: Change) -> None:
    """One plot for all learners, or one for each."""
    help = "All learners in one plot, or a plot for each with the same axes."
    _choice("view", "curves", ("overlaid", "side by side"), help, change)


def hide(change: Change) -> None:
    """What the picture keeps to itself."""
    help = "True curve: can you guess it from the shots? Names: which learner is MAML? Guess, and show them after a step."
    labels = dict(zip(HIDE, ("true curve", "names"), strict=True))
    key, name = "hide", labels.__getitem__
    st.pills("hide", HIDE, selection_mode="multi", key=key, help=help, format_func=name, on_change=change, args=(key,))


def _scale(key: str, change: Change) -> None:
    """One of SETTINGS at equal distances."""
    label, help, (low, between, *_, high), _ = SETTINGS[key]
    st.slider(label, low, high, step=round(between - low, 2), key=key, help=help, on_change=change, args=(key,))


def _choice(key: str, label: str, labels: tuple[str, ...], help: str, change: Change) -> None:
    """One of CHOICES[key]."""
    name = dict(zip(CHOICES[key], labels, strict=True)).__getitem__
    st.segmented_control(label, CHOICES[key], key=key, help=help, format_func=name, required=True, on_change=change, args=(key,))


def exact_values(change: Change, truth: bool) -> None:
    """The settings that a slider rounds, to the last digit; without those of the true curve while it is hidden."""
    with st.popover("exact values", key="fold_exact", on_change="rerun") as fold:
        if not fold.open:
            return  # the browser makes what is inside when it opens, and would know no value that an earlier run has set
        for name in EXACT_NAMES:
            if name in ("amplitude", "phase") and not truth:
                continue
            low, high = RANGES[name]
            key = EXACT + name
            st.number_input(
                SETTINGS[name].label, low, high, value=None, step=None, format="%.6g", key=key, on_change=change, args=(key,)
            )


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if value < 0.001 else f"{value:g}"
