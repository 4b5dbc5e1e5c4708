"""What a page says beside what it shows."""

import re

import streamlit as st


def warn(problem: str) -> None:
    """Say what could not be used."""
    st.toast(plain(problem), icon="⚠️", duration="infinite")


def tell(news: str) -> None:
    """Say what was done."""
    st.toast(plain(news))


def plain(text: str) -> str:
    """Text as Markdown that says just this: what an address, a file or a person says is not Markdown."""
    return re.sub(r"([^\w\s])", r"\\\1", text)
