"""MAML Lab: `streamlit run app.py`. The server: warm start, routes, compression. What it serves is framed by ui/frame.py."""

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ui import connections, page_html, status, trust
from ui.characters import engine as reading
from ui.characters import routes as characters
from ui.chart import plotly_file
from ui.checkpoints import routes as checkpoints
from ui.classroom import live, reach, who
from ui.classroom import routes as classroom
from ui.explore import maps
from ui.geometry import planes
from ui.lab import engine, exports
from ui.lab.old_links import OldLinks
from ui.lessons import routes as lessons
from ui.middleware import Acquaintance, AtOnce, Leaving, MetricsAtHome, Presence
from ui.sessions import Sessions, Uploads
from ui.shared import heap, modules, remembered
from ui.shared.base_path import below_base
from ui.train import routes as training
from ui.train import steering


@asynccontextmanager
async def warm_start(app: st.App) -> AsyncIterator[None]:
    """Load the checkpoints and adapt once before the first visitor comes, then leave all that out of garbage collection."""
    tending = asyncio.create_task(heap.tend())
    await asyncio.to_thread(engine.warm)
    await asyncio.to_thread(reading.warm)
    await asyncio.to_thread(plotly_file.compressed)
    steering.start()
    reach.know(st.get_option("server.address"))
    live.start()
    before_stopping(live.stop)
    gc.collect()
    gc.freeze()
    async with connections.bounded(bounds):
        yield
    tending.cancel()
    steering.stop()


def before_stopping(act: Callable[[], None]) -> None:
    """Do something as soon as the server is told to end. What comes after `yield` waits until every question is answered."""
    if threading.current_thread() is not threading.main_thread():
        return
    for sign in (signal.SIGINT, signal.SIGTERM):
        then = signal.getsignal(sign)

        def told(number: int, frame: FrameType | None, then: Any = then) -> None:
            act()
            if callable(then):
                then(number, frame)

        signal.signal(sign, told)


def explain(error: Exception) -> bool:
    """Say in words that something went wrong; the traceback goes to the server's log."""
    logging.getLogger("maml_lab").error("a page failed", exc_info=error)
    st.error(
        "Something went wrong on this page. Your settings are in the address: reload to try again, or open the page without them."
    )
    return True


ROUTES = [
    *exports.routes(),
    *characters.routes(),
    *checkpoints.routes(),
    *maps.routes(),
    *planes.routes(),
    *training.routes(),
    *lessons.routes(who.withholds),
    *classroom.routes(),
    *status.routes(),
]
"""What the pages ask of the server."""

try:
    may_frame, bounds = trust.may_frame(), connections.Bounds.read()
    remembered.start()
except ValueError as error:
    sys.exit(str(error))

app = st.App(
    Path(__file__).parent / "ui" / "frame.py",
    lifespan=warm_start,
    routes=below_base(
        page_html.routes(),
        [modules.route(), plotly_file.route(), *ROUTES],
    ),
    on_script_error=explain,
    middleware=[
        Middleware(AtOnce),
        Middleware(trust.Trust, policy=trust.policy(page_html.pages().values(), may_frame)),
        Middleware(Leaving),
        # Streamlit asks its own socket alone who it is spoken to as; a page elsewhere must not speak to a route by another name.
        Middleware(TrustedHostMiddleware, allowed_hosts=st.get_option("server.allowedHosts") or ["*"], www_redirect=False),
        Middleware(MetricsAtHome),
        Middleware(OldLinks),
        # On the event loop: level 9 saves a tenth of the bytes and takes twice as long.
        Middleware(GZipMiddleware, minimum_size=1000, compresslevel=3),
        Middleware(Acquaintance),
        Middleware(Presence),
        Middleware(Sessions),
        Middleware(Uploads),
    ],
)
