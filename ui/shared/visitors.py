"""Who looks at a page: by what a browser is known, and whether it is on the machine that serves."""

import secrets

import streamlit as st

from ui.train import routes as training


def token() -> str:
    """The word that this browser is known by; for one that keeps no cookies, by which this session is."""
    session = st.session_state
    if "visitor_token" not in session:
        word = st.context.cookies.get(training.COOKIE)
        session.visitor_token = word if isinstance(word, str) else secrets.token_urlsafe(24)
    return session.visitor_token


def owner() -> str:
    """What is kept of this browser beside what it brings."""
    return training.owner(token())


def is_local() -> bool:
    """Whether this browser is on the machine that serves. Streamlit knows no address for those that are."""
    return training.is_local(st.context.ip_address, {name.lower() for name in st.context.headers})
