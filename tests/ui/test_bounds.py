"""The page for whoever puts this on a network: each bound that it names is the one that holds, and each setting is one."""

import re
from pathlib import Path

import pytest

from maml_core.runs.limits import Limits
from ui import connections, sessions
from ui.classroom import journal, line, live, room
from ui.connections import Bounds
from ui.shared import learners, remembered, turns
from ui.train import routes as training

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "network.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in row.strip("|").split("|")]
    for row in re.findall(r"^\|.+\|$", PAGE.partition("## What is bounded")[2], re.M)
]
BOUND, SETTING = {row[0]: row[1] for row in ROWS}, {row[0]: row[2] for row in ROWS}
MB = 2**20
DESKS = turns.answering, turns.drawing, turns.measuring, training._at_runs, training._with_snapshots


def numbers(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", text)]


PAGES = connections.IN_ALL // connections.PAGE, connections.IN_ALL // connections.PLAIN


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ("done of one browser at once", [desk.at_work for desk in DESKS]),
        ("waiting of one browser", [turns.WAITING]),
        ("waiting in all", [turns.ALL_WAITING]),
        ("threads", [desk.threads for desk in DESKS if desk is not turns.measuring]),
        ("of one address (of IPv6, of one /64 network)", [Bounds.read().of_one]),
        ("in all", [*PAGES, connections.IN_ALL + connections.KEPT]),
        ("time for the head of a request", [Bounds.read().patience]),
        ("time for its body", [Bounds.read().patience, connections.LEAST_RATE // 1024, sessions.SECONDS]),
        ("time in which nothing is taken of an answer", [Bounds.read().patience]),
        ("answers that wait to be taken, but those of pages' own connections", [connections.UNTAKEN // MB]),
        ("what a page sends to the server at once", [connections.MOST_SAID // 1024]),
        ("results that are remembered", [remembered.MEBIBYTES, 500]),
        ("files of one page; of all pages", [sessions.FILES, sessions.ALL_BYTES // MB]),
        ("kept of a page that has gone", [sessions.FILES_KEPT, sessions.ALL_KEPT]),
        ("uploaded checkpoints kept", [learners.KEEP_UPLOADS]),
        ("training or waiting, of one browser", [Limits.per_person]),
        ("of one address", [Limits.per_address]),
        ("in all of them", [Limits.in_all]),
        ("expected time of one", [Limits.minutes]),
        ("all on disk", [Limits.megabytes]),
        ("rooms in all; of one address", [journal.MAX_ROOMS, live.MOST_OPEN]),
        ("students of one room", [room.MAX_STUDENTS]),
        ("tabs of one student that wait for news", [live.TABS]),
        ("codes of one room", [room.MAX_CODES]),
        ("questions of one address in line", [line.MOST_WAIT]),
    ],
)
def test_a_bound_is_the_one_that_holds(row, holds):
    assert numbers(BOUND[row]) == holds


def test_no_bound_is_left_untested():
    (mark,) = test_a_bound_is_the_one_that_holds.pytestmark
    untested = {name for name, bound, *_ in ROWS if numbers(bound)} - {row for row, _ in mark.args[1]}
    assert untested == {"one uploaded file"}, "which is Streamlit's, and has a test of its own"


def test_every_setting_of_the_environment_is_told_somewhere_and_is_one():
    told = "\n".join(path.read_text("utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    code = [path.read_text("utf-8") for folder in ("ui", "maml_core") for path in (ROOT / folder).rglob("*.py")]
    known = set(re.findall(r"MAML_LAB_[A-Z_]+", "\n".join(code)))
    assert set(re.findall(r"MAML_LAB_[A-Z_]+", told)) == known
