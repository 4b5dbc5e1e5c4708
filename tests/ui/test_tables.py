"""Tables as CSV: no spreadsheet runs anything in them, whatever separates its lists, and numbers stay numbers."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.shared.tables import csv_text

ROOT = Path(__file__).parents[2]
SEPARATORS = ",;\t|"
BAD = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "＝1+1",
    "＋1",
    "－1+1",
    "＠SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u3000=1",
    '"=1',
    "\ufeff=1",
)
TEXTS = st.text(st.sampled_from([*"=+-@＝＋－＠;|,\t\r\n\"' a1.\u00a0"]) | st.characters(exclude_categories=["Cs"]), max_size=12)


def cells(text, separator):
    """Every cell that a spreadsheet with this list separator finds, the header's too."""
    return [cell for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator) for cell in row]


def runs(cell):
    """Whether a spreadsheet takes the cell for a formula."""
    begins = re.match(r"[\s\"\ufeff]*[=+\-@＝＋－＠]", cell)
    return bool(begins) and not re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?(,[+-]?[0-9.]+(e[+-]?[0-9]+)?)*", cell)


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
@pytest.mark.parametrize("bad", BAD, ids=ascii)
def test_no_cell_begins_a_formula_wherever_lists_are_separated_otherwise(bad, separator):
    text = csv_text(
        ["name", "n"], [[cell, 1] for cell in (bad, f"a;{bad};b", f"a; {bad}", f"a|{bad}", f"a\t{bad}", f'";"{bad}', f"a\n{bad}")]
    )
    assert [cell for cell in cells(text, separator) if runs(cell)] == []


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_whatever_is_written_runs_nowhere_and_stays_in_its_row(texts):
    text = csv_text(["n", "name"], [[1, each] for each in texts])
    for separator in SEPARATORS:
        assert [cell for cell in cells(text, separator) if runs(cell)] == []
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0].removeprefix("\ufeff") for row in rows] == ["n", *["1"] * len(texts)]
    assert csv_text(["n", "name"], [[1, row[1]] for row in rows[1:]]) == text, "what is harmless is left alone"


def test_numbers_stay_numbers_and_text_stays_as_it_is():
    row = [-2, -0.1 - 0.2, "-1.5e-07", "-1,2.5,-3", "", None, "x = -1", "a, b", 'say "hi"', "Ana"]
    text = csv_text([str(i) for i in range(len(row))], [row])
    assert cells(text, ",")[len(row) :] == ["-2", repr(-0.1 - 0.2), *("" if cell is None else cell for cell in row[2:])]
    found = pd.read_csv(io.StringIO(text))
    assert [found[str(i)].iloc[0] for i in range(3)] == [-2, -0.1 - 0.2, -1.5e-07]


def test_what_is_not_ascii_says_so_to_excel():
    assert csv_text(["name"], [["علی\u200cرضا"]]) == "\ufeffname\nعلی\u200cرضا\n"
    assert csv_text(["name"], [["Ana"]]) == "name\nAna\n"


def test_there_is_no_other_writer():
    writers = [
        str(path.relative_to(ROOT))
        for folder in ("ui", "pages", "maml_core")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js") and re.search(r"text/csv|^import csv|to_csv\(", path.read_text(encoding="utf-8"), re.M)
    ]
    assert writers == ["ui/shared/tables.py"]
