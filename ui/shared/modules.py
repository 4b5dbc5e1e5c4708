"""What the browser fetches from us: modules, style sheets and data, at one address that changes with their content."""

import hashlib
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

_UI = Path(__file__).parents[1]
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
_SHEETS = ["style.css", "shared/views.css"]
"""Fetched before anything is drawn, the house style too: no picture should be drawn on a page about to change its width."""
_IMPORTED = re.compile(r'\b(?:from|import) "(\.[^"]+\.js)"')
_SHEET = re.compile(r'"([a-z]+/[a-z]+\.css)"')
FILES = {
    path.relative_to(_UI).as_posix(): path
    for path in sorted((*(path for kind in _MEDIA_TYPES for path in _UI.glob(f"*/*{kind}")), _UI / "style.css"))
}
"""Name in the address -> file."""
_VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in FILES.values())).hexdigest()[:12]

# Streamlit resends a component's inline code at every rerun, so inline is only what fetches the rest.
_LOADER = """
const base = new URL("modules/{version}/", document.baseURI).href;
const main = import(base + "{main}");
export default function (component) {{
  let gone = false;
  const absent = () => {{
    const words = "This part of the page did not load. Reload the page; if that does not help, the server was not reached at ";
    component.parentElement.innerHTML = '<p role="alert"></p>';
    component.parentElement.firstChild.textContent = words + base;
  }};
  main.then(({{ render }}) => gone || render(component, base), () => gone || absent());
  return () => {{
    gone = true;
    main.then(({{ remove }}) => remove(component.parentElement), () => {{}});
  }};
}}
"""


def component(main: str) -> Any:
    """The component whose main module, named as in ui/, exports `render(component, base)` and `remove(parent)`."""
    loader = _LOADER.format(version=_VERSION, main=main)
    name = main.removesuffix(".js").replace("/", ".")
    return st.components.v2.component(f"maml_lab.{name}", html="<div></div>", js=loader, isolate_styles=False)


@cache
def needed(main: str) -> list[str]:
    """Names of a main module, of all modules that it imports, and of the style sheets that these name."""
    found, ahead = {main: None}, [main]
    while ahead:
        name = ahead.pop()
        text = FILES[name].read_text("utf-8")
        below = [_beside(name, other) for other in _IMPORTED.findall(text)]
        news = [other for other in [*below, *(sheet for sheet in _SHEET.findall(text) if sheet in FILES)] if other not in found]
        found |= dict.fromkeys(news)
        ahead += [other for other in news if other.endswith(".js")]
    return list(found)


def absolute(name: str, text: str) -> str:
    """The text of a module with its imports named as in ui/, not from where it lies."""
    return _IMPORTED.sub(lambda found: found[0].replace(found[1], _beside(name, found[1])), text)


def _beside(name: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), other))


def route() -> Route:
    """Where the browser finds them, cached for a year."""

    def file(request: Request) -> Response:
        path = FILES.get(request.path_params["name"])
        if path is None or request.path_params["version"] != _VERSION:
            return PlainTextResponse("not found", status_code=404)
        return FileResponse(
            path, media_type=_MEDIA_TYPES[path.suffix], headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )

    return Route("/modules/{version}/{name:path}", file)


def preloads(*mains: str) -> str:
    """Links for a page's head: what these main modules need is fetched while Streamlit is still starting."""
    how = {".js": 'rel="modulepreload"', ".css": 'rel="preload" as="style"'}
    wanted = dict.fromkeys([*_SHEETS, *(name for main in mains for name in needed(main))])
    return "\n".join(f'    <link {how[FILES[name].suffix]} href="./modules/{_VERSION}/{name}" />' for name in wanted)


def script(name: str) -> str:
    """A module that a page runs from its head, beside every component."""
    return f'    <script type="module" src="./modules/{_VERSION}/{name}"></script>'
