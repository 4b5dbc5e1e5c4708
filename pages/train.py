"""Meta-training: a recipe -> a run in a process of its own -> the view that watches it. Settings live in one dictionary."""

from typing import Any

import streamlit as st

from maml_core import runs
from maml_core.config import DEFAULTS, ConfigError, TrainConfig, without_effect
from maml_core.errors import RunError
from maml_core.palette import ROLES
from ui.checkpoints import recipe
from ui.checkpoints.recipe import CONFIG_LABELS
from ui.shared import learners, viewer
from ui.shared.messages import plain
from ui.train import component, controls, steering, watching

DEFAULT = next(iter(steering.presets()))
COLUMNS = 5


def main() -> None:
    """The page."""
    session = st.session_state
    if "train_values" not in session:
        session.train_values = values_of(steering.presets()[DEFAULT])
        session.train_start = None  # {run, iteration, title}: the snapshot to go on from
        session.train_selected, session.train_pressed, session.train_templates = "", 0, 0
        session.train_problem = ""
    config, problem = chosen()
    with st.container(key="train_form"):
        draw_form(config, problem)
    marks = watching.marks(steering.presets()[DEFAULT])
    component.train(session.train_selected, session.train_pressed, marks, on_template=template_taken)


def draw_form(config: TrainConfig | None, problem: str) -> None:
    """The recipe and the button."""
    session = st.session_state
    start, local = session.train_start, viewer.is_local()
    refused, done = steering.refusal(local), start["iteration"] if start else 0
    if config is not None:
        problem = steering.too_long(config, local, done)
    with st.container(horizontal=True, vertical_alignment="center", key="train_recipe"):
        names = list(steering.presets())
        session.train_preset = next((name for name in names if steering.presets()[name] == config), None)
        st.pills("recipe", names, key="train_preset", label_visibility="collapsed", on_change=preset_taken)
        blocked = bool(refused or problem) or config is None
        st.button("Train", type="primary", key="train_press", on_click=pressed, disabled=blocked, help=refused or None)
        if config is not None:
            st.caption(f"{steering.time_words(config, done)} on this machine")
    if start:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Continues from iteration {start['iteration']:,} of {plain(start['title'])}.")
            st.button("Start from scratch instead", key="train_scratch", on_click=from_scratch, type="tertiary")
    if said := refused or problem or session.train_problem:
        st.error(plain(said))
    taken = session.train_templates  # a new fold, open, each time that settings were taken over
    with st.expander("All settings", expanded=taken > 0, key=f"train_settings_{taken}"):
        draw_settings()


def draw_settings() -> None:
    """Every setting of a run, each with its meaning and its range. One without effect shows its default, and waits."""
    values, idle = in_effect()
    for name, value in values.items():
        st.session_state[f"train_{name}"] = value
    names = [*CONFIG_LABELS, "device"]
    for first in range(0, len(names), COLUMNS):
        for name, column in zip(names[first:], st.columns(COLUMNS, vertical_alignment="bottom"), strict=False):
            with column:
                if name == "device":
                    controls.device("train_device", setting_changed)
                else:
                    controls.config_field(name, f"train_{name}", setting_changed, idle.get(name, ""))


def in_effect() -> tuple[dict[str, Any], dict[str, str]]:
    """The settings as a run has them, and those that have no effect now, which show their default, each with the reason."""
    values = st.session_state.train_values
    idle = without_effect(values["algorithm"], values["num_updates"])
    return values | {name: DEFAULTS[name] for name in idle}, idle


def chosen() -> tuple[TrainConfig | None, str]:
    """The config that the settings make, or why they make none."""
    (values, _), start = in_effect(), st.session_state.train_start
    settings = {name: values[name] for name in CONFIG_LABELS}
    try:
        config = TrainConfig(**settings | {"hidden": steering.widths(values["hidden"])})
        if start:
            runs.training_state_at(learners.snapshot(start["run"], start["iteration"]), config)
    except (ConfigError, RunError, ValueError) as error:
        return None, str(error)
    return config, ""


def values_of(config: TrainConfig) -> dict[str, Any]:
    """The form's values for a config."""
    settings = {name: getattr(config, name) for name in CONFIG_LABELS}
    return settings | {"hidden": ", ".join(map(str, config.hidden)), "device": "auto"}


def preset_taken() -> None:
    """A preset was chosen; a second press on the one chosen leaves it."""
    session = st.session_state
    if name := session.train_preset:
        session.train_values = values_of(steering.presets()[name])
        session.train_start, session.train_problem = None, ""


def setting_changed(name: str) -> None:
    """One field was changed. An emptied one keeps its value."""
    value, session = st.session_state[f"train_{name}"], st.session_state
    if value is not None:
        session.train_values = session.train_values | {name: value}
    session.train_problem = ""


def from_scratch() -> None:
    """Not from a snapshot after all."""
    st.session_state.train_start = None


def template_taken() -> None:
    """A new run is to be made from one there is: its settings, and the snapshot to go on from if there is one."""
    session, asked = st.session_state, component.template()
    session.train_problem = ""
    try:
        run = runs.look(learners.run_folder(str(asked["run"])))
    except (RunError, ValueError) as error:
        session.train_problem = str(error)
        return
    session.train_values = values_of(run.config)
    session.train_templates += 1
    title, iteration = run.about["title"] or run.name, asked.get("iteration")
    session.train_start = {"run": run.name, "iteration": iteration, "title": title} if iteration else None


def pressed() -> None:
    """Train."""
    session = st.session_state
    session.train_problem = ""
    config, _ = chosen()
    if config is None:
        return
    start = session.train_start
    name = next(
        (name for name, preset in steering.presets().items() if preset == config),
        f"{ROLES[config.algorithm].label}, {recipe.counted(config.K, 'shot')}",
    )
    try:
        beginning = learners.snapshot(start["run"], start["iteration"]) if start else None
        session.train_selected = steering.press(
            config,
            viewer.token(),
            name,
            local=viewer.is_local(),
            network=viewer.network(),
            device=session.train_values["device"],
            beginning=beginning,
        )
        session.train_pressed += 1
    except (ConfigError, RunError, ValueError) as error:
        session.train_problem = str(error)


main()
