"""How the browsers of a class reach this machine. No streamlit here."""

import socket
from typing import Any

_listens: str | None = None
"""The address that the server listens on, as its settings say: None for all of this machine's."""


def know(listens: str | None) -> None:
    """Learn which address the server listens on."""
    global _listens
    _listens = listens


def reach() -> dict[str, Any]:
    """How others reach this machine: `hosts` in its networks, and `alone` if the server listens to nobody else."""
    return {"hosts": _hosts(), "alone": _listens in ("localhost", "127.0.0.1", "::1")}


def _hosts() -> list[str]:
    """This machine's own addresses: those that it would speak from. Nothing is sent to find out."""
    found = []
    for there in ("10.255.255.255", "172.31.255.255", "192.168.255.255"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((there, 9))
                host = probe.getsockname()[0]
            except OSError:
                continue
        if host not in found and not host.startswith(("127.", "0.")):
            found.append(host)
    return found
