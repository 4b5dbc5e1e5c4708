"""What a person does on the lab page, in a real browser on the real server."""

import math
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from conftest import Lab
from playwright.sync_api import expect

PLACES = [(-4, 1), (-2.5, -3), (-0.5, 4), (1.5, -1), (3.5, 2)]


def on_curve(x, amplitude, phase):
    return amplitude * math.sin(x - phase)


def test_opens_with_four_labelled_curves(lab):
    drawn = lab.page.locator(".task-chart [data-curve]").evaluate_all("all => all.map(c => c.dataset.curve)")
    assert sorted(drawn) == ["before", "before-pretrained", "maml", "pretrained", "true"]
    labels = lab.page.locator("svg.task .labels text").evaluate_all("all => all.map(t => t.textContent)")
    assert sorted(labels) == ["MAML", "both before", "pretrained", "true"]
    assert len(lab.shots) == 5
    assert lab.page.locator("[data-testid=stMarkdown]").count() == 0, "the picture comes first"
    assert re.fullmatch(r"After 1 step: MAML \d+\.\d+, pretrained \d+\.\d+\.", lab.sentence)


def test_the_first_picture_has_the_width_that_it_keeps(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script("""window.widths = new Set();
      const look = () => document.querySelectorAll("svg.task").forEach(plot => plot.clientWidth && widths.add(plot.clientWidth));
      new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });""")
    lab = Lab(context.new_page(), server).open()
    lab.page.wait_for_timeout(1000)
    assert lab.page.evaluate("widths.size") == 1
    context.close()


def test_five_fast_clicks_place_five_shots_where_they_were_made(lab):
    lab.button("Clear")
    assert lab.shots == []
    pixels = [lab.pixel(x, y) for x, y in PLACES]
    for x, y in pixels:
        lab.page.mouse.click(x, y)  # no waiting in between
    lab.settled()
    placed = lab.shots
    assert [x for x, _ in placed] == pytest.approx([x for x, _ in PLACES], abs=0.03)
    assert [y for _, y in placed] == pytest.approx([on_curve(x, 3.49, 2.56) for x, _ in placed], abs=0.02)
    assert len(parse_qs(urlsplit(lab.page.url).query)["shots"][0].split(";")) == 5


def test_off_the_curve_a_shot_goes_where_the_click_was(lab):
    lab.button("Clear")
    lab.page.get_by_text("off the curve").click()
    lab.settled()
    lab.click(1, 5)
    lab.settled()
    assert lab.shots[0] == pytest.approx((1, 5), abs=0.05)


def test_drag_moves_a_shot_and_the_curves_follow(lab):
    before, start = lab.curve("maml"), lab.shots[1]
    x, y = lab.pixel(*start)
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    there = lab.pixel(0, 0)
    lab.page.mouse.move(*there, steps=6)
    lab.page.mouse.up()
    lab.settled()
    assert len(lab.shots) == 5
    assert lab.shots[1] == pytest.approx((0, on_curve(0, 3.49, 2.56)), abs=0.05)
    assert lab.curve("maml") != before
    assert "placed by hand" in lab.page.locator(".hint").inner_text()


def test_double_click_and_delete_remove_a_shot(lab):
    first = lab.shots[0]
    lab.page.mouse.dblclick(*lab.pixel(*first))
    lab.settled()
    assert len(lab.shots) == 4
    assert first not in lab.shots
    lab.page.locator(".shot").nth(1).focus()
    gone = lab.shots[1]
    lab.page.keyboard.press("Delete")
    lab.settled()
    assert len(lab.shots) == 3
    assert gone not in lab.shots
    assert lab.page.evaluate("document.activeElement.classList.contains('shot')")


def test_double_click_on_an_empty_place_leaves_one_shot(lab):
    lab.button("Clear")
    lab.page.mouse.dblclick(*lab.pixel(2.2, on_curve(2.2, 3.49, 2.56)))
    lab.settled()
    assert len(lab.shots) == 1


def test_arrows_move_a_focused_shot_and_otherwise_step(lab):
    lab.page.locator(".shot").first.focus()
    x = lab.shots[0][0]
    lab.page.keyboard.press("ArrowRight")
    lab.settled()
    assert lab.shots[0][0] == pytest.approx(x + 0.1, abs=0.011)
    assert lab.step == "step 1 of 10"
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("ArrowRight")
    assert lab.step == "step 2 of 10"
    lab.page.keyboard.press("End")
    assert lab.step == "step 10 of 10"
    lab.page.keyboard.press("Home")
    assert lab.step == "step 0 of 10"


def test_scrubbing_and_stepping_ask_the_server_nothing(lab):
    frames = []
    lab.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame)))
    lab.page.reload()
    lab.ready()
    frames.clear()
    scrubber = lab.page.get_by_role("slider", name="step shown")
    curves = set()
    for step in (0, 3, 7, 10):
        scrubber.fill(str(step))
        curves.add(lab.curve("maml"))
        assert lab.step == f"step {step} of 10"
        assert lab.sentence.lower().startswith("before any step" if step == 0 else f"after {step} steps")
    assert len(curves) == 4
    assert frames == []
    lab.page.wait_for_timeout(700)
    assert len(frames) == 1, "one message when the step came to rest"
    expect(lab.page).to_have_url(re.compile("step=10"))


