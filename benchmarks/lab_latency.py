"""What a person feels on the lab page: `python -m benchmarks.lab_latency [--clicks 40]`. Medians and p95, in milliseconds.

Starts the real server, opens the page in headless Chromium (tests' requirements) and measures inside the browser, from the
input event to the frame after the picture changed:
  shot     pointer up -> the shot is drawn
  curves   pointer up -> the curves adapted to it are drawn (10 steps, two learners)
  slider   key on the alpha slider -> the curves are drawn
  scrub    input on the scrubber -> the curves of that step are drawn
  six      as curves, slider and scrub, with six learners and 50 steps
  eight    as scrub, with eight learners in one plot, and in a plot each
  fresh    opening the tab -> this task among 1,000 fresh ones (two learners, 10 steps, settings not measured before)
  training as curves, slider and scrub, while a run trains
  first    opening the page -> the first lines: cold (first visit to a fresh server, nothing in the browser's cache) and warm
  axes     the same -> the whole picture, by Plotly
"""

import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from benchmarks import options
from benchmarks.serving import chromium, report, server
from maml_core import runs
from maml_core.config import TrainConfig

# Resolves with the milliseconds from the event's own time to the frame in which `seen()` first holds.
WATCH = """([selector, type, attribute]) => {
  const read = () => [...document.querySelectorAll(selector)].map(n => n.getAttribute(attribute)).join();
  const before = read(), seen = () => read() && read() !== before;
  window.measured = new Promise(done => addEventListener(type, event => {
    const finish = () => done(performance.now() - event.timeStamp);
    const check = () => requestAnimationFrame(seen() ? finish : check);
    check();
  }, { capture: true, once: true }));
}"""
MAML = ".task-chart [data-curve=maml]"
SEEN = """new MutationObserver(() => {
  const seen = (name, selector) => (window[name] ??= document.querySelector(selector) ? performance.now() : undefined);
  seen("lines", ".task-chart :is(.sketch path, [data-curve=maml])");
  seen("axes", ".task-chart [data-curve=maml]");
}).observe(document, { subtree: true, childList: true, attributes: true })"""
"""When the lines are there, and when their axes are, which come after them."""


def main() -> None:
    """Measure and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--clicks", type=int, default=40)
    asked = parser.parse_args()
    count, visits = (2, 1) if asked.quick else (asked.clicks, 8)  # two, since a control moved to where it is changes nothing
    with server() as (base, folder), chromium() as browser:
        run = folder / "run"
        person = browser.new_context(viewport={"width": 1280, "height": 800})
        person.add_init_script(SEEN)
        cold, *warm = [_first_picture(person, base) for _ in range(1 + visits)]
        page = person.new_page()
        page.goto(f"{base}/lab")
        page.wait_for_selector(MAML)
        page.wait_for_timeout(1500)
        for at, what in enumerate(("first", "axes")):
            report(f"{what}, cold", [cold[at]])
            report(f"{what}, warm", [visit[at] for visit in warm])
        report("shot", [_click(page, i, ".shot", "transform") for i in range(count)])
        report("curves", [_click(page, i, MAML, "d") for i in range(count)])
        report("slider", [_key(page, i) for i in range(count)])
        report("scrub", [_scrub(page, i) for i in range(count)])
        report("fresh", [_fresh(page, i) for i in range(max(count // 4, 1))])
        train_until_stopped(run)
        report("training, curves", [_click(page, i, MAML, "d") for i in range(count)])
        report("training, slider", [_key(page, i) for i in range(count)])
        report("training, scrub", [_scrub(page, i) for i in range(count)])
        runs.ask(run, "pause")
        _wait_for(run, "paused")
        page.goto(f"{base}/lab?learners=maml,fomaml,reptile,anil,pretrained,oracle&num_updates=50&alpha=0.001&ghosts=none")
        page.wait_for_selector(MAML)
        page.wait_for_timeout(1500)
        report("six, curves", [_click(page, i, MAML, "d") for i in range(count)])
        report("six, slider", [_key(page, i) for i in range(count)])
        report("six, scrub", [_scrub(page, i) for i in range(count)])
        for title, query in (("eight, scrub", ""), ("eight panels, scrub", "&view=panels")):
            page.goto(f"{base}/lab?learners=maml,fomaml,reptile,anil,meta_sgd,pretrained,oracle,random&ghosts=none{query}")
            page.wait_for_selector(MAML)
            page.wait_for_timeout(1500)
            report(title, [_scrub(page, i) for i in range(count)])


def train_until_stopped(run: Path) -> None:
    """Have the server train, as a press of Train would, and wait until it does. Traced: compiling would be another load."""
    runs.create(run, TrainConfig(max_steps=10_000_000), "traced")
    runs.enqueue(run)
    _wait_for(run, "running", "training")


def _wait_for(run: Path, state: str, phase: str | None = None) -> None:
    for _ in range(600):
        now = runs.look(run)
        if now.state == state and phase in (None, now.phase):
            return
        time.sleep(0.1)
    raise TimeoutError(f"the run is {now.state}, and not {state}")


def _first_picture(person: BrowserContext, base: str) -> tuple[float, float]:
    page = person.new_page()
    page.goto(f"{base}/lab", wait_until="commit")
    page.wait_for_selector(MAML)
    lines, axes = page.evaluate("[lines, axes]")
    page.close()
    return lines, axes


def _click(page: Page, i: int, selector: str, attribute: str) -> float:
    if i % 8 == 0:  # never so many that a click meets a shot
        page.get_by_role("button", name="Clear").click()
        page.wait_for_timeout(400)
    box = page.locator("svg.task").bounding_box()
    assert box
    page.evaluate(WATCH, [selector, "pointerup", attribute])
    page.mouse.click(box["x"] + 60 + 75 * (i % 8), box["y"] + box["height"] / 2)
    return _measured(page)


def _key(page: Page, i: int) -> float:
    page.locator(".st-key-alpha input[type=range]").focus()
    page.evaluate(WATCH, [MAML, "keydown", "d"])
    page.keyboard.press("ArrowRight" if i % 8 < 4 else "ArrowLeft")
    return _measured(page)


def _scrub(page: Page, i: int) -> float:
    page.evaluate(WATCH, [MAML, "input", "d"])
    page.get_by_role("slider", name="step shown").fill(str(1 + (3 * i + 1) % 10))
    return _measured(page)


def _fresh(page: Page, i: int) -> float:
    """Settings of its own each time, so that nothing comes from a cache."""
    page.get_by_role("tab", name="Numbers").click()
    page.locator(".st-key-alpha input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(700)
    page.evaluate(WATCH, [".panel-tasks .lead", "click", "data-done"])
    page.get_by_role("tab", name="1,000 tasks").click()
    return _measured(page)


def _measured(page: Page) -> float:
    took = page.evaluate(
        "() => Promise.race([window.measured, new Promise((_, no) => setTimeout(no, 30000, 'nothing changed'))])"
    )
    page.wait_for_timeout(300)
    return took


if __name__ == "__main__":
    main()
