// A square that one draws in, by mouse, pen or finger: what is drawn is there at once.

import { el, set } from "../shared/el.js";
import { LAST, simplified } from "./drawings.js";

/** @import { Drawing, Point } from "./drawings.js" */

const EDGE = 4; // of paper around the grid, so that the pen stays on it

const BEND = 0.9; // radians: where a line turns by less it is drawn as the curve that it stands for

/**
 * The outline of strokes, for an SVG path. One point is a dot, which a path shows by its round ends.
 * @param {ArrayLike<Point>[]} strokes
 */
const outline = (strokes) => strokes.map((stroke) => curve(Array.from(stroke))).join("");

/** @param {Point[]} points */
function curve(points) {
  const half = (/** @type {number} */ i) => points[i].map((value, axis) => (value + points[i + 1][axis]) / 2);
  const steps = points.slice(1, -1).map((point, at) => {
    const i = at + 1;
    return turn(points[i - 1], point, points[i + 1]) < BEND ? `L${half(i - 1)}Q${point} ${half(i)}` : `L${point}`;
  });
  return `M${points[0]}${steps.join("")}${points.length > 1 ? `L${points[points.length - 1]}` : "h0"}`;
}

/** @param {Point} a @param {Point} b @param {Point} c */
function turn([ax, ay], [bx, by], [cx, cy]) {
  const turned = Math.atan2(cy - by, cx - bx) - Math.atan2(by - ay, bx - ax);
  return Math.abs(Math.atan2(Math.sin(turned), Math.cos(turned)));
}

/**
 * A square in `parent`. `begins()` says whether a stroke may begin now, and whether it is the first one of a new drawing; `drawn(stroke)`
 * is called when the pen is up; pen: how wide it is, in places of the grid.
 * @param {Element} parent
 * @param {{ pen: number, begins: () => { may: boolean, anew: boolean }, drawn: (stroke: Point[]) => void }} host
 */
export function pad(parent, { pen, begins, drawn }) {
  const side = LAST + 2 * EDGE;
  const svg = el("svg", { class: "pad", viewBox: `${-EDGE} ${-EDGE} ${side} ${side}`, role: "img" }, parent);
  const ink = { "stroke-width": pen, "stroke-linecap": "round", "stroke-linejoin": "round", fill: "none" };
  const lines = el("path", { class: "ink", ...ink }, svg);
  const line = el("path", { class: "ink now", ...ink }, svg);
  /** @type {Drawing} */
  let drawing = [];
  /** @type {Point[] | null} The line under the pen. */
  let hand = null;
  let pointer = 0;
  /** @type {DOMRect} */
  let box;

  /** @param {PointerEvent} event @returns {Point} */
  const place = ({ clientX, clientY }) =>
    /** @type {Point} */ (
      [(clientX - box.left) / box.width, (clientY - box.top) / box.height].map((share) =>
        Math.min(Math.max(share * side - EDGE, 0), LAST),
      )
    );

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || hand) return;
    const { may, anew } = begins();
    if (!may) return;
    event.preventDefault(); // or a mouse would begin to select text
    svg.setPointerCapture(event.pointerId);
    pointer = event.pointerId;
    box = svg.getBoundingClientRect();
    if (anew) set(lines, { d: "" });
    hand = [place(event)];
    set(line, { d: outline([hand]) });
  });
  svg.addEventListener("pointermove", (event) => {
    if (!hand || event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    hand.push(...(events.length ? events : [event]).map(place));
    set(line, { d: outline([hand]) });
  });
  svg.addEventListener("pointerup", (event) => {
    if (!hand || event.pointerId !== pointer) return;
    const stroke = simplified(hand);
    hand = null;
    drawn(stroke);
    set(line, { d: "" });
  });
  // The system took the finger for something else.
  svg.addEventListener("pointercancel", (event) => {
    if (event.pointerId !== pointer) return;
    hand = null;
    set(line, { d: "" });
    set(lines, { d: outline(drawing) });
  });

  return {
    svg,
    /**
     * @param {Drawing} newDrawing
     * @param {string} label Its text alternative.
     */
    update(newDrawing, label) {
      drawing = newDrawing;
      if (!hand) set(lines, { d: outline(drawing) });
      svg.setAttribute("aria-label", label);
    },
  };
}
