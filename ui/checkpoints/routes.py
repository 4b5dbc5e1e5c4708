"""The routes that hand out a learner's checkpoint: its file alone, or a zip with all that is known of it. No streamlit here."""

from starlette.responses import FileResponse, Response
from starlette.routing import Route

from maml_core import checkpoint
from ui.checkpoints import bundle
from ui.lab.state import LabState
from ui.shared import learners
from ui.shared.routes import download, of_query, route


def routes() -> list[Route]:
    """The routes, below /lab, where they have always been: links to them are in use."""
    return [
        route("/lab/checkpoint", of_query(lambda query: _checkpoint(query.get("learner", "")))),
        route("/lab/bundle.zip", of_query(lambda query: _bundle(query.get("learner", "")))),
    ]


def _checkpoint(name: str) -> Response:
    learner = _one_learner(name)
    file = f"{learners.stem(learner)}.safetensors"
    if learner == "random":
        return download(checkpoint.dumps(learners.get(learner)), file, "application/octet-stream")
    return FileResponse(learners.find(learner), filename=file, media_type="application/octet-stream")


def _bundle(name: str) -> Response:
    learner = _one_learner(name)
    if learner == "random":
        raise ValueError("the untrained network has no file: choose another learner")
    return download(bundle.zipped(learner), f"{learners.stem(learner)}.zip", "application/zip")


def _one_learner(name: str) -> str:
    state = LabState.only_from({"learners": name})
    if len(state.learners) != 1 or name.startswith("~"):
        raise ValueError("name one learner")
    return state.learners[0]
