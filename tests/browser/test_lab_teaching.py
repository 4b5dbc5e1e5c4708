"""The lab as a teaching tool: hidden names, ghosts, panels, one step in numbers, 1,000 tasks, sharing, presenting, undoing."""

import csv
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Lab
from playwright.sync_api import expect

from maml_core import checkpoint
from maml_core.checkpoint import Checkpoint
from maml_core.config import TrainConfig
from maml_core.training import init

ALL = "maml,fomaml,reptile,anil,meta_sgd,pretrained,oracle,random"


def tab(lab: Lab, name: str):
    """Open a tab beside the picture and give its panel."""
    lab.page.get_by_role("tab", name=name).click()
    return lab.page.get_by_role("tabpanel", name=name)


def choose(lab: Lab, key: str, option: str) -> None:
    """Take one of the options under the picture."""
    lab.page.locator(f".st-key-{key}").get_by_text(option, exact=True).click()
    lab.settled()


def step_to(lab: Lab, step: int) -> None:
    lab.page.get_by_role("slider", name="step shown").fill(str(step))


# Small multiples


def test_side_by_side_each_learner_has_a_plot_with_the_same_axes_and_its_loss(lab, visitor):
    choose(lab, "view", "side by side")
    plots = lab.page.locator("svg.task")
    expect(plots).to_have_count(2)
    drawn = lab.page.locator(".task-chart .plot")
    axes = [drawn.nth(i).locator("text").all_text_contents() for i in range(2)]
    assert axes[0] == axes[1]
    assert [
        lab.page.locator(".task-chart").nth(i).locator("[data-curve]").evaluate_all("all => all.map(c => c.dataset.curve)")
        for i in range(2)
    ] == [
        ["before", "true", "maml"],
        ["before", "true", "pretrained"],
    ]
    titles = lab.page.locator(".panel-title").all_inner_texts()
    assert [re.sub(r"\s+", " ", title) for title in titles] == ["MAML 0.18", "pretrained 3.98"]
    box = plots.nth(1).bounding_box()
    lab.page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])  # a shot in one is a shot in all
    lab.settled()
    for i in range(2):
        expect(plots.nth(i).locator(".shot")).to_have_count(6)
    assert "view=panels" in lab.page.url
    visitor.open("?" + lab.page.url.partition("?")[2])
    assert visitor.picture() == lab.picture()


# Blind vote


def neutral(lab: Lab) -> None:
    """Nothing on the page, in its address or in its text alternatives names a learner."""
    inside = lab.page.locator(".maml-lab").evaluate("root => root.innerHTML").lower()
    inside = re.sub(r'</?term-[^>]*>|<button [^>]*class="term"[^>]*>', "", inside)  # the glossary's, of words that all pages have
    inside = inside.replace("maml-lab", "").replace("is maml", "").replace("maml lab", "").replace("maml_core", "")
    inside = re.sub(r"which of them is maml|one of these networks is maml", "", inside)
    for word in ("pretrained", "fomaml", 'data-curve="maml', "--maml", "own α"):
        assert word not in inside, inside[max(inside.find(word) - 300, 0) :][:400]
    assert not re.search(r"learners=[^&]*(maml|pretrained)", lab.page.url)
    assert lab.page.locator(".st-key-learners").count() == 0
    assert lab.page.locator(".own-alpha").count() == 0


def test_a_blind_vote_from_the_guess_to_the_verdict(lab, visitor):
    lab.page.get_by_role("button", name="names", exact=True).click()
    lab.settled()
    expect(lab.page.locator("h1")).to_contain_text("Which one?")
    assert lab.step == "step 0 of 10"
    neutral(lab)
    chart = lab.page.locator(".loss-chart [data-curve]").evaluate_all("all => all.map(p => p.getAttribute('d')).join()")
    assert chart.count("L") == 0, "what comes later would tell the names"
    for name in ("Algorithm", "One step", "1,000 tasks", "Shots", "Numbers"):
        tab(lab, name)
        neutral(lab)
    visitor.open("?" + lab.page.url.partition("?")[2])
    assert visitor.picture() == lab.picture(), "the same letters for everybody"
    losses = {letter: float(lab.page.locator(f"[data-loss={letter}]").inner_text()) for letter in "AB"}
    assert losses["A"] == pytest.approx(losses["B"], rel=0.1)
    lab.page.get_by_role("button", name="A is MAML").click()
    expect(lab.page.locator(".vote")).to_contain_text("You say A")
    lab.page.get_by_role("button", name="One step forward").click()
    expect(lab.page.locator("h1")).to_contain_text("is MAML")
    lab.settled()
    said = lab.page.locator("h1").inner_text()
    assert said in ("Right: A is MAML, B is pretrained", "You said A, but B is MAML, A is pretrained")
    assert "MAML 0.18, pretrained 3.98" in lab.sentence
    assert "hide" not in lab.page.url
    assert lab.step == "step 1 of 10"


