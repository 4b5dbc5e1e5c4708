"""One module alone writes the browser's history, and knows the address that is wanted: read off the files of all others."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITER = ROOT / "ui" / "shared" / "address.js"
BROWSER = re.compile(
    r"\b(push|replace)State\b|\bhistory(?!\.js)[.\[]|\blocation\.(hash|search|href|assign|replace)\b|\blocation = "
)
"""A browser may refuse to write, and is then behind what is wanted."""
PYTHON = re.compile(r"\bst\.query_params(?!\.to_dict\(\))[.\[]|\bbind=")
"""Streamlit writes at once, and fails where it is refused."""


def found(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Where it stands."""
    lines = [(path, line) for path in paths for line in path.read_text("utf-8").splitlines()]
    return [f"{path.relative_to(ROOT)}: {line.strip()}" for path, line in lines if pattern.search(line)]


def test_no_other_module_writes_the_history_or_reads_an_address_that_may_be_behind():
    assert WRITER.exists()
    assert found(BROWSER, [path for path in sorted((ROOT / "ui").rglob("*.js")) if path != WRITER]) == []


def test_python_only_reads_the_address():
    pages = [path for folder in ("ui", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found(PYTHON, pages) == []


def test_what_is_looked_for_is_found():
    for line in ("history.pushState(null", "window.history[how](", "x = location.href;", "location.search", "location = to;"):
        assert BROWSER.search(line), line
    for line in ('del st.query_params["K"]', "st.query_params.update(query)", 'st.query_params["K"] = 1', 'bind="query-params"'):
        assert PYTHON.search(line), line
