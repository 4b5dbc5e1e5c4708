"""A page that nobody looks at asks for nothing, what is no longer wanted is ended, and a page outlives its server."""

import re

from playwright.sync_api import Request, expect

LOOK = """seen => {
  Object.defineProperty(document, "hidden", { value: !seen, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
MEASURING = re.compile(r"/(explore|train)/[a-z]+\.json")
PINGS = 7
"""After so many in vain Streamlit has shown its dialog."""


def test_a_tab_that_nobody_looks_at_asks_for_nothing_until_somebody_does(page, warm, server):
    """With a page that measures for minutes and one that asks how the runs are, every three seconds."""
    pages = page, warm.new_page()
    asked: list[str] = []
    under_way: set[Request] = set()

    def asks(request: Request) -> None:
        if MEASURING.search(request.url):
            asked.append(request.url)
            under_way.add(request)

    for each, address in zip(pages, ("explore?learners=maml", "train"), strict=True):
        each.on("request", asks)
        for end in ("requestfinished", "requestfailed"):
            each.on(end, lambda request: under_way.discard(request))
        with each.expect_response(MEASURING):
            each.goto(f"{server}/{address}")
        expect(each.locator(".maml-lab h1").first).not_to_be_empty()
    for each in pages:
        each.evaluate(LOOK, False)
    for _ in range(300):
        if not under_way:
            break
        page.wait_for_timeout(100)
    assert not under_way
    asked.clear()
    page.wait_for_timeout(4000)
    assert asked == []
    for each in pages:
        with each.expect_request(MEASURING):
            each.evaluate(LOOK, True)


def test_what_a_moved_setting_leaves_behind_is_ended_and_nobody_is_told(page, server):
    ended: list[Request] = []
    page.on("requestfailed", lambda request: ended.append(request))
    with page.expect_response(MEASURING):
        page.goto(f"{server}/explore?learners=maml")
    with page.expect_request(re.compile(r"map\.json.*conditions=")):
        page.get_by_role("button", name="noise").click()
    page.wait_for_timeout(0)  # what came before is told
    assert {request.failure for request in ended} == {"net::ERR_ABORTED"}
    assert all("map.json" in request.url and "conditions" not in request.url for request in ended)
    expect(page.locator(".complaint")).to_be_empty()
