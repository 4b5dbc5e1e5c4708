"""What a browser may do with our responses: load nothing from elsewhere, guess no type, tell nobody an address, frame us or not.

No streamlit here.
"""

import os
import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html.parser import HTMLParser

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EMBED_IN = "MAML_LAB_EMBED_IN"
MOST_EMBED_IN = 500
"""Characters: a proxy has room for so many bytes of headers (nginx 4,096)."""
_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)


def may_frame(named: str | None = None) -> str:
    """Who may show our pages in a frame: we ourselves, and the origins that `MAML_LAB_EMBED_IN` names.

    Raises:
        ValueError: with one sentence, for what is no list of origins.
    """
    named = os.environ.get(EMBED_IN, "") if named is None else named
    if len(named) > MOST_EMBED_IN:
        raise ValueError(f"{EMBED_IN} has {len(named)} characters, but {MOST_EMBED_IN} are the most that fit into a header.")
    for origin in named.split():
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{EMBED_IN} names {origin!r:.60}, but must name origins, separated by spaces, such as https://school.example "
                "(http or https, a host, a port if it has one, and nothing after it)."
            )
    return " ".join(["'self'", *named.split()])


def policy(pages: Iterable[str], framed_by: str) -> str:
    """The Content-Security-Policy of every response. pages: the HTML of those that we serve, whose own scripts may run.

    One for all, and not one for each kind: it is written once and never looked at again, and nothing is left without.
    """
    digests = sorted(
        {f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for page in pages for script in inline(page)}
    )
    rules = {
        "default-src": ["'none'"],
        # blob: how Streamlit imports a component's loader; wasm: how it counts beyond 32 bits. Neither lets a string become code.
        "script-src": ["'self'", "blob:", "'wasm-unsafe-eval'", *digests],
        "style-src": ["'self'", "'unsafe-inline'"],  # Streamlit's, Plotly's and KaTeX's are written while the page runs
        "img-src": ["'self'", "data:", "blob:"],  # data: a picture on its way to a PNG, Streamlit's favicon
        "font-src": ["'self'", "data:"],  # data: small ones within Streamlit's style sheets
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": [framed_by],
    }
    return "; ".join(f"{rule} {' '.join(sources)}" for rule, sources in rules.items())


def inline(page: str) -> list[str]:
    """The scripts that stand in a page, letter for letter."""
    found = _Inline()
    found.feed(page)
    found.close()
    return found.scripts


class _Inline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


class Trust:
    """Sends what this module is about with every response, that to a fault of ours too."""

    def __init__(self, app: ASGIApp, policy: str):
        self.app = app
        self._headers = {
            b"content-security-policy": policy.encode(),
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"same-origin",  # a room's address is its key
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                kept = [each for each in message["headers"] if each[0].lower() not in self._headers]
                message["headers"] = [*kept, *self._headers.items()]
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except Exception:
            if not started:  # Starlette would say it outside of all middleware, where nothing is added any more
                await PlainTextResponse("Internal Server Error", status_code=500)(scope, receive, with_headers)
            raise
