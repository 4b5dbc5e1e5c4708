"""The address of a page whose settings are a dataclass: what it says of them, and keeping it equal to them."""

import dataclasses

import streamlit as st


def said(settings: type) -> dict[str, str]:
    """The address parameters that are fields of these settings."""
    names = {f.name for f in dataclasses.fields(settings)}
    return {name: value for name, value in st.query_params.to_dict().items() if name in names}


def write(settings: type, query: dict[str, str]) -> None:
    """A copied address shows the same."""
    before = said(settings)
    if before != query:
        for name in before.keys() - query.keys():
            del st.query_params[name]
        st.query_params.update(query)
