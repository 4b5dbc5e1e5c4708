// A press on a chart that can be enlarged: let go of where it began. A drag is Plotly's, a finger's drag the page's.

const STILL = 4; // pixels within which a press stays one

/**
 * `act` is called with where it was let go of. Plotly covers the page while a button is down, so that the end is heard of there.
 * @param {HTMLElement} node
 * @param {(event: MouseEvent) => void} act
 */
export function pressed(node, act) {
  node.addEventListener("pointerdown", (down) => {
    if (down.button !== 0 || !down.isPrimary || down.pointerType === "touch") return;
    const ended = new AbortController();
    const { signal } = ended;
    addEventListener("pointercancel", () => ended.abort(), { signal });
    addEventListener(
      "pointerup",
      (up) => {
        ended.abort();
        if (Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY) <= STILL) act(up);
      },
      { signal },
    );
  });
  // Plotly makes clicks of its own, which are nobody's.
  node.addEventListener("click", (event) => /** @type {PointerEvent} */ (event).pointerType === "touch" && act(event));
}
