"""A route: what it makes of a request is the answer, and an error one sentence on why there is none. No streamlit here."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from maml_core.errors import RunError
from ui.shared import measuring
from ui.shared.incoming import Refused


def route(
    path: str,
    make: Callable[[Request], Any],
    *,
    method: str = "GET",
    workers: Executor | None = None,
    measures: bool | Callable[[Request], bool] = False,
    headers: Mapping[str, str] | None = None,
) -> Route:
    """What `make(request)` gives is answered: a Response as it is, anything else as JSON, and nothing is kept on the way.

    make runs on the event loop if it is a coroutine; else at its turn among what measures, in `workers`, or on the threads that
    answer all else. measures: whether it does, or which requests make it do so. An error that it raises is answered with status
    400, or that of a Refused. headers: stand in every answer.
    """

    def made(request: Request) -> Response:
        return _as_response(make(request))

    async def answer(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(make):
                response = _as_response(await make(request))
            elif measures is True or (measures and measures(request)):
                response = await measuring.answered(request, lambda: made(request))
            elif workers:
                response = await asyncio.get_running_loop().run_in_executor(workers, made, request)
            else:
                response = await run_in_threadpool(made, request)
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
