"""The Adapt lab: controls -> engine -> the picture. Every setting lives in one LabState, and its copy in the address."""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from maml_core.palette import NEUTRAL
from ui.checkpoints import uploads
from ui.lab import component, controls, engine
from ui.lab.state import CHOICES, HIDE, LabState
from ui.shared import learners, viewer
from ui.shared.learners import in_order
from ui.shared.messages import plain, warn

# A request already on its way carries the old value of a widget just set from here. It is no move of a person's.
ECHO_SECONDS = 2.0


def main() -> None:
    """The page."""
    session = st.session_state
    if fresh := "lab" not in session:
        session.lab_overwritten, session.lab_heard = {}, {}
        session.lab_visit = secrets.token_hex(4)
        adopt(st.query_params.to_dict())
    leave_out_missing()
    state: LabState = session.lab
    show(state)
    drawn = partial(
        component.payload,
        state,
        epoch=session.lab_epoch,
        rev=session.lab_rev,
        step_epoch=session.lab_step_epoch,
        visit=session.lab_visit,
        remember=session.lab_remember,
        fresh=fresh,
        verdict=session.lab_verdict,
    )
    data = viewer.measured(drawn) if engine.is_heavy(state) else drawn()
    component.picture(data, on_message=told, on_address=address_changed)
    with st.expander("Controls") if state.present else st.container(key="controls"):
        draw_controls(state)


def draw_controls(state: LabState) -> None:
    """Every setting that is no part of the picture; none that would tell what is hidden."""
    truth, names = ("truth" not in state.hide), ("names" not in state.hide)
    with st.container(horizontal=True, vertical_alignment="center", key="choices"):
        if names:
            controls.which_learners(changed)
            own_checkpoint(state)
        controls.free(changed)
        controls.exact_values(changed, truth)
    first: list[Callable[[controls.Change], None]] = [
        partial(controls.shots, by_hand=None if state.shots is None else len(state.shots)),
    ]
    first += [controls.alpha, controls.num_updates, controls.noise]
    first += [controls.amplitude, controls.phase] if truth else []
    for column, control in zip(st.columns(len(first), gap="medium"), first, strict=True):
        with column:
            control(changed)
    with st.container(horizontal=True, key="options"):
        for control in (controls.placement, controls.freeze, controls.ghosts, controls.view, controls.hide):
            control(changed)


def adopt(query: dict[str, str]) -> None:
    """Show what an address says, and what in it could not be used."""
    session = st.session_state
    session.lab, problems = LabState.from_query(query)
    if "names" in session.lab.hide and not query.get("learners", "").startswith("~"):
        session.lab = session.lab.shuffle()
    session.lab_verdict = None
    session.lab_rev = 0
    session.lab_epoch = session.lab_step_epoch = secrets.token_hex(4)
    session.lab_remember = False
    for problem in problems:
        warn(problem)


def leave_out_missing() -> None:
    """Go on without a checkpoint that is not there, or not any more, and say so."""
    session = st.session_state
    for name, error in learners.missing(session.lab.learners).items():
        session.lab = replace(session.lab, learners=tuple(other for other in session.lab.learners if other != name))
        warn(f"{learners.title(name)} cannot be shown: {error}. Showing the others.")


def show(state: LabState) -> None:
    """Set the widgets to the state."""
    plain = ("K", "alpha", "num_updates", "noise", "free", *CHOICES)
    values = {name: getattr(state, name) for name in plain}
    values |= {"amplitude": state.task.amplitude, "phase": state.task.phase}
    values |= {"learners": list(in_order(state.learners)), "hide": list(state.hide)}
    values |= {"run": next((name for name in state.learners if name.startswith("run:")), None)}
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
    if session.lab.step != before.step:
        session.lab_step_epoch = secrets.token_hex(4)
    session.lab_verdict = None
    session.lab_remember = True


def changed(key: str) -> None:
    """A widget was moved."""
    value, name = st.session_state[key], key.removeprefix(controls.EXACT)
    if name == "learners":
        value = in_order(value)
    elif name == "hide":
        value = tuple(part for part in HIDE if part in value)
    old, when = st.session_state.lab_overwritten.get(key, (None, 0.0))
    echo = st.session_state[key] == old and time.monotonic() - when < ECHO_SECONDS
    if name == "run":
        if not echo:
            act(lambda state: state.change("learners", with_own(state, value)))
    elif value is not None and not echo:
        act(lambda state: state.change(name, value))


def with_own(state: LabState, own: str | None) -> tuple[str, ...]:
    """The learners with this checkpoint of one's own instead of any before it."""
    return in_order([name for name in state.learners if learners.role(name) != "own"] + ([own] if own else []))


def own_checkpoint(state: LabState) -> None:
    """A person's own checkpoint: a file, or a run trained on this server; and what deletes the file again."""
    with st.popover("your checkpoint", key="fold_checkpoint", on_change="rerun") as fold:
        if not fold.open:
            return
        uploads.uploader("upload", lambda own: act(lambda state: state.change("learners", with_own(state, own))))
        controls.trained_run(changed)
        for name in filter(uploads.deletable, state.learners):
            if st.button(f"Delete {plain(learners.title(name))}", key="upload_ask"):
                uploads.ask_to_delete(name, lambda _: act(lambda state: state.change("learners", with_own(state, None))))


def told() -> None:
    """The picture has said something. What arrives together is done in the order in which a person did it."""
    for name, message in component.messages(st.session_state.lab_heard):
        {"act": button_pressed, "shots": shots_edited, "step": step_rested}[name](message)


def button_pressed(asked: dict[str, Any]) -> None:
    """A button in the picture."""
    session = st.session_state
    if asked["visit"] != session.lab_visit:
        return
    match asked["name"]:
        case "new_task":
            act(LabState.new_task)
        case "sample":
            act(LabState.sample_shots)
        case "present":
            act(lambda state: state.change("present", not state.present))
        case "truth":
            act(lambda state: state.change("hide", tuple(part for part in state.hide if part != "truth")))
        case "reveal" if "names" in session.lab.hide:
            labels = [learners.look(name).label for name in session.lab.learners]
            act(lambda state: state.change("hide", tuple(part for part in state.hide if part != "names")))
            session.lab_verdict = {"guess": str(asked["value"])} | dict(zip(NEUTRAL, labels, strict=False))
        case "address":
            adopt(asked["value"])


def shots_edited(edit: dict[str, Any]) -> None:
    """An edit made in the picture. One that was made on shots since replaced from here comes too late and is dropped."""
    session = st.session_state
    if edit["epoch"] == session.lab_epoch or not edit["points"]:  # clearing means the same on any
        session.lab_remember = session.lab.shots is None  # one way back, to the shots before all editing
        session.lab = session.lab.place(edit["points"])
        session.lab_rev = edit["rev"]


def step_rested(rest: dict[str, Any]) -> None:
    """The picture came to rest at a step."""
    session = st.session_state
    session.lab = session.lab.change("step", int(rest["step"]))
    session.lab_remember = False


def address_changed() -> None:
    """Back or forward in the browser."""
    adopt(component.address())


main()
