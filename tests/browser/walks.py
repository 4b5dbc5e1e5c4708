"""What a person does on every page, in any browser and wherever the app is: the main paths, walked once."""

from pathlib import Path
from urllib.parse import urlsplit

from conftest import Lab, Training
from playwright.sync_api import Browser, Page, expect

from ui.lessons.answers import Choice
from ui.lessons.shelf import shelf

SHOWN = {
    "/": ".start .task-chart .curve",
    "/lessons": ".lessons a",
    "/lab": ".maml-lab .task-chart .curve",
    "/characters": ".characters[data-answered] .rows",
    "/explore": ".explore .heat-chart image",
    "/geometry": "svg.plane .contours ellipse",
    "/train": ".training .learning-chart .gridlayer path",
    "/checkpoints": ".card svg.thumbnail",
    "/classroom": ".classroom h1",
}
"""Path of a page -> what is there once its own part has been drawn."""
CARD = next(lesson.title for lesson in shelf().lessons.values() if isinstance(lesson.answer, Choice))
"""A lesson that asks for one of several options."""


def every_page(lab: Lab) -> None:
    """Each is opened; a step is taken, a shot placed, a run trained and stopped."""
    page = lab.page
    for path, shown in SHOWN.items():
        page.goto(lab.base + path)
        expect(page.locator(shown).first).to_be_attached(timeout=60_000)
        lab.at_rest()
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)  # Firefox complains of scripts that come too late
    page.locator("a", has_text="Start").first.click()  # Streamlit's own links reload nothing
    page.get_by_role("button", name="Take one gradient step").click()
    expect(page.locator(".after p")).to_contain_text("After 1 step", timeout=30_000)
    assert page.url == f"{lab.base}/"
    page.locator('.start a[href^="lab?"]').click()
    lab.ready()
    before = lab.curve("maml")
    lab.click(1.0, 2.0)
    lab.settled()
    assert lab.curve("maml") != before
    Training(page, lab.base).open().train_and_stop()


def a_download(page: Page, base: str) -> None:
    """A checkpoint is taken away."""
    page.goto(f"{base}/checkpoints")
    with page.expect_download() as download:
        page.locator('.card[data-name="maml"]').get_by_role("link", name="Download").click()
    assert Path(download.value.path()).stat().st_size > 5000


def a_room(browser: Browser, base: str) -> None:
    """One opens it, another joins by its address, votes, and sees the tally."""

    def come(address: str) -> Page:
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(address)
        expect(page.locator(".classroom h1, .classroom .code-large").first).to_be_visible(timeout=30_000)
        return page

    teacher = come(f"{base}/classroom")
    teacher.get_by_role("button", name="Open a room").click()
    picture = teacher.locator("img.qr")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    way = urlsplit(picture.get_attribute("alt").removeprefix("QR code of "))  # its host is one that phones reach
    assert (way.path, way.port) == (f"{urlsplit(base).path}/classroom", urlsplit(base).port)
    student = come(f"{base}/classroom?{way.query}")
    expect(student.locator(".classroom")).to_contain_text("Waiting for the teacher")
    teacher.get_by_role("button", name=CARD).click()
    student.get_by_role("radio").first.click(force=True)
    student.get_by_role("button", name="Commit", exact=True).click()
    expect(teacher.locator(".classroom")).to_contain_text("1 of 1 has answered", timeout=15_000)
    teacher.get_by_role("button", name="Reveal", exact=True).click()
    expect(student.locator(".tally")).to_be_visible(timeout=30_000)
    for page in (teacher, student):
        page.context.close()
