"""The geometry page in a browser: the toy's arithmetic against the engine, and that a person can drag, play and share."""

import json
import math
import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from conftest import Lab
from playwright.sync_api import Page, expect
from torch.func import grad

from maml_core.algorithms import adapt, meta_objective, reptile_direction
from maml_core.tasks import Batch


class Geometry(Lab):
    """The page as a person sees it."""

    def open(self, query: str = "") -> "Geometry":
        self.page.goto(f"{self.base}/geometry{query}")
        return self.ready()

    def ready(self) -> "Geometry":
        expect(self.page.locator("svg.plane .contours ellipse").first).to_be_attached(timeout=30_000)
        self.at_rest()
        return self

    def toy(self, body: str, *arguments: object) -> list:
        """What the toy's own module gives for a function body over (toy, ...arguments)."""
        return self.module("geometry/toy.js", f"const toy = module;\n{body}", list(arguments))

    def handle(self, name: str):
        return self.page.locator(f"svg.plane >> nth=0 >> [data-handle='{name}']")

    @property
    def finding(self) -> str:
        return self.page.locator(".geometry h1").first.inner_text()


@pytest.fixture
def geometry(page: Page, server: str) -> Iterator[Geometry]:
    geometry = Geometry(page, server).open()
    yield geometry
    assert geometry.problems == []


def quadratic(params, x, y):
    """1/2 (theta - c)' H (theta - c), averaged over the tasks in x: (2N, 2) Hessians, y: (2N,) optima."""
    away = params["theta"] - y.reshape(-1, 2)
    return 0.5 * torch.einsum("ni,nij,nj->n", away, x.reshape(-1, 2, 2), away).mean()


def random_worlds(count: int) -> list[dict]:
    rng = np.random.default_rng(8)
    return [
        {
            "theta": rng.uniform(-3, 3, 2).tolist(),
            "tasks": rng.uniform(-3, 3, (rng.integers(3, 7), 2)).tolist(),
            "difference": float(rng.choice([0.0, rng.uniform(), 1.0])),
            "alpha": float(rng.uniform(0.01, 0.6)),
        }
        for _ in range(count)
    ]


def test_the_toy_follows_what_the_engine_follows(geometry):
    """Losses, inner steps and every learner's gradient on 300 random worlds, against maml_core in float64."""
    worlds = random_worlds(300)
    body = """return given[0].map(({ theta, tasks, difference, alpha }) => {
        const world = toy.makeWorld(tasks, difference, alpha);
        return {
            hessians: world.tasks.map((task) => toy.matrix(task)),
            adapted: world.tasks.map((task) => toy.adapted(world, task, theta)),
            losses: [toy.lossBefore(world, theta), toy.lossAfter(world, theta)],
            gradients: toy.LEARNERS.map((name) => toy.gradient(toy.bowl(world, name), theta)),
        };
    });"""
    steps = geometry.toy("return toy.REPTILE_STEPS")
    for asked, got in zip(worlds, geometry.toy(body, worlds), strict=True):
        a, b, d = torch.tensor(got["hessians"], dtype=torch.float64).T
        H = torch.stack([torch.stack([a, b], 1), torch.stack([b, d], 1)], 1)  # (T, 2, 2)
        c = torch.tensor(asked["tasks"], dtype=torch.float64)  # (T, 2)
        assert (torch.linalg.eigvalsh(H) > 0).all()
        theta, alpha, batch = {"theta": torch.tensor(asked["theta"], dtype=torch.float64)}, asked["alpha"], Batch(H, c, H, c)
        phis = [adapt(quadratic, theta, h, o, alpha, 1)[-1]["theta"].tolist() for h, o in zip(H, c, strict=True)]
        np.testing.assert_allclose(got["adapted"], phis, rtol=1e-9, atol=1e-9)
        before, after = (meta_objective(quadratic, theta, batch, alpha, n).item() for n in (0, 1))
        np.testing.assert_allclose(got["losses"], [before, after], rtol=1e-9, atol=1e-9)

        def follows(steps, *, at=theta, tasks=batch, size=alpha, **options):
            return grad(lambda t: meta_objective(quadratic, t, tasks, size, steps, **options))(at)["theta"].tolist()

        reptile = reptile_direction(quadratic, theta, batch, alpha, steps)["theta"].tolist()
        expected = [follows(1), follows(1, first_order=True), reptile, follows(0)]
        np.testing.assert_allclose(got["gradients"], expected, rtol=1e-9, atol=1e-9)


