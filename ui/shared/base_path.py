"""Where the app lies on its host: the base path, which `server.baseUrlPath` names and which stands before every address."""

from collections.abc import Callable
from urllib.parse import quote

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route


def base_path() -> str:
    """Empty, or one part or more with a slash before each: `/class`, `/school/class`."""
    parts = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{parts}" if parts else ""


def cookie_path() -> str:
    """What a cookie of ours is for: the app alone, not its neighbours on the same host."""
    return quote(base_path()) or "/"


def below_base(pages: list[Route], routes: list[Route]) -> list[Route]:
    """All of these below the base path, so that no address of ours is ever answered by a page of Streamlit's.

    Streamlit answers whatever it does not know with a page and status 200. So what lies in a folder of ours and is none of
    `routes` is 404, and a page's address with a slash too few or too many leads to the page. Those redirects are relative:
    a proxy may strip a path that the browser sees and we do not.
    """
    base, folders = base_path(), sorted({route.path.split("/")[1] for route in routes})
    there = [Route(base + route.path, route.endpoint, methods=list(route.methods or ())) for route in (*pages, *routes)]
    slashes = [Route(f"{base}{page.path}/", _to(f"..{page.path}")) for page in pages if page.path != "/"]
    if base:
        slashes.append(Route(base, _to(f"{base.rpartition('/')[2]}/")))
    return [*there, *slashes, *(Route(f"{base}/{folder}/{{rest:path}}", _nothing) for folder in folders)]


def _to(address: str) -> Callable[[Request], Response]:
    def moved(request: Request) -> Response:
        query = request.scope["query_string"].decode("latin-1")
        return RedirectResponse(f"{address}?{query}" if query else address)

    return moved


def _nothing(request: Request) -> Response:
    return PlainTextResponse("There is nothing at this address", status_code=404, headers={"Cache-Control": "no-store"})