def test_play_walks_to_the_end_and_pause_stops(lab):
    lab.page.get_by_role("button", name="Before any step").click()
    lab.page.get_by_role("button", name="Play").click()
    expect(lab.page.locator(".count")).to_have_text("step 3 of 10", timeout=6000)
    lab.page.get_by_role("button", name="Pause").click()
    stopped = lab.step
    lab.page.wait_for_timeout(1000)
    assert lab.step == stopped
    lab.page.get_by_role("button", name="Play").click()
    expect(lab.page.locator(".count")).to_have_text("step 10 of 10", timeout=12_000)
    expect(lab.page.get_by_role("button", name="Play")).to_be_visible()


def test_alpha_until_divergence_says_so_and_the_axes_stay(lab):
    axes = "() => [...document.querySelectorAll('svg .grid text')].map(t => t.outerHTML).join()"
    before = lab.page.evaluate(axes)
    thumb = lab.slider("alpha")
    thumb.focus()
    for _ in range(40):
        lab.page.keyboard.press("ArrowRight")
    lab.settled()
    assert float(re.search(r"alpha=([\d.]+)", lab.page.url)[1]) > 0.1
    expect(lab.page.locator("h1")).to_contain_text("diverged")
    expect(lab.page.locator(".notes .alert")).to_contain_text("is too large")
    assert "diverged" in lab.sentence
    assert lab.page.evaluate(axes) == before
    assert lab.page.locator("[data-testid=stException]").count() == 0


@pytest.mark.parametrize("key", ["K", "alpha", "num_updates", "noise", "amplitude", "phase"])
def test_each_slider_changes_the_picture_and_the_address(lab, key):
    before = lab.picture()
    lab.slider(key).focus()
    lab.page.keyboard.press("ArrowRight" if key != "phase" else "ArrowLeft")
    lab.settled()
    assert lab.picture() != before
    assert f"{key}=" in lab.page.url


def test_new_task_and_new_shots(lab):
    truth, shots = lab.curve("true"), lab.shots
    first = lab.page.locator(".shot").first
    before = first.get_attribute("aria-label")
    lab.button("Sample 5 shots")
    expect(first).not_to_have_attribute("aria-label", before)
    assert lab.curve("true") == truth
    lab.button("New task")
    expect(lab.page.locator(".task-chart [data-curve=true]")).not_to_have_attribute("d", truth)
    assert lab.shots[0][1] != shots[0][1]


def test_reload_and_a_copied_address_give_the_same_picture(lab, visitor):
    lab.click(2.9, 0)
    lab.slider("alpha").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.settled()
    lab.slider("amplitude").focus()
    lab.page.keyboard.press("ArrowLeft")
    lab.settled()
    lab.page.get_by_role("slider", name="step shown").fill("6")
    lab.page.wait_for_timeout(600)
    lab.settled()
    picture, address = lab.picture(), lab.page.url
    lab.page.reload()
    assert lab.ready().picture() == picture
    visitor.page.goto(address)
    assert visitor.ready().picture() == picture
    assert len(picture["shots"]) == 6