def test_the_toys_gradients_are_slopes_and_vanish_where_learners_end(geometry):
    """MAML's gradient is the slope of the loss after a step, pretraining's of that before; by finite differences."""
    body = """const eps = 1e-5;
    const slope = (f, [x, y]) => [f([x + eps, y]) - f([x - eps, y]), f([x, y + eps]) - f([x, y - eps])].map((d) => d / (2 * eps));
    return given[0].map(({ theta, tasks, difference, alpha }) => {
        const world = toy.makeWorld(tasks, difference, alpha), bowls = toy.LEARNERS.map((name) => toy.bowl(world, name));
        return {
            slopes: [slope((t) => toy.lossAfter(world, t), theta), slope((t) => toy.lossBefore(world, t), theta)],
            gradients: [toy.gradient(bowls[0], theta), toy.gradient(bowls[3], theta)],
            rest: bowls.map((bowl) => bowl.lowest && Math.hypot(...toy.gradient(bowl, bowl.lowest))),
            ends: bowls.map((bowl) => bowl.lowest),
            alike: difference === 0,
        };
    });"""
    found = geometry.toy(body, random_worlds(100))
    for each in found:
        np.testing.assert_allclose(each["gradients"], each["slopes"], rtol=1e-5, atol=1e-6)
        assert all(
            rest is None or rest < 1e-6 * (1 + math.hypot(*end)) for rest, end in zip(each["rest"], each["ends"], strict=True)
        )
        if each["alike"]:
            np.testing.assert_allclose(each["ends"], [each["ends"][0]] * 4, atol=1e-9)
    apart = [math.dist(each["ends"][0], each["ends"][1]) for each in found if not each["alike"] and each["ends"][1]]
    assert min(apart) > 1e-4


def test_dragging_theta_moves_the_picture_and_the_address_brings_it_back(geometry):
    page = geometry.page
    box = geometry.handle("theta").locator(".body").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = page.locator("[data-arrow=maml] path").first.get_attribute("d")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 160, y + 40, steps=5)
    page.mouse.up()
    expect(page.locator("[data-arrow=maml] path").first).not_to_have_attribute("d", before)
    page.wait_for_url(re.compile("theta="))
    label, drawn = geometry.handle("theta").get_attribute("aria-label"), page.locator("svg.plane").nth(1).inner_html()
    geometry.open("?" + page.url.partition("?")[2])
    assert geometry.handle("theta").get_attribute("aria-label") == label

    def without_ids(text):
        return re.sub(r"clip-\w+", "", text)

    assert without_ids(page.locator("svg.plane").nth(1).inner_html()) == without_ids(drawn)


def test_the_keyboard_moves_a_task_and_the_outer_loop_ends_where_it_says(geometry):
    page = geometry.page
    geometry.handle("1").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(geometry.handle("1")).to_have_attribute("aria-label", re.compile(r"at 1\.40, 1\.40"))
    assert "FOMAML ends" in geometry.finding
    page.get_by_role("button", name="To the end").click()
    expect(page.locator("[data-path=maml]")).to_have_count(2)
    end, last = (
        page.locator("svg.plane >> nth=1 >> [data-end=maml]"),
        page.locator("svg.plane >> nth=1 >> [data-path=maml] ~ .dot").first,
    )
    assert float(end.get_attribute("cx")) == pytest.approx(float(last.get_attribute("cx")), abs=1)
    page.get_by_role("slider", name="how much the tasks").fill("0")
    expect(page.locator(".geometry h1").first).to_have_text(
        "Equal curvatures: MAML, FOMAML, Reptile and pretrained end at the same point."
    )


