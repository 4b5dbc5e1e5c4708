"""The lab without Streamlit behind it, as a card of a lesson holds it: put on the start page in the start view's place."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

import pytest
from conftest import Lab
from playwright.sync_api import expect

from ui.lab.state import LabState

UNANSWERED = "The server could not answer this. Reload the page to try again."
ALL = ["K", "alpha", "num_updates", "noise", "placement", "freeze"]
PUT = """async ([query, controls]) => {
  const sheet = [...document.querySelectorAll("link[rel=stylesheet]")].find((link) => link.href.includes("/modules/"));
  const base = sheet.href.replace(/(modules\\/[^/]+\\/).*/, "$1");
  const { aloneLab } = await import(`${base}lab/alone.js`);
  const start = document.querySelector(".start"), parent = start.parentElement;
  start.hidden = true;
  start.style.display = "none";
  window.changes = [];
  window.reached = [];
  window.put = (query, controls) => {
    const changed = (query) => changes.push(query), reachable = (yes) => reached.push(yes);
    window.alone = aloneLab(parent, { base, query, controls, changed, reachable });
  };
  put(query, controls);
}"""


class Alone(Lab):
    """A lab without Streamlit, and what it says to whoever put it there."""

    def put(self, query: str = "seed=15&step=0", controls: list[str] = ALL) -> "Alone":
        self.page.goto(self.base)
        expect(self.page.locator(".start .curve").first).to_be_attached(timeout=30_000)
        self.address = self.page.url
        self.page.evaluate(PUT, [query, controls])
        expect(self.page.locator(".alone .curve").first).to_be_visible()
        return self

    @property
    def plot(self):
        return self.page.locator(".alone svg.task")

    @property
    def shots(self):
        labels = self.page.locator(".alone .shot").evaluate_all("all => all.map(s => s.getAttribute('aria-label'))")
        return [tuple(map(float, re.search(r"at x (\S+), y (\S+)\. ", label).groups())) for label in labels]

    def press(self, key: str) -> None:
        """Press a key in the lab: elsewhere on the page it is not the lab's."""
        self.plot.focus()
        self.page.keyboard.press(key)

    def curve(self, name):
        return self.page.locator(f".alone .task-chart [data-curve={name}]").get_attribute("d")

    def rest(self) -> dict[str, str]:
        """What was last said, once all is at rest."""
        self.page.wait_for_timeout(1000)
        said = self.page.evaluate("changes.at(-1) ?? alone.query()")
        return {name: values[0] for name, values in parse_qs(said).items()}

    def call(self, what: str) -> None:
        self.page.evaluate(f"alone.{what}")

    @property
    def requests(self) -> list[str]:
        return self.page.evaluate(
            "performance.getEntriesByType('resource').map(r => r.name).filter(n => n.includes('picture.json'))"
        )


@pytest.fixture
def alone(page, server):
    lab = Alone(page, server)
    yield lab.put()
    assert lab.problems == []
    assert page.url == lab.address, "the page's address is not the lab's"


def test_what_a_person_does_is_told_when_it_has_come_to_rest(alone):
    assert alone.page.evaluate("[alone.query(), changes.length]") == ["step=0", 0]
    alone.press("ArrowRight")
    assert alone.rest() == {"step": "1"}
    alone.click(3, 0)
    told = alone.rest()
    assert len(told["shots"].split(";")) == 6
    alone.page.get_by_role("button", name="New task").click()
    fresh = alone.rest()
    assert fresh.keys() == {"seed", "step"}
    alone.page.get_by_role("button", name="Sample 5 shots").click()
    sampled = alone.rest()
    assert sampled.keys() == {"seed", "amplitude", "phase", "step"}
    assert sampled["seed"] != fresh["seed"]
    alone.page.get_by_role("button", name="Clear").click()
    assert alone.rest()["shots"] == "none"
    for before in (sampled, fresh, told, {"step": "1"}):
        alone.press("Control+z")
        assert alone.rest() == before
    alone.press("Control+Shift+z")
    assert alone.rest() == told


def test_a_drag_asks_for_no_curve_twice(alone):
    before, asked = alone.curve("maml"), len(alone.requests)
    alone.call("step(1)")
    alone.drag(alone.shots[0], 80, 5)
    told = alone.rest()
    assert alone.curve("maml") != before
    fetched = alone.requests[asked:]
    assert len(fetched) == len(set(fetched)) <= 5
    drawn = alone.shots
    assert [tuple(map(float, pair.split(","))) for pair in told["shots"].split(";")] == [
        pytest.approx(shot, abs=0.006) for shot in drawn
    ]
    alone.press("Control+z")
    assert alone.rest() == {"step": "1"}  # the whole drag is one edit


