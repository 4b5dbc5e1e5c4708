"""The page "Characters" in a real browser: drawn in by mouse and by finger, stepped, shared, and played."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Lab
from playwright.sync_api import Route, expect

from ui.characters import drawings, learners, samples

pytestmark = pytest.mark.skipif(set(learners.there()) < set(learners.NAMES), reason="its checkpoints are not trained yet")
SIGNS = {
    "cross": [[(0.2, 0.5), (0.8, 0.5)], [(0.5, 0.2), (0.5, 0.8)]],
    "ring": [[(0.5, 0.2), (0.75, 0.35), (0.75, 0.65), (0.5, 0.8), (0.25, 0.65), (0.25, 0.35), (0.5, 0.2)]],
    "slash": [[(0.2, 0.8), (0.8, 0.2)]],
    "roof": [[(0.15, 0.7), (0.5, 0.25), (0.85, 0.7)]],
    "rails": [[(0.3, 0.2), (0.3, 0.8)], [(0.7, 0.2), (0.7, 0.8)]],
}
"""Strokes by places in a square."""


class Characters(Lab):
    """The page as a person sees it."""

    def open(self, query: str = "") -> "Characters":
        self.page.goto(f"{self.base}/characters{query}")
        expect(self.page.locator(".characters .pad").first).to_be_visible(timeout=30_000)
        return self

    def answered(self, after: int = 0) -> "Characters":
        """Until the server has answered to what is drawn."""
        self.page.wait_for_function(
            "after => Number(document.querySelector('.characters')?.dataset.answered ?? 0) > after", arg=after
        )
        return self

    @property
    def answers(self) -> int:
        return int(self.page.locator(".characters").get_attribute("data-answered") or 0)

    def square(self, i: int) -> dict:
        pad = self.page.locator(".characters .pad").nth(i)
        pad.scroll_into_view_if_needed()
        return pad.bounding_box()

    def draw(self, i: int, strokes: list) -> None:
        box = self.square(i)
        for stroke in strokes:
            at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
            self.page.mouse.move(*at[0])
            self.page.mouse.down()
            for place in at[1:]:
                self.page.mouse.move(*place, steps=6)
            self.page.mouse.up()

    def ink(self, i: int) -> str:
        return self.page.locator(".characters .pad").nth(i).locator(".ink").first.get_attribute("d")

    def shares(self, learner: str) -> list[str]:
        return self.page.locator(f"[data-value={learner}]").all_inner_texts()

    @property
    def heading(self) -> str:
        return self.page.locator(".characters h1").inner_text()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def link(self) -> str:
        self.page.evaluate("dispatchEvent(new Event('blur'))")
        return self.page.url


@pytest.fixture
def characters(page, server):
    characters = Characters(page, server).open().answered()
    yield characters
    assert characters.problems == []


def test_signs_drawn_by_mouse_are_told_apart_after_a_few_steps(characters):
    characters.press("Clear all")
    assert characters.heading == "Draw characters of your own, one in each square"
    for i, strokes in enumerate(SIGNS.values()):
        characters.draw(i, strokes)
    assert "draw one of them again" in characters.heading
    bent = [[(x + 0.04 * y, y * 0.95) for x, y in stroke] for stroke in SIGNS["ring"]]
    characters.draw(5, bent)
    assert characters.ink(5)  # at once
    expect(characters.page.locator(".characters h1")).to_have_text(re.compile("^Before any step"))
    characters.page.keyboard.press("End")
    expect(characters.page.locator(".characters h1")).to_have_text(re.compile("After 5 steps, MAML says B: "))
    assert int(re.sub(r"\D", "", characters.shares("prototypical")[1])) > 90
    expect(characters.page.locator(".characters > [role=status]")).to_have_text(re.compile("MAML says B, .*prototypical says B"))


def test_a_finger_draws_and_the_page_does_not_scroll(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    characters = Characters(context.new_page(), server).open().answered()
    characters.page.get_by_role("button", name="Clear all").tap()
    box = characters.square(0)
    assert box["width"] > 100  # large enough for a finger
    top = characters.page.evaluate("scrollY")
    touch = context.new_cdp_session(characters.page)

    def put(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    put("touchStart", (0.5, 0.1))
    for step in range(1, 9):
        put("touchMove", (0.5, 0.1 + 0.1 * step))
    put("touchEnd")
    expect(characters.page.locator(".characters .pad").first).to_have_attribute("aria-label", "Character A, drawn in 1 stroke")
    assert re.fullmatch("M[^LQ]*L[^LQ]*", characters.ink(0))  # a straight line
    assert characters.page.evaluate("scrollY") == top
    assert characters.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert characters.problems == []
    context.close()


def test_undo_takes_back_strokes_one_by_one_and_a_sampled_sign_is_begun_anew(characters):
    sampled = characters.ink(0)
    characters.draw(0, SIGNS["cross"])
    assert characters.ink(0).count("M") == 2  # the sampled one has gone
    characters.page.keyboard.press("Control+z")
    assert characters.ink(0).count("M") == 1
    characters.press("Undo")
    assert characters.ink(0) == sampled
    characters.press("Redo")
    characters.press("Redo")
    assert characters.ink(0).count("M") == 2
    characters.draw(0, SIGNS["slash"])
    assert characters.ink(0).count("M") == 3
    characters.press("Clear A")
    assert not characters.ink(0)


def test_a_link_shows_the_same_drawings_names_and_step(characters, visitor):
    characters.draw(2, SIGNS["rails"])
    characters.page.get_by_label("Name of character C").fill("🛤️ rails, a pair")
    characters.page.keyboard.press("Enter")
    before = characters.answers
    characters.draw(5, SIGNS["rails"])
    characters.answered(before)
    characters.page.keyboard.press("ArrowRight")
    there = Characters(visitor.page, visitor.base)
    visitor.page.goto(characters.link())
    there.answered()
    assert [there.ink(i) for i in range(6)] == [characters.ink(i) for i in range(6)]
    assert there.heading == characters.heading
    assert there.shares("maml") == characters.shares("maml")
    expect(there.page.get_by_label("Name of character C")).to_have_value("🛤️ rails a pa")
    asked = parse_qs(urlsplit(characters.page.url).query)
    drawn = drawings.read_all(asked["support"][0], 5)
    assert len(drawn[2]) == 2


def test_share_gives_the_link_the_code_and_the_numbers(characters):
    characters.press("Share")
    page = characters.page
    expect(page.get_by_label("Link to exactly these drawings")).to_have_value(characters.link())
    expect(page.get_by_label("These numbers in Python")).to_have_value(re.compile("algorithms.adapt"))
    with page.expect_download() as download:
        page.get_by_role("link", name="probabilities.csv").click()
    assert download.value.path().read_text("utf-8-sig").startswith("learner,step,character,probability")
    page.keyboard.press("Escape")


def test_steps_are_walked_without_asking_the_server(characters):
    asked = []
    characters.page.on("request", lambda r: asked.append(r.url) if "picture.json" in r.url else None)
    said = [characters.shares("maml")]
    for _ in range(learners.UPDATES):
        characters.page.keyboard.press("ArrowRight")
        said.append(characters.shares("maml"))
    assert len({str(each) for each in said}) > 1
    assert characters.step == "step 5 of 5"
    assert characters.shares("nearest").count("> 99%") == 1
    assert asked == []


def test_what_an_address_says_wrong_is_said_and_the_page_opens(page, server):
    characters = (
        Characters(page, server).open("?support=A&step=99&seed=x&learners=maml,nobody&names=%3Cb%3E,,&freeze=body").answered()
    )
    said = page.locator(".characters .hint").inner_text()
    assert all(f"{name}=" in said for name in ("support", "step", "seed", "learners"))
    expect(page.get_by_label("Name of character A")).to_have_value("<b>")
    expect(page.get_by_role("button", name="Only the head moves")).to_have_attribute("aria-pressed", "true")
    assert characters.problems == []


def test_a_seed_brings_its_signs(page, server):
    characters = Characters(page, server).open("?seed=12&step=5").answered(1)
    sample = samples.sample(12)
    expect(page.locator(".characters .pad").first).to_have_attribute("aria-label", re.compile("drawn in"))
    assert characters.step == "step 5 of 5"
    page.get_by_role("button", name="New characters").click()
    characters.answered(2)
    assert parse_qs(urlsplit(characters.link()).query)["seed"] != ["12"]
    assert sample["answer"] in range(5)


def test_the_person_goes_first_and_both_scores_stay(characters):
    page = characters.page
    answers: list[int] = []
    page.on("response", lambda r: answers.append(r.json()["answer"]) if "sample.json" in r.url else None)
    held: list[Route] = []
    page.route("**/picture.json*", lambda route: held.append(route))
    characters.press("You first")
    while not held:
        page.wait_for_timeout(50)
    assert page.get_by_role("button", name="Show the question").is_hidden()
    held[0].continue_()
    page.unroute("**/picture.json*")
    for round_ in (1, 2):
        expect(page.get_by_role("button", name="Show the question")).to_be_visible()
        assert not characters.ink(5)
        assert page.locator(".characters .rows").is_hidden()
        characters.press("Show the question")
        expect(page.locator(".clock")).to_have_text(re.compile(r"\d\.\d s"))
        assert characters.ink(5)
        page.wait_for_timeout(600)  # as nobody is quicker
        right = answers[-1]
        page.get_by_role("button", name=f"It is {'ABCDE'[right]}").click()
        expect(page.locator(".characters h1")).to_have_text(re.compile(f"^Right: it is {'ABCDE'[right]}. .* says "))
        expect(page.locator("[data-score=you]")).to_have_text(re.compile(rf"^{round_} of {round_}, "))
        expect(page.locator("[data-score=maml]")).to_have_text(re.compile(rf"\d of {round_}$"))
        assert page.locator(".characters .rows").is_visible()
        if round_ == 1:
            characters.press("Next characters")
    characters.press("Leave the game")
    expect(page.get_by_label("Name of character A")).to_be_visible()
    kept = json.loads(page.evaluate("localStorage.getItem('maml-lab-characters')"))
    assert (kept["you"]["right"], kept["you"]["of"]) == (2, 2)


def test_browser_and_server_write_drawings_alike(characters):
    """One table for both sides."""
    read = "return given.map((text) => { try { return module.write(module.read(text)); } catch { return null; } });"
    table = [
        "",
        "AA",
        "__.-9",
        "AB.CD",
        "A",
        "A*",
        ".",
        "AA.",
        "AA..AB",
        "AA" * 24,
        "AA" * 25,
        ".".join(["AA"] * 12),
        ".".join(["AA"] * 13),
    ]

    def here(text: str) -> str | None:
        try:
            return drawings.write(drawings.read(text))
        except ValueError:
            return None

    assert characters.module("characters/drawings.js", read, table) == [here(text) for text in table]
    limits = characters.module("characters/drawings.js", "return [module.LETTERS, module.MOST_POINTS, module.MOST_STROKES];")
    assert limits == [drawings.LETTERS, drawings.MOST_POINTS, drawings.MOST_STROKES]
    wild = "return module.simplified(given);"
    line = [[32 + 31 * ((i * 7919) % 97) / 97, (i * 31) % 64] for i in range(400)]
    assert 2 < len(characters.module("characters/drawings.js", wild, line)) <= drawings.MOST_POINTS
