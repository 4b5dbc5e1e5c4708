"""Imports point down only: nothing in maml_core knows the app, and inside it they go in the order below."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEVELS = [
    {"__init__", "palette", "files", "rewriting", "compiling", "errors", "reading"},
    {"config", "cache", "sniffing", "state_dicts"},
    {"network", "tasks", "programs"},
    {"algorithms"},
    {"training"},
    {"evaluation", "checkpoint", "figures", "landscape", "curvature"},
    {"baselines", "sweeps"},
    {"runs"},
    {"worker", "scheduler", "estimating"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


ENGINE = sorted((ROOT / "maml_core").glob("*.py"))


@pytest.mark.parametrize("path", ENGINE, ids=lambda p: p.stem)
def test_the_engine_imports_downwards(path):
    for name in imports(path):
        parts = name.split(".")
        assert parts[0] not in ("streamlit", "ui", "pages"), f"{path.name} imports {name}"
        assert parts[0] != "plotly" or path.stem == "figures", f"{path.name} imports {name}"
        if parts[0] == "maml_core" and len(parts) > 1 and parts[1] in LEVEL:
            assert LEVEL[parts[1]] < LEVEL[path.stem], f"{path.name} imports {name}"


def test_figures_know_no_torch():
    assert not any(name.startswith("torch") for name in imports(ROOT / "maml_core" / "figures.py"))


def test_every_file_says_what_it_is_for_in_its_first_line():
    files = [p for folder in ("maml_core", "ui", "pages", "benchmarks", "tests") for p in (ROOT / folder).rglob("*.py")]
    for path in [ROOT / "app.py", *files]:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
    for path in (ROOT / "ui").rglob("*.js"):
        assert path.read_text(encoding="utf-8").startswith("// "), path