def test_stepping_first_and_guessing_then(lab):
    lab.open("?hide=names")
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_timeout(600)
    lab.settled()
    neutral(lab)
    better = min("AB", key=lambda letter: float(lab.page.locator(f"[data-loss={letter}]").inner_text()))
    lab.page.get_by_role("button", name=f"{better} is MAML").click()
    expect(lab.page.locator("h1")).to_contain_text(f"Right: {better} is MAML")


def test_names_can_be_shown_without_a_guess(lab):
    lab.open("?hide=names")
    show = lab.page.get_by_role("button", name="Show the names")
    expect(show).to_have_attribute("aria-disabled", "true")
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_timeout(600)
    show.click()
    expect(lab.page.locator("h1")).to_contain_text(re.compile("^[AB] is MAML"))


# Shots


@pytest.mark.parametrize(("option", "word"), [("left half", "left"), ("cluster", "cluster"), ("evenly", "even")])
def test_shots_can_be_sampled_in_other_places(lab, option, word):
    choose(lab, "placement", option)
    xs = sorted(x for x, _ in lab.shots)
    assert len(xs) == 5
    if word == "left":
        assert xs[-1] <= 0
    elif word == "cluster":
        assert xs[-1] - xs[0] <= 1.52
    else:
        assert xs == pytest.approx([-4, -2, 0, 2, 4], abs=0.01)
    assert f"placement={word}" in lab.page.url
    lab.button("New task")
    if word == "left":
        assert max(x for x, _ in lab.shots) <= 0


def test_a_hidden_curve_is_nowhere_and_can_be_shown(lab):
    lab.page.get_by_role("button", name="true curve").click()
    lab.settled()
    assert lab.page.locator(".task-chart [data-curve=true]").count() == 0
    expect(lab.page.locator("h1")).to_contain_text("5 shots of a sine wave: which one?")
    assert "amplitude" not in lab.page.locator("svg.task desc").text_content()
    assert lab.page.locator(".st-key-amplitude, .st-key-phase").count() == 0
    lab.page.mouse.move(*lab.pixel(1, 1))
    lab.page.mouse.move(*lab.pixel(1.5, 1))
    expect(lab.page.locator("svg.task .preview")).to_have_attribute("visibility", "hidden")
    lab.button("Show the true curve")
    assert lab.page.locator(".task-chart [data-curve=true]").count() == 1


def test_how_many_shots_there_are_is_said_where_k_is(lab):
    lab.click(2.9, 0)
    lab.settled()
    assert "6 shots, placed by hand, so K = 6" in lab.page.locator(".hint").inner_text()
    expect(lab.page.locator(".own-alpha").first).to_have_text("now 6, placed by hand")


def test_fifty_shots_are_one_stop_for_the_tab_key(lab):
    lab.open("?shots=" + ";".join(f"{-4.9 + 0.19 * i:.2f},0" for i in range(50)))
    lab.plot.focus()
    lab.page.keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.closest('svg.task')") is None
    lab.plot.focus()
    lab.page.keyboard.press("Enter")
    assert lab.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Shot 1 of 50")
    lab.page.keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Shot 2 of 50")
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.closest('svg.task')") is None


# Time


