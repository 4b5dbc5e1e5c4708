"""Imports point down only: nothing in maml_core knows the app, and inside it they go in the order below."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEVELS = [
    {"__init__", "palette", "files", "rewriting", "compiling", "errors", "characters"},
    {"reading"},
    {"config", "cache", "sniffing", "state_dicts", "omniglot"},
    {"network", "tasks", "programs"},
    {"algorithms", "metric", "convolution"},
    {"classification"},
    {"problems"},
    {"training"},
    {"evaluation", "checkpoint", "figures", "landscape", "curvature"},
    {"baselines", "sweeps"},
    {"runs.execution", "runs.limits", "runs.metrics", "runs.snapshots"},
    {"runs.recipe", "runs.status"},
    {"runs.about"},
    {"runs.folder"},
    {"runs.asking"},
    {"runs", "runs.obeying"},
    {"runs.worker", "runs.scheduler", "runs.estimating", "frames"},
    {"arguments", "printing"},
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


ENGINE = {
    ".".join(path.relative_to(ROOT / "maml_core").with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "maml_core").rglob("*.py"))
}
"""Module, as it is called inside of maml_core, -> its file."""


def modules_in(path: Path) -> dict[str, str]:
    """What a file imports of the engine -> the module it is in: maml_core.runs.worker.main -> runs.worker."""
    found = {}
    for name in imports(path):
        parts = name.split(".")
        ends = range(len(parts), 1, -1) if parts[0] == "maml_core" else ()
        if module := next((inside for end in ends if (inside := ".".join(parts[1:end])) in ENGINE), ""):
            found[name] = module
    return found


def test_every_module_of_the_engine_has_its_level():
    assert LEVEL.keys() == ENGINE.keys()


@pytest.mark.parametrize("module", ENGINE)
def test_the_engine_imports_downwards(module):
    for name in imports(ENGINE[module]):
        library = name.partition(".")[0]
        assert library not in ("streamlit", "ui", "pages"), f"{module} imports {name}"
        assert library != "plotly" or module == "figures", f"{module} imports {name}"
        assert library != "pandas" or module == "frames", f"{module} imports {name}"
    for name, other in modules_in(ENGINE[module]).items():
        assert LEVEL[other] < LEVEL[module], f"{module} imports {name}"


def test_what_a_compiled_program_is_made_of_stands_where_its_key_looks():
    """programs.py names what it keeps by the sources right in maml_core/: all that a step is computed by is among them."""
    seen, ahead = set(), {"training", "programs"}
    while ahead:
        seen |= ahead
        ahead = {other for module in ahead for other in modules_in(ENGINE[module]).values()} - seen
    assert seen >= {"algorithms", "network", "tasks", "rewriting", "compiling"}
    assert {ENGINE[module].parent for module in seen} == {ROOT / "maml_core"}


def test_figures_know_no_torch():
    assert not any(name.startswith("torch") for name in imports(ROOT / "maml_core" / "figures.py"))


def test_every_file_says_what_it_is_for_in_its_first_line():
    files = [p for folder in ("maml_core", "ui", "pages", "benchmarks", "tests") for p in (ROOT / folder).rglob("*.py")]
    for path in [ROOT / "app.py", *files]:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
    for path in (ROOT / "ui").rglob("*.js"):
        assert path.read_text(encoding="utf-8").startswith("// "), path
