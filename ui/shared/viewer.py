"""Who looks at a page, as Streamlit knows them: by which word, whether on the machine that serves, and what they wait for."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.shared import turns, visitors


def token() -> str:
    """The word that this browser is known by; for one that keeps no cookies, by which this session is."""
    session = st.session_state
    if "visitor_token" not in session:
        word = st.context.cookies.get(visitors.COOKIE)
        session.visitor_token = word if isinstance(word, str) else visitors.new_word()
    return session.visitor_token


def owner() -> str:
    """What is kept of this browser beside what it brings."""
    return visitors.owner(token())


def is_local() -> bool:
    """Whether this browser is on the machine that serves. Streamlit knows no address for those that are."""
    return visitors.is_local(st.context.ip_address, {name.lower() for name in st.context.headers})


def network() -> str:
    """The network that this browser is in."""
    address = st.context.ip_address
    return visitors.network(address if isinstance(address, str) else "")


def measured(work: Callable[[], Any]) -> Any:
    """What a page measures for who looks at it, when it is their turn. It ends when they ask the page for something else."""
    return turns.in_turn(_visitor(), work, _run_on)


def drawing() -> turns.Place:
    """Within it, a page is drawn for who looks at it: when it is their turn."""
    return turns.Place(_visitor(), _run_on)


def _visitor() -> turns.Visitor:
    has_cookie = visitors.COOKIE in st.context.cookies
    return turns.Visitor.named(token(), True) if has_cookie else turns.Visitor.nameless(network(), True)


def _run_on() -> None:
    """Streamlit ends a script that is no longer wanted where it next looks at its session."""
    _ = "visitor_token" in st.session_state
