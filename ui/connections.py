"""How many connections may be open, and how long one may keep the server waiting, so that nobody takes them all.

uvicorn waits without end for the rest of a request and for an answer to be taken, and Streamlit starts it and leaves us no say in
that. So we stand where asyncio makes the protocol of a new connection. No streamlit here.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, Self, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from maml_core.reading import setting
from ui.shared import visitors

IN_ALL = 10_000
"""Connections at most, however many files the system lets this process open."""
FREE = 4
"""One in so many descriptors is kept for what is no connection: files, runs, rooms."""
AT_ONCE = 16
"""How many asyncio takes on before it lets us look at one: several times as many have to be among what is kept free."""
LEAST_RATE = 4096
"""Bytes of a body per second, at least."""
MOST_SAID = 2**18
"""Bytes of what a page says to Streamlit at once: eight times the longest text that is parsed."""
MINUTE = 60

_log = logging.getLogger("maml_lab.connections")


class Bounds(NamedTuple):
    """What the environment may set."""

    of_one: int
    """Connections of one address. A school is one: 120 students, whose browsers open six each."""
    patience: int
    """Seconds until the head of a request is here, and in which something is taken of an answer. A body gets more as it comes."""

    @classmethod
    def read(cls) -> Self:
        """Raises ConfigError for what cannot be used."""
        return cls(
            setting("MAML_LAB_CONNECTIONS_PER_ADDRESS", 720, 10, IN_ALL),
            setting("MAML_LAB_PATIENCE_SECONDS", 30, 1, 3600),
        )


class _Connection(asyncio.Protocol):
    """Stands before uvicorn's protocol of a connection, until that hands the connection on to the one of a WebSocket."""

    def __init__(self, inner: Any, all_open: "_Open") -> None:
        self._inner, self._all_open = inner, all_open
        self._waits: tuple[object, ...] = ()
        self._since = 0.0
        self._came = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)
        self._all_open.add(self)

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return bool(self._inner.eof_received())

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all_open.forget(self)
        self._inner.connection_lost(exc)

    @property
    def is_gone(self) -> bool:
        return self.transport.is_closing() and not self.transport.get_write_buffer_size()

    @property
    def has_asked(self) -> bool:
        """Whether a whole request is here that is not answered yet, or this is a page's socket."""
        cycle = self._inner.cycle
        is_handed_on = self.transport.get_protocol() is not self
        return is_handed_on or (cycle is not None and not cycle.response_complete and not cycle.more_body)

    def is_late(self, now: float, patience: float) -> bool:
        """Whether the other side has kept us waiting for too long. This is to be asked now and then."""
        cycle, is_read, untaken = self._inner.cycle, self.transport.is_reading(), self.transport.get_write_buffer_size()
        waits = cycle, self.has_asked, is_read, untaken
        if waits != self._waits:
            self._waits, self._since, self._came = waits, now, 0
        is_their_turn = untaken or (is_read and not self.has_asked)
        is_body = cycle is not None and not cycle.response_complete
        return bool(is_their_turn) and now - self._since > patience + (self._came / LEAST_RATE if is_body else 0)


