"""What the browser fetches for our components: modules and style sheets, at one address that changes with their content."""

import hashlib
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

_HERE = Path(__file__).parent
SHEETS = ("style.css", "task_plot/lab.css")
"""Fetched before anything is drawn, the house style too: no picture should be drawn on a page about to change its width."""
FILES = {
    path.relative_to(_HERE).as_posix(): path
    for path in sorted((*_HERE.glob("*/*.js"), *_HERE.glob("*/*.css"), _HERE / "style.css"))
}
"""Name in the address -> file."""
_VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in FILES.values())).hexdigest()[:12]
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}

# Streamlit resends a component's inline code at every rerun, so inline is only what fetches the rest.
_LOADER = """
const base = new URL("modules/{version}/", document.baseURI).href;
const main = import(base + "{name}/main.js");
export default function (component) {{
  let gone = false;
  main.then(({{ render }}) => gone || render(component, base));
  return () => {{
    gone = true;
    main.then(({{ remove }}) => remove(component.parentElement));
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
    """A Link header for a page: what lies in these folders is fetched while Streamlit is still starting."""
    how = {".js": 'rel="modulepreload"', ".css": 'rel="preload"; as="style"'}
    wanted = [name for name in FILES if name in SHEETS or name.partition("/")[0] in folders]
    return ", ".join(f"<modules/{_VERSION}/{name}>; {how[FILES[name].suffix]}" for name in wanted)
