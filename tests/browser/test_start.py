"""The start page in a real browser: one press, what it says, and the ways on."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Lab
from playwright.sync_api import expect

STEP, AGAIN = "Take one gradient step", "Again, with another task"


class Start(Lab):
    """The start page as a person sees it."""

    def open(self, query: str = "") -> "Start":
        self.page.goto(f"{self.base}/{query}")
        expect(self.page.locator(".start .task-chart .curve").first).to_be_attached(timeout=30_000)
        return self

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()
        self.page.wait_for_timeout(900)

    def error(self, learner: str) -> float:
        return float(self.page.locator(f".start [data-loss={learner}]").inner_text())

    @property
    def places(self) -> list:
        """Where everything stands that a press must not move."""
        where = "all => all.map((one) => Object.values(one.getBoundingClientRect().toJSON()))"
        return self.page.locator(".start :is(svg.task, .press, .figure, .ways a, .teaching)").evaluate_all(where)


@pytest.fixture
def start(page, server):
    start = Start(page, server).open()
    yield start
    assert start.problems == []


def test_one_press_shows_and_says_what_a_step_does(start):
    drawn = start.page.locator(".task-chart [data-curve]").evaluate_all("all => all.map(c => c.dataset.curve)")
    assert sorted(drawn) == ["maml", "pretrained", "true"]
    assert start.error("maml") == pytest.approx(start.error("pretrained"), rel=0.3)
    before, where = start.curve("maml"), start.places
    start.press(STEP)
    assert start.curve("maml") != before
    assert start.places == where
    answer = start.page.request.get(f"{start.base}/lab/losses.csv").text().split()
    losses = {row.split(",")[0]: float(row.split(",")[3]) for row in answer if row.split(",")[1] == "1"}
    said = start.page.locator(".after p").inner_text()
    assert said == f"After 1 step: MAML {losses['MAML']:.2f}, pretrained {losses['pretrained']:.2f}."
    expect(start.page.locator(".start [role=status]")).to_have_text(said)


def test_the_curves_move_to_the_step_over_many_frames(start):
    start.page.evaluate("""() => {
      window.seen = new Set();
      const look = () => seen.add(document.querySelector(".task-chart [data-curve=maml]").getAttribute("d"));
      const everything = { subtree: true, childList: true, attributes: true };
      new MutationObserver(look).observe(document.querySelector(".task-chart"), everything);
    }""")
    start.press(STEP)
    assert start.page.evaluate("seen.size") > 5


def test_who_wants_no_motion_sees_none(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    start = Start(context.new_page(), server).open()
    before = start.curve("maml")
    start.page.evaluate("document.querySelector('.press').click()")
    after = start.curve("maml")
    start.press("One more step")
    assert after not in (before, start.curve("maml"))
    assert start.problems == []
    context.close()


def test_again_brings_another_task_before_any_step(start):
    start.press(STEP)
    shots = start.shots
    start.press(AGAIN)
    assert start.shots != shots
    expect(start.page.get_by_role("button", name=STEP)).to_be_focused()
    start.press(STEP)
    start.press("One more step")
    assert start.page.locator(".after p").inner_text().startswith("After 2 steps: MAML ")


def test_the_lab_opens_with_the_very_picture(start):
    start.press(STEP)
    start.press(AGAIN)
    start.press(STEP)
    start.drag(start.shots[0], 60, 3)
    start.page.wait_for_timeout(500)
    shots, said = start.shots, start.page.locator(".after p").inner_text()
    start.page.get_by_role("link", name="The lab").click()
    start.ready()
    assert urlsplit(start.page.url).path == "/lab"
    assert (start.shots, start.sentence) == (shots, said)
    start.page.go_back()
    expect(start.page.get_by_role("button", name=STEP)).to_be_visible()


def test_it_is_left_and_found_again_by_the_navigation(start):
    start.page.get_by_role("link", name="Lab", exact=True).click()
    start.ready()
    assert urlsplit(start.page.url).path == "/lab"
    start.click(3, 0)
    start.settled()
    start.page.go_back()
    start.settled()
    assert len(start.shots) == 5
    start.page.go_back()
    expect(start.page.locator(".start")).to_be_visible()
    assert urlsplit(start.page.url)[2:4] == ("/", "")
    start.page.go_forward()
    start.ready()
    start.page.get_by_role("link", name="Start", exact=True).click()
    expect(start.page.get_by_role("button", name=STEP)).to_be_visible()


def test_a_link_from_when_the_lab_was_first_still_shows_its_picture(start, visitor):
    query = "?seed=40&alpha=0.013&step=3"
    start.page.goto(f"{start.base}/{query}")
    start.ready()
    assert urlsplit(start.page.url).path == "/lab"
    assert parse_qs(urlsplit(start.page.url).query) == {"seed": ["40"], "alpha": ["0.013"], "step": ["3"]}
    assert start.picture() == visitor.open(query).picture()


def test_shots_can_be_moved_here_too(start):
    start.press(STEP)
    before = start.curve("maml")
    start.drag(start.shots[0], 80, 4)
    expect(start.page.locator(".task-chart [data-curve=maml]")).not_to_have_attribute("d", before)
    assert len(start.shots) == 5


def test_answers_that_come_late_are_of_no_other_task(start):
    """Two quick presses bring one task; a shot moved on it while the curves of the old one are awaited gets curves of its own."""
    start.press(STEP)
    asked = []

    def wait(route):
        asked.append(route)
        if len(asked) > 2:
            route.continue_()

    start.page.route("**/lab/picture.json*", wait)
    start.drag(start.shots[0], 60, 1)
    again = start.page.get_by_role("button", name=AGAIN)
    again.click()
    again.click()
    start.page.wait_for_timeout(200)
    assert len(asked) == 2, "one for the shot, one for the next task"
    old, new = asked
    new.continue_()
    start.press(STEP)
    start.drag(start.shots[0], 60, 1)
    stale = start.curve("maml")
    old.continue_()
    expect(start.page.locator(".task-chart [data-curve=maml]")).not_to_have_attribute("d", stale)


def test_without_an_answer_it_says_so_and_another_press_helps(start):
    start.press(STEP)
    start.page.route("**/lab/picture.json*", lambda route: route.abort())
    start.press(AGAIN)
    expect(start.page.locator(".after p")).to_have_text(re.compile("server does not answer"))
    start.page.unroute("**/lab/picture.json*")
    start.press(AGAIN)
    expect(start.page.get_by_role("button", name=STEP)).to_be_visible()
    start.problems.clear()  # the aborted request


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_in_sight_without_scrolling(browser, server, width, height, theme):
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    start = Start(context.new_page(), server).open()
    for pressed in (False, True):
        if pressed:
            start.press(STEP)
        for one in start.page.locator(".start :is(h1, svg.task, .figure, .press, .after p, .ways a, .teaching a)").all():
            expect(one).to_be_in_viewport(ratio=0.99)
    assert start.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert start.problems == []
    context.close()


def test_the_keyboard_does_all_of_it(start):
    start.page.get_by_role("button", name=STEP).focus()
    start.page.keyboard.press("Enter")
    expect(start.page.get_by_role("button", name=AGAIN)).to_be_focused()
    start.page.keyboard.press("Tab")
    expect(start.page.get_by_role("button", name="One more step")).to_be_focused()
    for name in ("Ten minutes of lessons", "The lab", "Train your own", "Open a room"):
        start.page.keyboard.press("Tab")
        expect(start.page.get_by_role("link", name=name)).to_be_focused()
