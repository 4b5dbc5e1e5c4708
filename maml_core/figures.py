"""Plotly figures from numpy records: pure functions, no torch, looks from the palette."""

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.palette import ROLES


class ExampleTask(NamedTuple):
    """One task to draw: its true curve, its shots, and what the learner makes of it at each inner step."""

    x: np.ndarray  # (G,)
    true: np.ndarray  # (G,)
    x_support: np.ndarray  # (K,)
    y_support: np.ndarray  # (K,)
    curves: np.ndarray  # (steps + 1, G)


def evaluation_figure(title: str, role: str, example: ExampleTask, steps: list[dict[str, Any]]) -> go.Figure:
    """One example task beside the loss by inner step (mean with its 95% interval, and median) over all tasks."""
    figure = make_subplots(1, 2, subplot_titles=("one test task", "query loss by inner step, all tasks"), horizontal_spacing=0.1)
    last = len(example.curves) - 1
    steps_word = "step" if last == 1 else "steps"
    figure.add_trace(_line("true", "true", example.x, example.true), 1, 1)
    figure.add_trace(_line("before", "before adaptation", example.x, example.curves[0]), 1, 1)
    figure.add_trace(_line(role, f"{ROLES[role].label} after {last} {steps_word}", example.x, example.curves[-1]), 1, 1)
    shots = {"symbol": "diamond", "size": 11, "color": ROLES["shot"].light, "line": {"color": ROLES["true"].light, "width": 1.5}}
    figure.add_trace(go.Scatter(x=example.x_support, y=example.y_support, mode="markers", name="shots", marker=shots), 1, 1)
    step, mean, ci95, median = (np.array([s[key] for s in steps]) for key in ("step", "mean", "ci95", "median"))
    look = ROLES[role]
    line = {"color": look.light, "width": look.width, "dash": look.plotly_dash}
    bars = {"type": "data", "array": ci95, "thickness": 1.2}
    figure.add_trace(go.Scatter(x=step, y=mean, error_y=bars, mode="lines+markers", name="mean, 95% interval", line=line), 1, 2)
    thin = {"color": look.light, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=step, y=median, mode="lines", name="median", line=thin), 1, 2)
    figure.update_xaxes(title_text="x", range=[-5, 5], row=1, col=1)
    figure.update_yaxes(title_text="y", range=[-6, 6], row=1, col=1)
    figure.update_xaxes(title_text="inner step", dtick=1, row=1, col=2)
    figure.update_yaxes(title_text="MSE", type="log", row=1, col=2)
    return figure.update_layout(
        title=title, template="plotly_white", legend={"orientation": "h", "y": -0.15}, hovermode="x unified"
    )


def _line(role: str, name: str, x: np.ndarray, y: np.ndarray) -> go.Scatter:
    look = ROLES[role]
    return go.Scatter(
        x=x, y=y, mode="lines", name=name, line={"color": look.light, "width": look.width, "dash": look.plotly_dash}
    )
