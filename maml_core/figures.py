"""Plotly figures from numpy records: pure functions, no torch, and one template of the palette for all."""

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.palette import FONT, FONT_SIZE, GRID, NEUTRAL, PAPER, RAISED, ROLES, SOFT, Look


class ExampleTask(NamedTuple):
    """One task to draw: its true curve, its shots, and what the learner makes of it at each inner step."""

    x: np.ndarray  # (G,)
    true: np.ndarray  # (G,)
    x_support: np.ndarray  # (K,)
    y_support: np.ndarray  # (K,)
    curves: np.ndarray  # (steps + 1, G)


def template(dark: bool = False) -> go.layout.Template:
    """How every figure looks before anything is drawn: paper, ink, grid, type and hover labels, from the palette."""
    ink = ROLES["true"].colour(dark)
    soft, size = _faint(ink, SOFT), FONT_SIZE
    axis = {
        "gridcolor": _faint(ink, GRID),
        "zeroline": False,
        "tickfont": {"color": soft},
        "title": {"font": {"color": soft, "size": size}},
    }
    layout = go.Layout(
        font={"color": ink, "size": size, "family": FONT},
        colorway=[look.colour(dark) for look in NEUTRAL.values()],
        paper_bgcolor=PAPER.colour(dark),
        plot_bgcolor=PAPER.colour(dark),
        hovermode="x unified",
        hoverlabel={"bgcolor": RAISED.colour(dark), "font": {"color": ink}},
        xaxis=axis,
        yaxis=axis,
    )
    markers = go.Scatter(marker={"size": 5})
    return go.layout.Template(layout=layout, data={"scatter": [markers]})


def evaluation_figure(title: str, role: str, example: ExampleTask, steps: list[dict[str, Any]]) -> go.Figure:
    """One example task beside the loss by inner step (mean with its 95% interval, and median) over all tasks."""
    figure = make_subplots(1, 2, subplot_titles=("one test task", "error by inner step, all tasks"), horizontal_spacing=0.1)
    last = len(example.curves) - 1
    steps_word = "step" if last == 1 else "steps"
    for curve_role, name, y in (
        ("true", "true", example.true),
        ("before", "before adaptation", example.curves[0]),
        (role, f"{ROLES[role].label} after {last} {steps_word}", example.curves[-1]),
    ):
        figure.add_trace(go.Scatter(x=example.x, y=y, mode="lines", name=name, line=_stroke(ROLES[curve_role])), 1, 1)
    shots = {"symbol": "diamond", "size": 11, "color": ROLES["shot"].light, "line": {"color": ROLES["true"].light, "width": 1.5}}
    figure.add_trace(go.Scatter(x=example.x_support, y=example.y_support, mode="markers", name="shots", marker=shots), 1, 1)
    step, mean, ci95, median = (np.array([s[key] for s in steps]) for key in ("step", "mean", "ci95", "median"))
    bars, stroke = {"type": "data", "array": ci95, "thickness": 1.2}, _stroke(ROLES[role])
    figure.add_trace(go.Scatter(x=step, y=mean, error_y=bars, mode="lines+markers", name="mean, 95% interval", line=stroke), 1, 2)
    thin = stroke | {"width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=step, y=median, mode="lines", name="median", line=thin), 1, 2)
    figure.update_xaxes(title_text="x", range=[-5, 5], row=1, col=1)
    figure.update_yaxes(title_text="y", range=[-6, 6], row=1, col=1)
    figure.update_xaxes(title_text="inner step", dtick=1, row=1, col=2)
    figure.update_yaxes(title_text="error", type="log", dtick="D2", row=1, col=2)  # 1, 2 and 5 of each decade
    return figure.update_layout(title=title, template=template(), legend={"orientation": "h", "y": -0.15})


def _stroke(look: Look) -> dict[str, Any]:
    """A look as Plotly spells the line of a trace."""
    return {"color": look.light, "width": look.width, "dash": look.plotly_dash}


def _faint(colour: str, opacity: float) -> str:
    return f"rgba({', '.join(map(str, _channels(colour)))}, {opacity})"


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
