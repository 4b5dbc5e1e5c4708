"""The Adapt lab: controls -> engine -> the picture. Every setting lives in one LabState, and its copy in the address."""

import re
import secrets
import time
from collections.abc import Callable

import streamlit as st

from ui import controls, task_plot
from ui.state import LEARNERS, LabState

# A request already on its way carries the old value of a widget just set from here. It is no move of a person's.
ECHO_SECONDS = 2.0


def main() -> None:
    """The page."""
    session = st.session_state
    if fresh := "lab" not in session:
        session.lab_overwritten = {}
        session.lab_visit = secrets.token_hex(4)
        adopt(st.query_params.to_dict())
    state: LabState = session.lab
    show(state)
    data = task_plot.payload(
        state,
        epoch=session.lab_epoch,
        rev=session.lab_rev,
        step_epoch=session.lab_step_epoch,
        visit=session.lab_visit,
        remember=session.lab_remember,
        fresh=fresh,
    )
    task_plot.task_plot(data, on_shots=shots_edited, on_step=step_rested, on_act=button_pressed, on_address=address_changed)
    with st.container(horizontal=True, vertical_alignment="center", key="choices"):
        controls.learners(changed)
        controls.free(changed)
        controls.exact_values(changed)
    row = (controls.shots, controls.alpha, controls.num_updates, controls.noise, controls.amplitude, controls.phase)
    for column, control in zip(st.columns(len(row), gap="medium"), row, strict=True):
        with column:
            control(changed)


def adopt(query: dict[str, str]) -> None:
    """Show what an address says, and what in it could not be used."""
    session = st.session_state
    session.lab, problems = LabState.from_query(query)
    session.lab_rev = 0
    session.lab_epoch = session.lab_step_epoch = secrets.token_hex(4)
    session.lab_remember = False
    for problem in problems:
        st.toast(re.sub(r"([^\w\s])", r"\\\1", problem), icon="⚠️", duration="infinite")  # what an address says is not Markdown


def show(state: LabState) -> None:
    """Set the widgets to the state."""
    values = {name: getattr(state, name) for name in ("K", "alpha", "num_updates", "noise", "free")}
    values |= {"amplitude": state.task.amplitude, "phase": state.task.phase, "learners": list(state.learners)}
    values |= {controls.EXACT + name: values[name] for name in controls.EXACT_NAMES}
    for key, value in values.items():
        old = st.session_state.get(key)
        if old != value:
            st.session_state[key] = value
            st.session_state.lab_overwritten[key] = (old, time.monotonic())


def act(action: Callable[[LabState], LabState]) -> None:
    """A change made here, not in the picture: the picture's own shots give way to it, and Back undoes it."""
    session, before = st.session_state, st.session_state.lab
    session.lab = action(before)
    if (session.lab.points, session.lab.task[:2]) != (before.points, before.task[:2]):
        session.lab_epoch = secrets.token_hex(4)
    session.lab_remember = True


def changed(key: str) -> None:
    """A widget was moved."""
    value, name = st.session_state[key], key.removeprefix(controls.EXACT)
    if name == "learners":
        value = tuple(learner for learner in LEARNERS if learner in value)
    old, when = st.session_state.lab_overwritten.get(key, (None, 0.0))
    echo = st.session_state[key] == old and time.monotonic() - when < ECHO_SECONDS
    if value is not None and not echo:
        act(lambda state: state.change(name, value))


def button_pressed() -> None:
    """A button in the picture."""
    asked = task_plot.sent("act")
    if asked["visit"] == st.session_state.lab_visit:
        act({"new_task": LabState.new_task, "sample": LabState.sample_shots}[asked["name"]])


def shots_edited() -> None:
    """An edit made in the picture. One that was made on shots since replaced from here comes too late and is dropped."""
    edit, session = task_plot.sent("shots"), st.session_state
    if edit and (edit["epoch"] == session.lab_epoch or not edit["points"]):  # clearing means the same on any
        session.lab_remember = session.lab.shots is None  # one way back, to the shots before all editing
        session.lab = session.lab.place(edit["points"])
        session.lab_rev = edit["rev"]


def step_rested() -> None:
    """The picture came to rest at a step."""
    session = st.session_state
    session.lab = session.lab.change("step", int(task_plot.sent("step")["step"]))
    session.lab_remember = False


def address_changed() -> None:
    """Back or forward in the browser."""
    adopt(task_plot.sent("address"))


main()
