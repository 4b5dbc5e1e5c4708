"""A browser that refuses to write its history: every page goes on as if nothing were the matter, and the address catches up."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Lab, Training
from playwright.sync_api import Page, expect
from test_checkpoints import Checkpoints
from test_explore import Explore
from test_geometry import Geometry
from test_lesson_cards import Lessons
from test_room import Person
from test_start import Start

BROWSER = """(() => {
  const written = [];
  window.browser = { refuses: REFUSES, writes: 0, refused: 0 };
  for (const name of ["pushState", "replaceState"]) {
    const real = History.prototype[name];
    History.prototype[name] = function (...given) {
      const now = performance.now(), often = written.filter((at) => now - at < 10_000).length >= 100;
      if (browser.refuses !== "nothing" && (browser.refuses !== "often" || often)) {
        browser.refused += 1;
        if (browser.refuses === "in silence") return;
        throw new DOMException("Attempt to use history.replaceState() more than 100 times per 10 seconds", "SecurityError");
      }
      written.push(now);
      browser.writes += 1;
      return real.apply(this, given);
    };
  }
})()"""
"""refuses: "all"; "often", the 101st write in 10 seconds, as WebKit does; "in silence", all, as Firefox does; or "nothing"."""

Open = Callable[..., Lab]


@pytest.fixture
def opened(page: Page, server: str) -> Open:
    """Opens a page in a browser that refuses so much from the beginning."""
    pages: list[Lab] = []

    def opened(kind: type[Lab] = Lab, query: str = "", refuses: str = "all") -> Lab:
        page.add_init_script(BROWSER.replace("REFUSES", f'"{refuses}"'))
        pages.append(kind(page, server))
        return pages[-1].open(query)

    yield opened
    assert [one.problems for one in pages] == [[]] * len(pages)


def allow(page: Page) -> None:
    """From now on it writes whatever is asked for."""
    page.evaluate("browser.refuses = 'nothing'")


def says(page: Page, **parameters: str | None) -> None:
    """Wait until the address has these parameters, and not those that are None."""
    page.wait_for_function(
        """wanted => {
            const said = new URLSearchParams(location.search);
            return Object.entries(wanted).every(([name, value]) => said.get(name) === value);
        }""",
        arg=parameters,
        timeout=15_000,
    )


def drag(page: Page, place: tuple[float, float], by: tuple[float, float], moves: int) -> None:
    """Press there and move so often, there and back, ending so far away."""
    x, y = place
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - by[0], y - by[1], steps=moves // 2)
    page.mouse.move(x + by[0], y + by[1], steps=moves - moves // 2)
    page.mouse.up()


@pytest.mark.parametrize("refuses", ["all", "often", "in silence"])
def test_in_the_lab_shots_tasks_steps_sliders_tabs_and_undo_go_on(opened, refuses):
    lab = opened(Lab, refuses=refuses)
    page, curve, shots = lab.page, lab.curve("maml"), lab.shots
    drag(page, lab.pixel(*shots[0]), (40, 20), 160)
    lab.settled()
    assert lab.shots[0] != shots[0]
    assert lab.curve("maml") != curve
    page.locator(".shot").first.focus()
    x = lab.shots[0][0]
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert lab.settled().shots[0][0] == pytest.approx(x + 0.5, abs=0.02)
    moved = lab.shots
    truth = lab.curve("true")
    lab.button("New task")
    expect(page.locator(".task-chart [data-curve=true]")).not_to_have_attribute("d", truth)
    page.keyboard.press("Control+z")
    expect(page.locator(".task-chart [data-curve=true]")).to_have_attribute("d", truth)
    assert lab.settled().shots == moved
    curve = lab.curve("maml")
    lab.slider("alpha").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".task-chart [data-curve=maml]")).not_to_have_attribute("d", curve)
    alpha = lab.settled().slider("alpha").get_attribute("aria-valuetext")
    page.get_by_role("slider", name="step shown").fill("3")
    expect(page.locator(".count")).to_have_text("step 3 of 10")
    page.get_by_role("tab", name="Algorithm").click()
    expect(page.locator(".panel-algorithm")).to_be_visible()
    page.wait_for_timeout(700)  # Python has heard of the step
    page.get_by_role("button", name="Share").click()
    link = page.get_by_label("Link to exactly this picture").input_value()
    page.keyboard.press("Escape")
    allow(page)
    says(page, alpha=alpha, step="3", panel="algorithm")
    assert parse_qs(urlsplit(page.url).query) == parse_qs(urlsplit(link).query), "what is shared is what the address comes to say"
    picture = lab.settled().picture()
    page.reload()
    assert lab.ready().picture() == picture


def test_what_is_refused_is_one_step_back_once_it_is_allowed(opened):
    lab = opened(Lab)
    page, length = lab.page, lab.page.evaluate("history.length")
    page.get_by_role("slider", name="step shown").fill("4")
    page.wait_for_timeout(700)
    first = lab.settled().picture()
    lab.button("New task")
    lab.button("New task")
    page.get_by_role("slider", name="step shown").fill("6")
    page.wait_for_timeout(700)
    last = lab.settled().picture()
    allow(page)
    says(page, step="6")
    assert page.evaluate("history.length") == length + 1
    page.go_back()
    says(page, step="4", seed=None)
    assert lab.settled().picture() == first
    page.go_forward()
    assert lab.settled().picture() == last


def test_a_step_of_back_keeps_what_was_not_written_yet(opened):
    lab = opened(Lab, refuses="nothing")
    page = lab.page
    page.get_by_role("tab", name="Algorithm").click()
    truth = lab.curve("true")
    page.get_by_role("button", name="New task").click()
    expect(page.locator(".task-chart [data-curve=true]")).not_to_have_attribute("d", truth)
    page.go_back()
    says(page, panel="algorithm", seed=None)
    expect(page.locator(".task-chart [data-curve=true]")).to_have_attribute("d", truth)


def test_a_long_drag_writes_the_address_a_few_times(opened):
    lab = opened(Lab, refuses="nothing")
    lab.page.evaluate("""() => {
        [browser.rests, browser.moved] = [0, 0];
        addEventListener("pointermove", () => {
            const now = performance.now();
            if (now - browser.moved > 250) browser.rests += 1; // on a busy machine the hand stands still now and then
            browser.moved = now;
        }, true);
    }""")
    before = lab.page.evaluate("browser.writes")
    drag(lab.page, lab.pixel(*lab.shots[0]), (60, 30), 300)
    lab.settled()
    lab.page.wait_for_timeout(500)
    writes, rests = lab.page.evaluate("[browser.writes, browser.rests]")
    assert 1 <= writes - before <= 4 + rests
    assert writes < 60
    (shots,) = parse_qs(urlsplit(lab.page.url).query)["shots"]
    said = [tuple(map(float, shot.split(","))) for shot in shots.split(";")]
    assert said == [pytest.approx(shot, abs=0.006) for shot in lab.shots]  # these are told in two decimals


def test_more_steps_than_a_browser_may_write_leave_some_writes_to_streamlit(opened):
    """What Streamlit wants to write and may not is an error that a person sees: so others ask for less than there is."""
    lab = opened(Lab, refuses="often")
    body = """
        for (let n = 1; n <= 150; n++) module.push({ n: String(n) });
        return [browser.writes, browser.refused];
    """
    writes, refused = lab.module("shared/address.js", body)
    assert 30 <= writes <= 70
    assert refused == 0
    says(lab.page, n="150")  # once it may again
    lab.page.get_by_role("link", name="Geometry").click()
    Geometry.ready(lab)
    assert lab.page.locator("[data-testid=stDialog]").count() == 0


def test_what_a_page_still_wants_never_lands_on_the_next_one(opened):
    lab = opened(Lab)
    lab.click(2.9, 0)
    lab.settled()
    lab.page.evaluate("""() => {
        [...document.querySelectorAll("a")].find((a) => a.textContent.includes("Geometry")).click();
        browser.refuses = "nothing";
    }""")
    Geometry.ready(lab)
    lab.page.wait_for_timeout(1500)
    assert lab.page.url == f"{lab.base}/geometry"


@pytest.mark.parametrize("what", ["pagehide", "blur", "visibilitychange", "a link", "Control+r"])
def test_the_address_is_written_before_anybody_can_take_it_along(opened, what):
    page = opened(Geometry, refuses="nothing").page
    act = """what => {
        [...document.querySelectorAll("button")].find((button) => button.textContent === "Step").click();
        const bubbles = { bubbles: true, cancelable: true };
        if (what === "a link") {
            const link = document.querySelector("a[href]");
            link.addEventListener("click", (event) => event.preventDefault(), { once: true });
            link.dispatchEvent(new MouseEvent("click", bubbles));
        } else if (what.startsWith("Control+")) dispatchEvent(new KeyboardEvent("keydown", { key: "r", ctrlKey: true }));
        else dispatchEvent(new Event(what));
        return location.search;
    }"""
    assert page.evaluate(act, what) == "?step=1"


@pytest.mark.parametrize("refuses", ["all", "often"])
def test_on_the_geometry_page_dragging_stepping_and_sliding_go_on(opened, refuses):
    geometry = opened(Geometry, refuses=refuses)
    page, arrow = geometry.page, geometry.page.locator("[data-arrow=maml] path").first
    before = arrow.get_attribute("d")
    box = geometry.handle("theta").locator(".body").bounding_box()
    drag(page, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), (80, 40), 120)
    expect(arrow).not_to_have_attribute("d", before)
    page.get_by_role("button", name="Step", exact=True).click()
    page.get_by_role("slider", name="inner step size α").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".geometry .world-bar .count")).to_contain_text("outer step 1 of")
    page.get_by_label("the run shown").evaluate(
        "choice => { choice.add(new Option('one')); choice.value = 'one'; choice.dispatchEvent(new Event('change')); }"
    )
    expect(page.locator(".geometry")).to_contain_text("Showing the shipped checkpoints instead")
    geometry.problems[:] = [problem for problem in geometry.problems if "400" not in problem]  # of a run that is not there
    allow(page)
    says(page, step="1", alpha="0.34", run="one")
    assert "theta=" in page.url


@pytest.mark.parametrize("refuses", ["all", "often"])
def test_on_the_explore_page_cells_conditions_and_views_go_on(opened, refuses):
    explore = opened(Explore, refuses=refuses)
    page = explore.page
    page.mouse.click(*explore.cell(0, 4, 3))
    expect(page.locator(".explore-side h2")).to_have_text("After 3 steps, 5 shots")
    page.get_by_role("button", name="shots in half the range").click()
    expect(page.locator(".setting")).to_contain_text("beyond training: shots in half the range")
    page.mouse.click(*explore.ready().cell(0, 4, 5))
    expect(page.locator(".explore-side h2")).to_have_text("After 5 steps, 5 shots")
    page.get_by_role("radio", name="curves").click()
    expect(page.locator("svg.slice")).to_have_count(3)
    allow(page)
    says(page, cell="K,5,5", conditions="half", view="curves")


def test_on_the_checkpoints_page_comparing_goes_on(opened):
    checkpoints = opened(Checkpoints)
    for name in ("maml", "anil"):
        checkpoints.compare(name)
    expect(checkpoints.page.locator(".comparison-chart .labels")).to_contain_text("ANIL", timeout=30_000)
    allow(checkpoints.page)
    says(checkpoints.page, compare="maml,anil")
    checkpoints.compare("anil")
    says(checkpoints.page, compare="maml")


def test_what_is_explored_or_compared_takes_no_step_back(opened):
    checkpoints = opened(Checkpoints, refuses="nothing")
    length = checkpoints.page.evaluate("history.length")
    checkpoints.compare("maml")
    says(checkpoints.page, compare="maml")
    assert checkpoints.page.evaluate("history.length") == length


def test_on_the_train_page_a_run_is_started_and_another_one_shown(opened):
    training = opened(Training)
    page = training.page
    names = [training.train(max_steps=20) for _ in range(2)]
    expect(page.locator(".place")).to_be_visible()
    for run in (*names, names[0]):
        page.locator(f"tr[data-run={run}] button.link").click()
        expect(page.locator(f"tr[data-run={run}]")).to_have_class("selected")
    allow(page)
    says(page, run=names[0])


def test_the_start_page_writes_nothing(opened):
    start = opened(Start)
    truth = start.curve("true")
    start.press("Take one gradient step")
    start.press("Again, with another task")
    expect(start.page.locator(".task-chart [data-curve=true]")).not_to_have_attribute("d", truth)
    assert start.page.evaluate("[browser.writes, browser.refused]") == [0, 0]


def test_on_the_lessons_page_cards_open_and_back_leads_to_the_list(opened):
    page = opened(Lessons).page
    heading, first = page.locator("h1").first, page.locator("a.card-row").first
    listed, card = heading.inner_text(), first.get_attribute("data-card")
    first.click()
    expect(heading).not_to_have_text(listed)
    expect(page.locator(".to-list")).to_be_visible()
    page.locator(".to-list").click()
    expect(heading).to_have_text(listed)
    page.locator(f"[data-card={card}]").first.click()
    expect(page.locator(".card-foot a.next")).to_be_visible(timeout=30_000)
    allow(page)
    says(page, card=card)
    page.go_back()
    expect(heading).to_have_text(listed)
    page.go_forward()
    expect(page.locator(".card-foot a.next")).to_be_visible(timeout=30_000)


def test_in_the_classroom_a_room_opens_is_presented_and_ends(opened):
    page = opened(Person).page
    page.get_by_role("button", name="Open a room").click()
    room = page.locator(".code-large").inner_text().replace(" ", "")
    page.get_by_role("button", name="Present").click()
    expect(page.locator(".classroom.present")).to_be_visible()
    allow(page)
    says(page, room=room, present="true")
    page.evaluate("browser.refuses = 'all'")
    page.get_by_role("button", name="Leave").click()
    expect(page.locator(".classroom.present")).to_have_count(0)
    page.get_by_text("Manage this room").click()
    page.get_by_role("button", name="End the room").click()
    page.wait_for_timeout(1000)  # a double click ends no room
    page.get_by_role("button", name="Delete and end").click()
    page.get_by_role("button", name="Go to another room").click()
    expect(page.get_by_role("button", name="Open a room")).to_be_visible()
    allow(page)
    says(page, room=None, present=None)


def test_a_teachers_secret_leaves_the_address_as_soon_as_it_can(opened):
    classroom = opened(Person)
    page = classroom.page
    page.get_by_role("button", name="Open a room").click()
    expect(page.locator(".code-large")).to_be_visible()
    room = page.locator(".code-large").inner_text().replace(" ", "")
    page.get_by_text("Manage this room").click()
    page.get_by_role("button", name="Show my address").click()
    secret = page.get_by_label("The address that makes whoever opens it").input_value().partition("#")[2]
    classroom.open(f"?room={room}#{secret}")
    expect(page.locator(".code-large")).to_be_visible()
    assert secret in page.url
    allow(page)
    expect(page).to_have_url(f"{classroom.base}/classroom?room={room}")