def test_whatever_is_done_can_be_undone_and_done_again(geometry):
    """A drag, a press of a key, a slider, a button, and playing: each one step of undo, by keys and by buttons."""
    page = geometry.page

    read = """JSON.stringify([
        ...[...document.querySelectorAll(".handle[aria-label]")].map((handle) => handle.getAttribute("aria-label")),
        ...[...document.querySelectorAll(".world-controls strong, .world-bar .count")].map((part) => part.textContent),
    ])"""

    def becomes(state):
        page.wait_for_function(f"state => {read} === state", arg=state)

    def drag():
        box = geometry.handle("theta").locator(".body").bounding_box()
        page.mouse.move(box["x"] + 9, box["y"] + 9)
        page.mouse.down()
        page.mouse.move(box["x"] + 169, box["y"] + 49, steps=6)
        page.mouse.up()

    def play():
        page.emulate_media(reduced_motion="reduce")
        page.get_by_role("button", name="Play", exact=True).click()

    acts = [
        drag,
        lambda: geometry.handle("1").press("ArrowDown"),
        lambda: geometry.handle("1").press("ArrowDown"),
        lambda: page.get_by_role("slider", name="inner step size").press("ArrowRight"),
        lambda: page.get_by_role("button", name="Add a task").click(),
        play,
    ]
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
    states = [page.evaluate(read)]
    for act in acts:
        act()
        page.wait_for_function(f"before => {read} !== before", arg=states[-1])
        page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
        states.append(page.evaluate(read))
    for state in states[-2::-1]:
        page.keyboard.press("Control+z")
        becomes(state)
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
    for state in states[1:]:
        page.keyboard.press("Control+Shift+Z")
        becomes(state)
    page.get_by_role("button", name="Undo").click()
    becomes(states[-2])
    page.get_by_role("button", name="Redo").click()
    becomes(states[-1])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_low_loss_is_bright_in_both_themes_and_every_task_has_a_colour_that_stands_out(browser, server, theme):
    def light(colour):
        """Relative luminance of a computed colour, of 0 to 255 or of 0 to 1."""
        values = np.array([float(v) for v in re.findall(r"[\d.]+", colour)[:3]]) / (1 if "srgb" in colour else 255)
        return np.dot(np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4), (0.2126, 0.7152, 0.0722))

    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme)
    geometry = Geometry(context.new_page(), server).open("?tasks=-2.4,1.2;1.4,1.7;2.6,-1;-0.9,-1.6;0,1;1,-2")
    plane = geometry.page.locator("svg.plane").first
    fills = plane.locator(".contours > :is(rect, ellipse)").evaluate_all("all => all.map(part => getComputedStyle(part).fill)")
    bright = [light(fill) for fill in fills]
    assert bright == sorted(bright), "from outside, where the loss is high, to inside"
    assert bright[-1] > 1.05 * bright[0]
    rings = plane.locator(".rings ellipse").evaluate_all("all => all.map(part => getComputedStyle(part).stroke)")
    assert len(set(rings)) == 6
    for ring in map(light, rings):
        for ground in (bright[0], bright[-1]):
            assert (max(ring, ground) + 0.05) / (min(ring, ground) + 0.05) >= 3
    expect(geometry.page.locator(".colour-bar")).to_have_count(2)
    assert geometry.problems == []
    context.close()


def test_on_a_phone_a_finger_drags_theta_and_the_page_stays(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Geometry(context.new_page(), server).open()
    box = phone.handle("theta").locator(".body").bounding_box()
    finger, x, y = context.new_cdp_session(phone.page), box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, dx, dy in (("Start", 0, 0), *(("Move", 10 * i, 8 * i) for i in range(1, 8)), ("End", 0, 0)):
        points = [] if kind == "End" else [{"x": x + dx, "y": y + dy}]
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    expect(phone.handle("theta")).not_to_have_attribute("aria-label", re.compile(r"at -3\.10, -0\.40"))
    after = phone.handle("theta").locator(".body").bounding_box()
    assert (after["x"] - box["x"], after["y"] - box["y"]) == pytest.approx((70, 56), abs=2)
    assert phone.problems == []
    context.close()


def test_playing_leads_to_the_end_and_at_once_for_who_wants_no_motion(geometry):
    page = geometry.page
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".world-bar .count")).to_have_text("outer step 100 of 100", timeout=15_000)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_role("button", name="To the start").click()
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".world-bar .count")).to_have_text("outer step 100 of 100", timeout=1000)


def test_the_picture_is_found_again_after_a_visit_to_another_page(geometry):
    page = geometry.page
    geometry.handle("theta").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("theta=-3%2C|theta=-3,"))
    page.get_by_role("link", name="Train").click()
    expect(page.locator(".training")).to_be_attached(timeout=30_000)
    page.wait_for_timeout(500)
    assert "theta" not in page.url
    page.get_by_role("link", name="Geometry").click()
    geometry.ready()
    assert "at -3.00, -0.40" in geometry.handle("theta").get_attribute("aria-label")


def test_contours_of_a_bowl_are_circles(geometry):
    """Marching squares on x^2 + y^2: every end of a segment is as far from the middle as the level says, all around."""
    body = """
        const n = 41, values = Float32Array.from({ length: n * n }, (_, i) => Math.hypot((i % n) - 20, Math.floor(i / n) - 20));
        return module.contour(values, n, given);
    """
    segments = np.array(geometry.module("geometry/contours.js", body, 12.5)) - 20
    ends = segments.reshape(-1, 2)
    np.testing.assert_allclose(np.hypot(*ends.T), 12.5, atol=0.03)
    lengths = np.hypot(*(segments[:, :2] - segments[:, 2:]).T)
    assert lengths.sum() == pytest.approx(2 * math.pi * 12.5, rel=0.01)


