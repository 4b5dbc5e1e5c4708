"""How smooth the geometry page is: `python -m benchmarks.geometry [--moves 200]`. Milliseconds, on a server just started.

frame  script time of a frame while theta is dragged, four tasks; and with six tasks and every learner's path drawn to its end
plane  asking for a network's plane: 41 x 41 points, 32 tasks, before and after a step, one core; MAML first, then others
term   asking for the second-order term of five networks, 512 tasks each
"""

import time
import urllib.request

from playwright.sync_api import Page

from benchmarks import options
from benchmarks.serving import chromium, report, server

FRAMES = """window.frames_took = []; const later = requestAnimationFrame;
window.requestAnimationFrame = (act) => later((at) => {
  const start = performance.now(); act(at); frames_took.push(performance.now() - start);
});"""
FULL = "?step=100&tasks=-2.4,1.2;1.4,1.7;2.6,-1;-0.9,-1.6;0,1;1,-2"


def main() -> None:
    """Measure and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--moves", type=int, default=200)
    asked = parser.parse_args()
    moves = 5 if asked.quick else asked.moves
    with server() as (base, _):
        learners = ("reptile",) if asked.quick else ("maml", "pretrained", "reptile")
        for question in (*(f"plane.json?learner={learner}" for learner in learners), "term.json"):
            start = time.perf_counter()
            urllib.request.urlopen(f"{base}/geometry/{question}").read()
            print(f"{question:32} {1000 * (time.perf_counter() - start):7.0f}")
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(FRAMES)
            for name, query in (("frame, four tasks", ""), ("frame, six tasks and paths", FULL)):
                report(name, drag(page, f"{base}/geometry{query}", moves))


def drag(page: Page, address: str, moves: int) -> list[float]:
    """Script time of each frame while theta is dragged across the plane."""
    page.goto(address)
    theta = page.locator("svg.plane >> nth=0 >> [data-handle=theta] .body")
    theta.wait_for()
    page.wait_for_timeout(1500)
    box = theta.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("frames_took.length = 0")
    for move in range(moves):
        page.mouse.move(x + 400 * move / moves, y + move % 40)
    page.mouse.up()
    page.wait_for_function("frames_took.length", polling=50)  # on a slow machine the first comes after the last move
    return page.evaluate("frames_took")


if __name__ == "__main__":
    main()