def test_ghosts_of_earlier_steps(lab):
    step_to(lab, 4)
    ghosts = lab.page.locator(".task-chart [data-ghost]")
    assert ghosts.count() == 0
    assert lab.page.locator(".task-chart [data-curve=before]").count() == 1
    choose(lab, "ghosts", "previous")
    assert ghosts.evaluate_all("all => all.map(g => g.dataset.ghost)") == ["maml-3", "pretrained-3"]
    choose(lab, "ghosts", "all")
    assert ghosts.count() == 8
    shades = lab.page.locator(".task-chart [data-ghost^=maml]").evaluate_all("all => all.map(g => +g.getAttribute('opacity'))")
    assert shades == sorted(shades), "the older the fainter"
    assert shades[0] < shades[-1]
    assert "ghosts=all" in lab.page.url
    choose(lab, "ghosts", "none")
    assert ghosts.count() == 0
    assert lab.page.locator(".task-chart [data-curve=before]").count() == 0


def test_playing_has_three_speeds_and_slowly_it_shows_the_line_being_executed(lab):
    panel = tab(lab, "Algorithm")
    lab.page.get_by_role("button", name="Before any step").click()
    expect(panel.locator(".lit")).to_have_attribute("data-line", "start")
    lab.page.get_by_label("playback speed").select_option("slow")
    panel.evaluate(
        """panel => {
            window.seen = ["start"];
            new MutationObserver(() => {
                const line = panel.querySelector(".lit").dataset.line;
                if (line !== seen.at(-1)) seen.push(line);
            }).observe(panel, { attributes: true, attributeFilter: ["class"], subtree: true });
        }"""
    )
    lab.page.get_by_role("button", name="Play").click()
    lab.page.wait_for_function("() => seen.length > 6", timeout=20_000)
    lab.page.get_by_role("button", name="Pause").click()
    assert lab.page.evaluate("seen")[:7] == ["start", *["loss", "gradient", "update"] * 2]
    lab.page.get_by_label("playback speed").select_option("fast")
    lab.page.get_by_role("button", name="Before any step").click()
    lab.page.get_by_role("button", name="Play").click()
    expect(lab.page.locator(".count")).to_have_text("step 10 of 10", timeout=4000)


def test_fifty_steps_can_be_walked(lab):
    lab.open("?num_updates=50&step=49")
    lab.page.keyboard.press("ArrowRight")
    assert lab.step == "step 50 of 50"


# What one step does


def test_one_step_in_numbers(lab):
    panel = tab(lab, "One step")
    expect(panel.locator(".formula")).to_contain_text("θ′₁ = θ − α ∇L(θ)")
    expect(panel).to_contain_text("MAML: loss on the shots 5.31 → 0.27, error 4.61 → 0.18")
    cells = panel.locator("tbody tr").nth(1).locator("td").all_inner_texts()
    moved = panel.locator("tbody tr").nth(2).locator("td").all_inner_texts()
    assert [float(m) for m in moved] == pytest.approx([0.01 * float(c) for c in cells], rel=0.06)
    step_to(lab, 3)
    expect(panel.locator(".formula")).to_contain_text("θ′₃ = θ′₂ − α ∇L(θ′₂)")
    assert panel.locator("tbody tr").nth(1).locator("td").all_inner_texts() != cells


def maml_loss(lab: Lab) -> float:
    """As the text alternative says it, whatever panel is open."""
    return float(re.search(r"MAML (\d+\.\d+)", lab.page.locator("svg.task desc").text_content())[1])


def test_with_the_head_alone_moving_maml_hardly_adapts(lab):
    panel = tab(lab, "One step")
    choose(lab, "freeze", "head only")
    assert panel.locator("tbody tr").nth(2).locator("td").all_inner_texts()[:2] == ["frozen", "frozen"]
    step_to(lab, 10)
    assert maml_loss(lab) > 1
    assert "freeze=body" in lab.page.url
    choose(lab, "freeze", "body only")
    assert panel.locator("tbody tr").nth(2).locator("td").all_inner_texts()[2] == "frozen"
    assert maml_loss(lab) < 0.5


# The algorithm beside the picture


