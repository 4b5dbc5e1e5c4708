"""What a page says beside what it shows."""

import re

import streamlit as st


def warn(problem: str) -> None:
    """Say what could not be used, as plain text: what an address says is not Markdown."""
    st.toast(re.sub(r"([^\w\s])", r"\\\1", problem), icon="⚠️", duration="infinite")
