"""Tables as CSV: written in this one place, so that spreadsheets read all of them and run nothing in any. No streamlit here."""

from collections.abc import Iterable, Sequence

import pandas as pd
import regex
from starlette.responses import Response

from ui.shared import routes

MEDIA_TYPE = "text/csv; charset=utf-8"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_NUMBERS = regex.compile(rf"{_NUMBER}(,{_NUMBER})*")
"""A number, or those of a sketch."""
_FORMULA = regex.compile(r"(^|[;|])([\s\p{Cf}\"“”„＂]*)(?=[=+\-@＝＋－＠﹦﹢﹣﹫])")
"""Where a cell begins that some spreadsheet takes for a formula: where lists are separated by semicolons, within a text too."""


def csv_text(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """The header and the rows as CSV; text that is not plain ASCII begins with a mark, or Excel takes it for Latin-1."""
    table = pd.DataFrame([[_harmless(cell) for cell in row] for row in rows], columns=list(header), dtype=object)
    text = table.to_csv(index=False, lineterminator="\n")
    return text if text.isascii() else "\ufeff" + text


def csv_download(text: str, name: str) -> Response:
    """A CSV as the answer to a browser that asked for a file of this name."""
    return routes.download(text, name, MEDIA_TYPE)


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet runs: text is one line, and an apostrophe stands before what would begin a formula."""
    if not isinstance(cell, str) or _NUMBERS.fullmatch(cell):
        return cell
    return _FORMULA.sub(r"\1\2'", regex.sub(r"\s*[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]\s*", " ", cell))
