"""The glossary in a real browser: each term is openable where it first stands, on every page, by mouse, finger and keyboard."""

import json
import re
from pathlib import Path

import pytest
from conftest import Lab
from playwright.sync_api import expect

from ui.glossary import TERMS
from ui.page_html import PAGES

ENTRIES = json.loads((Path(__file__).parents[2] / "ui" / "glossary" / "terms.json").read_text("utf-8"))
WORDS = {word.lower(): entry["term"] for entry in ENTRIES for word in entry["words"]}
ANY = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, WORDS), key=len, reverse=True))})(?![\w′+-])", re.IGNORECASE)
AT_LEAST = {
    "/": {"MAML", "pretrained", "task", "shot", "error", "inner step", "inner step size α", "initialisation θ"},
    "/lessons": set(),
    "/lessons?card=equally-wrong": {"MAML", "pretrained", "shot", "inner step"},
    "/lab": {"MAML", "pretrained", "task", "shot", "inner step", "inner step size α", "support", "query"},
    "/characters": {"MAML", "inner step", "loss"},
    "/explore": {"error"},
    "/geometry": {"MAML", "initialisation θ"},
    "/train": {"shot"},
    "/checkpoints": {"MAML"},
    "/classroom": set(),
}

# Each piece of visible prose, in the order of the page, with the places of the terms that can be opened in it.
PROSE = """() => {
  const no = "a, button:not(.term), label, input, select, textarea, summary, dialog, svg, math, code, pre, .page-title," +
    ".hidden, [hidden], [aria-hidden=true], [aria-live], [role=img], " +
    "[role=status], [role=alert], details:not([open]) > :not(summary)";
  const found = [];
  const walk = (node, piece) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const at = piece ?? found[found.push({ text: "", terms: [] }) - 1];
      at.text += node.data;
    } else if (piece && node.matches?.("button.term")) {
      const start = piece.text.length;
      piece.text += node.textContent;
      piece.terms.push([start, piece.text.length, node.dataset.term]);
    } else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(no) && node.getClientRects().length) {
      const inner = piece ?? (node.localName === "term-text" ? found[found.push({ text: "", terms: [] }) - 1] : null);
      for (const child of node.childNodes) walk(child, inner);
    }
  };
  for (const root of document.querySelectorAll(".maml-lab, .ckpt, .stHtml")) walk(root, null);
  return found;
}"""


def first_standings(pieces: list) -> dict[str, bool]:
    """A term -> whether it can be opened where it first stands."""
    found: dict[str, bool] = {}
    for piece in pieces:
        for word in ANY.finditer(piece["text"]):
            if word[0] == "k":
                continue  # a letter like any other, where it is not the number of shots
            term = WORDS[word[0].lower()]
            found.setdefault(term, [word.start(), word.end(), term] in piece["terms"])
    return found


@pytest.mark.parametrize("path", AT_LEAST)
def test_every_term_is_openable_where_it_first_stands(page, server, path):
    lab = Lab(page, server)
    page.goto(server + path)
    for term in AT_LEAST[path]:
        expect(page.locator(f'button.term[data-term="{term}"]')).to_have_count(1)
    lab.at_rest()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found = first_standings(page.evaluate(PROSE))
    assert [term for term, openable in found.items() if not openable] == []
    assert AT_LEAST[path] <= found.keys()
    assert lab.problems == []


def test_no_page_is_left_out():
    assert set(PAGES) <= set(AT_LEAST)


def box(lab: Lab):
    return lab.page.locator("#term-box")


def term(lab: Lab, name: str):
    return lab.page.locator(f'button.term[data-term="{name}"]')


def places(lab: Lab) -> list:
    where = "all => all.map((one) => Object.values(one.getBoundingClientRect().toJSON()))"
    return lab.page.locator(".maml-lab :is(svg, p, h1, h2, button), .stButtonGroup").evaluate_all(where)


def test_one_is_open_at_a_time_and_nothing_moves(lab):
    before = places(lab)
    term(lab, "shot").click()
    expect(box(lab)).to_have_text(f"shot {TERMS['shot']}")
    expect(term(lab, "shot")).to_have_attribute("aria-expanded", "true")
    assert places(lab) == before
    term(lab, "MAML").click()
    expect(box(lab)).to_have_text(f"MAML {TERMS['MAML']}")
    expect(term(lab, "shot")).to_have_attribute("aria-expanded", "false")
    lab.page.mouse.click(640, 790)
    expect(box(lab)).to_be_empty()
    term(lab, "MAML").click()
    term(lab, "MAML").click()
    expect(box(lab)).to_be_empty()


def test_the_keyboard_opens_and_closes_it_and_the_page_hears_nothing(lab):
    lab.button("Present")
    step = lab.step
    term(lab, "MAML").focus()
    for key in ("Enter", "Space"):
        lab.page.keyboard.press(key)
        expect(box(lab)).to_have_text(f"MAML {TERMS['MAML']}")
        lab.page.keyboard.press("Escape")
        expect(box(lab)).to_be_empty()
        expect(term(lab, "MAML")).to_be_focused()
    expect(lab.page.locator(".maml-lab.present")).to_be_visible()
    assert lab.step == step
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.press("Tab")
    expect(box(lab)).to_be_empty()


def test_it_stays_open_and_focused_while_the_page_draws_itself_again(lab):
    term(lab, "MAML").focus()
    lab.page.keyboard.press("Enter")
    heading = lab.page.locator(".maml-lab h1").inner_text()
    lab.page.keyboard.press("ArrowRight")
    expect(lab.page.locator(".maml-lab h1")).not_to_have_text(heading)
    expect(term(lab, "MAML")).to_have_attribute("aria-expanded", "true")
    expect(term(lab, "MAML")).to_be_focused()
    expect(box(lab)).to_have_text(f"MAML {TERMS['MAML']}")


def test_the_learners_pills_are_explained(lab):
    lab.page.get_by_role("button", name="What are these?").click()
    for learner in ("MAML", "FOMAML", "Reptile", "ANIL", "Meta-SGD", "pretrained", "oracle", "random"):
        expect(box(lab)).to_contain_text(TERMS[learner])
    low, high = lab.page.evaluate(
        "() => { const { top, bottom } = document.querySelector('#term-box').getBoundingClientRect(); return [top, bottom]; }"
    )
    assert low >= 0
    assert high <= 800


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_finger_opens_it_on_a_phone_and_it_is_read_well(browser, server, theme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme=theme)
    lab = Lab(context.new_page(), server)
    lab.page.goto(server)
    term(lab, "pretrained").tap()
    expect(box(lab)).to_contain_text(TERMS["pretrained"])
    assert box(lab).get_attribute("role") == "status", "a screen reader says what comes into it"
    left, right, ink, paper = box(lab).evaluate("""(box) => {
      const { left, right } = box.getBoundingClientRect(), style = getComputedStyle(box);
      const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4), weights = [0.2126, 0.7152, 0.0722];
      const light = (colour) => weights.reduce((sum, weight, i) => sum + weight * linear(colour.match(/[\\d.]+/g)[i] / 255), 0);
      return [left, right, light(style.color), light(style.backgroundColor)];
    }""")
    assert left >= 0
    assert right <= 390
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 7
    lab.page.touchscreen.tap(195, 20)
    expect(box(lab)).to_be_empty()
    assert lab.problems == []
    context.close()
