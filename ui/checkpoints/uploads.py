"""Bringing a checkpoint and deleting it again: the uploader, what is wrong with a file, the settings of one that carries none."""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from maml_core.checkpoint import CheckpointError, NoRecipe, Told
from maml_core.config import JOINT, TrainConfig
from ui.checkpoints.recipe import CHOICE_LABELS, CONFIG_LABELS
from ui.shared import learners, viewer
from ui.shared.messages import plain, tell, warn

Taken = Callable[[str], None]
"""Called with the name of what was brought, as a learner."""
FORMATS = (
    "A .safetensors file: a checkpoint from this project, or any network of Linear layers and ReLU with one input and one output."
)


def uploader(key: str, taken: Taken) -> None:
    """The field for a file, and below it what became of the last one."""
    session = st.session_state
    most = st.get_option("server.maxUploadSize")
    about = f"{FORMATS} It may have {most} MB, and is read, never executed."
    st.file_uploader("upload a checkpoint", key=key, help=about, on_change=_brought, args=(key, taken))
    problem = session.get(f"{key}_problem")
    if (file := _file(key)) and not isinstance(problem, NoRecipe):
        file.close()  # a page is not to hold what it has read
    if isinstance(problem, NoRecipe):
        _settings(key, problem, taken)
    elif problem:
        st.error(plain(str(problem)))
        if problem.remedy:
            st.code(problem.remedy, "python", wrap_lines=True)
    elif note := session.get(f"{key}_note"):
        st.warning(plain(note))


def deletable(name: str) -> bool:
    """Whether this visitor may delete this learner."""
    return learners.may_delete(name, viewer.owner(), viewer.is_local())


def ask_to_delete(name: str, deleted: Taken) -> None:
    """A dialog that deletes an upload, or does not."""

    @st.dialog(f"Delete {plain(learners.title(name))}?")
    def dialog() -> None:
        st.write("It will be deleted for everyone, and links to it will say so. This cannot be undone.")
        with st.container(horizontal=True):
            if st.button("Delete", type="primary", key="upload_delete"):
                _delete(name, deleted)
                st.rerun()
            if st.button("Keep", key="upload_keep"):
                st.rerun()

    dialog()


def _delete(name: str, deleted: Taken) -> None:
    title = learners.title(name)
    try:
        learners.delete(name, viewer.owner(), viewer.is_local())
    except CheckpointError as error:
        warn(f"{title} was not deleted: {error}.")
        return
    tell(f"{title} was deleted.")
    deleted(name)


def _brought(key: str, taken: Taken) -> None:
    """A file was chosen, or taken out of the field again."""
    session = st.session_state
    if isinstance(session[key], DeletedFile):  # it was read when it came
        return
    session[f"{key}_problem"] = session[f"{key}_note"] = session[f"{key}_wrong"] = None
    if session[key] is not None:
        _add(key, taken, None)


def _file(key: str) -> UploadedFile | None:
    """The file in the field, if the server holds it still."""
    found = st.session_state[key]
    return found if isinstance(found, UploadedFile) else None


def _add(key: str, taken: Taken, told: Told | None) -> None:
    session = st.session_state
    file = _file(key)
    session[f"{key}_problem"] = None
    try:
        if not file:
            raise CheckpointError("the server does not hold this file any more: choose it again")
        name = learners.add(file.getvalue(), file.name, viewer.owner(), told)
        session[f"{key}_note"] = learners.get(name).warning()
    except CheckpointError as error:
        session[f"{key}_problem"] = error
        return
    taken(name)


def _settings(key: str, problem: NoRecipe, taken: Taken) -> None:
    """What a file does not say of itself."""
    st.markdown(plain(f"{problem}. Its layers are assumed to have ReLU between them."))
    fields = {name: f"{key}_{name}" for name in Told._fields}
    default = TrainConfig()
    st.selectbox(CONFIG_LABELS["algorithm"], problem.choices, key=fields["algorithm"], format_func=CHOICE_LABELS.__getitem__)
    with st.container(horizontal=True):
        st.number_input(CONFIG_LABELS["alpha"], value=default.alpha, step=None, format="%.6g", key=fields["alpha"])
        joint = st.session_state[fields["algorithm"]] in JOINT
        help = "The number of inner steps it was trained for. Baselines are trained without inner steps."
        st.number_input(
            "inner steps in training", value=default.num_updates, step=1, key=fields["num_updates"], disabled=joint, help=help
        )
    st.button("Use it", key=f"{key}_use", on_click=_told, args=(key, fields, taken))
    if wrong := st.session_state.get(f"{key}_wrong"):
        st.error(plain(wrong))


def _told(key: str, fields: dict[str, str], taken: Taken) -> None:
    """The settings were given."""
    session = st.session_state
    asked, session[f"{key}_wrong"] = session[f"{key}_problem"], ""
    algorithm, alpha, num_updates = (session[fields[name]] for name in Told._fields)
    if alpha is None or num_updates is None:
        session[f"{key}_wrong"] = "Enter a step size and a number of steps."
        return
    _add(key, taken, Told(algorithm, alpha, num_updates))
    if problem := session[f"{key}_problem"]:  # a value out of range: ask again
        session[f"{key}_problem"], session[f"{key}_wrong"] = asked, str(problem)
