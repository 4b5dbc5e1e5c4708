"""How many connections may be open, and how long one may keep the server waiting, so that nobody takes them all.

uvicorn waits without end for the rest of a request and for an answer to be taken, and Streamlit starts it and leaves us no say in
that. So we stand where asyncio makes the protocol of a new connection. No streamlit here.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, Self, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from maml_core.reading import setting
from ui.shared import visitors

IN_ALL = 10_000
"""Descriptors that connections take at most, however many the system lets this process have: 20 rooms with 120 pages each."""
PLAIN, PAGE = 2, 4
"""Descriptors that a connection takes: its socket, and a file that it is sent; a page's has the three of the event loop that
Streamlit gives each session."""
KEPT = 512
"""Descriptors kept for what is no connection: files, runs, and the 128 sessions that Streamlit keeps for who comes back."""
UNTAKEN = 2**28
"""Bytes of answers that wait to be taken, at most."""
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


OFTEN = {
    "asyncio": _OnceAMinute("socket.accept() out of system resource"),
    "maml_lab.connections": _OnceAMinute("too many connections"),
    "uvicorn.error": _OnceAMinute("Invalid HTTP request received", "Unsupported upgrade request"),
    "streamlit.web.server.starlette.starlette_websocket": _OnceAMinute(
        "Rejecting WebSocket", "Error deserializing back message", "Client WebSocket message size"
    ),
}
"""Where anybody can have as many lines logged as they like: a logger, and how they begin."""


class _Connection(asyncio.Protocol):
    """Stands before uvicorn's protocol of a connection, until that hands the connection on to the one of a WebSocket."""

    def __init__(self, inner: Any, all_open: "_Open") -> None:
        self._inner, self._all_open = inner, all_open
        self._waits: tuple[object, ...] = ()
        self.since = time.monotonic()
        """When the other side did something last, as far as we looked."""
        self._came = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)
        self._all_open.add(self)

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        self._inner.data_received(data)
        if self.is_page:
            self._all_open.grow(self)

    def eof_received(self) -> bool | None:
        return bool(self._inner.eof_received())

    def pause_writing(self) -> None:
        self._inner.pause_writing()
        self._all_open.stall(self)

    def resume_writing(self) -> None:
        self._all_open.resume(self)
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all_open.forget(self)
        self._inner.connection_lost(exc)

    @property
    def is_gone(self) -> bool:
        return self.transport.is_closing() and not self.transport.get_write_buffer_size()

    @property
    def is_page(self) -> bool:
        """Whether this is the WebSocket that a page keeps open."""
        return self.transport.get_protocol() is not self

    @property
    def has_asked(self) -> bool:
        """Whether a whole request is here that is not answered yet. A page always waits for what comes next."""
        cycle = self._inner.cycle
        return self.is_page or (cycle is not None and not cycle.response_complete and not cycle.more_body)

    def is_late(self, now: float, patience: float) -> bool:
        """Whether the other side has kept us waiting for too long. This is to be asked now and then."""
        cycle, is_read, untaken = self._inner.cycle, self.transport.is_reading(), self.transport.get_write_buffer_size()
        waits = cycle, self.has_asked, is_read, untaken
        if waits != self._waits:
            self._waits, self.since, self._came = waits, now, 0
        is_their_turn = untaken or (is_read and not self.has_asked)
        is_body = cycle is not None and not cycle.response_complete
        return bool(is_their_turn) and now - self.since > patience + (self._came / LEAST_RATE if is_body else 0)


class _Open:
    """The connections that are open."""

    def __init__(self, most: int, bounds: Bounds) -> None:
        self._most, self._most_of_one, self._patience = most, bounds.of_one, bounds.patience
        self._networks: dict[_Connection, str] = {}
        """Each one's, the oldest first; none for that of a proxy, which speaks for many."""
        self._of: Counter[str] = Counter()
        self._taken_of: Counter[str] = Counter()
        self._taken = 0
        """Descriptors that they take."""
        self._stalled: dict[_Connection, None] = {}
        """Those of which an answer is not taken as fast as it comes."""
        trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")  # as uvicorn reads it
        self._proxies = ProxyHeadersMiddleware(cast(Any, None), trusted).trusted_hosts

    def add(self, new: _Connection) -> None:
        """If there are too many now, the oldest that has not asked for anything yet is closed: the new one, if all have."""
        peer = new.transport.get_extra_info("peername")
        host = str(peer[0]) if isinstance(peer, tuple) else ""
        self._networks[new] = network = "" if host in self._proxies else visitors.network(host)
        self._of[network] += 1
        self._take(new, PLAIN)

    def grow(self, page: _Connection) -> None:
        """A connection has become a page's."""
        if page in self._networks:
            self._take(page, PAGE - PLAIN)

    def stall(self, connection: _Connection) -> None:
        """Much of an answer has not been taken. If that is too much in all, who has taken nothing for longest is closed."""
        if connection in self._networks:
            self._stalled[connection] = None
            network = self._networks[connection]
            self._drop((network,) if network else (), UNTAKEN // 2)
            self._drop(self._of, UNTAKEN)

    def resume(self, connection: _Connection) -> None:
        """An answer is being taken again."""
        self._stalled.pop(connection, None)

    def forget(self, connection: _Connection) -> None:
        self._stalled.pop(connection, None)
        network = self._networks.pop(connection, None)
        if network is not None:
            taken = PAGE if connection.is_page else PLAIN
            self._taken -= taken
            self._taken_of[network] -= taken
            self._of[network] -= 1
            if not self._of[network]:
                del self._of[network], self._taken_of[network]

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

    def _take(self, new: _Connection, more: int) -> None:
        network = self._networks[new]
        self._taken += more
        self._taken_of[network] += more
        while new in self._networks:
            if network and (self._of[network] > self._most_of_one or self._taken_of[network] > self._most // 2):
                self._make_room(new, (network,))
            elif self._taken > self._most:
                self._make_room(new, self._of)
            else:
                break

    def _make_room(self, new: _Connection, among: Container[str]) -> None:
        network = self._networks[new]
        _log.warning(
            "too many connections are open (%d, of which %d from %s): one is closed",
            len(self._networks),
            self._of[network],
            network or "this machine or a proxy",
        )
        self._close(next((each for each, of in self._networks.items() if of in among and not each.has_asked), new))

    def _drop(self, among: Container[str], most: int) -> None:
        untaken = {each: each.transport.get_write_buffer_size() for each in self._stalled if self._networks[each] in among}
        held = sum(untaken.values())
        for each in sorted(untaken, key=lambda each: each.since):
            if held <= most:
                break
            held -= untaken[each]
            self._close(each)

    def _close(self, connection: _Connection) -> None:
        connection.transport.abort()
        self.forget(connection)


@asynccontextmanager
async def bounded(bounds: Bounds) -> AsyncIterator[None]:
    """For as long as this lasts, a server that the running loop starts has its connections bounded."""
    files = _files()
    held = _Open(min(IN_ALL, files - min(KEPT, files // 2)), bounds)
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

    for name, said in OFTEN.items():
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
