"""The Explore page in a real browser: maps that sharpen, a cell read out and opened in the lab, curves, the published table."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PLACE, Lab
from PIL import Image
from playwright.sync_api import Page, expect

from ui.checkpoints import recipe
from ui.explore import published
from ui.shared import learners, rounding


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
        px, py = self.page.locator(".heat-chart .plot").nth(number).evaluate(PLACE, [step, row])
        box = self.map(number).bounding_box()
        return box["x"] + px, box["y"] + py


@pytest.fixture
def explore(page: Page, server: str) -> Iterator[Explore]:
    """The page, just opened; the test fails if the browser complained or asked for anything outside."""
    explore = Explore(page, server)
    yield explore.open()
    assert explore.problems == []


def test_a_cell_is_read_out_and_opens_in_the_lab_with_the_same_error(explore, visitor):
    page = explore.page
    expect(page.locator("h1")).to_contain_text("Trained for 10 shots and 1 step")
    page.mouse.move(*explore.cell(0, 4, 3))
    expect(page.locator(".explore-side h2")).to_have_text("After 3 steps, 5 shots")
    expect(page.locator(".readout")).to_contain_text("pretrained α = 0.02")
    page.mouse.click(*explore.cell(0, 4, 3))
    expect(page).to_have_url(re.compile("cell=K%2C5%2C3"))
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
    assert shown == loss


def test_the_cell_survives_a_condition_and_the_keyboard_moves_it(explore):
    page = explore.page
    page.mouse.click(*explore.cell(1, 12, 5))
    expect(page).to_have_url(re.compile("cell=alpha%2C0.01%2C5"))
    page.get_by_role("button", name="shots in half the range").click()
    expect(page.locator(".setting")).to_contain_text("beyond training: shots in half the range")
    explore.ready()
    expect(page).to_have_url(re.compile("cell=alpha%2C0.01%2C5.*conditions=half"))
    page.mouse.move(5, 5)
    explore.map(1).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".explore-side h2")).to_have_text("After 6 steps, α = 0.015")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("cell=alpha%2C0.015%2C6"))


def test_curves_a_csv_and_a_picture(explore):
    page = explore.page
    page.get_by_role("radio", name="curves").click()
    expect(page.locator("svg.slice")).to_have_count(3)
    expect(page.locator(".slice-chart [data-curve=maml]")).to_have_count(3)
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
    assert text.count("<path") > 3 * 3, "the lines and the bands of three charts"


def test_values_stand_under_the_pointer_and_a_part_is_enlarged_moved_and_given_back(explore):
    page = explore.page
    corners = explore.cell(0, 3, 2), explore.cell(0, 15, 12)
    page.mouse.move(*explore.cell(0, 4, 3))
    expect(page.locator(".heat-chart .hoverlayer").first).to_contain_text("After 3 steps, 5 shots")
    page.wait_for_function("""() => {
        const shown = document.querySelector(".readout tbody td").textContent;
        return document.querySelector(".heat-chart .hoverlayer").textContent.includes(`${shown} · none diverged`);
    }""")  # while the map is refined
    page.mouse.move(*corners[0])
    page.mouse.down()
    page.mouse.move(*corners[1], steps=5)
    page.mouse.up()
    whole = page.locator(".heat-chart").first.get_by_role("button", name="whole")
    expect(whole).to_be_visible()
    assert "cell=" not in page.url, "a drag chooses no cell"
    width = explore.cell(0, 4, 4)[0] - explore.cell(0, 4, 3)[0]
    assert width > 30
    page.mouse.click(*explore.cell(0, 5, 4))
    expect(page).to_have_url(re.compile("cell=K%2C6%2C4"))
    before = explore.cell(0, 8, 6)
    page.mouse.move(*before)
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(before[0] + 40, before[1] + 30, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert explore.cell(0, 8, 6) == pytest.approx((before[0] + 40, before[1] + 30), abs=2)
    expect(page).to_have_url(re.compile("cell=K%2C6%2C4"))
    page.mouse.dblclick(*explore.cell(0, 8, 6))
    expect(whole).to_be_hidden()
    assert explore.cell(0, 3, 2) == pytest.approx(corners[0], abs=1)


def test_a_curve_is_read_under_the_pointer_and_a_press_moves_the_line(explore):
    page = explore.page
    page.get_by_role("radio", name="curves").click()
    chart = page.locator(".slice-chart")
    expect(chart.first.locator("[data-curve=maml]")).to_be_attached()
    px, py = chart.first.locator(".plot").evaluate(PLACE, [12, 1])
    box = chart.first.bounding_box()
    page.mouse.move(box["x"] + px, box["y"] + py)
    expect(chart.first.locator(".hoverlayer")).to_contain_text("step 12")
    expect(chart.first.locator(".hoverlayer")).to_contain_text(re.compile(r"MAML 0\.\d+ ± 0\.\d+"))
    page.mouse.click(box["x"] + px, box["y"] + py)
    expect(page).to_have_url(re.compile("cell=K%2C10%2C12"))
    expect(page.locator(".plots h2").nth(1)).to_have_text("by shots, after 12 steps")


def test_a_saved_map_has_its_colours_cell_by_cell_and_what_lies_over_them(explore):
    page = explore.page
    page.locator(".heat-chart").first.hover()
    with page.expect_download() as download:
        page.locator(".heat-chart").first.get_by_role("button", name="SVG").click()
    text = Path(download.value.path()).read_text("utf-8")
    assert "shots K × inner steps" in text
    assert "<image" not in text
    assert text.count("<rect") > 20 * 21
    page.locator(".take-away summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="picture.png").click()
    image = Image.open(download.value.path())
    assert len(image.convert("RGB").getcolors(1 << 24)) > 300, "two maps of some hundred colours"


def test_while_it_measures_one_sees_what_is_measured_and_no_heading_is_empty(page, server):
    held, answers = [], False
    page.route("**/explore/map.json*", lambda route: route.continue_() if answers else held.append(route))
    explore = Explore(page, server)
    page.goto(f"{server}/explore?learners=maml,pretrained")
    expect(page.locator("svg.heat .waiting")).to_have_count(4, timeout=30_000)
    expect(page.locator("svg.heat .waiting").first).to_have_text("measuring 20 × 21 cells …")
    expect(page.locator("svg.heat .waiting").last).to_have_text("waiting to be measured")
    expect(page.locator(".place:visible")).to_have_text(
        "measuring MAML by shots and MAML by step size: 0 of 2,000 tasks per cell"
    )
    expect(page.locator("h1")).to_have_text("Measuring MAML and pretrained on fresh tasks")
    expect(page.locator(".cell-links")).to_be_empty()
    answers = True
    for route in held:
        route.continue_()
    explore.ready()
    expect(page.locator("svg.heat .waiting").first).to_be_empty()
    expect(page.locator(".cell-links .lead")).to_have_count(1)
    assert explore.problems == []


def test_on_a_phone_the_published_table_shows_our_figures_rounded_as_everywhere(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    explore = Explore(context.new_page(), server)
    page = explore.page
    page.goto(f"{server}/explore?view=published")
    expect(page.locator("table.published")).to_have_count(3, timeout=30_000)
    cells = page.locator("table.published :is(th, td)").evaluate_all(
        "all => all.map(cell => [getComputedStyle(cell).display, cell.getBoundingClientRect().right <= innerWidth])"
    )
    assert set(map(tuple, cells)) == {("table-cell", True)}
    shown = page.locator("table.published tbody tr").evaluate_all(
        "all => all.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
    )
    assert len(shown) == len(published.FIGURES)
    rows = sorted(published.FIGURES, key=lambda figure: list(published.OURS).index(figure.of))
    for figure, (K, step, _, *ours) in zip(rows, shown, strict=True):
        assert (K, step) == (str(figure.K), str(figure.step))
        cards = [recipe.result_cell(learners.get(name).results[K][step]) for name in published.OURS[figure.of]]
        cards = [re.sub(r" \(.*diverged\)", "", card) for card in cards]
        assert [re.sub(r" [▼▲].*", "", text) for text in ours] == cards, "as on the Checkpoints page"
    assert explore.problems == []
    context.close()


def test_the_browser_rounds_as_python_does(explore):
    """Halves, which Python's own formats treat otherwise, among them."""
    rng = np.random.default_rng(3)
    pairs = (10 ** rng.uniform((-6, -6), (2.2, 1), (2000, 2))).tolist()
    pairs += [
        *([i / 64, j / 512] for i in range(1, 700) for j in (0, 1, 3)),
        *([huge, 1.0] for huge in (999_999.9, 1e6, 1_250_000.0, 3.17e14)),
    ]
    body = """
        const { number, interval } = module;
        return given.map(([mean, ci95]) => [number(mean), number(mean, 3), interval(mean, ci95), interval(mean, ci95, 3)]);
    """
    wanted = [
        [rounding.number(mean), rounding.number(mean, 3), rounding.interval(mean, ci95, 2), rounding.interval(mean, ci95)]
        for mean, ci95 in pairs
    ]
    assert explore.module("shared/rounding.js", body, pairs) == wanted


def test_the_published_table_is_measured_again(explore):
    page = explore.page
    page.get_by_role("radio", name="published table").click()
    expect(page.locator("h1")).to_contain_text("MAML best’s 95% interval lies below all 6 figures in MAML-tf’s table")
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
