"""The address of a page whose settings are a dataclass: what it says of them, and keeping it equal to them."""

import dataclasses
import json

import streamlit as st

from ui.shared import modules

_component = modules.component("shared/addressed.js")


def said(settings: type) -> dict[str, str]:
    """The address parameters that are fields of these settings."""
    names = {f.name for f in dataclasses.fields(settings)}
    return {name: value for name, value in st.query_params.to_dict().items() if name in names}


def write(settings: type, query: dict[str, str]) -> None:
    """A copied address shows the same. Drawn last on a page: it takes no room there that anything else could want."""
    # Not by st.query_params: Streamlit writes at once, and fails where the browser refuses.
    _component(key="address", data=json.dumps({"parameters": {f.name: query.get(f.name) for f in dataclasses.fields(settings)}}))
