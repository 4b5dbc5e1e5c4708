"""A page of Streamlit's as the server knows it, without a browser: its socket, and the files that it sends."""

import contextlib
import http.client
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

XSRF = "_streamlit_xsrf"


def stream(base: str) -> str:
    """Where Streamlit's sockets are opened."""
    return f"{base.replace('http', 'ws', 1)}/_stcore/stream"


def rerun(page: str, query: str) -> bytes:
    """What a page says to have its script run."""
    asked = BackMsg()
    asked.rerun_script.page_name, asked.rerun_script.query_string = page, query
    return asked.SerializeToString()


class Session:
    """Open as long as `with` lasts. Its page has been run once then."""

    def __init__(self, base: str, page: str = "lab"):
        self.base, self.there, self.page = base, urlsplit(base), page

    def __enter__(self) -> Self:
        response, _ = self.ask("GET", "_stcore/health")
        self.cookie = SimpleCookie(response.headers["Set-Cookie"])[XSRF].value
        self._open = contextlib.ExitStack()
        self.socket = self._open.enter_context(connect(stream(self.base), subprotocols=[Subprotocol("streamlit")], max_size=None))
        self.id = self.run()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, query: str = "") -> str:
        """Run the page's script to its end, with this query. The session's name."""
        self.socket.send(rerun(self.page, query))
        name, said = "", ForwardMsg()
        while said.WhichOneof("type") != "script_finished":
            said.ParseFromString(self.socket.recv(timeout=60, decode=False))
            if said.WhichOneof("type") == "new_session":
                name = said.new_session.initialize.session_id
        return name

    def put(self, content: bytes, file: str, session: str = "", chunked: bool = False) -> int:
        """Send a file of this name as Streamlit's field does. The status of the answer; 0 where the line was cut instead.

        session: another's; chunked: how long it is is not said before.
        """
        head = b'--end\r\nContent-Disposition: form-data; name="file"; filename="a.safetensors"\r\n\r\n'
        body = head + content + b"\r\n--end--\r\n"
        sent = (body[at : at + 2**16] for at in range(0, len(body), 2**16)) if chunked else body
        try:
            return self.ask("PUT", f"_stcore/upload_file/{session or self.id}/{file}", sent, self.headers)[0].status
        except OSError:
            return 0

    @property
    def headers(self) -> dict[str, str]:
        """Those that a file comes with."""
        return {
            "Content-Type": "multipart/form-data; boundary=end",
            "X-Xsrftoken": self.cookie,
            "Cookie": f"{XSRF}={self.cookie}",
        }

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """What the server answers."""
        with contextlib.closing(http.client.HTTPConnection(self.there.netloc, timeout=60)) as line:
            line.request(method, f"{self.there.path}/{path}", body, headers or {})
            response = line.getresponse()
            return response, response.read()
