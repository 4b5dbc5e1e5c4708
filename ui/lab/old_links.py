"""Links to the lab from when it was the first page: what lies between the network and the app sends them to where it is now.

No streamlit here.
"""

from dataclasses import fields

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.lab.state import LabState
from ui.shared.base_path import base_path

PARAMETERS = {field.name for field in fields(LabState)}
"""Of the lab's address. The start page, which is the first one now, has none."""


class OldLinks:
    """Sends a request for the first page that has any of these on to the lab."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect, or pass on."""
        first = scope["type"] == "http" and scope["path"] == f"{scope.get('root_path', '')}{base_path()}/"
        if first and PARAMETERS & HTTPConnection(scope).query_params.keys():
            # Relative, so that it is right below any path that a proxy serves this from.
            moved = RedirectResponse("lab?" + scope["query_string"].decode("latin-1"), status_code=307)
            await moved(scope, receive, send)
        else:
            await self.app(scope, receive, send)
