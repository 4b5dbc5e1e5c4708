"""Plotly figures from numpy records: pure functions, no torch, and one template of the palette for all."""

import itertools
from html import escape
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.palette import FONT, FONT_SIZE, GRID, NEUTRAL, PAPER, RAISED, ROLES, SOFT, Look

CLEAR = "rgba(0,0,0,0)"
"""Of a figure that lies on a page: what is behind it is the page's."""


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


class LossByStep(NamedTuple):
    """One learner's mean query loss after each inner step, and the half-width of its 95% interval."""

    look: Look  # its label is the learner's name
    mean: np.ndarray  # (steps + 1,)
    ci95: np.ndarray  # (steps + 1,)


def comparison_figure(learners: list[LossByStep], dark: bool = False) -> go.Figure:
    """Loss by inner step of several learners with their 95% bands, on a log scale, each labelled at its end."""
    figure = go.Figure()
    ends = []
    for look, mean, ci95 in learners:
        name = escape(look.label)  # Plotly reads tags in text
        step = np.arange(len(mean))
        low, high = np.maximum(mean - ci95, mean / 20), mean + ci95  # a log scale has no place for 0
        x, y = np.concatenate([step, step[::-1]]), np.concatenate([high, low[::-1]])
        band = {"fill": "toself", "fillcolor": _faint(look.colour(dark), 0.18), "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", name=f"{name}, 95%", **band))
        hover = {"customdata": ci95, "hovertemplate": "%{y:.3f} ± %{customdata:.3f}"}
        figure.add_trace(go.Scatter(x=step, y=mean, mode="lines+markers", name=name, line=_stroke(look, dark), **hover))
        ends.append(np.log10(mean[-1]))
    margin = max(len(look.label) for look, *_ in learners) * 7.5 + 16
    decades = np.log10([value for _, mean, ci95 in learners for value in (mean.max() + ci95.max(), mean.min())])
    bottom, top = decades.min() - 0.1, decades.max() + 0.1
    for (look, mean, _), at in zip(learners, spread(np.array(ends), (top - bottom) / 17, bottom, top), strict=True):
        font = {"color": label_colour(look, dark), "size": FONT_SIZE, "weight": 600}
        place = {"x": len(mean) - 1, "xanchor": "left", "xshift": 8, "y": at, "yanchor": "middle", "showarrow": False}
        figure.add_annotation(text=escape(look.label), font=font, **place)
    last = max(len(mean) for _, mean, _ in learners) - 1
    ticks = {"dtick": 1} if last <= 12 else {}
    figure.update_xaxes(title_text="inner step", range=[-0.15, last + 0.15], **ticks)
    values = [
        m * 10.0**e
        for e in range(int(np.floor(bottom)), int(np.ceil(top)) + 1)
        for m in ((1, 2, 5) if top - bottom < 3 else (1,))
    ]
    labels = {"tickvals": values, "ticktext": [f"{value:.10g}" for value in values]}
    figure.update_yaxes(title_text="mean error", type="log", range=[bottom, top], **labels)
    return figure.update_layout(
        template=template(dark),
        showlegend=False,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        margin={"l": 56, "r": margin, "t": 12, "b": 48},
    )


def spread(wanted: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Positions (N,) near the wanted ones, in their order, at least `gap` apart and, where there is room, inside [low, high]."""
    order = np.argsort(wanted, kind="stable")
    at = np.clip(wanted.astype(float), low, high)
    for before, after in itertools.pairwise(order):
        at[after] = max(at[after], at[before] + gap)
    ceiling = high
    for i in order[::-1]:
        at[i] = min(at[i], ceiling)
        ceiling = at[i] - gap
    return at


def label_colour(look: Look, dark: bool) -> str:
    """A look's colour for text, nearer to the ink: thin strokes need more contrast than a line."""
    pairs = zip(_channels(look.colour(dark)), _channels(ROLES["true"].colour(dark)), strict=True)
    return "#" + "".join(f"{round(0.76 * own + 0.24 * other):02x}" for own, other in pairs)


def _stroke(look: Look, dark: bool = False) -> dict[str, Any]:
    """A look as Plotly spells the line of a trace."""
    return {"color": look.colour(dark), "width": look.width, "dash": look.plotly_dash}


def _faint(colour: str, opacity: float) -> str:
    return f"rgba({', '.join(map(str, _channels(colour)))}, {opacity})"


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