def test_what_is_drawn_is_what_the_lab_page_draws(alone, visitor):
    alone.call("show('seed=40&alpha=0.013&num_updates=4&step=2&noise=0.5&placement=left')")
    said = alone.rest()
    assert said == {"seed": "40", "alpha": "0.013", "num_updates": "4", "step": "2", "noise": "0.5", "placement": "left"}
    link = alone.page.get_by_role("link", name="Open in the lab")
    visitor.page.goto(link.evaluate("a => a.href"))
    visitor.ready()
    assert visitor.sentence == alone.page.locator(".alone .sentence").inner_text()
    assert visitor.shots == alone.shots


@pytest.mark.parametrize("name", ALL[:4])
def test_a_slider_redraws_while_it_is_dragged_and_is_one_edit(alone, name):
    alone.call("step(1)")
    before, slider = alone.curve("maml"), alone.page.locator(f".alone input[name={name}]")
    box = slider.bounding_box()
    alone.page.mouse.move(box["x"] + box["width"] * (0.2 if name != "noise" else 0.02), box["y"] + box["height"] / 2)
    alone.page.mouse.down()
    for share in (0.3, 0.4, 0.5, 0.6):
        alone.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        alone.page.wait_for_timeout(60)
    if name == "num_updates":
        expect(alone.page.locator(".alone .count")).not_to_have_text("step 1 of 10")
    else:
        expect(alone.page.locator(".alone .task-chart [data-curve=maml]")).not_to_have_attribute("d", before)
    assert alone.page.evaluate("changes.length") == 0, "nothing is at rest yet"
    alone.page.mouse.up()
    told = alone.rest()
    assert told.keys() == {name, "step"}
    assert slider.get_attribute("aria-valuetext") == told[name]
    alone.press("Control+z")
    assert alone.rest() == {"step": "1"}


def test_alpha_takes_the_lab_pages_positions_and_any_other(alone, server):
    alone.call("show('alpha=0.0137')")
    alone.rest()
    slider = alone.page.locator(".alone input[name=alpha]")
    positions = alone.page.request.get(f"{server}/lab/controls.json").json()["alpha"]["values"]
    at = next(value for value in positions if value > 0.0137)
    assert slider.get_attribute("aria-valuetext") == "0.0137"
    slider.focus()
    alone.page.keyboard.press("ArrowRight")
    assert alone.rest()["alpha"] == f"{at:g}"


def test_a_setting_does_to_shots_by_hand_what_it_does_on_the_lab_page(alone):
    by_hand = {"shots": "1,2;3,-0.5", "step": "1"}
    sliders = {name: alone.page.locator(f".alone input[name={name}]") for name in ("K", "noise")}
    for name in ("K", "noise", "placement", "freeze"):
        alone.call(f"show('{urlencode(by_hand)}')")
        expect(alone.page.locator(".alone .shot")).to_have_count(2)
        if name in sliders:
            sliders[name].press("ArrowRight")
        else:
            alone.page.locator(f".alone button[name={name}]").last.click()
        told = alone.rest()
        before, after = LabState.from_query(by_hand)[0], LabState.from_query(told)[0]
        assert after == before.change(name, getattr(after, name)) != before
    for button, act in (("New task", LabState.new_task), ("Sample", LabState.sample_shots)):
        alone.call("show('shots=1,2&noise=0.5&freeze=head&step=1')")
        alone.page.get_by_role("button", name=button).click()
        after, before = (LabState.from_query(q)[0] for q in (alone.rest(), {"shots": "1,2", "noise": "0.5", "freeze": "head"}))
        assert after == replace(act(before), seed=after.seed) != before


def test_choices_change_what_they_name(alone):
    alone.call("step(1)")
    alone.page.locator(".alone .choice").get_by_text("head only").click()
    assert alone.rest() == {"freeze": "body", "step": "1"}
    alone.page.locator(".alone .choice").get_by_text("left half").click()
    assert alone.rest() == {"freeze": "body", "placement": "left", "step": "1"}
    assert max(x for x, _ in alone.shots) <= 0
    expect(alone.page.locator(".alone .choice").get_by_text("left half")).to_have_attribute("aria-pressed", "true")


def test_a_step_alone_is_shown_without_asking_the_server(alone):
    asked, before = len(alone.requests), alone.curve("maml")
    alone.call("show('seed=15&step=4')")
    expect(alone.page.locator(".alone .count")).to_have_text("step 4 of 10")
    expect(alone.page.locator(".alone .task-chart [data-curve=maml]")).not_to_have_attribute("d", before)
    alone.call("show('step=7')")  # the same in fewer words
    expect(alone.page.locator(".alone .count")).to_have_text("step 7 of 10")
    assert len(alone.requests) == asked
    alone.call("show('seed=16&step=2')")
    alone.rest()
    assert len(alone.requests) == asked + 1
    assert alone.page.evaluate("alone.query()") == "seed=16&step=2"
    assert alone.page.evaluate("changes") == [], "nothing of it was a person's doing"


