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

from ui import browsers, modules

PAGES = {
    "/": ["task_plot", "start_view"],
    "/lessons": ["task_plot", "lesson_view"],
    "/lab": ["task_plot"],
    "/explore": ["shared", "explore_view", "address"],
    "/geometry": ["shared", "task_plot", "geometry_view"],
    "/train": ["task_plot", "training_view"],
    "/checkpoints": ["cards", "address"],
    "/classroom": ["task_plot", "lesson_view", "classroom_view"],
}
"""Path of a page -> the folders of the modules it needs."""


@cache
def pages() -> dict[str, str]:
    """Path of a page -> its HTML."""
    streamlits = Path(file_util.get_static_dir(), "index.html").read_text("utf-8")

    def html(folders: list[str]) -> str:
        head = f"{modules.preloads(*folders)}\n{modules.script('glossary/glossary.js')}"
        page = streamlits.replace("</head>", f"{head}\n  </head>")
        page = re.sub("<noscript>.*</noscript>", browsers.NO_SCRIPT, page, flags=re.DOTALL)  # Streamlit's speaks to programs
        return page.replace("</body>", f"  {browsers.old_browser(browsers.STREAMLIT_NEEDS)}\n  </body>")

    return {path: html(folders) for path, folders in PAGES.items()}


def routes() -> list[Route]:
    """One for each page; revalidated each time, since the addresses in it change with what the modules contain."""

    def route(path: str, html: str) -> Route:
        def page(request: Request) -> Response:
            return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

        return Route(path, page)

    return [route(path, html) for path, html in pages().items()]
