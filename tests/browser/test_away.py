"""A page that nobody looks at asks for nothing, what is no longer wanted is ended, and a page outlives its server."""

import re

from conftest import Training
from playwright.sync_api import Page, Request, expect

LOOK = """seen => {
  Object.defineProperty(document, "hidden", { value: !seen, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
HELD = """
window.held = [];
const real = window.fetch;
window.fetch = (address, options) => {
  if (!String(address).includes("map.json")) return real(address, options);
  const { signal } = options;
  const mine = { address, ended: false };
  held.push(mine);
  return new Promise((_, fail) => {
    signal.addEventListener("abort", () => {
      mine.ended = true;
      fail(signal.reason);
    });
  });
};
"""
"""Maps are never answered, and what is asked is noted."""
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
    """With maps that take for ever."""
    page.add_init_script(HELD)
    page.goto(f"{server}/explore?learners=maml")
    page.wait_for_function("() => held.length === 2")
    page.get_by_role("button", name="noise").click()
    page.wait_for_function("() => held.length === 4")
    asked = page.evaluate("() => held.map(({ address, ended }) => [address.includes('conditions='), ended])")
    assert asked == [[False, True], [False, True], [True, False], [True, False]]
    expect(page.locator(".complaint")).to_be_empty()


def test_while_a_server_is_away_its_pages_say_so_in_our_words_until_it_is_back(page: Page, server_factory):
    server = server_factory()
    training = Training(page, server.base).open()
    checkpoints = page.context.new_page()
    checkpoints.goto(f"{server.base}/checkpoints")
    expect(checkpoints.get_by_role("button", name="Compare").first).to_be_enabled()
    for each in (page, checkpoints):
        expect(each.locator(".server-away")).to_be_empty()
    pings = []
    checkpoints.on("requestfailed", lambda request: pings.append(request.url) if "health" in request.url else None)
    server.stop()
    for each in (page, checkpoints):
        expect(each.locator(".server-away")).to_have_text(
            "The server does not answer. What you see stays, and this page continues when it is back."
        )
        expect(each.locator(".server-away")).to_be_in_viewport()
    for _ in range(300):
        if len(pings) >= PINGS:
            break
        checkpoints.wait_for_timeout(100)
    assert len(pings) >= PINGS
    for each in (page, checkpoints):
        expect(each.locator("[data-testid=stDialog]")).to_have_count(0)
        assert "streamlit" not in each.locator("body").inner_text().lower()
    expect(training.page.locator(".complaint")).to_be_empty()
    server.start()
    for each in (page, checkpoints):
        expect(each.locator(".server-away")).to_be_empty(timeout=30_000)
    training.train(max_steps=1)
