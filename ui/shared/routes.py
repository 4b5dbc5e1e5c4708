"""A route: what it makes of a request is the answer, and an error one sentence on why there is none. No streamlit here."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from maml_core.errors import RunError
from ui.shared import turns
from ui.shared.incoming import Refused
from ui.shared.turns import Desk, answering


def route(
    path: str,
    make: Callable[[Request], Any],
    *,
    method: str = "GET",
    desk: Desk | Callable[[Request], Desk] = answering,
    headers: Mapping[str, str] | None = None,
) -> Route:
    """What `make(request)` gives is answered: a Response as it is, anything else as JSON, and nothing is kept on the way.

    make runs on the event loop if it is a coroutine; else at its turn at this desk, or at that of the request. An error that it
    raises is answered with status 400, or that of a Refused. headers: stand in every answer.
    """

    async def answer(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(make):
                response = _as_response(await make(request))
            else:
                here = desk if isinstance(desk, Desk) else desk(request)
                response = await turns.answered(request, lambda: _as_response(make(request)), here)
        except Refused as refused:
            response = refused.answer()
        except (ValueError, RunError) as error:  # one sentence each
            response = PlainTextResponse(str(error), status_code=400)
        except OSError as error:  # whose own words name a path of this machine
            words = f"A file cannot be read or written now: {error.strerror or type(error).__name__}"
            response = PlainTextResponse(words, status_code=400)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.update(headers or {})
        return response

    return Route(path, answer, methods=[method])


def of_query(make: Callable[[QueryParams], Any]) -> Callable[[Request], Any]:
    """For what a request asks by its parameters alone."""
    return lambda request: make(request.query_params)


def download(content: str | bytes, name: str, media_type: str) -> Response:
    """The answer to a browser that asked for a file of this name."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _as_response(made: Any) -> Response:
    return made if isinstance(made, Response) else JSONResponse(made)
