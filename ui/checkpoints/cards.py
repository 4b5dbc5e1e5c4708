"""Cards of checkpoints: what each is and comes to, as HTML and SVG, and the component that shows them.

A component and not st.html, which drops SVG and does not hand out the theme's colours.
"""

import json
import logging
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from maml_core.checkpoint import Checkpoint, CheckpointError
from maml_core.config import JOINT
from maml_core.palette import ROLES, Look
from ui.checkpoints import recipe
from ui.checkpoints.recipe import counted
from ui.lab import engine
from ui.lab.state import LabState
from ui.shared import learners, rounding
from ui.shared.ranges import FAMILY, RANGES, Y_LIMIT
from ui.shared.remembered import remembered

_log = logging.getLogger("maml_lab")
KEY = "ckpt_cards"
THUMBNAIL = LabState()
"""The task that every thumbnail shows: the one that the lab opens with."""
JOINT_STEPS = 10
"""Inner steps a baseline's thumbnail shows: what its step size was chosen for."""
_WIDTH, _HEIGHT = 320, 128
_SHOT = "M0,-5.5L5.5,0L0,5.5L-5.5,0Z"

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "maml_lab.cards",
    html='<div class="ckpt"></div>',
    css=(_HERE / "checkpoints.css").read_text("utf-8"),
    js=(_HERE / "cards.js").read_text("utf-8"),
    isolate_styles=False,
)


def show(
    items: Sequence[tuple[str, str]],
    chosen: Sequence[str] = (),
    key: str = KEY,
    on_chosen: Callable[[], None] = lambda: None,
) -> None:
    """Show these (key, HTML) one after the other. An item whose HTML stays is left alone, with what is open in it.

    chosen: the learners that are compared. A press of a card's button changes them: `chosen_now` says to what.
    """
    heard = (st.session_state.get(key) or {}).get("chosen") or {"at": 0}
    data = {"items": items, "chosen": list(chosen), "heard": heard["at"]}
    _component(key=key, data=json.dumps(data), on_chosen_change=on_chosen, on_delete_change=lambda: None)


def chosen_now(key: str = KEY) -> list[str]:
    """The learners that are compared after the last press of a card's button."""
    return list(st.session_state[key]["chosen"]["names"])


def asked_to_delete(key: str = KEY) -> str:
    """The learner whose card's Delete was just pressed, in the rerun that this causes; else nothing."""
    return str((st.session_state.get(key) or {}).get("delete") or "")


def section(title: str, note: str = "") -> str:
    """A heading over the cards after it."""
    return f'<div class="section"><h2>{escape(title)}</h2><p>{escape(note)}</p></div>'


def card(name: str, deletable: bool = False) -> str:
    """The card of a learner; of one that is missing or damaged, a sentence on why. deletable: by who looks at it."""
    title = escape(learners.title(name))
    delete = f'<button type="button" class="delete" aria-label="Delete {title}">Delete</button>' if deletable else ""
    head = f"<header>{swatch(learners.look(name))}<h3>{title}</h3>{delete}</header>"
    try:
        about = _about(name, title)
    except Exception as error:  # whatever it is, the other cards are shown
        about = f'<p class="problem">It cannot be shown: {escape(_reason(name, error))}.</p>'
    return f'<article class="card" data-name="{escape(name)}" aria-label="{title}">\n{head}\n{about}</article>'


def _about(name: str, title: str) -> str:
    """All of a card below its head. Raises CheckpointError or OSError for a learner that is missing or damaged."""
    saved, size = learners.get(name), learners.find(name).stat().st_size
    picture = thumbnail(name, learners.version(name))
    download, zipped = (f"lab/{route}?{escape(urlencode({'learner': name}))}" for route in ("checkpoint", "bundle.zip"))
    return f"""<p class="recipe">{escape(recipe.of_checkpoint(saved))}</p>
{picture}
{results(saved)}
<p class="size">{recipe.size_in_words(saved, size)}</p>
<p class="links"><button type="button" aria-pressed="false" aria-label="Compare {title}">Compare</button>
<button type="button" class="up" aria-label="Back up to the comparison" hidden>↑</button>
<a href="{escape(lab_address(name))}">Open in lab</a> <a href="{download}">Download</a> <a href="{zipped}">All as zip</a></p>
{fold(name, saved)}
"""


def swatch(look: Look) -> str:
    """A short piece of a line in this look."""
    return f'<svg class="swatch" viewBox="0 0 26 8" aria-hidden="true">{_path("M0,4H26", look)}</svg>'


