"""What lies between the network and the app: old links, headers of pages, answers sent at once."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import fields

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import modules, training
from ui.state import LabState

PRELOADS = {
    "/": ["task_plot", "start_view"],
    "/lessons": ["task_plot", "lesson_view"],
    "/lab": ["task_plot"],
    "/explore": ["explore_view"],
    "/geometry": ["task_plot", "geometry_view"],
    "/train": ["task_plot", "training_view"],
    "/classroom": ["task_plot", "lesson_view", "classroom_view"],
}
"""Path of a page -> the folders of the modules it needs."""
LAB_PARAMETERS = {field.name for field in fields(LabState)}


def _page(scope: Scope) -> str:
    """The path of a page, below whatever path the app is served from."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    base = "/" + (st.get_option("server.baseUrlPath") or "").strip("/")
    return path.removeprefix(base) if base != "/" and path.startswith(base + "/") else path


class OldLabLinks:
    """Sends a link to the lab from when it was the first page to where the lab is now; the start page has no parameters."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect, or pass on."""
        first = scope["type"] == "http" and _page(scope) == "/"
        if first and LAB_PARAMETERS & HTTPConnection(scope).query_params.keys():
            # Relative, so that it is right below any path that a proxy serves this from.
            moved = RedirectResponse("lab?" + scope["query_string"].decode("latin-1"), status_code=307)
            await moved(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class PageHeaders:
    """Adds to the response that is a page: what the browser may fetch at once, and a word that it is known by from then on."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    if folders := PRELOADS.get(_page(scope)):
                        headers["Link"] = modules.preloads(*folders)
                    if training.COOKIE not in HTTPConnection(scope).cookies:
                        headers.append("Set-Cookie", training.new_cookie())
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class AtOnce:
    """Has answers sent at once. asyncio sees to that itself, but not on the sockets that Streamlit makes: on these the end of an
    answer waits until the browser has confirmed its beginning, 40 ms and more.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        transport = getattr(getattr(receive, "__self__", None), "transport", None)  # uvicorn's; another server has its own ways
        if isinstance(transport, asyncio.Transport) and (connection := transport.get_extra_info("socket")):
            with suppress(OSError):  # no TCP
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self.app(scope, receive, send)