def test_any_value_in_range_survives_the_address(lab):
    lab.open("?alpha=0.013&amplitude=3.137&phase=1.2345&K=7&num_updates=23&noise=0.37&step=23")
    assert lab.step == "step 23 of 23"
    assert len(lab.shots) == 7
    for part in ("alpha=0.013", "amplitude=3.137", "phase=1.2345", "noise=0.37"):
        assert part in lab.page.url
    lab.click(0, 0)
    lab.settled()
    for part in ("alpha=0.013", "amplitude=3.137", "phase=1.2345", "noise=0.37"):
        assert part in lab.page.url
    assert lab.slider("alpha").get_attribute("aria-valuetext") == "0.013"


def test_a_bad_address_is_explained_and_harmless(lab):
    lab.open("?alpha=7&shots=1,2;x&K=5")
    expect(lab.page.locator("[data-testid=stToast]")).to_have_count(2)
    said = lab.page.locator("[data-testid=stToast]").all_inner_texts()
    assert any("alpha=7" in text and "0.0001 to 1" in text for text in said)
    assert any("semicolons" in text for text in said)
    assert len(lab.shots) == 5
    assert "alpha" not in lab.page.url


def test_an_address_is_never_read_as_markup(lab):
    lab.open("?alpha=![a](http://127.0.0.2/a.png)<img src=x>$x$")
    expect(lab.page.locator("[data-testid=stToast]")).to_contain_text("![a](http://127.0.0.2/a.png)")
    assert lab.page.locator("[data-testid=stToast] img").count() == 0


def test_parameters_of_others_stay_in_the_address(lab):
    lab.open("?embed=true&K=3")
    lab.click(3, 0)
    lab.settled()
    assert "embed=true" in lab.page.url
    assert "shots=" in lab.page.url


def test_back_undoes_the_last_change(lab):
    before = lab.picture()
    lab.button("New task")
    after = lab.picture()
    assert after != before
    lab.page.go_back()
    lab.settled()
    assert lab.picture() == before
    lab.page.go_forward()
    lab.settled()
    assert lab.picture() == after


def test_steps_and_nudges_do_not_fill_the_history(lab):
    length = lab.page.evaluate("history.length")
    for step in (4, 7, 2):
        lab.page.get_by_role("slider", name="step shown").fill(str(step))
        expect(lab.page).to_have_url(re.compile(f"step={step}"))
    assert lab.page.evaluate("history.length") == length
    lab.page.locator(".shot").first.focus()
    for _ in range(4):
        lab.page.keyboard.press("ArrowRight")
        lab.settled()
    assert lab.page.evaluate("history.length") == length + 1, "one way back, to the shots before editing"


def test_keys_step_wherever_nothing_else_wants_them(lab):
    lab.page.locator("h1").click()
    lab.page.keyboard.press("ArrowRight")
    assert lab.step == "step 2 of 10"
    lab.page.get_by_role("button", name="New task").click()
    lab.settled()
    lab.page.keyboard.press("ArrowRight")
    assert lab.step == "step 3 of 10"
    lab.page.locator(".shot").first.focus()
    lab.page.keyboard.press("Home")
    assert lab.step == "step 0 of 10"


def test_a_quick_second_drag_moves_and_does_not_remove(lab):
    for _ in range(2):
        lab.drag(lab.shots[0], right=12, steps=3)
    lab.settled()
    assert len(lab.shots) == 5


def test_escape_takes_a_drag_back(lab):
    before = lab.shots
    lab.page.mouse.move(*lab.pixel(*before[0]))
    lab.page.mouse.down()
    lab.page.mouse.move(*lab.pixel(0, 0), steps=3)
    lab.page.keyboard.press("Escape")
    lab.page.mouse.up()
    lab.settled()
    assert lab.shots == before


def test_nothing_below_the_plot_moves_while_stepping(lab):
    lab.open("?alpha=0.05")
    at = set()
    for step in range(5):
        lab.page.get_by_role("slider", name="step shown").fill(str(step))
        at.add(lab.page.locator(".area-steps").bounding_box()["y"])
    for tab in ("Algorithm", "One step", "1,000 tasks", "Shots"):
        lab.page.get_by_role("tab", name=tab).click()
        at.add(lab.page.locator(".area-steps").bounding_box()["y"])
    assert len(at) == 1


