// Handles on the parameter plane: theta and the tasks' optima, moved by a mouse, a finger or the arrow keys.

import { byTouch } from "../shared/pointer.js";
import { el, set } from "../shared/el.js";
import { X, Y } from "./address.js";

/** @import { At } from "../chart/chart.js" */
/** @import { Plane } from "./scene.js" */
/** @import { Point } from "./toy.js" */

/** @typedef {"theta" | number} Handle Theta, or a task by its number. */

/** @type {Record<string, number>} */
const NEAR = { mouse: 16, pen: 18, touch: 26 }; // pixels within which a press means this handle

/** @param {number} value */
const round = (value) => Math.round(value * 100) / 100;
/** @param {number} value @param {Point} range */
const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);

/**
 * On a plane's picture, whose host is told of moves (see plot.js).
 * @param {SVGSVGElement} svg
 * @param {{ move: (handle: Handle, next: (at: Point) => Point) => void, rest: () => void, reachable: boolean }} host
 */
export function handlesOf(svg, { move, rest, reachable }) {
  const marks = el("g", { class: "handles" }, svg);
  /** @type {[Handle, Point][]} */
  let places = [];
  /** @type {At} */
  let at;
  /** @type {{ handle: Handle, dx: number, dy: number } | null} */
  let held = null;

  /** @param {Handle} handle @param {(at: Point) => Point} next */
  const go = (handle, next) =>
    move(handle, (from) => {
      const [x, y] = next(from);
      return [round(inside(x, X)), round(inside(y, Y))];
    });

  /** @param {KeyboardEvent} event @param {Handle} handle */
  function key(event, handle) {
    const by = event.shiftKey ? 0.5 : 0.1;
    /** @type {Record<string, Point>} */
    const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
    if (!(event.key in moves)) return;
    const [dx, dy] = moves[event.key];
    go(handle, ([x, y]) => [x + dx, y + dy]);
    rest();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {{ clientX: number, clientY: number }} event @returns {Point} */
  function here(event) {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** @param {{ clientX: number, clientY: number }} event @param {number} reach */
  function nearest(event, reach) {
    const [px, py] = here(event);
    let best = null;
    let distance = reach;
    for (const [handle, [x, y]] of places) {
      const [dx, dy] = [at.x(x) - px, at.y(y) - py];
      const d = Math.hypot(dx, dy);
      if (d <= distance) [best, distance] = [{ handle, dx, dy }, d]; // theta is last: it wins a tie
    }
    return best;
  }

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    held = nearest(event, NEAR[event.pointerType] ?? NEAR.mouse);
    if (!held) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    svg.classList.add("holding");
    if (!reachable) return;
    const mark = /** @type {SVGElement | null} */ (marks.querySelector(`[data-handle="${held.handle}"]`));
    mark?.focus({ preventScroll: true });
  });
  // A finger on a handle drags it; anywhere else it scrolls the page.
  svg.addEventListener("touchstart", (event) => nearest(event.touches[0], NEAR.touch) && event.preventDefault(), {
    passive: false,
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return void svg.classList.toggle("near", nearest(event, NEAR.mouse) !== null);
    const { handle, dx, dy } = held;
    const [px, py] = here(event);
    go(handle, () => [at.x.invert(px + dx), at.y.invert(py + dy)]);
  });
  const release = () => {
    if (!held) return;
    held = null;
    svg.classList.remove("holding");
    rest();
  };
  svg.addEventListener("pointerup", release);
  svg.addEventListener("pointercancel", release);

  /** @param {Handle} handle @param {string} name @param {Point} place */
  function told(handle, name, [x, y]) {
    const what = handle === "theta" ? "θ, where the learners start" : `Optimum of task ${name}`;
    return `${what}, at ${x.toFixed(2)}, ${y.toFixed(2)}.${byTouch() ? "" : " Arrow keys move it."}`;
  }

  return {
    get held() {
      return held !== null;
    },
    /** @param {PointerEvent} event */
    at: (event) => nearest(event, NEAR.mouse) !== null,
    /** @param {Plane} view @param {At} newAt */
    update({ world, letters, theta }, newAt) {
      at = newAt;
      places = [...world.tasks.map((task, i) => /** @type {[Handle, Point]} */ ([i, task.centre])), ["theta", theta]];
      while (marks.children.length > places.length) marks.firstChild?.remove();
      while (marks.children.length < places.length) {
        /** @type {Record<string, string | number>} */
        const way = reachable ? { class: "handle", tabindex: 0, role: "button" } : { class: "handle", "aria-hidden": "true" };
        const mark = el("g", way, marks);
        el("circle", { class: "halo", r: 15 }, mark);
        el("circle", { class: "body", r: 9 }, mark);
        el("text", { "text-anchor": "middle", y: 4.5 }, mark);
        mark.addEventListener("keydown", (event) => key(event, places[[...marks.children].indexOf(mark)][0]));
      }
      places.forEach(([handle, place], i) => {
        const mark = marks.children[i];
        const name = handle === "theta" ? "θ" : letters[handle];
        set(mark, {
          transform: `translate(${at.x(place[0])},${at.y(place[1])}) scale(${at.unit})`,
          style: `--of: var(--${handle === "theta" ? "ink" : name})`,
          "data-handle": handle,
          ...(reachable ? { "aria-label": told(handle, name, place) } : {}),
        });
        /** @type {Element} */ (mark.lastChild).textContent = name;
      });
    },
  };
}
