"""about.json in a run's folder: what people say about it. It changes nothing in how the run is trained."""

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maml_core.errors import RunError
from maml_core.files import write_json
from maml_core.reading import content, json_object
from maml_core.runs.recipe import check_parent, read_recipe, writing

MOST_CHARACTERS = {"title": 60, "note": 500, "owner": 100, "network": 100}
"""In what is said about a run: title and note by a person, owner and network by the server that it was asked of."""


def read_about(folder: Path) -> dict[str, Any]:
    """What is said about a run: title, note, owner, network, as far as it is. Raises RunError if that is damaged."""
    try:
        return checked_about(json_object(content(folder / "about.json")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RunError) as error:
        raise RunError(f"about.json is damaged, so title, note and owner are lost ({error})") from None


def rename(folder: Path, title: str | None = None, note: str | None = None) -> None:
    """Say something else about a run: None leaves what is there.

    Raises:
        RunError: a text is too long or holds control characters, or the folder cannot be written.
    """
    given = {name: text for name, text in (("title", title), ("note", note)) if text is not None}
    new = checked_about(given)
    with writing(folder):
        read_recipe(folder)
        try:
            old = read_about(folder)
        except RunError:  # damaged: this is how it is mended
            old = {}
        write_json(folder / "about.json", old | new)


def checked_about(about: Any) -> dict[str, Any]:
    """What may be said about a run, as given. Raises RunError with what is wrong."""
    if not isinstance(about, Mapping) or (unknown := sorted(set(map(str, about)) - {*MOST_CHARACTERS, "parent"})):
        raise RunError(f"{unknown[0] if isinstance(about, Mapping) else about!r:.60} is not something to say about a run")
    for name, limit in MOST_CHARACTERS.items():
        text = about.get(name, "")
        if not isinstance(text, str):
            raise RunError(f"the {name} must be text")
        if len(text) > limit:
            raise RunError(f"the {name} has {len(text)} characters; it can have at most {limit}")
        allowed = "\n" if name == "note" else ""
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed for letter in text):
            raise RunError(f"the {name} holds a control character; use letters, digits, punctuation and spaces")
    if about.get("parent") is not None:
        try:
            check_parent(about["parent"])
        except ValueError as error:
            raise RunError(str(error)) from None
    return dict(about)
