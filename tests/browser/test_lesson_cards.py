"""The Lessons page in a real browser: a person predicts by mouse, finger and keyboard, and sees what comes of it."""

import json
import math
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Lab, Server
from playwright.sync_api import Browser, Page, expect

CARDS = {
    "01-choose.md": """+++
title = "Choose"
minutes = 4
predict = "seed=15&K=10&step=0"
observe = "seed=15&K=10&step=0"
controls = ["K"]
claims = ["after < before", "after > 50"]
right = "From {{before}} to {{after}}."

[numbers]
before = { measure = "picture", lab = "seed=15&K=10", learner = "maml", step = 0 }
after = { measure = "picture", lab = "seed=15&K=10", learner = "maml", step = 1 }

[[choice]]
text = "The error **grows**."
when = "after > before"
said = "It fell from {{before}} to {{after}}."

[[choice]]
text = "The error falls."
when = "after < before"
said = "It grew."

[challenge]
goal = "step >= 2"
said = "Two steps it is."
solution = "seed=15&K=10&step=2"
+++
# Predict

What does one step do?

# Observe

Step once.

# Explain

$\\\\phi = \\\\theta - \\\\alpha \\\\nabla \\\\mathcal{L}(\\\\theta)$

# Challenge

Take two steps.
""",
    "02-estimate.md": """+++
title = "Estimate"
minutes = 5
predict = "seed=15&K=10&step=0"
observe = "seed=15&K=10&step=1"
right = "Close."

[numbers]
after = { measure = "picture", lab = "seed=15&K=10", learner = "maml", step = 1 }

[slider]
label = "error after one step"
low = 0.001
high = 10.0
log = true
truth = "after"
within = 2.0
said_low = "It is more."
said_high = "It is less."
+++
# Predict

How large is it?

# Observe

See.

# Explain

It is what was measured.
""",
    "03-draw.md": """+++
title = "Draw"
minutes = 3
predict = "learners=none&shots=none&step=0&hide=truth"
observe = "learners=pretrained&seed=15&step=0"
right = "That is the curve."

[sketch]
label = "Your sketch: the pretrained network"
learner = "pretrained"
step = 0
within = 0.4
said = "It draws another one."
+++
# Predict

Which curve?

# Observe

See.

# Explain

It is the mean.
""",
    "04-broken.md": """+++
title = "Broken"
minutes = "two"
+++
""",
}


class Lessons(Lab):
    """The page as a person sees it."""

    def open(self, card: str = "") -> "Lessons":
        self.page.goto(f"{self.base}/lessons{card and '?card=' + card}")
        return self.ready()

    def ready(self) -> "Lessons":
        expect(self.page.locator(".lessons :is(.card-row, .answer)").first).to_be_attached(timeout=30_000)
        self.at_rest()
        return self

    def commit(self, *, early: bool = False) -> None:
        """Press Commit; early: while there is nothing to commit yet."""
        self.page.get_by_role("button", name="Commit").click(force=early)

    @property
    def plot(self):
        return self.page.locator(".stage svg.task")

    @property
    def outcome(self):
        """What is said of the prediction."""
        return self.page.locator(".outcome .prose")

    def sketch(self, curve) -> None:
        """Draw y = curve(x) from the left edge to the right with the mouse."""
        self.page.locator(".stage .task-chart[data-drawn]").wait_for(state="attached")
        points = [self.pixel(x / 4, curve(x / 4)) for x in range(-20, 21)]
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point)
        self.page.mouse.up()

    def asked(self, name: str, **parameters: str) -> dict:
        """What the server answers below /lessons."""
        return self.page.request.get(f"{self.base}/lessons/{name}?{urllib.parse.urlencode(parameters)}").json()

    def kept(self) -> dict:
        """What the browser keeps of the cards."""
        return json.loads(self.page.evaluate("localStorage.getItem('maml-lab-lessons')") or "{}")


