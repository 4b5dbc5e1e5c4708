"""The Checkpoints page in a browser: compare, take along, bring, open in the lab; and that everybody can use it."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from conftest import Lab
from playwright.sync_api import Page, expect
from safetensors.torch import save_file
from torch import nn

from maml_core import checkpoint
from maml_core.checkpoint import Checkpoint
from maml_core.config import TrainConfig
from maml_core.training import init
from ui.shared import learners


class Checkpoints(Lab):
    """The page as a person sees it."""

    def open(self, query: str = "") -> "Checkpoints":
        self.page.goto(f"{self.base}/checkpoints{query}")
        return self.ready()

    def ready(self) -> "Checkpoints":
        expect(self.card("maml").locator("svg.thumbnail")).to_be_visible(timeout=30_000)
        return self.settled()

    def settled(self) -> "Checkpoints":
        self.page.wait_for_timeout(400)
        self.at_rest()
        return self

    def card(self, name: str):
        return self.page.locator(f'.card[data-name="{name}"]')

    def compare(self, name: str) -> None:
        self.card(name).get_by_role("button", name="Compare").click()
        self.settled()

    def table(self) -> str:
        """What is read of the table, row by row."""
        rows = self.page.locator("[role=grid] tbody tr")
        expect(rows.nth(2)).to_be_attached()
        rows = rows.evaluate_all("all => all.map(row => [...row.children].map(cell => cell.textContent))")
        return "\n".join(" ".join(cells) for cells in rows)


@pytest.fixture
def checkpoints(page: Page, server: str) -> Iterator[Checkpoints]:
    """The page, just opened; the test fails if the browser complained or asked for anything outside."""
    checkpoints = Checkpoints(page, server)
    yield checkpoints.open()
    assert checkpoints.problems == []


def test_from_the_lab_to_the_cards_and_two_compared(lab, checkpoints, visitor):
    lab.open()
    lab.page.get_by_role("link", name="Checkpoints").click()
    checkpoints.ready()
    for name in learners.shipped():
        expect(checkpoints.card(name).locator("svg.thumbnail .line")).to_have_count(3)
    checkpoints.card("anil").locator("summary").click()
    checkpoints.compare("pretrained")
    checkpoints.compare("anil")
    page = checkpoints.page
    expect(page.locator(".finding")).to_contain_text("After 10 steps, ANIL has the lowest mean error")
    expect(page.locator(".comparison .labels text")).to_have_text(["pretrained", "ANIL"])
    expect(checkpoints.card("anil").locator("details")).to_have_attribute("open", "")
    assert re.search(r"0 ANIL 0\.01 2\.97\d* -?0\.0\d+ 0\.0\d+", checkpoints.table())
    expect(page).to_have_url(re.compile("compare=pretrained%2Canil"))
    other = Checkpoints(visitor.page, visitor.base)
    other.open("?" + page.url.partition("?")[2])
    expect(other.page.locator(".comparison .labels text")).to_have_text(["pretrained", "ANIL"])
    assert other.table() == checkpoints.table()
    checkpoints.compare("anil")
    expect(page.locator(".finding")).to_have_count(0)


def test_the_comparison_tells_values_is_enlarged_and_kept(checkpoints):
    page = checkpoints.page
    checkpoints.open("?compare=maml,pretrained,meta_sgd")
    chart = page.locator(".comparison-chart")
    expect(chart.locator("[data-curve]")).to_have_count(6)  # a line each, and its interval
    said = page.locator(".finding").text_content()
    expect(chart.locator("svg.comparison")).to_have_attribute("aria-label", f"Error by inner step. {said}")
    box = chart.bounding_box()
    middle = [box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"]]
    page.mouse.move(*middle)
    values = chart.locator(".hoverlayer")
    expect(values).to_contain_text(re.compile(r"step 5.*MAML 0\.1\d\d ± 0\.0\d\d.*Meta-SGD 21\.\d+ ± \d\.\d+ · 20% diverged"))

    marks = chart.locator(".xtick text")
    expect(marks).to_have_text([str(step) for step in range(11)])
    page.mouse.down()
    page.mouse.move(middle[0] + 120, middle[1] + 90, steps=4)
    page.mouse.up()
    expect(marks.first).not_to_have_text("0")
    expect(chart.locator(".labels text").first).to_have_text("MAML ↓")
    page.mouse.dblclick(*middle)
    expect(marks).to_have_count(11)
    expect(chart.locator(".labels text")).to_have_text(["MAML", "pretrained", "Meta-SGD"])
    page.mouse.move(middle[0], middle[1] + 2)
    with page.expect_download() as download:
        chart.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == "maml-lab-comparison.svg"
    assert "Meta-SGD" in download.value.path().read_text("utf-8")
    copies = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => /plotly[^/]*[.]js|PlotlyChart|plotly.[0-9a-f]/.test(e.name)).length"
    )
    assert copies == 2, "the module that knows where it is, and the one copy"


def test_a_name_beside_a_line_and_among_values_is_text_and_no_tags(checkpoints, tmp_path):
    page, config = checkpoints.page, TrainConfig(hidden=(7, 6), seed=78)
    evil = "<b>mine</b> & co"
    checkpoint.save(tmp_path / "named.safetensors", Checkpoint(init(config).learned, config, 0))
    page.get_by_role("button", name="Upload a checkpoint").click()
    given = {"name": f"{evil}.safetensors", "mimeType": "", "buffer": (tmp_path / "named.safetensors").read_bytes()}
    page.locator("input[type=file]").set_input_files(given)
    name = page.locator(".card.chosen").get_attribute("data-name")
    title = page.locator(".card.chosen h3").text_content()
    assert "<b>" in title
    checkpoints.open(f"?compare=maml,{name}")
    chart = page.locator(".comparison-chart")
    expect(chart.locator(".labels text").last).to_have_text(title)
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    expect(chart.locator(".hoverlayer")).to_contain_text(title)


def test_pressing_quickly_loses_nothing(checkpoints):
    names = ["maml", "fomaml", "reptile", "anil", "pretrained"]
    for name in names:
        checkpoints.card(name).get_by_role("button", name="Compare").click()
    expect(checkpoints.page.locator(".comparison .labels text")).to_have_count(5, timeout=30_000)
    for name in names:
        expect(checkpoints.card(name)).to_have_class(re.compile("chosen"))


def test_a_zip_taken_along_loads_in_plain_pytorch(checkpoints, tmp_path):
    with checkpoints.page.expect_download() as download:
        checkpoints.card("oracle").get_by_role("link", name="All as zip").click()
    zipfile.ZipFile(download.value.path()).extractall(tmp_path)
    folder = tmp_path / "oracle"
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.S)[1]
    code += "\nimport torch\nprint(net(torch.tensor([[0.5, 2.0, 1.0], [-1.0, 3.0, 0.2]])).flatten().tolist())"
    told = subprocess.run([sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout
    saved = learners.get("oracle")
    wanted = saved.network.apply(saved.split()[0], torch.tensor([[0.5, 2.0, 1.0], [-1.0, 3.0, 0.2]]))
    assert json.loads(told) == pytest.approx(wanted.flatten().tolist(), abs=1e-4)


def test_a_bad_file_is_refused_in_a_sentence_and_a_good_one_is_shown_and_opens_in_the_lab(checkpoints, tmp_path):
    page, config = checkpoints.page, TrainConfig(hidden=(7, 6), seed=77)
    (tmp_path / "bad.safetensors").write_bytes(b"not a checkpoint")
    checkpoint.save(tmp_path / "good.safetensors", Checkpoint(init(config).learned, config, 0))
    page.get_by_role("button", name="Upload a checkpoint").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "bad.safetensors")
    expect(page.get_by_role("alert").filter(has_text="bad.safetensors is not a safetensors file, or is damaged")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "good.safetensors")
    brought = page.locator(".card.chosen")
    expect(brought).to_contain_text("layers of 7, 6, seed 77")
    page.keyboard.press("Escape")
    name = brought.get_attribute("data-name")
    assert name.startswith("upload:")
    brought.get_by_role("link", name="Open in lab").click()
    Lab.ready(checkpoints)
    assert page.locator(".task-chart [data-curve=own]").count() == 1
    assert page.locator(".task-chart [data-curve=pretrained]").count() == 1


def test_a_network_from_elsewhere_is_taken_with_its_settings_and_deleted_with_a_word_to_who_follows_a_link(
    checkpoints, visitor, tmp_path
):
    page, plain = checkpoints.page, nn.Sequential(nn.Linear(1, 6), nn.ReLU(), nn.Linear(6, 1)).state_dict()
    torch.save(plain, tmp_path / "renamed.safetensors")
    save_file({f"module.{name}": value for name, value in plain.items()}, tmp_path / "elsewhere.safetensors")
    page.get_by_role("button", name="Upload a checkpoint").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "renamed.safetensors")
    expect(page.get_by_role("alert").filter(has_text="renamed.safetensors is a PyTorch file (.pt, a pickle)")).to_be_visible()
    expect(page.get_by_test_id("stCode")).to_contain_text("weights_only=True")
    page.locator("input[type=file]").set_input_files(tmp_path / "elsewhere.safetensors")
    page.get_by_role("button", name="Use it").click()
    card = page.locator(".card.chosen")
    expect(card).to_contain_text("MAML, 1 inner step, α 0.01, hidden layers of 6, trained elsewhere")
    page.keyboard.press("Escape")
    name = card.get_attribute("data-name")
    visitor.open(f"?learners=maml,{name}")
    expect(visitor.page.locator("svg.task .labels")).to_contain_text("elsewhere")
    card.get_by_role("button", name="Delete elsewhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(checkpoints.card(name)).to_have_count(0)
    visitor.page.goto(f"{visitor.base}/lab?learners=maml,{name}")
    said = visitor.page.get_by_test_id("stToast")
    expect(said).to_contain_text("that uploaded checkpoint was deleted from this server", timeout=30_000)


def test_a_shipped_one_that_is_no_learner_of_the_lab_opens_there_under_its_name(checkpoints):
    checkpoints.card("shipped:maml_best").get_by_role("link", name="Open in lab").click()
    Lab.ready(checkpoints)
    expect(checkpoints.page.locator("svg.task .labels")).to_contain_text("MAML best")
    expect(checkpoints.page.locator("h1")).to_contain_text("MAML best")
    with checkpoints.page.expect_download() as download:
        checkpoints.page.get_by_role("button", name="Share").click()
        checkpoints.page.get_by_role("dialog").get_by_role("link", name="MAML best").click()
    assert download.value.suggested_filename == "maml_best.safetensors"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(browser, server, theme):
    size = {"width": 1280, "height": 800} if theme == "light" else {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, color_scheme=theme)
    checkpoints = Checkpoints(context.new_page(), server).open("?compare=maml,shipped:maml_best,meta_sgd")
    checkpoints.card("maml").locator("summary").click()
    expect(checkpoints.page.locator(".comparison-chart .curve").first).to_be_visible()
    assert checkpoints.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
    found = Axe().run(checkpoints.page).response["violations"]
    told = [
        {"rule": f["id"], "where": [n["target"] for n in f["nodes"]][:4], "why": f["nodes"][0].get("failureSummary")}
        for f in found
        if f["impact"] in ("serious", "critical")
    ]
    assert told == [], json.dumps(told, indent=1)
    assert checkpoints.problems == []
    context.close()
