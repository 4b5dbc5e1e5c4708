"""The page a browser is given: Streamlit's own, with what it will need named in its head, so that all is fetched at once, and
a sentence for a browser that cannot show it.

In the head and not as a `Link` header: a proxy takes so many bytes of headers (nginx 4,096) and refuses a page with more.
"""

import re
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from streamlit import file_util

from ui.chart import plotly_file
from ui.shared import browsers, modules

PAGES = {
    "/": ["start/main.js"],
    "/lessons": ["lessons/main.js"],
    "/lab": ["lab/main.js"],
    "/characters": ["characters/main.js"],
    "/explore": ["explore/main.js", "shared/addressed.js"],
    "/geometry": ["geometry/main.js"],
    "/train": ["train/main.js"],
    "/checkpoints": ["checkpoints/errors.js", "shared/addressed.js"],
    "/classroom": ["classroom/main.js"],
}
"""Path of a page -> the main modules of its components."""
BESIDE = ["glossary/glossary.js", "shared/away.js"]
"""What runs on every page, beside all components."""
CALM = "<script>window.__streamlit = { HOST_CONFIG: { blockErrorDialogs: true } };</script>"
"""Keeps Streamlit from asking people to restart it in their terminal: ui/shared/away.js says that the server is away."""


@cache
def pages() -> dict[str, str]:
    """Path of a page -> its HTML."""
    streamlits = Path(file_util.get_static_dir(), "index.html").read_text("utf-8")

    def html(mains: list[str]) -> str:
        draws = any("chart/chart.js" in modules.needed(main) for main in mains)
        scripts = "\n".join(map(modules.script, BESIDE))
        head = f"    {CALM}\n{modules.preloads(*mains)}\n{plotly_file.link(draws)}\n{scripts}"
        page = streamlits.replace("</head>", f"{head}\n  </head>")
        page = re.sub("<noscript>.*</noscript>", browsers.NO_SCRIPT, page, flags=re.DOTALL)  # Streamlit's speaks to programs
        return page.replace("</body>", f"  {browsers.old_browser(browsers.STREAMLIT_NEEDS)}\n  </body>")

    return {path: html(mains) for path, mains in PAGES.items()}


def routes() -> list[Route]:
    """One for each page; revalidated each time, since the addresses in it change with what the modules contain."""

    def route(path: str, html: str) -> Route:
        def page(request: Request) -> Response:
            return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

        return Route(path, page)

    return [route(path, html) for path, html in pages().items()]