def test_the_table_edits_the_same_shots(lab):
    lab.page.get_by_role("tab", name="Shots").click()
    field = lab.page.get_by_label("x of shot 2")
    field.select_text()
    lab.page.keyboard.type("-1.25", delay=40)
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.type("-1.5", delay=60)  # while the server still answers the first
    lab.page.keyboard.press("Tab")
    lab.settled()
    assert lab.shots[1] == (-1.25, -1.5)
    field.fill("99")
    field.press("Tab")
    expect(lab.page.locator(".hint.alert")).to_contain_text("from -5 to 5")
    assert lab.shots[1][0] == 5
    lab.page.get_by_role("button", name="Add a shot").click()
    lab.page.keyboard.type("-2.5", delay=40)
    lab.page.keyboard.press("Tab")
    lab.settled()
    assert len(lab.shots) == 6
    assert lab.shots[5] == pytest.approx((-2.5, on_curve(-2.5, 3.49, 2.56)), abs=0.01)
    lab.page.get_by_role("button", name="Remove shot 1").click()
    lab.settled()
    assert len(lab.shots) == 5


@pytest.mark.parametrize("pause", [250, 300, 320, 340])
def test_a_new_task_is_new_whatever_else_is_on_its_way(lab, pause):
    lab.open("?seed=40")
    before = lab.curve("true")
    lab.plot.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_timeout(pause)  # about when Python hears of the step
    lab.button("New task")
    expect(lab.page.locator(".task-chart [data-curve=true]")).not_to_have_attribute("d", before)
    lab.settled()
    assert lab.curve("true") != before
    assert "amplitude" not in lab.page.url


@pytest.mark.parametrize("pause", [0, 30, 60])
def test_clear_right_after_a_new_task_clears(lab, pause):
    before = lab.curve("true")
    lab.page.get_by_role("button", name="New task").click()
    lab.page.wait_for_timeout(pause)
    lab.button("Clear")
    assert lab.shots == []
    assert lab.curve("true") != before


@pytest.mark.parametrize("press", ["New task", "Sample 5 shots"])
def test_what_is_pressed_right_after_clear_is_not_cleared(lab, press):
    before = lab.shots
    lab.page.get_by_role("button", name="Clear").click()
    lab.button(press)
    assert len(lab.shots) == len(before)
    assert lab.shots != before


def test_every_learner_can_be_drawn_on_the_same_shots(lab, visitor):
    for name in ("FOMAML", "Reptile", "ANIL", "Meta-SGD", "oracle", "random"):
        lab.page.get_by_role("button", name=name, exact=True).click()
        lab.settled()
        expect(lab.page.locator(".cards")).to_contain_text(name)
        assert f"{name} " in lab.sentence
    assert "learners=maml,fomaml,reptile,anil,meta_sgd,pretrained,oracle,random" in unquote(lab.page.url)
    curves = {lab.curve(name) for name in ("maml", "fomaml", "reptile", "anil", "meta_sgd", "pretrained", "oracle", "random")}
    assert len(curves) == 8
    visitor.open("?" + lab.page.url.partition("?")[2])
    assert visitor.picture() == lab.picture()


def test_divergence_at_a_learners_own_step_size_is_not_blamed_on_it(lab):
    lab.open("?learners=meta_sgd&step=10")
    expect(lab.page.locator(".notes .alert")).to_contain_text("Meta-SGD diverges at step")
    expect(lab.page.locator(".notes .alert")).to_contain_text("Take fewer steps")
    expect(lab.page.locator(".notes .alert")).not_to_contain_text("too large")
    expect(lab.page.locator("h1")).not_to_contain_text("too large")


@pytest.mark.parametrize("pause", [0, 30, 80])
def test_a_click_right_after_choosing_learners_is_kept(lab, pause):
    lab.page.get_by_role("toolbar", name="learners").get_by_role("button", name="pretrained").click()
    lab.page.wait_for_timeout(pause)
    lab.click(2.9, 0)
    lab.settled()
    assert len(lab.shots) == 6
    assert lab.page.locator(".task-chart [data-curve=pretrained]").count() == 0


