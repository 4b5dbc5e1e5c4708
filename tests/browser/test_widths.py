"""Every page fits a tablet, phones and a small phone: it scrolls down only, and nothing to press or read stands outside."""

import pytest
from playwright.sync_api import Page, expect

from ui import page_html

WIDTHS = (768, 390, 360, 320)
CARDS = ("equally-wrong", "the-mean-task", "the-cliff")
"""One for each kind of answer."""
OUTSIDE = """() => {
  const page = document.documentElement, main = document.querySelector("[data-testid=stMain]"), wide = page.clientWidth;
  const scrolls = (node) => node !== main && /auto|scroll/.test(getComputedStyle(node).overflowX);
  const isClipped = (node) => getComputedStyle(node).clipPath === "inset(50%)"; // for screen readers alone
  const within = (node, is) => node && (is(node) || within(node.parentElement, is));
  const wider = [page, main].filter((box) => box.scrollWidth > box.clientWidth);
  const found = wider.map((box) => `the page scrolls sideways: ${box.scrollWidth} px`);
  for (const node of document.querySelectorAll("button, a, input, select, textarea, summary, h1, h2, h3, p")) {
    const { left, right, width, height } = node.getBoundingClientRect();
    const unseen = width < 2 || height < 2 || getComputedStyle(node).visibility === "hidden";
    if (unseen || (left > -1 && right < wide + 1) || within(node, scrolls) || within(node, isClipped)) continue;
    found.push(`${node.localName} "${node.textContent.slice(0, 40)}" from ${Math.round(left)} to ${Math.round(right)}`);
  }
  return found;
}"""


def outside(page: Page) -> dict[int, list[str]]:
    """What stands outside of a page, by width."""
    expect(page.locator(".maml-lab :is(h1, .code-large), .ckpt .card").first).to_be_visible(timeout=30_000)
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(500)  # what is drawn for a width follows it
        found[width] = page.evaluate(OUTSIDE)
    return {width: what for width, what in found.items() if what}


@pytest.mark.parametrize("path", [*page_html.PAGES, *(f"/lessons?card={name}" for name in CARDS)])
def test_a_page_fits(page, server, path):
    page.goto(server + path)
    assert outside(page) == {}


def test_a_room_fits(page, server):
    page.goto(f"{server}/classroom")
    page.get_by_role("button", name="Open a room").click()
    expect(page.locator(".qr")).to_be_visible()
    assert outside(page) == {}
    page.get_by_role("button", name="Present").click()
    assert outside(page) == {}