def test_the_algorithm_has_this_tasks_values_and_the_line_that_ran(lab):
    panel = tab(lab, "Algorithm")
    expect(panel.locator(".lit")).to_have_attribute("data-line", "update")
    value = lambda line: panel.locator(f"[data-line={line}] .value").inner_text()  # noqa: E731
    assert value("repeat") == "step 1 of 10"
    assert value("loss") == "L = 5.31 on 5 shots"
    assert value("judge") == "error 0.18 on the whole curve"
    panel.get_by_label("learner whose values are shown").select_option("pretrained")
    assert value("judge") == "error 3.98 on the whole curve"
    lab.page.get_by_role("button", name="Before any step").click()
    expect(panel.locator(".lit")).to_have_attribute("data-line", "start")
    panel.get_by_text("These lines in maml_core/algorithms.py").click()
    expect(panel.locator("pre")).to_contain_text("def inner_step(")
    expect(panel.locator("pre")).to_contain_text("def adapt(")
    with lab.page.expect_popup() as popup:
        panel.get_by_role("link", name="all of algorithms.py").click()
    assert "The paper's equations" in popup.value.locator("body").inner_text()


# 1,000 tasks


def test_this_task_stands_beside_a_thousand_others(lab):
    panel = tab(lab, "1,000 tasks")
    expect(panel.locator(".lead")).to_have_text("This task among 1,000 fresh ones, 5 shots each, α = 0.01", timeout=10_000)
    maml = panel.locator("tbody tr").first.locator("td").all_inner_texts()
    assert float(maml[0]) == 0.18
    low, high = map(float, maml[2].split(" to "))
    assert low < float(maml[1]) < high
    assert 0.5 < float(maml[3].split(" ± ")[0]) < 0.7, "about what the table of the checkpoint says: 0.61"
    expect(panel).to_contain_text(re.compile(r"For MAML this task is harder than \d+% of them\."))
    assert lab.page.locator(".loss-chart [data-curve^=range]").count() == 2
    step_to(lab, 5)
    assert panel.locator("tbody tr").first.locator("td").all_inner_texts() != maml
    tab(lab, "Numbers")
    assert lab.page.locator(".loss-chart [data-curve^=range]").count() == 0


def test_divergence_over_a_thousand_tasks_is_a_share(lab):
    lab.open("?alpha=0.05&step=10&panel=tasks")
    panel = lab.page.get_by_role("tabpanel", name="1,000 tasks")
    expect(panel).to_contain_text(re.compile(r"\d+% of the tasks have diverged"), timeout=10_000)


def test_the_open_tab_is_in_the_address(lab, visitor):
    tab(lab, "Algorithm")
    expect(lab.page).to_have_url(re.compile("panel=algorithm"))
    visitor.open("?" + lab.page.url.partition("?")[2])
    expect(visitor.page.get_by_role("tab", name="Algorithm")).to_have_attribute("aria-selected", "true")
    lab.page.get_by_role("tab", name="Algorithm").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(lab.page.get_by_role("tab", name="One step")).to_be_focused()
    assert lab.step == "step 1 of 10", "the arrows were meant for the tabs"
    visitor.open("?panel=toString")
    expect(visitor.page.get_by_role("tab", name="Numbers")).to_have_attribute("aria-selected", "true")


# Share and export


def test_the_link_is_the_picture_and_can_be_copied_where_there_is_no_clipboard(lab, visitor):
    lab.click(2.9, 0)
    lab.settled()
    lab.page.get_by_role("button", name="Share").click()
    dialog = lab.page.get_by_role("dialog", name="Share and export")
    link = dialog.get_by_label("Link to exactly this picture")
    assert len(parse_qs(urlsplit(link.input_value()).query)["shots"][0].split(";")) == 6
    expect(dialog.get_by_label("These numbers in Python")).to_have_value(re.compile("algorithms.adapt"))
    dialog.get_by_role("button", name="Copy").first.click()
    expect(dialog.get_by_role("status")).to_contain_text(re.compile("Copied|selected"))
    address = link.input_value()
    lab.page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    visitor.page.goto(address)
    assert visitor.ready().picture() == lab.picture()


