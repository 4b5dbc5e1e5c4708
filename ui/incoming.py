"""What browsers send, taken with care: bounded JSON that no form sent, and text that a person wrote. No streamlit here."""

import json
import unicodedata
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse

MAX_BODY = 4096


class Refused(Exception):
    """A request that is not taken: the status, and one sentence on why."""

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status

    def answer(self, headers: dict[str, str] | None = None) -> PlainTextResponse:
        """What the browser is told."""
        return PlainTextResponse(str(self), status_code=self.status, headers=headers)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused for anything else, and for what a form on another site could send."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refused(415, "JSON is expected")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused(413, "That is too much to ask for at once")
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, "A JSON object is expected")
    return asked


def legible(text: str) -> str:
    """Text on one line, without characters that are not seen or that turn others around."""
    return " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C").split())
