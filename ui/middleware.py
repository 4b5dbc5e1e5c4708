"""What lies between the network and the app: a cookie, answers sent at once, those who leave, figures kept at home."""

import asyncio
import logging
import socket
from contextlib import nullcontext, suppress

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import status
from ui.shared import visitors


class Acquaintance:
    """Gives the browser that is given a page a word that it is known by from then on."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", visitors.new_cookie())
            await send(message)

        stranger = scope["type"] == "http" and visitors.COOKIE not in HTTPConnection(scope).cookies
        await self.app(scope, receive, with_cookie if stranger else send)


class Presence:
    """Takes note of who has a page open: it keeps a socket of Streamlit's open as well."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        token = visitors.token_of(HTTPConnection(scope)) if scope["type"] == "websocket" else ""
        with visitors.being_here(token) if token else nullcontext():
            await self.app(scope, receive, send)


class Leaving:
    """Takes no notice of whoever goes away while we read or write: that is no error of ours, and nobody is there to be told."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        try:
            await self.app(scope, receive, send)
        except ClientDisconnect:
            logging.getLogger("maml_lab").debug("%s: left before the end", scope["path"])


class MetricsAtHome:
    """Gives the figures of the server to the machine itself alone: they say how many are here and what they do."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        app = self.app
        is_asked = scope["type"] == "http" and scope["path"].endswith(("/_stcore/metrics", status.ADDRESS))
        if is_asked and not visitors.asks_here(HTTPConnection(scope)):
            app = PlainTextResponse("Only the machine that serves may read these figures", status_code=403)
        await app(scope, receive, send)


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