def test_the_same_step_again_is_saved_again(lab):
    lab.open("?alpha=0.02")
    lab.button("New task")
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_timeout(600)
    lab.page.go_back()
    lab.settled()
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_timeout(600)
    lab.settled()
    assert lab.step == "step 2 of 10"
    assert "step=2" in lab.page.url


def type_alpha(lab, text):
    lab.page.get_by_role("button", name="exact values").click()
    field = lab.page.get_by_label("step size α").and_(lab.page.locator("input[type=number]"))
    field.fill(text)
    field.press("Enter")
    lab.settled()


EXACT = {"inner step size α": "alpha", "noise σ": "noise", "amplitude A": "amplitude", "phase φ": "phase"}


def test_exact_values_are_those_on_show_whatever_was_done_before(lab):
    fields = lab.page.locator("[data-testid=stPopoverBody] input[type=number]")

    def opened() -> dict[str, float]:
        lab.page.get_by_role("button", name="exact values").click()
        expect(fields).to_have_count(len(EXACT))
        expect(fields.last).not_to_have_value("")
        values = fields.evaluate_all("all => all.map(field => [field.ariaLabel, field.value])")
        lab.page.keyboard.press("Escape")
        lab.settled()
        return {EXACT[label]: float(value) for label, value in values}

    assert opened() == {"alpha": 0.01, "noise": 0, "amplitude": 3.49, "phase": 2.56}
    lab.drag(lab.shots[1], right=40, steps=3)
    lab.settled()
    lab.page.get_by_text("off the curve").click()
    lab.settled()
    assert opened() == {"alpha": 0.01, "noise": 0, "amplitude": 3.49, "phase": 2.56}
    lab.slider("alpha").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.settled()
    lab.button("New task")
    lab.click(3, 0)
    lab.settled()
    shown = {name: float(lab.slider(name).get_attribute("aria-valuetext")) for name in EXACT.values()}
    assert opened() == shown
    assert shown["alpha"] == 0.011
    assert shown["amplitude"] != 3.49


def test_a_value_out_of_range_is_told_its_range(lab):
    type_alpha(lab, "7")
    said = lab.page.locator("[data-testid=stPopoverBody] [role=alert]")
    expect(said).to_contain_text("between 0.0001 and 1")
    assert said.bounding_box()["height"] > 10, "in sight, and not only for screen readers"
    assert "alpha" not in lab.page.url


def test_an_emptied_exact_value_changes_nothing(lab):
    type_alpha(lab, "")
    assert "alpha" not in lab.page.url


def test_exact_values_can_be_typed(lab):
    type_alpha(lab, "0.0137")
    expect(lab.page).to_have_url(re.compile("alpha=0.0137"))


def test_a_restarted_server_goes_on_with_the_same_picture(server_factory, visitor):
    server = server_factory()
    visitor.page.goto(f"{server.base}/lab")
    visitor.ready()
    visitor.click(3.5, 0)
    visitor.settled()
    server.stop()
    visitor.page.wait_for_timeout(500)
    server.start()
    visitor.page.wait_for_timeout(4000)  # until the page has found it again
    visitor.click(4.3, 0)
    visitor.settled()
    visitor.slider("alpha").focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.settled()
    assert len(visitor.shots) == 7
    assert "alpha=0.011" in visitor.page.url
    picture = visitor.picture()
    visitor.page.reload()
    assert visitor.ready().picture() == picture
    visitor.problems.clear()  # the browser reports the lost connection


def test_no_shots_is_a_state_of_its_own(lab):
    lab.button("Clear")
    expect(lab.page.locator("h1")).to_contain_text("No shots")
    expect(lab.page.locator(".own-alpha").first).to_have_text("no shots now")
    assert lab.curve("maml") == lab.curve("before")
    lab.page.reload()
    assert lab.ready().shots == []


