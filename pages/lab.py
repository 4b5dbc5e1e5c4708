"""The Adapt lab: controls -> engine -> the picture. Every setting lives in one LabState, and its copy in the address."""

import secrets
from collections.abc import Callable

import streamlit as st

from ui import controls, task_plot
from ui.state import LEARNERS, LabState


def main() -> None:
    """The page."""
    session = st.session_state
    query = st.query_params.to_dict()
    # The address wins whenever it is not what this page wrote: on arrival, and after Back or an edit by hand.
    if "lab" not in session or query != session.lab_query:
        session.lab, session.lab_problems = LabState.from_query(query)
        session.lab_query = query
        session.lab_rev = 0
        session.lab_epoch = session.lab_step_epoch = secrets.token_hex(4)
    for problem in session.lab_problems:
        st.warning(problem)
    lab()


@st.fragment
def lab() -> None:
    """The picture and everything that changes it: one fragment, so that a click reruns nothing else."""
    state: LabState = st.session_state.lab
    for name in ("amplitude", "phase", "K", "alpha", "num_updates", "noise", "learners", "free"):
        shown = {"amplitude": state.task.amplitude, "phase": state.task.phase, "learners": list(state.learners)}
        value = shown.get(name, getattr(state, name))
        if st.session_state.get(name) != value:
            st.session_state[name] = value

    with st.container(key="picture"):
        session = st.session_state
        data = task_plot.payload(state, epoch=session.lab_epoch, rev=session.lab_rev, step_epoch=session.lab_step_epoch)
        task_plot.task_plot(data, on_shots=_shots_edited, on_step=_step_rested)
    with st.container(key="controls"):
        with st.container(horizontal=True, vertical_alignment="center", key="actions"):
            st.button("New task", on_click=_act, args=(LabState.new_task,), help="Another amplitude and phase, with fresh shots.")
            plural = "s" if state.K > 1 else ""
            st.button(
                f"Sample {state.K} shot{plural}",
                on_click=_act,
                args=(LabState.sample_shots,),
                help="Other shots of the same task.",
            )
            st.button("Clear", on_click=_act, args=(lambda state: state.place(()),), help="Remove every shot.")
            controls.learners(_changed)
            controls.free(_changed)
        row = (controls.shots, controls.alpha, controls.num_updates, controls.noise, controls.amplitude, controls.phase)
        for column, control in zip(st.columns(len(row), gap="medium"), row, strict=True):
            with column:
                control(_changed)
    _write_address()


def _act(action: Callable[[LabState], LabState]) -> None:
    st.session_state.lab = action(st.session_state.lab)
    st.session_state.lab_epoch = secrets.token_hex(4)
    st.session_state.lab_final = True


def _changed(name: str) -> None:
    value = st.session_state[name]
    if name == "learners":
        value = tuple(learner for learner in LEARNERS if learner in value)
    _act(lambda state: state.change(name, value))


def _shots_edited() -> None:
    """An edit made in the picture. One that was made on shots since replaced from here comes too late and is dropped."""
    edit, session = task_plot.sent("shots"), st.session_state
    if edit and edit["epoch"] == session.lab_epoch:
        session.lab = session.lab.place(edit["points"])
        session.lab_rev = edit["rev"]
        session.lab_final = edit["final"]


def _step_rested() -> None:
    step = task_plot.sent("step")
    if step is not None:
        st.session_state.lab = st.session_state.lab.change("step", int(step))
        st.session_state.lab_final = True


def _write_address() -> None:
    """Keep the address equal to the state; not in the middle of a drag, which would fill the browser's history."""
    session = st.session_state
    query = session.lab.to_query()
    if session.get("lab_final", True) and query != session.lab_query:
        session.lab_query = query
        st.query_params.from_dict(query)


main()
