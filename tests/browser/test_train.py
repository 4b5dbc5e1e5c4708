"""Training in front of a class: the demo for real, from the press to the lab; pausing, stopping, owners, a restarted server."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from conftest import PLACE, Lab, Training
from playwright.sync_api import Browser, Page, expect

from maml_core import runs
from maml_core.errors import RunError


@pytest.fixture
def training(page: Page, server: str, runs_folder: Path) -> Iterator[Training]:
    training = Training(page, server).open()
    yield training
    assert training.problems == []
    for run in runs.list_runs(runs_folder)[0]:
        with contextlib.suppress(RunError):  # it has ended, perhaps by itself in this moment
            runs.ask(run.folder, "stop")


@pytest.fixture
def student(browser: Browser, server: str) -> Iterator[Training]:
    """Another person, on a machine of their own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, extra_http_headers={"X-Forwarded-For": "192.168.0.7"})
    training = Training(context.new_page(), server).open()
    yield training
    assert training.problems == []
    context.close()


def test_the_demo_from_the_press_to_the_lab_and_home(training, tmp_path):
    """Trains for real, beats the baseline, is opened in the lab, and is loaded in plain PyTorch with the same numbers."""
    run = training.train()
    expect(training.page.locator(".learning-chart .point").first).to_be_attached(timeout=30_000)
    expect(training.page.locator("[data-curve=beaten-pretrained]")).to_be_attached(timeout=60_000)
    expect(training.page.locator(".place")).to_contain_text("iterations/s")
    training.state(run, "finished", 120_000)
    expect(training.page.locator("[data-curve=beaten-MAML-tf]")).to_be_attached()
    expect(training.page.locator("h1")).to_contain_text("below MAML-tf’s 0.45")
    with training.page.expect_download() as download:
        training.page.get_by_role("link", name="Download").click()
    file = tmp_path / "mine.safetensors"
    download.value.save_as(file)
    training.page.get_by_role("link", name="Open in lab").click()
    lab = Lab(training.page, training.base).ready()
    shots, lost = lab.shots, lab.page.locator("[data-loss=own]").inner_text()
    assert f"run%3A{run}" in lab.page.url or f"run:{run}" in lab.page.url
    true = re.search(r"amplitude (\S+) and phase (\S+) with", lab.page.locator("svg.task desc").text_content())
    plain = f"""
import torch
from safetensors.torch import load_file
from torch.nn import Linear, ReLU, Sequential
net = Sequential(Linear(1, 40), ReLU(), Linear(40, 40), ReLU(), Linear(40, 1))
net.load_state_dict(load_file({str(file)!r}))
x, y = torch.tensor({shots!r}).T.reshape(2, -1, 1)
loss = torch.nn.functional.mse_loss
gradients = torch.autograd.grad(loss(net(x), y), list(net.parameters()))
with torch.no_grad():
    for weight, gradient in zip(net.parameters(), gradients):
        weight -= 0.01 * gradient
    grid = torch.linspace(-5, 5, 201)[:, None]
    print(loss(net(grid), {true[1]} * torch.sin(grid - {true[2]})).item())
"""
    said = subprocess.run([sys.executable, "-c", plain], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert float(said) == pytest.approx(float(lost), rel=0.05)


def test_pause_resume_and_stop_keep_what_is_trained(training, runs_folder):
    run = training.train(**Training.LONG)
    expect(training.page.locator(".place")).to_contain_text("iterations/s", timeout=60_000)
    training.press("Pause")
    training.state(run, "paused")
    training.page.reload()
    training.ready()
    training.state(run, "paused")
    training.press("Resume")
    training.state(run, "running")
    training.press("Pause")
    training.state(run, "paused")
    # As a machine with a GPU leaves it.
    recipe = runs_folder / run / "config.json"
    stored = json.loads(recipe.read_text())
    recipe.write_text(json.dumps(stored | {"settings": stored["settings"] | {"device": "cuda", "path": "compiled"}}))
    expect(training.page.get_by_role("button", name="Resume", exact=True)).to_have_count(int(torch.cuda.is_available()))
    training.press("Resume" if torch.cuda.is_available() else "Resume here")
    training.state(run, "running")
    training.press("Stop")
    training.state(run, "stopped")
    expect(training.page.get_by_role("link", name="Download")).to_be_visible()
    training.press("Delete")
    expect(training.page.locator(f"tr[data-run={run}]")).to_have_count(1)
    training.press("Delete: sure?")
    expect(training.page.locator(f"tr[data-run={run}]")).to_have_count(0)
    expect(training.page).not_to_have_url(re.compile(run))


def test_others_see_a_run_but_only_its_owner_steers_it(training, student):
    run = training.train(**Training.LONG)
    student.page.locator(f"tr[data-run={run}] button").click()
    expect(student.page.get_by_role("button", name="Duplicate")).to_be_visible()
    assert student.page.get_by_role("button", name="Stop", exact=True).count() == 0
    said = student.page.evaluate(
        """async run => {
            const headers = { "Content-Type": "application/json" };
            const answer = await fetch("/train/act", { method: "POST", headers, body: JSON.stringify({ run, do: "stop" }) });
            return [answer.status, await answer.text()];
        }""",
        run,
    )
    assert said == [400, "Only the browser that started a run can control it"]
    student.problems.clear()  # the refusal stands in the console too
    training.press("Stop")
    training.state(run, "stopped")


def test_who_sits_at_the_server_ends_everybodys_runs(training, student):
    run = student.train(**Training.LONG)
    expect(student.page.locator(".everybody")).to_be_hidden()
    everybody = training.page.locator(".everybody")
    everybody.locator("summary").click()
    row = everybody.locator("tbody tr").first
    expect(row).to_contain_text(re.compile("queued|running"))
    for name in ("Stop all", "Stop all: sure?"):
        training.press(name)
    expect(row).to_contain_text("stopped")
    student.state(run, "stopped")
    for name in ("Delete", "Delete: sure?"):
        row.get_by_text(name, exact=True).click()
    expect(student.page.locator(f"tr[data-run={run}]")).to_have_count(0)


def test_a_run_is_named_and_made_the_template_of_another(training):
    run = training.train(**Training.LONG, alpha=0.02)
    training.press("Stop")
    training.state(run, "stopped")
    training.press("Rename")
    training.page.get_by_label("name", exact=True).fill("large <b>steps</b>")
    training.page.get_by_label("note").fill("for *tomorrow*")
    training.press("Save")
    expect(training.page.locator(f"tr[data-run={run}]")).to_contain_text("large <b>steps</b>")
    expect(training.page.locator(".setting")).to_contain_text("for *tomorrow*")
    training.page.get_by_role("radio", name="MAML-tf's recipe").click()
    expect(training.page.locator(".st-key-train_max_steps input")).to_have_value("70000")
    training.press("Duplicate")
    expect(training.page.locator(".st-key-train_alpha input")).to_have_value("0.02")
    expect(training.page.locator(".st-key-train_max_steps input")).to_have_value("9000")


def test_a_run_goes_on_from_an_earlier_snapshot(training):
    run = training.train(max_steps=1500)
    training.state(run, "finished")
    training.page.get_by_role("slider", name="snapshot shown").fill("4")
    expect(training.page.locator(".area-through .key")).to_contain_text("after 500 iterations")
    training.press("Restart here")
    expect(training.page.get_by_text("Continues from iteration 500")).to_be_visible()
    again = training.train()
    training.state(again, "finished")
    first = training.page.locator(f"tr[data-run={run}] .number").inner_text()
    expect(training.page.locator(f"tr[data-run={again}] .number")).to_have_text(first)
    training.page.get_by_role("checkbox", name=re.compile("compare")).first.check()
    expect(training.page.locator(".learning-chart [data-curve^=run-]")).to_have_count(1)
    training.press("Delete")
    training.page.get_by_role("slider", name="snapshot shown").fill("0")  # the buttons are drawn anew
    expect(training.page.locator(".area-through .key")).to_contain_text("after 500 iterations")
    training.press("Delete: sure?")
    expect(training.page.locator(f"tr[data-run={again}]")).to_have_count(0)


def test_the_chart_tells_values_and_enlarges_a_part_and_a_click_goes_to_a_snapshot(training):
    other = training.train(max_steps=300)
    training.state(other, "finished")
    training.state(training.train(max_steps=700), "finished")
    shown, said = training.page.locator(".area-through .key"), training.page.locator(".learning-chart .hoverlayer")
    expect(shown).to_contain_text("after 700 iterations")
    chart = training.page.locator(".learning-chart .plot")

    def at(iteration: float, exponent: float) -> tuple[float, float]:
        x, y = chart.evaluate(PLACE, [iteration, exponent])
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        return box["x"] + x, box["y"] + y

    training.page.mouse.move(*at(490, 0))
    training.page.mouse.move(*at(500, 0))
    expect(said).to_contain_text("iteration 500")
    expect(said).to_contain_text(re.compile(r"after 1 step \d\.\d+ ± \d\.\d+ at 500"))
    expect(said).to_contain_text("meta-batch")
    training.page.mouse.click(*at(290, 0))
    expect(shown).to_contain_text("after 300 iterations")

    training.page.mouse.move(*at(100, 1))
    training.page.mouse.down()
    training.page.mouse.move(*at(400, -1), steps=5)
    training.page.mouse.up()
    expect(training.page.get_by_role("button", name="whole")).to_be_visible()
    expect(shown).to_contain_text("after 300 iterations")
    enlarged = chart.evaluate("plot => plot.layout.xaxis.range")
    assert enlarged == pytest.approx([100, 400], abs=5)
    training.page.get_by_role("checkbox", name=re.compile("compare")).first.check()
    expect(training.page.locator(".learning-chart [data-curve^=run-]")).to_have_count(1)
    assert chart.evaluate("plot => plot.layout.xaxis.range") == enlarged
    training.page.mouse.click(*at(210, 0))
    expect(shown).to_contain_text("after 200 iterations")
    training.page.mouse.dblclick(*at(210, 0))
    expect(training.page.get_by_role("button", name="whole")).to_be_hidden()
    assert chart.evaluate("plot => plot.layout.xaxis.range") == [0, 700]


def test_your_task_is_edited_and_walked_through_training(training):
    run = training.train(max_steps=700)
    training.state(run, "finished")
    expect(training.page.locator(".area-through .key")).to_contain_text("after 700 iterations")
    drawn = training.curve("maml")
    training.page.get_by_role("slider", name="snapshot shown").fill("0")
    expect(training.page.locator(".area-through .key")).to_contain_text("untrained")
    assert training.curve("maml") != drawn
    training.click(1, 0)
    expect(training.page.locator(".area-through .key")).to_contain_text("11 shots, placed by hand")
    training.press("Play")
    expect(training.page.locator(".area-through .key")).to_contain_text("after 700 iterations", timeout=15_000)
    training.press("New task")
    expect(training.page.locator(".area-through .key")).to_contain_text("10 shots, sampled")


def test_settings_that_make_no_run_say_why(training):
    training.page.get_by_text("All settings").click()
    field = training.page.locator(".st-key-train_hidden input")
    field.fill("forty")
    field.press("Enter")
    expect(training.page.get_by_role("alert").first).to_contain_text("give widths separated by commas")
    expect(training.page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
    field.fill("20")
    field.press("Enter")
    expect(training.page.get_by_role("button", name="Train", exact=True)).to_be_enabled()


def test_a_restarted_server_finds_its_runs_and_the_page_goes_on(page, server_factory):
    server = server_factory()
    training = Training(page, server.base).open()
    run = training.train(max_steps=2500, batch_size=100)
    expect(training.page.locator(".place")).to_contain_text("iterations/s", timeout=60_000)
    server.stop()
    away = training.page.locator(".server-away")
    expect(away).to_contain_text("The server does not answer", timeout=20_000)
    server.start()
    expect(away).to_be_empty(timeout=30_000)
    training.state(run, "finished", 120_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(browser, server, scheme):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    training = Training(context.new_page(), server).open()
    training.state(training.train(max_steps=300), "finished")
    found = Axe().run(training.page, {"exclude": [["[data-testid=stHeader]"]]}).response["violations"]
    assert [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found if v["impact"] in ("serious", "critical")] == []
    context.close()


def test_nothing_is_cut_off_on_a_phone(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    training = Training(context.new_page(), server).open()
    assert not training.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert training.page.locator("svg.learning").bounding_box()["width"] > 340
    context.close()


@pytest.mark.parametrize("page_name", ["Train", "Checkpoints"])
def test_back_from_the_lab_brings_the_page_back(page, server, page_name):
    lab = Lab(page, server)
    page.goto(f"{server}/{page_name.lower()}")
    page.get_by_role("link", name="Lab", exact=True).click()
    lab.ready()
    page.go_back()
    expect(page.locator(".training, .ckpt").first).to_be_visible(timeout=15_000)
    assert page.get_by_text("Something went wrong").count() == 0
    assert lab.problems == []


def test_a_number_out_of_range_is_said_and_starts_nothing(training):
    training.page.get_by_text("All settings").click()
    field = training.page.locator(".st-key-train_K input")
    field.fill("100000")
    field.press("Enter")
    expect(training.page.get_by_role("alert").first).to_contain_text("must be between 1 and 1000")
    expect(training.page.get_by_role("button", name="Train", exact=True)).to_be_disabled()


def test_a_run_that_diverges_says_what_to_change(training):
    run = training.train(beta=1, max_steps=1000)
    training.state(run, "diverged")
    expect(training.page.locator("h1")).to_have_text("Training diverged")
    expect(training.page.locator(".counsel")).to_contain_text("Duplicate the run with a smaller β (now 1) or α (now 0.01)")


def test_a_run_that_is_not_there_is_said(page, server):
    training = Training(page, server).open("?run=maml-000000")
    expect(page.locator(".complaint")).to_contain_text("There is no run maml-000000 on this server")
    assert training.problems == []


def test_the_address_of_a_run_shows_it(training, student):
    run = training.train(max_steps=300)
    training.state(run, "finished")
    other = training.train(max_steps=200)
    student.open(f"?run={run}")
    expect(student.page.locator(f"tr[data-run={run}]")).to_have_class("selected")
    assert other != run
