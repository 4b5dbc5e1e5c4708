"""The inputs of a training run, each with its help text: what the setting means, and from where to where it goes."""

import dataclasses
from typing import Any

import streamlit as st
import torch

from maml_core.config import DEVICES, REGRESSION, TrainConfig, choices
from ui.checkpoints.recipe import CHOICE_LABELS, CONFIG_LABELS
from ui.lab.controls import Change
from ui.shared.messages import plain

_CONFIG = {f.name: f for f in dataclasses.fields(TrainConfig)}


def config_field(name: str, key: str, change: Change, no_effect: str) -> None:
    """One setting of a training run, with its meaning and range from the config itself. no_effect: why it waits, if it does."""
    f = _CONFIG[name]
    low, high = (f.metadata[part] for part in ("low", "high"))
    possible = REGRESSION if name == "family" else choices(name, REGRESSION[0])
    help = f.metadata["help"] + ("" if low is None else f"; from {low:,g} to {high:,g}")
    help += f". It has no effect now: {no_effect}." if no_effect else ""
    shared: dict[str, Any] = {"key": key, "help": plain(help), "disabled": bool(no_effect)}
    shared |= {"on_change": change, "args": (name,)}
    label = CONFIG_LABELS[name]
    if isinstance(f.default, bool):
        st.toggle(label, **shared)
    elif possible:
        st.selectbox(label, possible, format_func=lambda choice: CHOICE_LABELS.get(choice, choice), **shared)
    elif isinstance(f.default, tuple):
        st.text_input(label, **shared)
    elif isinstance(f.default, int):  # no range for the widget, which would keep what is outside to itself: the config says why
        st.number_input(label, step=1, **shared)
    else:
        st.number_input(label, step=None, format="%.6g", **shared)


def device(key: str, change: Change) -> None:
    """Where a training run computes."""
    devices = [name for name in DEVICES if name != "cuda" or torch.cuda.is_available()]
    help = "auto takes a CUDA GPU if this server has one."
    st.selectbox("device", devices, key=key, help=help, on_change=change, args=("device",))
