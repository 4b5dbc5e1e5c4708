"""The house by feature: a folder imports what lies below it, nothing lies in a circle, what is private is used at home."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UI = ROOT / "ui"
BELOW = {
    "shared": set(),
    "glossary": {"shared"},
    "chart": {"shared"},
    "lab": {"chart", "glossary"},
    "characters": {"chart", "glossary"},
    "geometry": {"chart", "glossary"},
    "start": {"lab"},
    "checkpoints": {"lab"},
    "explore": {"checkpoints"},
    "train": {"checkpoints"},
    "lessons": {"train", "geometry", "lab", "characters"},
    "classroom": {"lessons"},
}
"""A folder of ui -> those right below it. What is below these is below it too, and all of it may be imported."""
AROUND = {"shared", "glossary", "chart"}
"""What the modules beside the folders may import, and these: they stand around every feature and belong to none."""


def below(folder: str) -> set[str]:
    """Everything that a folder may import from, itself included."""
    return {folder}.union(*map(below, BELOW[folder]))


def python_imports(path: Path) -> Iterator[str]:
    """The modules of this repository that a module names: `ui.lab.engine`, `ui.shared.learners.OWN`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(name: str) -> Path | None:
    """The file of `ui.lab.engine`, or of `ui.lab.engine.GRID`; None for what is not in ui."""
    parts = name.split(".")
    if parts[0] != "ui":
        return None
    whole = ROOT.joinpath(*parts)
    known = (whole.with_suffix(".py"), whole / "__init__.py", whole.parent.with_suffix(".py"), whole.parent / "__init__.py")
    return next(path for path in known if path.is_file())


def python_files(path: Path) -> set[Path]:
    """The files of ui that a Python module imports."""
    return {file for name in python_imports(path) if (file := file_of(name))}


def javascript_files(path: Path) -> set[Path]:
    """The files of ui that a module of the browser imports."""
    found = re.findall(r'\b(?:from|import) "(\.[^"]+\.js)"', path.read_text("utf-8"))
    return {(path.parent / name).resolve() for name in found}


LANGUAGES = {"py": python_files, "js": javascript_files}
"""The ending of a language's files -> what one of them imports."""


def folder_of(path: Path) -> str:
    """The folder of ui that a file lies in; empty for one beside the folders."""
    return path.relative_to(UI).parts[0] if path.parent != UI else ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_arrows_point_down(language):
    wrong = []
    for path in UI.rglob(f"*.{language}"):
        here = folder_of(path)
        allowed = below(here) if here else AROUND | {""}
        wrong += [
            f"{path.relative_to(ROOT)} imports {other.relative_to(ROOT)}"
            for other in LANGUAGES[language](path)
            if folder_of(other) not in allowed
        ]
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_lies_in_a_circle(language):
    graph = {path: LANGUAGES[language](path) - {path} for path in UI.rglob(f"*.{language}")}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_every_folder_has_its_place():
    assert {path.name for path in UI.iterdir() if path.is_dir() and path.name != "__pycache__"} == BELOW.keys()


def test_a_page_imports_features_and_nothing_imports_a_page():
    for path in (ROOT / "pages").glob("*.py"):
        assert "" not in {folder_of(file) for file in python_files(path)}, path
    for path in [*UI.rglob("*.py"), *(ROOT / "maml_core").rglob("*.py")]:
        assert not [name for name in python_imports(path) if name.split(".")[0] == "pages"], path


def test_what_a_module_keeps_to_itself_stays_there():
    for path in [*UI.rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        names = [name for name in python_imports(path) if file_of(name)]
        assert not [name for name in names if name.rpartition(".")[2].startswith("_")], path
        modules = {name.rpartition(".")[2] for name in names if (file := file_of(name)) and file.stem == name.rpartition(".")[2]}
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                public = not node.attr.startswith("_") or node.attr.startswith("__")
                assert public, f"{path}, line {node.lineno}: {ast.unparse(node)}"


def test_no_streamlit_where_a_module_says_so():
    without = set()
    for path in UI.rglob("*.py"):
        if "no streamlit here" in path.read_text("utf-8").lower():
            without.add(path.stem)
            assert not [name for name in python_imports(path) if name.split(".")[0] == "streamlit"], path
    assert without >= {
        "state",
        "engine",
        "learners",
        "recipe",
        "bundle",
        "comparison",
        "visitors",
        "room",
        "watching",
        "measures",
    }


def test_what_has_other_room_is_drawn_in_the_next_frame():
    """Within the observer's own turn it would change sizes while they are told, which a browser reports as an error."""
    watching = {path.relative_to(UI).as_posix() for path in UI.rglob("*.js") if "new ResizeObserver" in path.read_text("utf-8")}
    assert watching == {"shared/resized.js"}


def test_a_module_is_read_in_one_sitting():
    modules = [path for ending in ("*.py", "*.js") for path in UI.rglob(ending)]
    assert [path for path in modules if path.read_text("utf-8").count("\n") > 400] == []
