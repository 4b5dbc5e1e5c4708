"""The Explore page in a real browser: maps that sharpen, a cell read out and opened in the lab, curves, the published table."""

import csv
import json
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Lab
from playwright.sync_api import Page, expect


class Explore(Lab):
    """The page as a person sees it."""

    def open(self, query: str = "") -> "Explore":
        self.page.goto(f"{self.base}/explore{query}")
        return self.ready()

    def ready(self) -> "Explore":
        """Until every map has met a first round of tasks."""
        seen = "() => +document.querySelector('.maml-lab.explore')?.dataset.tasks >= 200"
        self.page.wait_for_function(seen, timeout=60_000)
        return self

    def map(self, number: int):
        return self.page.locator("svg.heat").nth(number)

    def cell(self, number: int, row: int, step: int) -> tuple[float, float]:
        """Where a cell of a map is on the screen, inside its chart."""
        box = self.map(number).locator(".tile").nth(21 * row + step).bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.fixture
def explore(page: Page, server: str) -> Iterator[Explore]:
    """The page, just opened; the test fails if the browser complained or asked for anything outside."""
    page.set_viewport_size({"width": 1280, "height": 800})
    explore = Explore(page, server)
    yield explore.open()
    assert explore.problems == []


def test_a_cell_is_read_out_and_opens_in_the_lab_with_the_same_error(explore, visitor):
    page = explore.page
    expect(page.locator("h1")).to_contain_text("Trained for 10 shots and 1 step")
    page.mouse.move(*explore.cell(0, 4, 3))
    expect(page.locator(".explore-side h2")).to_have_text("After 3 steps, 5 shots")
    expect(page.locator(".readout")).to_contain_text("pretrained, own α")
    page.mouse.click(*explore.cell(0, 4, 3))
    assert "cell=K%2C5%2C3" in page.url
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".place:visible")).to_contain_text("stopped")
    link = page.locator("[data-example=typical]")
    loss = float(re.search(r"[\d.]+$", link.inner_text())[0])
    other = Explore(visitor.page, visitor.base).open("?" + page.url.partition("?")[2])
    expect(other.page.locator(".explore-side h2")).to_have_text("After 3 steps, 5 shots")
    link.click()
    Lab.ready(explore)
    assert explore.step.startswith("step 3")
    assert len(explore.shots) == 5
    shown = float(page.locator("[data-loss=maml]").inner_text())
    assert shown == pytest.approx(loss, rel=0.1)


def test_the_cell_survives_a_condition_and_the_keyboard_moves_it(explore):
    page = explore.page
    page.mouse.click(*explore.cell(1, 12, 5))
    assert "cell=alpha%2C0.01%2C5" in page.url
    page.get_by_role("button", name="shots in half the range").click()
    expect(page.locator(".setting")).to_contain_text("beyond training: shots in half the range")
    explore.ready()
    assert "conditions=half" in page.url
    assert "cell=alpha%2C0.01%2C5" in page.url
    page.mouse.move(5, 5)
    explore.map(1).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".explore-side h2")).to_have_text("After 6 steps, α = 0.015")
    page.keyboard.press("Enter")
    assert "cell=alpha%2C0.015%2C6" in page.url


def test_curves_a_csv_and_a_picture(explore):
    page = explore.page
    page.get_by_role("radio", name="curves").click()
    expect(page.locator("svg.slice")).to_have_count(3)
    expect(page.locator("svg.slice [data-line=MAML]")).to_have_count(3)
    expect(page.locator("svg.slice").first).to_have_attribute("aria-label", re.compile(r"by inner step, 10 shots\. MAML from \d"))
    page.locator(".take-away summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="MAML by shots.csv").click()
    with open(download.value.path(), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20 * 21
    with page.expect_download() as download:
        page.get_by_role("button", name="picture.svg").click()
    with open(download.value.path(), encoding="utf-8") as file:
        text = file.read()
    assert text.startswith("<svg")
    assert "by step size" in text
    assert "var(" not in text


def test_the_published_table_is_measured_again(explore):
    page = explore.page
    page.get_by_role("radio", name="the published table").click()
    expect(page.locator("h1")).to_contain_text("MAML best is below all 6 figures of MAML-tf’s table")
    before = page.locator("table.published").first.inner_text()
    page.get_by_role("button", name="Measure again").click()
    expect(page.locator(".place[data-done=true]")).to_contain_text("Ours were measured just now", timeout=240_000)
    assert page.locator("table.published").first.inner_text() != before
    expect(page.locator("h1")).to_contain_text("all 6 figures")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["maps", "curves", "published"])
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(browser, server, theme, view):
    size = {"width": 1280, "height": 800} if theme == "light" else {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, color_scheme=theme)
    explore = Explore(context.new_page(), server)
    explore.page.goto(f"{server}/explore?learners=maml,pretrained&view={view}")
    if view == "published":
        expect(explore.page.locator("table.published")).to_have_count(3, timeout=30_000)
    else:
        explore.ready()
        explore.page.locator(".data summary").click()
    assert explore.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
    found = Axe().run(explore.page).response["violations"]
    told = [
        {"rule": f["id"], "where": [n["target"] for n in f["nodes"]][:4], "why": f["nodes"][0].get("failureSummary")}
        for f in found
        if f["impact"] in ("serious", "critical")
    ]
    assert told == [], json.dumps(told, indent=1)
    assert explore.problems == []
    context.close()
