"""The glossary's one source: each term defined once, in one sentence, and every learner of the lab among them."""

import json
import re
from pathlib import Path

from maml_core.config import DIVERGED_ABOVE
from maml_core.palette import ROLES
from ui.glossary import TERMS
from ui.shared.learners import LEARNERS

ROOT = Path(__file__).parents[2]
ENTRIES = json.loads((ROOT / "ui" / "glossary" / "terms.json").read_text("utf-8"))


def test_each_definition_is_one_sentence():
    for term, says in TERMS.items():
        assert re.fullmatch(r"[A-Z][^.!?]*(?:(?:et al|[0-9A-Z])\.[^.!?]*)*\.", says), term
        assert len(says) < 240, term


def test_a_word_belongs_to_one_term():
    words = [word.lower() for entry in ENTRIES for word in entry["words"]]
    assert sorted(words) == sorted(set(words))
    assert len(TERMS) == len(ENTRIES)


def test_every_learner_is_defined():
    assert {ROLES[name].label for name in LEARNERS} <= TERMS.keys()


def test_the_limit_of_divergence_is_the_engines():
    assert f"over {DIVERGED_ABOVE:g} " in TERMS["diverged"]


def test_no_definition_stands_a_second_time():
    folders = ("ui", "pages", "lessons", "maml_core")
    others = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".js", ".md")]
    texts = {path: path.read_text("utf-8") for path in (*others, ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
    assert not [(path.name, term) for path, text in texts.items() for term, says in TERMS.items() if says in text]
