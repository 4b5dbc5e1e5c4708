"""The glossary: terms of the field, each with the words it goes by and the one sentence that says what it is. No streamlit here.

terms.json is the one source. In the browser, glossary.js makes a term openable where it first stands on a page.
"""

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

TERMS: dict[str, str] = {
    entry["term"]: entry["says"] for entry in json.loads(Path(__file__).with_name("terms.json").read_text("utf-8"))
}
"""A term -> its definition, one sentence."""


def offer(text: str, terms: Iterable[str]) -> str:
    """A button, as HTML, that opens several definitions at once: for terms that stand where no button can be."""
    return (
        f'<button type="button" class="term" data-term="{escape("|".join(terms))}" aria-expanded="false">{escape(text)}</button>'
    )
