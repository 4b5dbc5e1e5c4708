"""Tables as text that spreadsheets read. No streamlit here."""

import csv
import io
from collections.abc import Iterable


def csv_text(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """The header and the rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (header, *rows):
        writer.writerow([_inert(cell) for cell in row])
    return text.getvalue()


def _inert(cell: object) -> object:
    """Text that no spreadsheet takes for a formula; numbers may be negative."""
    if not isinstance(cell, str) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell
    return cell