def test_everything_can_be_downloaded(lab, tmp_path):
    lab.page.get_by_role("button", name="Share").click()
    dialog = lab.page.get_by_role("dialog", name="Share and export")

    def take(name: str) -> Path:
        with lab.page.expect_download() as download:
            dialog.get_by_text(name, exact=True).click()
        to = tmp_path / download.value.suggested_filename
        download.value.save_as(to)
        return to

    with take("losses.csv").open() as file:
        assert float(list(csv.DictReader(file))[1]["query_loss"]) == pytest.approx(0.18, abs=0.005)
    assert take("curves.csv").read_text().startswith("curve,step,x,y\nshot,")
    svg = take("picture.svg").read_text()
    assert "After 1 step, pretrained’s error is" in svg
    assert "var(" not in svg
    assert svg.count("<path") > 8
    png = take("picture.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(png[16:20], "big") > 2000, "twice the size on the screen"
    saved = take("MAML")
    assert saved.name == "maml.safetensors"
    assert checkpoint.load(saved).config.algorithm == "maml"
    assert take("interactive page.html").stat().st_size < 2_500_000


SIZES = """() => {
  const picture = document.documentElement.getBoundingClientRect();
  return [...document.querySelectorAll("text")].filter(text => text.textContent).map(text => {
    const box = text.getBoundingClientRect(), kept = +text.getAttribute("textLength");
    text.removeAttribute("textLength");
    const inside = box.left >= 0 && box.top >= 0 && box.right <= picture.width && box.bottom <= picture.height;
    const own = text.getComputedTextLength(), { fill, fontSize } = getComputedStyle(text);
    const { left, right, bottom } = box, top = bottom - 0.8 * parseFloat(fontSize);
    return { said: text.textContent, inside, kept, own, left, right, top, bottom: bottom - 0.2 * parseFloat(fontSize), fill };
  });
}"""


@pytest.mark.parametrize(
    ("query", "theme"),
    [
        ("?learners=maml", "light"),
        ("", "dark"),
        (f"?learners={ALL}&step=3&alpha=0.0137&noise=0.25", "light"),
        (f"?learners={ALL}&view=panels&step=2", "dark"),
        ("?hide=names", "light"),
        ("?hide=truth&present=1", "dark"),
    ],
)
def test_in_a_saved_picture_no_text_meets_another_and_all_is_in_its_own_font(browser, server, tmp_path, query, theme):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme)
    lab = Lab(context.new_page(), server).open(query)
    lab.page.get_by_role("button", name="Share").click()
    with lab.page.expect_download() as download:
        lab.page.get_by_text("picture.svg", exact=True).click()
    download.value.save_as(tmp_path / "picture.svg")
    context.close()
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(f"file://{tmp_path}/picture.svg")
    page.evaluate("document.fonts.ready")
    texts = page.evaluate(SIZES)
    assert len(texts) > 15
    for text in texts:
        assert text["inside"], text
        assert text["own"] == pytest.approx(text["kept"], rel=0.02, abs=0.6), "drawn in the font that it was measured in"
        assert text["fill"] not in ("rgb(0, 0, 0)", "none"), "a colour that SVG knows"
    for i, one in enumerate(texts):
        for other in texts[:i]:
            apart = min(one["right"], other["right"]) - max(one["left"], other["left"]) < 1
            assert apart or min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) < 1, (one, other)
    context.close()


def test_the_saved_page_lives_on_its_own(lab, tmp_path, browser):
    lab.open("?step=2&ghosts=all")
    answer = lab.page.request.get(f"{lab.base}/lab/picture.html?" + lab.page.url.partition("?")[2])
    (tmp_path / "saved.html").write_bytes(answer.body())
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800}, color_scheme="dark")
    page, said = context.new_page(), []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"file://{tmp_path}/saved.html")
    expect(page.locator(".count")).to_have_text("step 2 of 10")
    here = lambda p: p.locator(".task-chart [data-curve=maml]").get_attribute("d")  # noqa: E731
    before = here(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".count")).to_have_text("step 3 of 10")
    page.wait_for_timeout(400)
    assert here(page) != before
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".count")).to_have_text("step 10 of 10", timeout=12_000)
    page.get_by_role("tab", name="One step").click()
    expect(page.get_by_role("tabpanel", name="One step")).to_contain_text("‖∇L‖")
    shots = page.locator(".shot").count()
    box = page.locator("svg.task").bounding_box()
    page.mouse.click(box["x"] + 300, box["y"] + 60)
    assert page.locator(".shot").count() == shots
    expect(page.locator(".hint")).to_contain_text("stay where they are")
    assert said == []
    context.close()


