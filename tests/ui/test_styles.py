"""Style sheets stay at home: every rule of a feature begins with that feature's own root class, read off the files themselves."""

import re
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "ui"
SHARED = "shared/views.css"
ROOTS = {
    "lab/lab.css": {"lab", "task"},
    "explore/explore.css": {"explore"},
    "characters/characters.css": {"characters"},
    "geometry/geometry.css": {"geometry"},
    "start/start.css": {"start"},
    "train/train.css": {"training"},
    "lessons/lessons.css": {"lesson", "lessons", "question", "observe", "tally"},
    "classroom/classroom.css": {"classroom"},
    "checkpoints/checkpoints.css": {"ckpt", "compared"},
    "glossary/glossary.css": {"term", "term-box", "term-place"},
}
"""Sheet -> the classes of what it draws: a section of a page, or the task plot."""
GUESTS = {
    "start": ["lab"],
    "train": ["lab"],
    "lessons": ["lab", "geometry"],
    "classroom": ["lessons", "lab", "geometry"],
}
"""Feature -> those that are drawn inside of its sections."""
CLASS = re.compile(r"\.([a-z][\w-]*)")


def selectors(sheet: str) -> list[str]:
    """Every selector of a sheet, those inside of media queries too."""
    text = re.sub(r"/\*.*?\*/", "", (UI / sheet).read_text("utf-8"), flags=re.DOTALL)
    preludes = [prelude.strip() for prelude in re.findall(r"([^{};]+)\{", text)]
    return [part.strip() for prelude in preludes if prelude[0] != "@" for part in re.split(r",(?![^(]*\))", prelude)]


def classes_of(sheet: str) -> set[str]:
    """Every class that a sheet names."""
    return {name for selector in selectors(sheet) for name in CLASS.findall(selector)}


def set_by(feature: str) -> set[str]:
    """Every class that a feature's code gives to an element."""
    text = "\n".join(path.read_text("utf-8") for path in (UI / feature).iterdir() if path.suffix in (".js", ".py"))
    given = re.findall(r'\bclass(?:Name)?(?:=|: | = )("[^"]*"|`[^`]*`|[^,}\n]*)|classList\.\w+\(([^)]*)\)', text)
    quoted = [literal for pair in given for part in pair for literal in re.findall(r'"[^"]*"|`[^`]*`', part)]
    return {name for literal in quoted for name in re.findall(r"[a-z][\w-]*", re.sub(r"\$\{[^}]*\}", "", literal))}


def test_every_sheet_is_a_features_or_shared():
    assert {path.relative_to(UI).as_posix() for path in UI.glob("*/*.css")} == {SHARED, *ROOTS}


@pytest.mark.parametrize("sheet", ROOTS)
def test_every_rule_of_a_feature_begins_with_its_own_root(sheet):
    """`.maml-lab`, which every view has, may stand before it or with it."""
    found = selectors(sheet)
    assert len(found) > 5
    for selector in found:
        first = re.split(r"[\s>]+", selector.removeprefix(".maml-lab "))[0].partition(":")[0]
        assert ROOTS[sheet] & set(CLASS.findall(first)), f"{sheet}: {selector} reaches other features"


def test_no_two_features_have_a_root_in_common():
    names = [name for roots in ROOTS.values() for name in roots]
    assert len(names) == len(set(names))
    assert not classes_of(SHARED) & set(names)


def test_what_is_shared_is_used_by_more_than_one_feature():
    features = [path.parent for path in map(Path, ROOTS)]
    given = {feature.name: set_by(feature.name) for feature in features}
    for name in classes_of(SHARED) - set_by("shared") - set_by("chart"):
        users = [feature for feature, names in given.items() if name in names]
        assert len(users) > 1, f".{name} is in {SHARED}, but only {users} use it"


@pytest.mark.parametrize("host", GUESTS)
def test_a_host_and_its_guests_mean_the_same_by_a_class(host):
    """A section inside another one's is within reach of its rules: a class that both give is shared, or neither styles it."""
    sheet = {Path(sheet).parts[0]: sheet for sheet in ROOTS}
    for guest in GUESTS[host]:
        styled = classes_of(sheet[host]) | classes_of(sheet[guest])
        both = set_by(host) & set_by(guest) & styled - classes_of(SHARED)
        roots = ROOTS[sheet[host]] | ROOTS[sheet[guest]]
        assert not both - roots, f"{host} and {guest}"
