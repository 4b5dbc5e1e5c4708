"""What we send asks for no newer browser than Streamlit does: newer.tsv lists what is new, with the versions that MDN's table of
browsers has below `source`, a line that uses it, and, where a page may use it all the same, what a person has without it.
"""

import csv
import re
from pathlib import Path

import pytest

from ui import page_html
from ui.lab import exports
from ui.shared import browsers, modules

HERE = Path(__file__)
with HERE.with_name("newer.tsv").open(encoding="utf-8") as table:
    FEATURES = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
OURS = {
    **{name: path.read_text("utf-8") for name, path in modules.FILES.items() if path.suffix in (".js", ".css")},
    "what fetches a component.js": modules._LOADER,
    "a saved page.js": exports.PAGE,
}


def is_newer(feature: dict[str, str]) -> bool:
    """Whether a browser that we promise lacks it."""
    wanted = {name: feature[name.lower()] for name in browsers.BROWSERS if name != "Edge"}  # Edge's numbers are Chrome's
    return any(version == "-" or float(version) > browsers.BROWSERS[name] for name, version in wanted.items())


def uses(text: str, name: str) -> list[str]:
    """The features that a file uses."""
    kind = name.rpartition(".")[2]
    code = re.sub(r"/\*.*?\*/" + (r"|(?:^|(?<=\s))//[^\n]*" if kind == "js" else ""), "", text, flags=re.DOTALL)
    return [each["feature"] for each in FEATURES if each["in"] in (kind, "any") and re.search(each["pattern"], code)]


def missing(text: str, name: str) -> list[str]:
    """Those that a browser which we promise lacks, with nobody having thought of it."""
    refused = {each["feature"] for each in FEATURES if is_newer(each) and not each["without it"]}
    return [feature for feature in uses(text, name) if feature in refused]


@pytest.mark.parametrize("name", OURS)
def test_a_file_asks_for_no_newer_browser_than_streamlit(name):
    assert missing(OURS[name], name) == []


@pytest.mark.parametrize("feature", FEATURES, ids=[each["feature"] for each in FEATURES])
def test_the_check_sees_a_line_that_uses_it(feature):
    for name in ("lab/controls.js", "explore/explore.css"):
        if feature["in"] in (name.rpartition(".")[2], "any"):
            planted = f"{OURS[name]}\n{feature['example']}\n"
            assert feature["feature"] in uses(planted, name)
            assert (feature["feature"] in missing(planted, name)) == (is_newer(feature) and not feature["without it"])


def test_what_is_excused_is_used():
    used = {feature for name, text in OURS.items() for feature in uses(text, name)}
    assert {each["feature"] for each in FEATURES if each["without it"]} <= used


def test_a_feature_with_its_prefix_beside_it_is_none_of_the_new_ones():
    for prefixed in ("-webkit-user-select: none; user-select: none", "mask: url(a.png); -webkit-mask: url(a.png)"):
        assert uses(f".a {{ {prefixed}; }}", "a.css") == []


def test_the_readme_names_the_same_browsers():
    readme = " ".join((HERE.parents[2] / "README.md").read_text("utf-8").split())
    assert f"open in {browsers.NAMES}." in readme


def test_what_tries_a_browser_and_what_it_says_is_on_every_page():
    assert len(page_html.routes()) == len(page_html.PAGES)
    for route in page_html.routes():
        html = route.endpoint(None).body.decode()  # type: ignore[arg-type]
        assert html.count(browsers.old_browser(browsers.STREAMLIT_NEEDS)) == 1
        assert html.count("<noscript>") == 1
        assert browsers.NO_SCRIPT in html


@pytest.mark.parametrize(("what", "where"), [("createObjectURL", "shared/download.js"), ("clipboard", "shared/copy.js")])
def test_downloads_and_copies_are_made_in_one_place(what, where):
    assert [name for name, text in OURS.items() if what in text] == [where]