# Where things stand while the page loads, from the moment that the house style is there.
WATCH_PLACES = """() => {
  window.places = new Set();
  const look = () => {
    const picture = document.querySelector(".st-key-picture"), controls = document.querySelector(".st-key-choices");
    if (picture && controls && getComputedStyle(document.querySelector(".stApp")).getPropertyValue("--content-left")) {
      places.add(Math.round(controls.getBoundingClientRect().top - picture.getBoundingClientRect().top));
    }
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.mark.parametrize(("width", "height", "most"), [(1280, 800, 2), (1000, 700, 30), (390, 844, 30)])
def test_controls_have_their_place_before_the_picture_is_there(browser, server, width, height, most):
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(f"({WATCH_PLACES})()")
    lab = Lab(context.new_page(), server).open()
    places = lab.page.evaluate("[...places]")
    assert max(places) - min(places) <= most, places
    context.close()


@pytest.fixture
def phone(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield Lab(context.new_page(), server)
    context.close()


def test_on_a_phone_the_navigation_opens_over_the_labs_buttons_and_closes(phone):
    phone.open().page.locator("[data-testid=stExpandSidebarButton]").tap()
    sidebar = phone.page.locator("[data-testid=stSidebar]")
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    close = sidebar.get_by_role("button").first
    close.tap()
    expect(sidebar).to_have_attribute("data-collapsed", "true")
    assert phone.page.locator("dialog[open]").count() == 0
    phone.page.get_by_role("button", name="Share").tap()
    expect(phone.page.locator("dialog[open]")).to_be_visible()


@pytest.mark.parametrize(
    "page", ["", "lab", "lab?present=1&shots=none", "lessons?card=the-mean-task", "characters", "explore", "geometry", "train"]
)
def test_where_there_is_only_a_finger_nothing_is_said_of_mouse_and_keys(phone, page):
    phone.page.goto(f"{phone.base}/{page}")
    expect(phone.page.locator(".maml-lab").first).to_be_visible(timeout=30_000)
    expect(phone.page.locator(".maml-lab h1, .maml-lab h2, .maml-lab h3").first).not_to_be_empty()
    if "card=" in page:
        expect(phone.page.locator(".lessons .answer")).to_be_visible()
    said = phone.page.evaluate(
        """() => {
            const visible = e => e.checkVisibility({ visibilityProperty: true });
            const shown = [...document.querySelectorAll(".maml-lab, .maml-lab *")].filter(visible);
            const own = e => [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join(" ");
            const isKey = e => own(e) !== "Delete";  // a button of this name is no key
            return shown.filter(isKey).map(e => [own(e), e.title, e.getAttribute?.("aria-label") ?? ""].join(" ")).join("\\n");
        }"""
    )
    assert len(said) > 100
    found = re.findall(
        r".*(?:\bmouse|keyboard|\bkeys?\b|\bDelete\b|\bclick|Ctrl|arrow key|(?:left|right) arrow|\bEsc|\(space|\bHome\)).*",
        said,
        re.IGNORECASE,
    )
    assert not found, found


def test_two_taps_take_a_shot_away(phone):
    phone.open()
    x, y = phone.pixel(*phone.shots[0])
    phone.page.touchscreen.tap(x, y)
    phone.page.touchscreen.tap(x + 7, y + 4)  # no finger comes down twice in one place
    phone.settled()
    assert len(phone.shots) == 4


def test_on_a_phone_a_tap_places_a_shot_and_nothing_scrolls_sideways(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Lab(context.new_page(), server).open()
    phone.button("Clear")
    phone.page.locator("svg.task").scroll_into_view_if_needed()
    scrolled = phone.page.evaluate("scrollY || document.querySelector('[data-testid=stMain]').scrollTop")
    phone.page.touchscreen.tap(*phone.pixel(1, 2))
    phone.settled()
    assert len(phone.shots) == 1
    finger, (x, y) = context.new_cdp_session(phone.page), phone.pixel(*phone.shots[0])
    for kind, dx, dy in (("Start", 0, 0), *(("Move", 5 * i, 12 * i) for i in range(1, 8)), ("End", 0, 0)):
        points = [] if kind == "End" else [{"x": x + dx, "y": y + dy}]
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    phone.settled()
    assert phone.shots[0][0] == pytest.approx(1 + 35 / (phone.pixel(1, 0)[0] - phone.pixel(0, 0)[0]), abs=0.1)
    assert phone.page.evaluate("scrollY || document.querySelector('[data-testid=stMain]').scrollTop") == scrolled
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert phone.problems == []
    context.close()