class _Open:
    """The connections that are open."""

    def __init__(self, most: int, bounds: Bounds) -> None:
        self._most, self._most_of_one, self._patience = most, min(bounds.of_one, most // 2), bounds.patience
        self._networks: dict[_Connection, str] = {}
        """Each one's, the oldest first; none for that of a proxy, which speaks for many."""
        self._of: Counter[str] = Counter()
        trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")  # as uvicorn reads it
        self._proxies = ProxyHeadersMiddleware(cast(Any, None), trusted).trusted_hosts

    def add(self, new: _Connection) -> None:
        """If there are too many now, the oldest that has not asked for anything yet is closed: the new one, if all have."""
        peer = new.transport.get_extra_info("peername")
        host = str(peer[0]) if isinstance(peer, tuple) else ""
        network = "" if host in self._proxies else visitors.network(host)
        self._networks[new] = network
        self._of[network] += 1
        if network and self._of[network] > self._most_of_one:
            self._make_room(new, network)
            _log.warning("%d connections of one address are open (%s), which is the most: one is closed", self._most_of_one, host)
        elif len(self._networks) > self._most:
            self._make_room(new)
            _log.warning("%d connections are open, which is the most: one is closed", self._most)

    def forget(self, connection: _Connection) -> None:
        network = self._networks.pop(connection, None)
        if network is not None:
            self._of[network] -= 1
            if not self._of[network]:
                del self._of[network]

    async def look_after(self) -> None:
        """Close what is late, and forget what is gone, without end."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for each in list(self._networks):
                if each.is_gone:
                    self.forget(each)
                elif each.is_late(now, self._patience):
                    self._close(each)

    def _make_room(self, new: _Connection, of: str | None = None) -> None:
        idle = (each for each, network in self._networks.items() if of in (None, network) and not each.has_asked)
        self._close(next(idle, new))

    def _close(self, connection: _Connection) -> None:
        connection.transport.abort()
        self.forget(connection)


@asynccontextmanager
async def bounded(bounds: Bounds) -> AsyncIterator[None]:
    """For as long as this lasts, a server that the running loop starts has its connections bounded."""
    files = _files()
    held = _Open(min(IN_ALL, files - files // FREE), bounds)
    loop = asyncio.get_running_loop()
    create = loop.create_server

    def connection(factory: Callable[[], Any]) -> asyncio.BaseProtocol:
        inner = factory()
        if not hasattr(inner, "cycle"):  # not one of uvicorn's that we know: better no bounds than no server
            return cast(asyncio.BaseProtocol, inner)
        inner.config.ws_max_size = MOST_SAID
        return _Connection(inner, held)

    async def create_server(factory: Callable[[], Any], *rest: Any, **options: Any) -> asyncio.Server:
        # For asyncio one number is both how many wait in the system and how many it takes on at once.
        backlog = options.pop("backlog", 100)
        server = await create(lambda: connection(factory), *rest, backlog=AT_ONCE, **options)
        if options.get("sock"):
            options["sock"].listen(backlog)
        return server

    for name, said in _OFTEN.items():
        logging.getLogger(name).addFilter(said)
    loop.create_server = create_server  # type: ignore[assignment, method-assign]
    looking = asyncio.create_task(held.look_after())
    try:
        yield
    finally:
        looking.cancel()
        loop.create_server = create  # type: ignore[method-assign]


def _files() -> int:
    """How many files and connections may be open: as many as the system lets this process have."""
    try:
        import resource
    except ImportError:  # Windows, where there is no such bound
        return 2 * IN_ALL
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        # macOS says that there is no bound, and takes no more than this.
        wanted = 10_240 if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * IN_ALL if soft == resource.RLIM_INFINITY else soft


class _OnceAMinute(logging.Filter):
    """Of lines that begin so, lets one through each minute: anybody can make as many of them as they like."""

    def __init__(self, *begins: str) -> None:
        super().__init__()
        self._next = dict.fromkeys(begins, 0.0)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is let through."""
        begin, now = next((each for each in self._next if str(record.msg).startswith(each)), None), time.monotonic()
        if begin is None:
            return True
        if now < self._next[begin]:
            return False
        self._next[begin] = now + MINUTE
        return True


_OFTEN = {
    "asyncio": _OnceAMinute("socket.accept() out of system resource"),
    "maml_lab.connections": _OnceAMinute("%d connections of one address", "%d connections are open"),
    "uvicorn.error": _OnceAMinute("Invalid HTTP request received", "Unsupported upgrade request"),
    "streamlit.web.server.starlette.starlette_websocket": _OnceAMinute(
        "Rejecting WebSocket", "Error deserializing back message", "Client WebSocket message size"
    ),
}