def test_held_it_can_be_looked_at_and_led_but_not_changed(alone):
    alone.call("hold(true)")
    shots = alone.shots
    alone.click(3, 0)
    alone.drag(shots[0], 80, 4)
    alone.page.locator(".alone .shot").first.focus()
    for key in ("Delete", "ArrowRight", "Escape", "End", " ", "Control+z"):
        alone.page.keyboard.press(key)
    box = alone.page.locator(".alone svg.loss").bounding_box()
    alone.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for control in (".steps button", ".steps input", ".actions button", ".scales input", ".scales button"):
        for one in alone.page.locator(f".alone {control}").all():
            expect(one).to_be_disabled()
    assert alone.rest() == {"step": "0"}
    assert alone.shots == shots
    alone.page.get_by_role("tab", name="Algorithm").click()
    expect(alone.page.locator(".alone .panel-algorithm")).to_be_visible()
    alone.call("show('step=3')")
    expect(alone.page.locator(".alone .count")).to_have_text("step 3 of 10")
    alone.call("hold(false)")
    alone.press("ArrowRight")
    assert alone.rest() == {"step": "4"}


def test_names_that_are_hidden_can_be_voted_on(alone):
    alone.call("show('hide=names&learners=pretrained,maml&step=0')")
    alone.page.locator(".alone .vote").get_by_role("button", name="B is MAML").click()
    alone.press("ArrowRight")
    expect(alone.page.locator(".alone h1")).to_have_text("Right: B is MAML, A is pretrained")


def test_without_an_answer_it_says_so_and_goes_on_by_itself(alone):
    alone.page.route("**/lab/picture.json*", lambda route: route.abort())
    alone.page.get_by_role("button", name="New task").click()
    expect(alone.page.locator(".alone .below .hint")).to_have_text(re.compile("server does not answer"))
    before = alone.shots
    alone.page.unroute("**/lab/picture.json*")
    expect(alone.page.locator(".alone .below .hint")).to_have_text("", timeout=6000)
    assert alone.shots != before
    assert alone.page.evaluate("reached") == [False, True]
    assert alone.rest().keys() == {"seed", "step"}
    alone.problems.clear()  # the aborted requests


def test_parameters_that_mean_nothing_are_refused_in_words(alone):
    alone.call("show('alpha=seven')")
    expect(alone.page.locator(".alone .below .hint")).to_have_text(re.compile("alpha=seven in the address"))
    assert alone.rest() == {"step": "0"}
    alone.press("ArrowRight")
    assert alone.rest() == {"step": "1"}
    alone.problems.clear()  # the refused request


@pytest.mark.parametrize(("status", "said"), [(400, "Not these."), (500, UNANSWERED)])
def test_what_the_server_refuses_is_taken_back_and_asked_for_no_more(alone, status, said):
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.fulfill(status=status, body="Not these.")

    shots, slider = alone.shots, alone.page.locator(".alone input[name=alpha]")
    alone.page.route("**/lab/picture.json*", refuse)
    alone.page.get_by_role("button", name="Clear").click()
    expect(alone.page.locator(".alone .below .hint")).to_have_text(said)
    assert alone.shots == shots
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "0.01")
    so_far = len(asked)
    alone.page.wait_for_timeout(2500)
    assert len(asked) == so_far <= 3
    assert alone.rest() == {"step": "0"}
    alone.page.unroute("**/lab/picture.json*")
    alone.click(3, 0)
    assert len(alone.rest()["shots"].split(";")) == 6
    alone.problems.clear()  # the refused requests


def test_keys_pressed_elsewhere_are_the_pages_unless_it_is_presented(alone):
    taken = """(key) => {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      return !document.body.dispatchEvent(event);
    }"""
    for key in ("ArrowRight", "End", " ", "PageDown", "Escape"):
        assert not alone.page.evaluate(taken, key)
    assert alone.rest() == {"step": "0"}
    alone.page.evaluate("document.querySelector('.lab-alone').parentElement.classList.add('present')")
    assert [alone.page.evaluate(taken, key) for key in ("ArrowRight", "PageDown", "End", " ")] == [True, True, False, False]
    assert alone.rest() == {"step": "2"}


def test_removed_it_listens_to_nothing_and_another_takes_its_place(alone):
    asked = []
    alone.page.route("**/lab/picture.json*", lambda route: asked.append(route))  # and never answered
    alone.page.get_by_role("button", name="Clear").click()
    alone.page.wait_for_timeout(50)
    assert asked
    alone.page.evaluate("""async () => {
      window.timers = [];
      const set = window.setTimeout;
      window.setTimeout = (act, ms, ...rest) => set(act, ms, ...rest, timers.push(ms));
      alone.remove();
      await new Promise((done) => set(done, 100));
      window.setTimeout = set;
    }""")
    assert alone.page.evaluate("timers") == []
    alone.page.unroute("**/lab/picture.json*")
    expect(alone.page.locator(".lab-alone")).to_have_count(0)
    alone.page.evaluate("put('seed=20&step=2', [])")
    expect(alone.page.locator(".alone .curve").first).to_be_visible()
    alone.press("ArrowRight")
    assert alone.rest() == {"seed": "20", "step": "3"}
    assert alone.page.evaluate("changes") == ["seed=20&step=3"]
    expect(alone.page.locator(".alone .scale")).to_have_count(0)
