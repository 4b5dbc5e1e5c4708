"""MAML Lab: `streamlit run app.py`. The server: warm start, routes, compression. What it serves is framed by ui/frame.py."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from ui import engine, task_plot


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


app = st.App(
    Path(__file__).parent / "ui" / "frame.py",
    lifespan=warm_start,
    routes=[task_plot.route()],
    on_script_error=explain,
    middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
)
