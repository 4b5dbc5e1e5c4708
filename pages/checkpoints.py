"""The Checkpoints page: every model, shipped or one's own, as a card: look, compare, download, upload."""

from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from maml_core.checkpoint import CheckpointError
from ui.checkpoints import cards, comparison, errors, uploads
from ui.checkpoints.comparison import MOST_COMPARED, TASKS, Comparison
from ui.shared import address, learners, tables, viewer
from ui.shared.messages import plain, warn
from ui.shared.ranges import RANGES

AT_FIRST = 12
"""Own checkpoints that are shown before one asks for all."""
ROW, HEAD = 24, 38
"""Pixels of the table: a row, and its head with its edges."""


def main() -> None:
    """The page."""
    session = st.session_state
    arriving = "ckpt_compare" not in session  # widgets' values are gone when a page is left
    if "ckpt" not in session or (arriving and address.said(Comparison)):
        session.ckpt, problems = Comparison.from_query(address.said(Comparison))
        for problem in problems:
            warn(problem)
    leave_out_missing()
    with st.container(horizontal=True, vertical_alignment="bottom", key="ckpt_head"):
        about = "Every network the lab can adapt: how it was trained, its results, and how to download it."
        st.html(f'<h1 class="page-title">Checkpoints</h1><p class="page-about">{about}</p>')
        upload()
    own = [*learners.trained_here(), *learners.uploads()]
    compare(own)
    show_cards(own)
    address.write(Comparison, session.ckpt.to_query())


def upload() -> None:
    """Bring a checkpoint."""
    with st.popover("Upload a checkpoint"):
        uploads.uploader("ckpt_upload", taken)
        if st.session_state.ckpt_upload and not st.session_state.get("ckpt_upload_problem"):
            st.caption("Its card is under “On this server”, and it is selected for comparison.")


def compare(own: list[str]) -> None:
    """Two or more learners on common tasks."""
    asked: Comparison = st.session_state.ckpt
    settings(asked, own)
    if len(asked.compare) < 2:
        more = "one more" if asked.compare else "two or more"
        st.html(f'<p class="page-about">Choose {more} to see their errors on the same {TASKS:,} tasks.</p>')
        return
    try:
        with st.spinner("Measuring…", show_time=False):
            compared = comparison.measure(asked, viewer.measured)
    except CheckpointError as error:  # it vanished this very moment
        warn(str(error))
        return
    finding = f'<p class="finding">{escape(comparison.finding(compared))}</p>'
    cards.show([("finding", finding)], key="ckpt_finding")
    chart, table = st.columns([5, 4], gap="medium", vertical_alignment="center")
    with chart:
        errors.show(compared)
    with table, st.container(key="ckpt_table"):
        about = "Mean error over the same {tasks} tasks, and its difference from {first} ± 95%, paired by task"
        tasks, first = f"{TASKS:,}", compared[0].look.label
        st.caption(about.format(tasks=tasks, first=plain(first)))
        rows, alt = comparison.table(compared), about.format(tasks=tasks, first=first)
        high = min(errors.HEIGHT, ROW * len(rows.index) + HEAD)
        st.dataframe(rows, hide_index=True, row_height=ROW, height=high, alt=alt)
        name, text = "maml-lab-comparison.csv", comparison.table_csv(compared)
        st.download_button("All steps as CSV", text, name, tables.MEDIA_TYPE, key="ckpt_csv", on_click="ignore", type="tertiary")


def settings(asked: Comparison, own: list[str]) -> None:
    """Who is compared, and how."""
    values = {"compare": list(asked.compare), "K": asked.K, "num_updates": asked.num_updates, "alpha": asked.alpha}
    for name, value in values.items():
        if st.session_state.get(f"ckpt_{name}") != value:
            st.session_state[f"ckpt_{name}"] = value
    who, how = st.columns([5, 3])
    options = list(dict.fromkeys([*learners.shipped(), "random", *own, *asked.compare]))
    with who:
        st.multiselect(
            "Compare",
            options,
            key="ckpt_compare",
            format_func=learners.title,
            placeholder="Choose two or more",
            help="The others are compared with the first one chosen.",
            max_selections=MOST_COMPARED,
            select_all=False,
            wrap=True,
            on_change=changed,
            args=("compare",),
        )
    with how, st.container(horizontal=True, wrap=False):
        field("K", "K shots", step=1)
        field("num_updates", "inner steps", step=1)
        field("alpha", "step size α", value=None, step=None, format="%.6g", placeholder="learner’s own")


def field(name: str, label: str, **more: Any) -> None:
    """A number that is a setting of the comparison."""
    low, high = RANGES[name]
    kind = int if more["step"] else float
    st.number_input(label, kind(low), kind(high), key=f"ckpt_{name}", on_change=changed, args=(name,), **more)


def show_cards(own: list[str]) -> None:
    """A card for everything there is."""
    shown = own if st.session_state.get("ckpt_all") else own[:AT_FIRST]
    shown += [name for name in st.session_state.ckpt.compare if name in own and name not in shown]
    items = [("shipped", cards.section("Shipped", "trained with this project’s code"))]
    items += [(name, cards.card(name)) for name in learners.shipped()]
    note = "runs trained here, then uploads, newest first" if own else "nothing yet: upload a checkpoint, or train one"
    items += [("own", cards.section("On this server", note))]
    items += [(name, cards.card(name, deletable=uploads.deletable(name))) for name in shown]
    cards.show(items, chosen=st.session_state.ckpt.compare, on_chosen=pressed)
    if (name := cards.asked_to_delete()) and uploads.deletable(name):
        uploads.ask_to_delete(name, dropped)
    if len(shown) < len(own):
        st.button(f"Show all {len(own)}", key="ckpt_more", on_click=show_all)


def leave_out_missing() -> None:
    """Go on without a checkpoint that is not there, or not any more, and say so."""
    session = st.session_state
    for name, error in learners.missing(session.ckpt.compare).items():
        session.ckpt = replace(session.ckpt, compare=tuple(other for other in session.ckpt.compare if other != name))
        warn(f"{learners.title(name)} cannot be compared: {error}.")


def changed(name: str) -> None:
    """A setting of the comparison was moved."""
    value = st.session_state[f"ckpt_{name}"]
    if name == "compare":
        choose(value)
    elif value is not None or name == "alpha":
        st.session_state.ckpt = replace(st.session_state.ckpt, **{name: value})


def pressed() -> None:
    """A card's button was pressed."""
    choose(cards.chosen_now())


def choose(names: list[str]) -> None:
    """Compare these."""
    if len(names) > MOST_COMPARED:
        warn(f"At most {MOST_COMPARED} can be compared at once: remove one first.")
    st.session_state.ckpt = replace(st.session_state.ckpt, compare=tuple(names[:MOST_COMPARED]))


def taken(own: str) -> None:
    """A checkpoint was brought."""
    if own not in st.session_state.ckpt.compare:
        choose([*st.session_state.ckpt.compare, own])


def dropped(own: str) -> None:
    """A checkpoint was deleted."""
    choose([name for name in st.session_state.ckpt.compare if name != own])


def show_all() -> None:
    """Every own checkpoint is asked for."""
    st.session_state.ckpt_all = True


main()
