"""The Explore page: error over shots, step size and number of updates, within what was trained for and beyond it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from ui.explore import component
from ui.explore.exploration import CELL_TASKS, CONDITIONS, MOST_EXPLORED, VIEWS, Exploration, conditions_in_order
from ui.shared import address, learners
from ui.shared.messages import warn
from ui.shared.ranges import RANGES

VIEW_LABELS = dict(zip(VIEWS, ("maps", "curves", "published table"), strict=True))


def main() -> None:
    """The page."""
    session = st.session_state
    arriving = "explore_learners" not in session  # widgets' values are gone when a page is left
    if "explore" not in session or (arriving and address.said(Exploration)):
        session.explore, problems = Exploration.from_query(address.said(Exploration))
        for problem in problems:
            warn(problem)
    leave_out_missing()
    asked = session.explore
    show(asked)
    with st.container(key="explore_controls"):
        who_and_where(asked)
    component.explore(asked)
    if asked.view != "published":
        fixed()
    address.write(Exploration, asked.to_query())


def show(asked: Exploration) -> None:
    """Set the widgets to what is asked."""
    values = {name: getattr(asked, name) for name in Exploration.__dataclass_fields__}
    values |= {"learners": list(asked.learners), "conditions": list(asked.conditions)}
    for name, value in values.items():
        if st.session_state.get(f"explore_{name}") != value:
            st.session_state[f"explore_{name}"] = value


def who_and_where(asked: Exploration) -> None:
    """Whose maps, how they are looked at, and under which conditions."""
    options = list(dict.fromkeys([*learners.shipped(), "random", *learners.trained_here(), *learners.uploads(), *asked.learners]))
    who, how = st.columns([3, 2], vertical_alignment="bottom")
    with who:
        st.multiselect(
            "learners",
            options,
            key="explore_learners",
            label_visibility="collapsed",
            format_func=learners.title,
            placeholder="Choose learners",
            max_selections=MOST_EXPLORED,
            select_all=False,
            on_change=changed,
            args=("learners",),
        )
    with how:
        choice("view", "view", VIEWS, VIEW_LABELS.__getitem__, label_visibility="collapsed")
    if asked.view == "published":
        return
    st.pills(
        "beyond training",
        list(CONDITIONS),
        selection_mode="multi",
        key="explore_conditions",
        label_visibility="collapsed",
        format_func=CONDITIONS.__getitem__,
        on_change=changed,
        args=("conditions",),
    )


def fixed() -> None:
    """What the maps keep fixed, and how exact they become."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="explore_fixed"):
        number("K", "K for the α maps", step=1)
        number("alpha", "α for the K maps", value=None, step=None, format="%.6g", placeholder="learner’s own")
        choice("tasks", "tasks per cell", CELL_TASKS, lambda count: f"{count:,}")


def number(name: str, label: str, **more: Any) -> None:
    """A number that the maps keep fixed."""
    low, high = RANGES[name]
    kind = int if more["step"] else float
    st.number_input(label, kind(low), kind(high), key=f"explore_{name}", on_change=changed, args=(name,), **more)


def choice(name: str, label: str, options: tuple, words: Callable[[Any], str], **more: Any) -> None:
    """One of a few."""
    key = f"explore_{name}"
    st.segmented_control(label, options, key=key, format_func=words, required=True, on_change=changed, args=(name,), **more)


def leave_out_missing() -> None:
    """Go on without a checkpoint that is not there, or not any more, and say so."""
    session = st.session_state
    for name, error in learners.missing(session.explore.learners).items():
        left = tuple(other for other in session.explore.learners if other != name)
        session.explore = replace(session.explore, learners=left)
        warn(f"{learners.title(name)} cannot be shown: {error}.")


def changed(name: str) -> None:
    """A setting was moved. An emptied number of shots keeps its value."""
    value, session = st.session_state[f"explore_{name}"], st.session_state
    if name == "conditions":
        value = conditions_in_order(value)
    elif name == "learners":
        value = tuple(value)
    if value is not None or name == "alpha":
        session.explore = replace(session.explore, **{name: value})


main()
