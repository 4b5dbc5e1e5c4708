"""MAML Lab: `streamlit run app.py`. The server: warm start, routes, compression. What it serves is framed by ui/frame.py."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import engine, exports, modules


@asynccontextmanager
async def warm_start(app: st.App) -> AsyncIterator[None]:
    """Load the checkpoints and adapt once before the first visitor comes, then leave all that out of garbage collection."""
    await asyncio.to_thread(engine.warm)
    gc.collect()
    gc.freeze()
    yield


def explain(error: Exception) -> bool:
    """Say in words that something went wrong; the traceback goes to the server's log."""
    logging.getLogger("maml_lab").error("a page failed", exc_info=error)
    st.error("Something went wrong on this page. Your settings are in the address: reload to go on, or open the plain address.")
    return True


class Preload:
    """Adds to the page's own response what the browser may fetch at once."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; a response that is a page gets the header."""

        async def with_links(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html") and scope["path"] == "/":
                    headers["Link"] = modules.preloads("task_plot")
            await send(message)

        await self.app(scope, receive, with_links if scope["type"] == "http" else send)


app = st.App(
    Path(__file__).parent / "ui" / "frame.py",
    lifespan=warm_start,
    routes=[modules.route(), *exports.routes()],
    on_script_error=explain,
    middleware=[Middleware(GZipMiddleware, minimum_size=1000), Middleware(Preload)],
)