@remembered
def thumbnail(name: str, version: int) -> str:
    """One task: its true curve, its shots, and the learner before and after the steps it was trained for, at its own alpha."""
    saved, task = learners.get(name), THUMBNAIL.task
    config = saved.config
    steps = JOINT_STEPS if config.algorithm in JOINT else config.inner_steps
    (run,) = engine.trajectories((name,), THUMBNAIL.points, task.amplitude, task.phase, config.alpha, steps)
    looks = {"before": ROLES["before"], "true": ROLES["true"], "after": learners.look(name)}
    curves = {"before": run.curves[0], "true": task.curve(engine.GRID), "after": run.curves[-1]}
    lines = "".join(_path(_line(curves[part]), looks[part]) for part in looks)
    at = [f"translate({_x(x):.1f},{_y(y):.1f})" for x, y in THUMBNAIL.points]
    shots = "".join(f'<path class="shot" {_colours(ROLES["shot"])} transform="{place}" d="{_SHOT}"/>' for place in at)
    warning = saved.warning()
    went = f"error {_loss(run.query[0])} before, {_loss(run.query[-1])} after {counted(steps, 'step')}"
    title, about = escape(learners.title(name)), f"A sine wave and {len(THUMBNAIL.points)} shots of it: {went}."
    ids = [f"ckpt-{escape(learners.stem(name))}-{part}" for part in ("title", "desc")]
    return f"""<svg class="thumbnail" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{" ".join(ids)}">
<title id="{ids[0]}">{title} on one task</title><desc id="{ids[1]}">{about}</desc>
<path class="zero" d="M0,{_y(0):.1f}H{_WIDTH}"/>{lines}{shots}</svg>
<p class="caption">{went}</p>{f'<p class="problem">{escape(warning)}</p>' if warning else ""}"""


def results(saved: Checkpoint) -> str:
    """The table of a checkpoint's results."""
    heads, rows, tasks = recipe.results_table(saved)
    if not rows:
        return '<p class="caption">Not measured over many tasks yet. A run is measured when it ends; Compare measures it now.</p>'
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{recipe.after(step)}</th>{"".join(f"<td>{_small(cell)}</td>" for cell in cells)}</tr>'
        for step, cells in rows
    )
    return f"""<table><caption>mean error ± 95% interval, α = {saved.config.alpha:g}, {tasks:,.0f} tasks</caption>
<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"""


def fold(name: str, saved: Checkpoint) -> str:
    """What only some ask for: how to load it, how to train it again, and every setting."""
    lines = escape(recipe.load_lines(saved, f"{learners.stem(name)}.safetensors"))
    settings = "".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{escape(str(value).strip("[]"))}</td></tr>'
        for key, value in recipe.settings(saved).items()
    )
    again = "" if saved.from_elsewhere else f'<h4>Train it again</h4><pre tabindex="0">{escape(recipe.command(saved))}</pre>'
    summary = "Load it, its settings" if saved.from_elsewhere else "Load it, train it again, all settings"
    return f"""<details><summary>{summary}</summary>
<h4>In plain PyTorch</h4><pre tabindex="0">{lines}</pre>
{again}
<h4>Settings</h4><table class="settings"><tbody>{settings}</tbody></table></details>"""


def lab_address(name: str) -> str:
    """The lab with this learner as its thumbnail shows it, and beside it the one it is best compared with.

    A baseline is shown at the lab's own step size, which MAML beside it needs.
    """
    config = learners.get(name).config
    if config.algorithm in JOINT:
        return "lab?" + urlencode(LabState(learners=(name, "maml")).to_query())
    alpha, steps = RANGES["alpha"].clip(config.alpha), config.inner_steps
    updates = max(steps, LabState.num_updates)
    shown = LabState(learners=(name, "pretrained"), alpha=alpha, num_updates=updates, step=steps)
    return "lab?" + urlencode(shown.to_query())


def _small(cell: str) -> str:
    """A remark in parentheses goes below what it is about."""
    value, opening, remark = cell.partition(" (")
    return f"{value}<small>{remark.rstrip(')')}</small>" if opening else value


def _path(d: str, look: Look) -> str:
    dash = f' stroke-dasharray="{" ".join(map(str, look.dash))}"' if look.dash else ""
    return f'<path class="line" {_colours(look)} stroke-width="{look.width}"{dash} d="{d}"/>'


def _colours(look: Look) -> str:
    return f'style="--light:{look.light};--dark:{look.dark}"'


def _line(y: np.ndarray) -> str:
    """The path of a curve on GRID; empty where it is not finite."""
    points = zip(engine.GRID[::2], y[::2], strict=True)
    drawn = "L".join(f"{_x(x):.1f},{_y(value):.1f}" for x, value in points if np.isfinite(value))
    return f"M{drawn}" if drawn else ""


def _x(x: Any) -> float:
    low, high = FAMILY.x
    return float(_WIDTH * (x - low) / (high - low))


def _y(y: Any) -> float:
    return float(_HEIGHT * (0.5 - 0.5 * np.clip(y, -4 * Y_LIMIT, 4 * Y_LIMIT) / Y_LIMIT))


def _loss(value: Any) -> str:
    return rounding.number(value) if np.isfinite(value) else "∞"


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, CheckpointError):
        return str(error)
    if isinstance(error, OSError):
        return "its file cannot be read"
    _log.error("the card of %s cannot be made", name, exc_info=error)
    return "its file is damaged"