def test_segments_are_joined_to_as_few_lines_as_there_are(geometry):
    """Two circles and an open line, which crosses no other: each point follows on the one before it, and none is lost."""
    body = """
        const n = 41, height = (x, y) => Math.min(Math.hypot(x - 10, y - 10), Math.hypot(x - 30, y - 12), Math.abs(y - 34.5) * 2);
        const values = Float32Array.from({ length: n * n }, (_, i) => height(i % n, Math.floor(i / n)));
        const segments = module.contour(values, n, 5.3);
        return [segments.length, module.joined(segments)];
    """
    count, lines = geometry.module("geometry/contours.js", body)
    assert len(lines) == 4
    assert sum(len(line) - 1 for line in lines) == count
    closed = [line for line in lines if line[0] == line[-1]]
    assert len(closed) == 2
    for line in lines:
        assert np.linalg.norm(np.diff(np.array(line), axis=0), axis=1).max() <= math.sqrt(2)


def test_the_real_networks_planes_and_the_term_are_drawn_when_they_come_into_sight(geometry):
    page = geometry.page
    page.get_by_role("heading", name="The real network").scroll_into_view_if_needed()
    expect(page.locator(".planes figure")).to_have_count(4, timeout=30_000)
    expect(page.locator(".sentence").first).to_contain_text(
        re.compile(r"MAML from (2\.9|3\.)\d* to 0\.3\d and pretrained"), timeout=30_000
    )
    expect(page.locator(".sentence").first).to_contain_text("the rest is in directions that the pictures do not show")
    page.get_by_role("group", name="Compare MAML with").get_by_role("button", name="Reptile").click()
    expect(page.locator(".planes figcaption").nth(2)).to_contain_text("Reptile")
    page.get_by_role("heading", name="What FOMAML leaves out").scroll_into_view_if_needed()
    expect(page.locator(".sentence").nth(1)).to_contain_text("before any training", timeout=30_000)
    expect(page.locator(".bars-chart [data-curve]")).to_have_count(5)


def test_the_mean_loss_stands_under_the_pointer_in_both_pictures(geometry):
    page = geometry.page
    places = {"theta": (-3.1, -0.4), "1": (1.4, 1.7)}
    centres = {}
    for name in places:
        box = geometry.handle(name).locator(".body").bounding_box()
        centres[name] = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    x, y = (
        centres["theta"][k]
        + (at - places["theta"][k]) * (centres["1"][k] - centres["theta"][k]) / (places["1"][k] - places["theta"][k])
        for k, at in enumerate((0.4, 0.9))
    )
    body = """const [tasks, at] = given;
    const world = toy.makeWorld(tasks, 1, 0.3);
    return [toy.lossBefore(world, at), toy.lossAfter(world, at)];"""
    losses = geometry.toy(body, [[-2.4, 1.2], [1.4, 1.7], [2.6, -1], [-0.9, -1.6]], [0.4, 0.9])
    apart = page.locator("svg.plane").nth(1).bounding_box()["x"] - page.locator("svg.plane").first.bounding_box()["x"]
    for i, loss in enumerate(losses):
        page.mouse.move(x + i * apart, y)
        told = page.locator("svg.plane").nth(i).locator(".reading text")
        expect(told).to_have_text(re.compile(r"^mean loss \d"))
        assert float(told.text_content().split()[-1]) == pytest.approx(loss, abs=0.02)
    page.mouse.move(*centres["theta"])
    expect(page.locator(".reading text")).to_have_count(0)


def test_the_planes_say_the_error_under_the_pointer_and_are_enlarged_and_saved(geometry):
    page = geometry.page
    page.get_by_role("heading", name="The real network").scroll_into_view_if_needed()
    maps = page.locator(".map-chart[data-drawn]")
    expect(maps).to_have_count(4, timeout=30_000)
    first = maps.first
    first.scroll_into_view_if_needed()
    at_theta = re.search(r"mean error (\S+) at θ", first.locator("svg.map").get_attribute("aria-label"))[1]
    box = first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    expect(first.locator(".hovertext")).to_contain_text(f"error {at_theta}")
    whole = first.get_by_role("button", name="whole")
    expect(whole).to_be_hidden()
    theta = first.locator(".theta")
    path = first.locator("[data-curve=path-0]")
    before = theta.get_attribute("cx"), path.get_attribute("d")
    page.mouse.move(x - 60, y - 50)
    page.mouse.down()
    page.mouse.move(x + 60, y + 60, steps=5)
    page.mouse.up()
    expect(whole).to_be_visible()
    expect(theta).not_to_have_attribute("cx", before[0])
    expect(path).not_to_have_attribute("d", before[1])
    whole.click()
    expect(theta).to_have_attribute("cx", before[0])
    expect(path).to_have_attribute("d", before[1])
    with page.expect_download() as saved:
        first.get_by_role("button", name="SVG").click()
    assert saved.value.suggested_filename == "maml-plane-before.svg"
    drawing = saved.value.path().read_text(encoding="utf-8")
    assert "<image" in drawing
    assert "var(--" not in drawing


