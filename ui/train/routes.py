"""The routes by which a page watches and steers runs.

Everything that moves while a run trains is served by these, at a fraction of what a rerun of a page costs. No streamlit here.
"""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ui.shared import incoming, turns, visitors
from ui.shared.routes import of_query, route
from ui.train import everybody, steering, watching

_at_runs = turns.Desk("steering", 4, 1)
"""Where runs are steered: who waits there until a run lets go holds up no answer."""

_with_snapshots = turns.Desk("snapshots", 2, 1)
"""Where each snapshot of a run adapts to a task: for large networks that takes long."""


def routes() -> list[Route]:
    """The routes, below /train."""

    async def steer(request: Request) -> dict[str, Any]:
        asked = await incoming.json_object(request)
        if not {"run", "do"} <= asked.keys():
            raise incoming.Refused(400, "run and do are expected")
        what = str(asked["run"]), str(asked["do"]), asked.get("value")
        act = partial(steering.act, *what, token=visitors.token_of(request), local=visitors.asks_here(request))
        await _at_runs.done(turns.Visitor.of(request), act)
        return {}

    def list_of(request: Request) -> dict[str, Any]:
        also, local = request.query_params.getlist("also"), visitors.asks_here(request)
        return watching.list_for(visitors.token_of(request), also, local)

    def of_everybody(request: Request) -> dict[str, Any]:
        if not visitors.asks_here(request):
            raise incoming.Refused(403, everybody.REFUSED)
        return everybody.listed()

    return [
        route("/train/runs.json", list_of),
        route("/train/everybody.json", of_everybody),
        route("/train/run.json", of_query(watching.details)),
        route("/train/task.json", of_query(watching.task), desk=_with_snapshots),
        route("/train/act", steer, method="POST"),
    ]
