"""Who asks: what a browser is known by, whether it is on the machine that serves, and from which network. No streamlit here."""

import hashlib
import ipaddress
import secrets
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection

from ui.shared.base_path import cookie_path

COOKIE = "maml_lab_visitor"
"""Holds what a browser is known by: a long random word that nobody else knows. What is kept holds its digest alone."""


def new_word() -> str:
    """A word for a browser that has none."""
    return secrets.token_urlsafe(24)


def new_cookie(word: str = "") -> str:
    """What makes a browser known from now on, for a year: a word that only it and this server see, a new one if none is given.

    Lax: it must come along when somebody follows a link to here, or it would be taken for a stranger and given another.
    """
    return f"{COOKIE}={word or new_word()}; Path={cookie_path()}; Max-Age=31536000; HttpOnly; SameSite=Lax"


def owner(token: str) -> str:
    """What is kept of a browser beside what is its own: a run, an upload, a room."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def token_of(asker: HTTPConnection) -> str:
    """The word that a browser is known by, or nothing."""
    return asker.cookies.get(COOKIE, "")


_here: Counter[str] = Counter()


@contextmanager
def being_here(token: str) -> Iterator[None]:
    """A browser has a page open, as long as this lasts."""
    _here[token] += 1
    try:
        yield
    finally:
        _here[token] -= 1
        if not _here[token]:
            del _here[token]


def is_here(token: str) -> bool:
    """Whether the browser that is known by this word has a page open."""
    return token in _here


def is_local(address: str | None, headers: Container[str]) -> bool:
    """Whether a browser is on this machine. Not one that something here speaks for: a proxy says so in a header."""
    forwarded = ("x-forwarded-for", "forwarded", "x-real-ip")
    return address in (None, "127.0.0.1", "::1") and not any(name in headers for name in forwarded)


def asks_here(asker: HTTPConnection) -> bool:
    """Whether who asks is at the server itself."""
    return is_local(_host(asker), asker.headers)


def owners_here() -> set[str]:
    """The owners who have a page open."""
    return {owner(token) for token in list(_here)}


def network_of(asker: HTTPConnection) -> str:
    """Where a question comes from: a whole network where one browser has as many addresses as it likes."""
    return network(_host(asker))


def network(host: str) -> str:
    """The network of a numeric address. One of version 4 is itself, also where a socket of version 6 writes it in its own way."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network(f"{host.partition('%')[0]}/64", strict=False))


def _host(asker: HTTPConnection) -> str:
    return asker.client.host if asker.client else ""
