"""The one copy of Plotly that draws every chart: the one inside the installed package, compressed once. No streamlit here."""

import base64
import gzip
import hashlib
from functools import cache
from pathlib import Path

import plotly
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PREFIX = "plotly"


@cache
def name() -> str:
    """Its name in an address, which changes with its content."""
    return f"{PREFIX}/{hashlib.sha256(FILE.read_bytes()).hexdigest()[:12]}.js"


@cache
def compressed() -> bytes:
    """The file by gzip; made before the first visitor comes, since it takes a third of a second."""
    return gzip.compress(FILE.read_bytes(), mtime=0)


def route() -> Route:
    """Where the browser finds it, cached for a year."""

    def file(request: Request) -> Response:
        if request.path_params["name"] != name().partition("/")[2]:
            return Response("not found", status_code=404, media_type="text/plain")
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return FileResponse(FILE, media_type="text/javascript", headers=headers)
        return Response(compressed(), media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})

    return Route(f"/{PREFIX}/{{name}}", file)


def carried() -> str:
    """For a page that is its own file: the whole of Plotly, compressed as it is sent, for plotly.js to unpack."""
    return f'<script type="text/plain" data-plotly>{base64.b64encode(compressed()).decode("ascii")}</script>'


def link(needed: bool) -> str:
    """A link for a page's head, by which charts find it. needed: whether the page draws; else it is fetched for the next one."""
    how = 'rel="preload" as="script" fetchpriority="low"' if needed else 'rel="prefetch"'
    return f'    <link {how} href="./{name()}" data-plotly />'