# Presenting


def test_presenting_is_large_and_has_one_key_for_each_move(lab):
    size = lab.page.locator("h1").evaluate("h => parseFloat(getComputedStyle(h).fontSize)")
    lab.page.get_by_role("button", name="Present").click()
    lab.settled()
    assert "present=1" in lab.page.url
    label = lab.page.locator("svg.task .labels text").first.evaluate("t => parseFloat(getComputedStyle(t).fontSize)")
    assert lab.page.locator("h1").evaluate("h => parseFloat(getComputedStyle(h).fontSize)") > 1.15 * size
    assert label >= 16
    expect(lab.slider("alpha")).not_to_be_visible()
    truth = lab.curve("true")
    for key, expected in (("ArrowRight", 2), ("PageDown", 3), ("PageUp", 2), ("r", 0), ("ArrowRight", 1)):
        lab.page.keyboard.press(key)
        assert lab.step == f"step {expected} of 10"
    lab.page.keyboard.press("n")
    expect(lab.page.locator(".task-chart [data-curve=true]")).not_to_have_attribute("d", truth)
    bottom = lab.page.locator(".area-steps").bounding_box()
    assert bottom["y"] + bottom["height"] <= 800
    lab.page.get_by_text("Controls").click()
    lab.slider("alpha").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(lab.page).to_have_url(re.compile("alpha=0.011"))
    lab.settled()
    lab.page.locator("h1").click()
    lab.page.keyboard.press("Escape")
    lab.settled()
    assert "present" not in lab.page.url


# Undo and redo


def test_undo_and_redo_walk_through_shots_and_settings(lab):
    pictures = [lab.picture()]
    lab.click(2.9, 0)
    lab.settled()
    pictures.append(lab.picture())
    lab.slider("alpha").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.settled()
    pictures.append(lab.picture())
    lab.drag(lab.shots[0], right=60, steps=5)
    lab.settled()
    pictures.append(lab.picture())
    lab.button("New task")
    lab.page.locator("h1").click()
    for picture in reversed(pictures):
        lab.page.keyboard.press("Control+z")
        lab.settled()
        assert lab.picture() == picture
    expect(lab.page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
    for picture in pictures[1:]:
        lab.page.get_by_role("button", name="Redo").click()
        lab.settled()
        assert lab.picture() == picture
    lab.page.keyboard.press("Control+z")
    lab.settled()
    lab.click(-3, 0)
    lab.settled()
    expect(lab.page.get_by_role("button", name="Redo")).to_have_attribute("aria-disabled", "true")


def test_each_press_is_undone_by_itself_and_a_key_held_down_as_one(lab):
    undo = lab.page.get_by_role("button", name="Undo")
    places = [lab.shots[0][0]]
    lab.page.locator(".shot").first.focus()
    for _ in range(3):
        lab.page.keyboard.press("ArrowRight")  # at once: no pause between them
        places.append(lab.shots[0][0])
    for _ in range(4):
        lab.page.keyboard.down("ArrowRight")  # held: all but the first are repeats
    lab.page.keyboard.up("ArrowRight")
    lab.settled()
    assert lab.shots[0][0] == pytest.approx(places[0] + 0.7)
    for place in reversed(places):
        undo.click()
        expect(lab.page.locator(".shot").first).to_have_attribute("aria-label", re.compile(re.escape(f"at x {place:.2f}, ")))
        lab.settled()
    expect(undo).to_have_attribute("aria-disabled", "true")


# Own checkpoint


def own_file(tmp_path: Path) -> Path:
    config = TrainConfig(hidden=(12,), seed=3)
    checkpoint.save(tmp_path / "mine.safetensors", Checkpoint(init(config).learned, config, iterations=0))
    return tmp_path / "mine.safetensors"


def test_an_own_checkpoint_adapts_to_the_same_shots(lab, visitor, tmp_path):
    lab.page.get_by_role("button", name="your checkpoint").click()
    (tmp_path / "letter.safetensors").write_text("Dear sir or madam")
    field = lab.page.locator(".st-key-upload input[type=file]")
    field.set_input_files(tmp_path / "letter.safetensors")
    expect(lab.page.locator("[data-testid=stAlert]")).to_contain_text("not a safetensors file, or is damaged")
    field.set_input_files(own_file(tmp_path))
    expect(lab.page.locator(".task-chart [data-curve=own]")).to_be_visible()
    lab.settled()
    assert "mine " in lab.sentence
    expect(lab.page.locator(".maml-lab .setting")).to_contain_text("mine is untrained")
    assert re.search(r"learners=maml%2Cpretrained%2Cupload%3A[0-9a-f]{12}", lab.page.url)
    visitor.page.goto(lab.page.url)
    assert visitor.ready().picture() == lab.picture(), "others on this server see it by the link"


# For everyone


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        f"?learners={ALL}&panel=step&alpha=0.02&step=6",
        "?view=panels&panel=tasks",
        "?hide=names,truth&panel=algorithm",
        "?present=1&panel=shots",
    ],
)
def test_axe_finds_nothing_serious(browser, server, theme, query):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme)
    page = context.new_page()
    page.goto(f"{server}/lab{query}")
    expect(page.locator(".maml-lab .task-chart .curve").first).to_be_attached(timeout=30_000)
    page.wait_for_timeout(1500)
    if not query:
        page.get_by_role("button", name="Share").click()
    found = Axe().run(page).response["violations"]
    ours = [f for f in found if f["impact"] in ("serious", "critical")]
    told = [
        {"rule": f["id"], "where": [n["target"] for n in f["nodes"]][:4], "why": f["nodes"][0].get("failureSummary")}
        for f in ours
    ]
    assert told == [], json.dumps(told, indent=1)
    context.close()


