"""Tables as text that spreadsheets read. No streamlit here."""

import csv
import io
from collections.abc import Iterable


def csv_text(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """The header and the rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