def start(folder: Path) -> Server:
    cards = folder / "lessons"
    cards.mkdir()
    for name, text in CARDS.items():
        (cards / name).write_text(text.replace("\\\\", "\\"), encoding="utf-8")
    server = Server(folder / "runs")
    server.environment["MAML_LAB_LESSONS"] = str(cards)
    return server.start()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the cards above: its address."""
    server = start(tmp_path_factory.mktemp("school"))
    yield server.base
    server.stop()


@pytest.fixture
def lessons(page: Page, school: str) -> Iterator[Lessons]:
    """The list, just opened; the test fails if the browser complained or asked for anything outside."""
    lessons = Lessons(page, school).open()
    yield lessons
    assert lessons.problems == []


def test_the_list_has_its_first_ten_minutes_and_says_which_file_is_broken(lessons):
    groups = lessons.page.locator(".group-name").all_inner_texts()
    rows = lessons.page.locator(".card-rows").evaluate_all(
        "all => all.map(g => [...g.querySelectorAll('a')].map(a => a.dataset.card))"
    )
    assert dict(zip(groups, rows, strict=True)) == {"The first ten minutes": ["choose", "estimate"], "More": ["draw"]}
    expect(lessons.page.locator(".broken")).to_contain_text("04-broken.md, line 3, is left out: ")


def test_a_choice_is_committed_contradicted_and_explained(lessons):
    page = lessons.page
    page.get_by_role("link", name="Choose").click()
    expect(page.locator(".question .task-chart [data-curve=maml]")).to_be_attached()
    assert page.url.endswith("/lessons?card=choose")
    assert page.locator(".question .steps, .question svg.loss").count() == 0
    shots = page.locator(".question .shot").count()
    page.mouse.click(*lessons.pixel(0, 5))
    assert page.locator(".question .shot").count() == shots == 10
    lessons.commit(early=True)
    expect(page.locator(".commit-said")).to_have_text("Choose an option first.")
    page.get_by_text("The error grows.").click()
    lessons.commit()
    told = lessons.asked("answer.json", card="choose", answer="0")
    expect(lessons.outcome).to_have_text(re.sub("<.*?>", "", told["said"]).strip())
    assert not told["right"]
    expect(page.get_by_role("heading", name="Observe")).to_be_focused()
    expect(page.get_by_role("heading", name="Observe")).to_be_in_viewport()
    expect(page.locator(".failed")).to_have_text("With these checkpoints, this does not hold: after > 50.")
    expect(page.locator(".explain math mi").first).to_have_text("ϕ")
    assert page.locator(".option input:disabled").count() == 2
    assert page.locator(".option .mark").all_inner_texts() == ["your prediction", "right"]


def test_a_challenge_is_reached_in_the_live_lab_and_stays_so(lessons):
    page = lessons.open("choose").page
    page.get_by_text("The error falls.").click()
    lessons.commit()
    state = page.locator(".challenge-state")
    expect(state).to_contain_text("Not yet")
    page.locator(".live .task-chart [data-curve=maml]").wait_for(state="attached")
    forward = page.get_by_role("button", name="One step forward")
    forward.click()
    expect(page.locator(".live .count")).to_have_text("step 1 of 10")
    page.wait_for_timeout(800)
    expect(state).to_contain_text("Not yet")
    forward.click()
    expect(state).to_have_text("Challenge solvedTwo steps it is.")
    page.get_by_role("button", name="Before any step").click()
    page.wait_for_timeout(800)
    expect(state).to_contain_text("Challenge solved")
    assert page.url.endswith("?card=choose"), "the live lab leaves the address alone"
    page.get_by_role("link", name="All lessons").click()
    expect(page.locator("[data-card=choose] .card-state")).to_have_text("predicted · right · challenge solved")
    expect(page.locator("[data-card=choose]")).to_be_focused()


def test_a_number_is_given_by_keyboard_alone(lessons):
    page = lessons.page
    page.locator("[data-card=estimate]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    slider = page.get_by_role("slider", name="error after one step")
    expect(slider).to_have_attribute("aria-valuetext", "not chosen yet")
    page.keyboard.press("Tab")
    while page.locator("button.term:focus").count():  # terms of the glossary
        page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    given = page.locator(".slide-value").inner_text()
    assert float(given) == pytest.approx(10 ** (-3 + 4 * 112 / 200), rel=0.05)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    truth = lessons.asked("answer.json", card="estimate", answer=given)["truth"]
    expect(page.locator(".figures")).to_have_text(f"predicted{given}measured{float(f'{truth:.2g}'):g}")
    expect(lessons.outcome).to_have_text("It is less.")
    expect(slider).to_be_disabled()
    expect(page.locator(".slide-truth")).to_contain_text("measured")


def test_a_curve_is_drawn_with_the_mouse_and_laid_over_the_live_lab(lessons):
    page = lessons.open("draw").page
    lessons.sketch(lambda x: -1.62 * math.cos(x))
    lessons.commit()
    expect(lessons.outcome).to_have_text("That is the curve.")
    kept = [float(value) for value in lessons.kept()["draw"]["answer"].split(",")]
    assert kept == pytest.approx([-1.62 * math.cos(-5 + i / 4) for i in range(41)], abs=0.08)
    expect(page.locator(".question [data-laid=pretrained]")).to_be_attached()
    expect(page.locator(".live svg.task [data-laid=A]")).to_be_attached()
    before = page.locator(".question [data-laid=A]").get_attribute("d")
    page.locator(".question").scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    lessons.sketch(lambda x: 3)
    assert page.locator(".question [data-laid=A]").get_attribute("d") == before, "a committed sketch stays"


def test_a_curve_is_drawn_with_the_keyboard_and_every_move_is_said(lessons):
    page = lessons.open("draw").page
    pad = page.get_by_role("application", name="Your sketch")
    pad.focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    said = page.locator(".answer [aria-live]")
    expect(said).to_have_text("x minus 5.0: y 1.00")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(said).to_have_text("x minus 4.0: y minus 1.00")
    page.get_by_role("button", name="Clear the sketch").click()
    expect(page.locator("[data-laid=A]")).to_have_count(0)
    lessons.commit(early=True)
    expect(page.locator(".commit-said")).to_have_text("Draw your prediction on the picture first.")
    pad.focus()
    page.keyboard.press("ArrowUp")
    lessons.commit()
    expect(lessons.outcome).to_have_text("It draws another one.")


def test_what_a_stroke_and_the_keyboard_make_of_a_curve(lessons):
    body = """
        const { stroke, whole, nudged } = module;
        const nothing = Array(41).fill(null), flat = Array(41).fill(0), sketch = { x: [-5, 5], y: [-6, 6], points: 41 };
        return {
            line: whole(stroke(nothing, [-1, -2], [1, 2], sketch)), back: stroke(nothing, [1, 2], [-1, -2], sketch),
            high: stroke(flat, [0, 9], [0, 9], sketch), up: nudged(flat, 20, 1, sketch), edge: nudged(flat, 0, 8, sketch),
        };
    """
    found = lessons.module("lessons/sketch.js", body)
    xs = [-5 + i / 4 for i in range(41)]
    assert found["line"] == pytest.approx([min(max(2 * x, -2), 2) for x in xs], abs=0.01)
    assert found["back"] == pytest.approx([2 * x if abs(x) <= 1 else None for x in xs], abs=0.01)
    assert (found["high"][20], sum(found["high"])) == (6, 6)
    assert found["up"][16:25] == pytest.approx([0, 0.15, 0.5, 0.85, 1, 0.85, 0.5, 0.15, 0], abs=0.01)
    assert found["edge"][0] == 6


def test_the_ends_of_a_slider_can_be_given(lessons):
    body = "return [true, false].map((log) => [0, 1].map(module.scaleOf({ low: 0.0124, high: 9.98765, log }).value));"
    assert lessons.module("lessons/slider.js", body) == [[0.0124, 9.98765]] * 2


def test_a_prediction_survives_reload_and_back_and_can_be_made_again(lessons):
    page = lessons.open("choose").page
    page.get_by_text("The error grows.").click()
    lessons.commit()
    expect(lessons.outcome).to_be_attached()
    page.reload()
    lessons.ready()
    expect(lessons.outcome).to_be_attached()
    expect(page.locator(".option.yours")).to_contain_text("The error grows.")
    assert page.get_by_role("button", name="Commit").count() == 0
    page.get_by_role("link", name="Next card").click()
    expect(page.locator("h1").first).to_have_text("Estimate")
    expect(page.locator("h1").first).to_be_focused()
    page.go_back()
    expect(page.locator("h1").first).to_have_text("Choose")
    expect(lessons.outcome).to_be_attached()
    page.get_by_role("button", name="Try this card again").click()
    expect(page.get_by_role("button", name="Commit")).to_be_visible()
    expect(page.locator(".observe")).to_have_count(0)
    page.get_by_text("The error falls.").click()
    lessons.commit()
    expect(lessons.outcome).to_contain_text("From ")
    page.get_by_test_id("stTopNav").get_by_role("link", name="Lessons").click()
    page.get_by_role("button", name="Forget my progress").click()
    expect(page.locator("[data-card=choose] .card-state")).to_have_text("choose")
    assert lessons.kept() == {}


def test_an_unknown_card_says_so_and_offers_those_that_are_there(page, school):
    lessons = Lessons(page, school)
    page.goto(f"{school}/lessons?card=nothing")
    expect(page.locator(".lessons .waiting-words").first).to_contain_text("no card 'nothing'")
    expect(page.locator(".card-row")).to_have_count(3)
    page.get_by_role("link", name="Estimate").click()
    expect(page.locator(".slide")).to_be_attached()
    assert [p for p in lessons.problems if "400" not in p] == []


def test_a_browser_that_keeps_nothing_can_learn_too(browser: Browser, school):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script("""
      const real = Storage.prototype;
      for (const name of ["getItem", "setItem"]) {
        const was = real[name];
        real[name] = function (key, ...rest) {
          if (key.startsWith("maml-lab")) throw new DOMException("denied", "SecurityError");
          return was.call(this, key, ...rest);
        };
      }""")
    lessons = Lessons(context.new_page(), school).open("choose")
    lessons.page.get_by_text("The error falls.").click()
    lessons.commit()
    expect(lessons.outcome).to_be_attached()
    lessons.page.get_by_role("link", name="All lessons").first.click()
    expect(lessons.page.locator("[data-card=choose] .card-state")).to_contain_text("predicted")
    assert lessons.problems == []
    context.close()


def test_a_server_that_is_away_is_said_and_waited_for(page, tmp_path):
    server = start(tmp_path)
    try:
        lessons = Lessons(page, server.base).open("choose")
        page.locator(".question .task-chart [data-curve=maml]").wait_for(state="attached")
        page.get_by_text("The error falls.").click()
        server.stop()
        lessons.commit()
        expect(page.locator(".outcome")).to_have_text("The server does not answer. This page continues when it does.")
        server.start()
        expect(lessons.outcome).to_contain_text("From ", timeout=30_000)
        expect(page.locator(".live .task-chart [data-curve=maml]")).to_be_attached(timeout=30_000)
    finally:
        server.stop()


def test_what_the_server_cannot_answer_is_asked_for_once(page, school):
    lessons, asked = Lessons(page, school), []

    def fail(route):
        asked.append(route.request.url)
        route.fulfill(**({"status": 500, "body": "broken"} if "choose" in route.request.url else {"body": "<p>no JSON"}))

    page.route("**/lessons/card.json*", fail)
    for card in ("choose", "estimate"):
        page.goto(f"{school}/lessons?card={card}")
        expect(page.locator(".lessons .waiting-words").first).to_contain_text("The server could not answer this. Reload the page")
        page.wait_for_timeout(2700)
    assert len(asked) == 2
    assert [p for p in lessons.problems if "500" not in p] == []


def test_on_a_phone_a_finger_draws_and_nothing_is_wider_than_the_screen(browser: Browser, school):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark")
    phone = Lessons(context.new_page(), school).open()
    page = phone.page

    def fits() -> bool:
        return page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")

    assert fits()
    phone.open("draw")
    page.locator(".stage .task-chart[data-drawn]").wait_for(state="attached")
    finger = context.new_cdp_session(page)
    for kind, x in (("Start", -5), *(("Move", x) for x in range(-4, 6)), ("End", None)):
        points = [] if x is None else [dict(zip("xy", phone.pixel(x, x / 2), strict=True))]
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    phone.commit()
    expect(phone.outcome).to_be_attached()
    kept = [float(value) for value in phone.kept()["draw"]["answer"].split(",")]
    assert kept == pytest.approx([(-5 + i / 4) / 2 for i in range(41)], abs=0.1)
    expect(page.locator(".live svg.task [data-laid=A]")).to_be_attached()
    assert fits()
    assert phone.problems == []
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_on_the_list_or_a_card_shuts_anybody_out(browser: Browser, school, theme):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme)
    lessons = Lessons(context.new_page(), school).open()
    told = serious(lessons.page)
    lessons.open("choose")
    lessons.page.get_by_text("The error grows.").click()
    told += serious(lessons.page)
    lessons.commit()
    expect(lessons.outcome).to_be_attached()
    lessons.page.locator(".live .task-chart [data-curve=maml]").wait_for(state="attached")
    told += serious(lessons.page)
    for card in ("estimate", "draw"):
        lessons.open(card)
        told += serious(lessons.page)
    assert told == [], json.dumps(told, indent=1)
    assert lessons.problems == []
    context.close()


def serious(page: Page) -> list[dict]:
    found = Axe().run(page).response["violations"]
    return [
        {"rule": f["id"], "where": [n["target"] for n in f["nodes"]][:4], "why": f["nodes"][0].get("failureSummary")}
        for f in found
        if f["impact"] in ("serious", "critical")
    ]


def test_every_question_fits_a_projector_and_its_picture_is_there(visitor):
    """Of the cards that are shipped."""
    lessons = Lessons(visitor.page, visitor.base)
    cards = [card["card"] for card in lessons.asked("cards.json")["cards"]]
    for card in cards:
        lessons.open(card)
        expect(lessons.page.locator(".stage :is(.chart[data-drawn], svg line)").first).to_be_attached()
        expect(lessons.page.get_by_role("button", name="Commit")).to_be_in_viewport(ratio=1)
    assert len(cards) >= 8
    assert lessons.problems == []


def test_the_world_on_a_card_leaves_the_address_alone(visitor):
    lessons = Lessons(visitor.page, visitor.base)
    card = next(card["card"] for card in lessons.asked("cards.json")["cards"] if card["view"] == "world")
    page = lessons.open(card).page
    assert page.locator(".still-world svg.plane").first.locator("[tabindex]").count() == 0
    page.locator(".option").last.click()
    lessons.commit()
    expect(lessons.outcome).to_be_attached()
    theta = page.locator(".live svg.plane >> nth=0 >> [data-handle=theta]")
    theta.focus()
    before = theta.get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    expect(theta).not_to_have_attribute("aria-label", before)
    expect(page.get_by_role("link", name="Open on the Geometry page")).to_have_attribute("href", re.compile("theta="))
    assert page.url.endswith(f"?card={card}")


def test_a_run_of_ones_own_stands_beside_what_was_predicted_for_it(visitor):
    lessons = Lessons(visitor.page, visitor.base)
    card = next(card["card"] for card in lessons.asked("cards.json")["cards"] if card["view"] == "train")
    page = lessons.page
    run = {"name": "maml-1", "mine": True, "title": "my run", "state": "running", "steps": 1, "K": 10}
    errors = iter([None, {"iteration": 100, "mean": 2.9, "ci95": 0.1}, {"iteration": 900, "mean": 0.21, "ci95": 0.02}])
    latest: dict = {}

    def runs(route):
        latest["error"] = next(errors, latest.get("error"))
        latest["state"] = "finished" if latest["error"] and latest["error"]["iteration"] == 900 else "running"
        others = run | {"name": "maml-2", "mine": False, "title": "of somebody else", "error": None}
        route.fulfill(json={"runs": [run | latest, others], "older": 0, "damaged": {}})

    page.route("**/train/runs.json*", runs)
    lessons.open(card)
    slider = page.locator(".slide input")
    slider.fill("100")
    given = page.locator(".slide-value").inner_text()
    lessons.commit()
    row = page.locator(".own-runs li")
    expect(row).to_contain_text("not measured yet")
    expect(row.locator("strong")).to_have_text("2.90", timeout=10_000)
    expect(row).not_to_contain_text("you predicted")  # it still learns
    expect(row).to_contain_text(f"you predicted {given}: the error is {float(given) / 0.21:.1f} times smaller", timeout=10_000)
    expect(row.locator("strong")).to_have_text("0.21")
    assert lessons.problems == []
