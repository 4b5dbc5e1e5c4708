"""What Streamlit holds for a page that is open: few files, and soon after the page has gone nothing any more."""

import asyncio
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from ui.shared.incoming import Refused

FILES = 2
"""Of one page: the field on it takes one, and for a moment a new one is there beside that. An older one goes."""
ALL_BYTES = 32 * 2**20
"""Of the files of all pages: what is more goes, the oldest first. A checkpoint has a fifth of a megabyte, and is soon read."""
ARRIVING = 32
"""Files that are on their way at once, of all pages; of one page no more than it may hold."""
SECONDS = 60
"""That a file may be on its way."""
FILES_KEPT, ALL_KEPT = 5, 100
"""Seconds after its connection has gone that a page's files are kept, and all else of it: it may come back, on a weak network."""
GONE = 100
"""Pages that are waited for in this way. Fewer than Streamlit keeps, which forgets what it holds for those that it drops."""
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")

_open = set[str]()


class Uploads:
    """Takes a file for a page that is open alone, and drops older ones in return."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self._arriving: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse before anything of the file is read, or pass on."""
        found = _UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if not found:
            return await self.app(scope, receive, send)
        try:
            with self._place(found[1]):
                async with asyncio.timeout(SECONDS):
                    await self.app(scope, receive, send)
                _make_room(found[1])
        except TimeoutError:
            await Refused(408, f"The file did not arrive within {SECONDS} seconds").answer()(scope, receive, send)
        except Refused as refused:
            await refused.answer()(scope, receive, send)

    @contextmanager
    def _place(self, session: str) -> Iterator[None]:
        """For a file of this session. Raises Refused where there is none."""
        if not runtime.get_instance().is_active_session(session):
            raise Refused(403, "Only a page that is open can bring a file: reload it")
        if self._arriving[session] >= FILES or self._arriving.total() >= ARRIVING:
            raise Refused(429, "Too many files are on their way: try again in a moment")
        self._arriving[session] += 1
        try:
            yield
        finally:
            self._arriving[session] -= 1
            if not self._arriving[session]:
                del self._arriving[session]


class Sessions:
    """Frees what is held for a page whose connection has gone, unless it comes back."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self._gone: OrderedDict[str, list[asyncio.TimerHandle]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and take note of the session's name, which it is told first of all."""
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        name = ""

        async def heard(message: Message) -> None:
            nonlocal name
            if not name and (content := message.get("bytes")):
                name = ForwardMsg.FromString(content).new_session.initialize.session_id
                self._forget(name)
                _open.add(name)
            await send(message)

        try:
            await self.app(scope, receive, heard)
        finally:
            if name:
                self._left(name)

    def _left(self, name: str) -> None:
        if runtime.get_instance().is_active_session(name):  # it came back before this connection was known to be lost
            return
        _open.discard(name)
        self._forget(name)
        later = asyncio.get_running_loop().call_later
        self._gone[name] = [later(FILES_KEPT, self._free_files, name), later(ALL_KEPT, self._close, name)]
        while len(self._gone) > GONE:
            self._close(next(iter(self._gone)))

    def _forget(self, name: str) -> None:
        for timer in self._gone.pop(name, ()):
            timer.cancel()

    def _close(self, name: str) -> None:
        self._forget(name)
        if not runtime.get_instance().is_active_session(name):
            runtime.get_instance().close_session(name)

    @staticmethod
    def _free_files(name: str) -> None:
        if not runtime.get_instance().is_active_session(name):
            files().remove_session_files(name)


def open_pages() -> int:
    """How many there are."""
    return len(_open)


def files() -> MemoryUploadedFileManager:
    """Those that pages have sent."""
    found = runtime.get_instance().uploaded_file_mgr
    assert isinstance(found, MemoryUploadedFileManager)
    return found


def _make_room(session: str) -> None:
    """After a file has come for this session."""
    held = files()
    for file in list(held.file_storage.get(session, ()))[:-FILES]:
        held.remove_file(session, file)
    size = bytes_of_files()
    for other in list(held.file_storage):
        if size <= ALL_BYTES:
            return
        held.remove_session_files(other)
        size = bytes_of_files()


def bytes_of_files() -> int:
    """Of those of all pages; none where no pages are served."""
    held = files().file_storage if runtime.exists() else {}
    return sum(len(file.data) for of_one in held.values() for file in of_one.values())
