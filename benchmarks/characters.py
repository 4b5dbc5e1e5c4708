"""How soon the page Characters answers: `python -m benchmarks.characters [--strokes 100]`. Milliseconds, a server just started.

answer  from the pen up until three learners' bars stand, five inner steps each; every stroke makes another question
"""

import statistics

from benchmarks import options
from benchmarks.serving import chromium, server

STROKES = """async (count) => {
  const root = document.querySelector(".characters");
  const pad = root.querySelectorAll(".pad")[5];
  const box = pad.getBoundingClientRect();
  pad.setPointerCapture = () => {};
  const took = [];
  for (let i = 0; i < count; i++) {
    const turned = (2 * Math.PI * i) / count;
    const put = (kind, far) => pad.dispatchEvent(new PointerEvent(kind, {
      bubbles: true, pointerId: 1, button: 0,
      clientX: box.left + box.width * (0.5 + far * Math.cos(turned)),
      clientY: box.top + box.height * (0.5 + far * Math.sin(turned)),
    }));
    if (i % 3 === 0) root.querySelector(".asked .cross").click();
    put("pointerdown", 0.4);
    put("pointermove", -0.2);
    const before = root.dataset.answered;
    const began = performance.now();
    put("pointerup", -0.2);
    while (root.dataset.answered === before) await new Promise((done) => setTimeout(done, 1));
    await new Promise(requestAnimationFrame);
    took.push(performance.now() - began);
  }
  return took.sort((a, b) => a - b);
}"""


def main() -> None:
    """Measure and print."""
    parser = options.parser(__doc__)
    parser.add_argument("--strokes", type=int, default=100)
    asked = parser.parse_args()
    with server() as (base, _), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{base}/characters")
        page.locator(".characters[data-answered]").wait_for()
        took = page.evaluate(STROKES, 6 if asked.quick else asked.strokes)
        print(f"{'answer':32} {statistics.median(took):7.1f} {took[int(0.95 * len(took))]:7.1f} (median, p95)")


if __name__ == "__main__":
    main()