def test_the_text_alternatives_change_with_the_finding(lab):
    def alternatives() -> tuple[str, str]:
        return lab.page.locator("svg.task desc").text_content(), lab.page.locator("svg.loss").get_attribute("aria-label")

    plot, chart = alternatives()
    assert "After 1 step: MAML 0.18, pretrained 3.98." in plot
    assert chart.endswith("The marker is at step 1.")
    step_to(lab, 3)
    again, moved = alternatives()
    assert "After 3 steps: MAML 0.043" in again
    assert moved.endswith("The marker is at step 3.")


def test_with_reduced_motion_nothing_glides(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    lab = Lab(context.new_page(), server).open()
    before = lab.curve("maml")
    seen = lab.page.evaluate("""async () => {
      const maml = () => document.querySelector(".task-chart [data-curve=maml]").getAttribute("d");
      const seen = new Set([maml()]);
      document.querySelector("[aria-label^='One step forward']").click();
      for (let i = 0; i < 20; i++) { seen.add(maml()); await new Promise(requestAnimationFrame); }
      return seen.size;
    }""")
    assert lab.curve("maml") != before
    assert seen == 2
    context.close()


@pytest.mark.parametrize("panel", ["", "algorithm", "step", "tasks", "shots"])
def test_on_a_phone_everything_fits(browser, server, panel):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Lab(context.new_page(), server).open(f"?learners={ALL}&panel={panel}")
    phone.page.wait_for_timeout(500)
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = """() => [...document.querySelectorAll(".maml-lab :is(button, select), .st-key-learners button")]
      .map(b => [b, b.getBoundingClientRect()]).filter(([b, at]) => at.width && (at.right > innerWidth + 1 || at.left < 0))
      .map(([b]) => b.textContent || b.ariaLabel)"""
    small = """() => [...document.querySelectorAll(".maml-lab :is(.area-steps, .tabs) button")]
      .filter(b => b.getBoundingClientRect().height < 44).map(b => b.textContent || b.ariaLabel)"""
    assert phone.page.evaluate(outside) == []
    assert phone.page.evaluate(small) == [], "a finger needs 44 pixels"
    assert phone.problems == []
    context.close()