def test_the_term_is_drawn_through_the_snapshots_of_a_run(geometry):
    page = geometry.page
    points = [
        {
            "label": "",
            "role": "maml",
            "iteration": 10**k,
            "whole": [0.2 * k, 20 + k],
            "layers": [[0.1, 30], [0.3, None]],
            "apart": 9,
        }
        for k in range(5)
    ]
    answer = {"run": "mine", "runs": [{"name": "mine", "title": "my run"}], "points": points}
    page.route("**/geometry/term.json*", lambda route: route.fulfill(json=answer))
    geometry.open("?run=mine")
    page.get_by_role("heading", name="What FOMAML leaves out").scroll_into_view_if_needed()
    charts = page.locator(".layers-chart[data-drawn]")
    expect(charts).to_have_count(2, timeout=30_000)
    assert charts.first.locator(".curve").evaluate_all("all => all.map(line => line.dataset.curve)") == ["layer 1", "head", "all"]
    expect(page.get_by_role("img", name="length of αHg / length of g by iteration. FOMAML would ignore")).to_be_visible()
    charts.first.scroll_into_view_if_needed()
    box = charts.first.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    expect(charts.first.locator(".hoverlayer")).to_contain_text("all 0.60 at iteration 1,000")
    expect(charts.nth(1).locator(".labels text")).to_have_text(["layer 1", "all"])  # of the head no angle is known


def test_tasks_come_and_go_between_three_and_six(geometry):
    page, tasks = geometry.page, geometry.page.locator("svg.plane >> nth=0 >> [data-handle]")
    for name, count in (("Remove a task", 3), ("Add a task", 6)):
        for _ in range(5):
            page.get_by_role("button", name=name).click(force=True)  # past the last, nothing happens
        expect(tasks).to_have_count(count + 1)
    places = tasks.evaluate_all("all => all.map((handle) => handle.getAttribute('transform'))")
    assert len(set(places)) == 7


def test_a_run_that_is_gone_is_said_and_the_shipped_checkpoints_are_shown(geometry):
    geometry.open("?run=gone")
    geometry.page.get_by_role("heading", name="What FOMAML leaves out").scroll_into_view_if_needed()
    expect(geometry.page.locator(".sentence").nth(1)).to_contain_text("There is no run gone. Showing the shipped", timeout=30_000)
    expect(geometry.page.locator(".bars-chart [data-curve]")).to_have_count(5)
    geometry.problems.clear()  # the refusal stands in the console too


def test_a_bad_address_is_said_and_the_page_works(geometry):
    geometry.open("?alpha=7&tasks=1,2;x&difference=0.5")
    said = geometry.page.locator(".geometry .hint.alert")
    expect(said).to_contain_text("alpha=7 in the address: it must be a number from 0 to 0.6. Using 0.3 instead.")
    expect(said).to_contain_text("a point is two numbers")
    expect(geometry.page.locator(".world-label strong").first).to_have_text("0.5")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(browser, server, theme):
    size = {"width": 1280, "height": 800} if theme == "light" else {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, color_scheme=theme)
    geometry = Geometry(context.new_page(), server).open("?step=30")
    for title in ("The real network", "What FOMAML leaves out"):
        geometry.page.get_by_role("heading", name=title).scroll_into_view_if_needed()
    expect(geometry.page.locator(".planes figure")).to_have_count(4, timeout=30_000)
    expect(geometry.page.locator(".bars-chart [data-curve]")).to_have_count(5, timeout=30_000)
    assert geometry.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
    found = Axe().run(geometry.page).response["violations"]
    told = [
        {"rule": f["id"], "where": [n["target"] for n in f["nodes"]][:4], "why": f["nodes"][0].get("failureSummary")}
        for f in found
        if f["impact"] in ("serious", "critical")
    ]
    assert told == [], json.dumps(told, indent=1)
    assert geometry.problems == []
    context.close()
