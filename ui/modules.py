"""What the browser fetches from us: modules, style sheets and data, at one address that changes with their content."""

import hashlib
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

_HERE = Path(__file__).parent
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
SHEETS = ("style.css", "shared/views.css")
"""Fetched before anything is drawn, the house style too: no picture should be drawn on a page about to change its width."""
FILES = {
    path.relative_to(_HERE).as_posix(): path
    for path in sorted((*(path for kind in _MEDIA_TYPES for path in _HERE.glob(f"*/*{kind}")), _HERE / "style.css"))
}
"""Name in the address -> file."""
_VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in FILES.values())).hexdigest()[:12]

# Streamlit resends a component's inline code at every rerun, so inline is only what fetches the rest.
_LOADER = """
const base = new URL("modules/{version}/", document.baseURI).href;
const main = import(base + "{name}/main.js");
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


def component(name: str) -> Any:
    """The component whose modules lie in ui/`name`; its main.js exports `render(component, base)` and `remove(parent)`."""
    loader = _LOADER.format(version=_VERSION, name=name)
    return st.components.v2.component(f"maml_lab.{name}", html="<div></div>", js=loader, isolate_styles=False)


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


def preloads(*folders: str) -> str:
    """Links for a page's head: what lies in these folders is fetched while Streamlit is still starting."""
    how = {".js": 'rel="modulepreload"', ".css": 'rel="preload" as="style"'}
    wanted = [name for name in FILES if name in SHEETS or name.partition("/")[0] in folders]
    return "\n".join(f'    <link {how[FILES[name].suffix]} href="./modules/{_VERSION}/{name}" />' for name in wanted)


def script(name: str) -> str:
    """A module that a page runs from its head, beside every component."""
    return f'    <script type="module" src="./modules/{_VERSION}/{name}"></script>'
