// A picture of the parameter plane: contours of a bowl, the tasks' optima, theta, arrows and paths. Theta and the optima can be moved.
//
// Plotly draws the axes and keeps out of what moves under the finger, for which a frame has 33 ms. Measured (Plotly.js 4.1, a slow core;
// processor time of a frame's script, of both pictures together, median and p95): to draw the axes again takes it 15 and 18 ms, with the
// arrows of four tasks and of the learners 31 and 38, with the paths and six tasks 38 and 43; to lay out and paint them comes on top, and
// its contours alone take over a second. All that is drawn here takes 3 and 4, and 10 and 14 with layout and paint.

import { chart } from "../chart/chart.js";
import { HIGH, tintOf } from "../chart/heat.js";
import { spread } from "../chart/labels.js";
import { path } from "../chart/scale.js";
import { el, set, unitOf } from "../shared/el.js";
import { lineOf } from "../shared/looks.js";
import { number } from "../shared/words.js";
import { X, Y } from "./address.js";
import { handlesOf } from "./handles.js";
import { axes, matrix } from "./toy.js";

/** @import { At, Axis } from "../chart/chart.js" */
/** @import { Handle } from "./handles.js" */
/** @import { Arrow, Name, Plane } from "./scene.js" */
/** @import { Point } from "./toy.js" */

const LEVELS = [16, 12, 10, 8, 7, 6, 5, 4, 3.5, 3, 2.5, 2, 1.6, 1.3, 1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1]; // of the mean loss, the same in both pictures
const SHADES = LEVELS.map((level, i) => `fill: ${tintOf(Math.sqrt(level * (LEVELS[i + 1] ?? level)))}`); // of what lies between a level and the next
const BEYOND = `fill: ${tintOf(HIGH)}`;
const OWN_LEVEL = 0.08; // of a task's own loss: the ring that shows its curvatures
const SIDES = { left: 26, right: 4, top: 4, bottom: 20 };

/** @param {Point} range @returns {Axis} */
const axisOf = ([low, high]) => ({
  range: [low, high],
  grid: false,
  ticks: Array.from({ length: 2 * Math.floor(high) + 1 }, (_, i) => i - Math.floor(high)).map((tick) => [
    tick,
    String(tick).replace("-", "−"),
  ]),
});
const AXES = { x: axisOf(X), y: axisOf(Y) };

/**
 * `move(handle, next)` is called all through a drag, with what makes the handle's next place of its present one, which may be ahead of
 * what is drawn. `rest()` is called when it ends. reachable: whether the keyboard gets to the handles here. keep: the name of its file.
 * @param {Element} parent
 * @param {{ move: (handle: Handle, next: (at: Point) => Point) => void, rest: () => void, reachable: boolean, keep: string }} host
 */
export function planePlot(parent, { move, rest, reachable, keep }) {
  const attributes = { role: "group", "aria-roledescription": "plot" };
  const drawn = chart(parent, { kind: "plane", attributes, pointer: false, keep });
  const svg = drawn.over;
  const title = el("desc", {}, svg);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const clipRect = el("rect", {}, el("clipPath", { id: clip }, el("defs", {}, svg)));
  const layer = (attributes = {}) => el("g", { "aria-hidden": "true", ...attributes }, svg);
  const contours = layer({ class: "contours", "clip-path": `url(#${clip})` });
  const rings = layer({ class: "rings", "clip-path": `url(#${clip})` });
  const lines = layer({ class: "lines", "clip-path": `url(#${clip})` });
  const labels = layer({ class: "labels" });
  const handles = handlesOf(svg, { move, rest, reachable });
  const reading = layer({ class: "reading" });
  /** @type {Plane} */
  let view;
  /** @type {At} */
  let at;

  function resize() {
    const across = svg.clientWidth / unitOf(svg) - SIDES.left - SIDES.right;
    if (across <= 0) return;
    const high = (across * (Y[1] - Y[0])) / (X[1] - X[0]); // one scale for both axes
    set(svg, { height: Math.round((high + SIDES.top + SIDES.bottom) * unitOf(svg)) });
    at = drawn.lay({ ...AXES, sides: SIDES }) ?? at;
    const { left, right, top, bottom } = at.box;
    set(clipRect, { x: left, y: top, width: right - left, height: bottom - top });
    drawn.draw(AXES);
  }

  const scale = () => at.x(1) - at.x(0);

  // The ellipse around a point on which 1/2 d' M d has this value.
  /**
   * @param {Point} centre
   * @param {ReturnType<typeof axes>} shape
   * @param {number} value
   * @param {Record<string, string>} attributes
   * @param {Element} parent
   */
  function ellipse(centre, { values, angle }, value, attributes, parent) {
    const [rx, ry] = values.map((l) => Math.min(1e4, Math.sqrt((2 * value) / Math.max(l, 1e-9)) * scale()));
    const [x, y] = [at.x(centre[0]), at.y(centre[1])];
    const transform = `rotate(${(-angle * 180) / Math.PI} ${x} ${y})`;
    el("ellipse", { cx: x, cy: y, rx, ry, transform, ...attributes }, parent);
  }

  function drawContours() {
    contours.replaceChildren();
    const { matrix, lowest } = view.bowl;
    const { box, unit } = at;
    const shape = axes(matrix);
    const shown = LEVELS.filter((level) => level > view.least);
    const all = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
    el("rect", { ...all, style: BEYOND }, contours);
    shown.forEach((level, i) => ellipse(lowest, shape, level - view.least, { style: SHADES[i] }, contours));
    let last = -Infinity;
    for (const level of shown.reverse()) {
      const below = at.y(lowest[1]) + Math.sqrt((2 * (level - view.least)) / matrix[2]) * scale();
      if (below - last < 16 * unit || below > box.bottom - 2) continue;
      last = below;
      el("text", { x: at.x(lowest[0]), y: below - 2 * unit, "text-anchor": "middle" }, contours, String(level));
    }
  }

  function drawRings() {
    rings.replaceChildren();
    view.world.tasks.forEach((task, i) =>
      ellipse(task.centre, axes(matrix(task)), OWN_LEVEL, { style: `stroke: var(--${view.letters[i]})` }, rings),
    );
  }

  // A line from one point to another, with a head.
  /** @param {Arrow} arrow */
  function arrow({ from, to, role, look, tip }) {
    const { unit } = at;
    const [x0, y0, x1, y1] = [at.x(from[0]), at.y(from[1]), at.x(to[0]), at.y(to[1])];
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (!(length > 1)) return;
    const head = Math.min(8 * unit, length);
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
    const [bx, by] = [x1 - ux * head, y1 - uy * head];
    const half = head * 0.45;
    const group = el("g", { "data-arrow": role }, lines);
    const shaft = path([x0, bx], [y0, by]);
    el("path", { class: "casing", d: shaft }, group);
    el("path", { class: "curve", d: shaft, ...lineOf(look, role, unit) }, group);
    const d = `M${x1},${y1}L${bx - uy * half},${by + ux * half}L${bx + uy * half},${by - ux * half}Z`;
    el("path", { d, style: `fill: var(--${role})` }, group);
    if (!tip) return;
    const place = { x: x1 + 9 * ux * unit, y: y1 + (9 * uy + 4) * unit, "text-anchor": "middle" };
    el("text", { class: "tip", ...place, style: `fill: var(--${role}-text)` }, group, tip);
  }

  // Names beside points, in one column on the side where they point, apart from each other.
  /** @param {Name[]} names */
  function drawNames(names) {
    labels.replaceChildren();
    const { box, unit } = at;
    const shown = names.filter((one) => one.at[0] > X[0] && one.at[0] < X[1] && one.at[1] > Y[0] && one.at[1] < Y[1]);
    if (!shown.length) return;
    const xs = shown.map((one) => at.x(one.at[0]));
    const ys = shown.map((one) => at.y(one.at[1]));
    const room = 66 * unit;
    const onRight = Math.max(...xs) + room < box.right;
    const x = onRight ? Math.max(...xs) + 12 * unit : Math.min(...xs) - 12 * unit;
    spread(ys, 15 * unit, box.top + 8 * unit, box.bottom - 6).forEach((y, i) => {
      const { role, text } = shown[i];
      const d = `M${xs[i]},${ys[i]}L${onRight ? x - 3 : x + 3},${y}`;
      el("path", { class: "leader", style: `stroke: var(--${role})`, d }, labels);
      const place = { x, y: y + 4 * unit, "text-anchor": onRight ? "start" : "end" };
      el("text", { ...place, style: `fill: var(--${role}-text)` }, labels, text);
    });
  }

  function drawLines() {
    lines.replaceChildren();
    const { unit } = at;
    view.arrows.forEach(arrow);
    for (const { points, role, look, end } of view.paths) {
      const x = points.map((p) => at.x(p[0]));
      const y = points.map((p) => at.y(p[1]));
      const d = path(x, y);
      el("path", { class: "casing", d }, lines);
      el("path", { class: "curve", "data-path": role, d, ...lineOf(look, role, unit) }, lines);
      if (end) {
        const ring = { ...look, width: 2, dash: look.dash.map((length) => length * 0.6) };
        const place = { cx: at.x(end[0]), cy: at.y(end[1]), r: 7 * unit };
        el("circle", { class: "end", "data-end": role, ...place, ...lineOf(ring, role, unit) }, lines);
      }
      const place = { cx: x[x.length - 1], cy: y[y.length - 1], r: 4 * unit };
      el("circle", { class: "dot", ...place, style: `fill: var(--${role})` }, lines);
    }
    drawNames(view.names);
  }

  // The mean loss where a mouse points, in the look of the values that stand under it on other charts.
  /** @param {PointerEvent | null} event */
  function read(event) {
    reading.replaceChildren();
    if (!event || event.pointerType !== "mouse" || handles.at(event)) return;
    const { box, unit } = at;
    const { left, top } = svg.getBoundingClientRect();
    const [px, py] = [event.clientX - left, event.clientY - top];
    if (px < box.left || px > box.right || py < box.top || py > box.bottom) return;
    const [a, b, d] = view.bowl.matrix;
    const [x, y] = [at.x.invert(px) - view.bowl.lowest[0], at.y.invert(py) - view.bowl.lowest[1]];
    const card = el("rect", {}, reading);
    const words = `mean loss ${number(view.least + (a * x * x + 2 * b * x * y + d * y * y) / 2)}`;
    const text = el("text", {}, reading, words);
    const [width, height] = [text.getComputedTextLength() + 12 * unit, 20 * unit];
    const from = px + 14 * unit + width < box.right ? px + 14 * unit : px - 14 * unit - width;
    const over = Math.min(Math.max(py - height / 2, box.top), box.bottom - height);
    set(card, { x: from, y: over, width, height });
    set(text, { x: from + 6 * unit, y: over + 14 * unit });
  }
  svg.addEventListener("pointermove", (event) => view && at && read(handles.held ? null : event));
  for (const end of ["pointerdown", "pointerleave"]) svg.addEventListener(end, () => read(null));

  return {
    resize, // before the first update, and when the room for it has changed
    /** @param {Plane} newView */
    update(newView) {
      view = newView;
      if (!at) return;
      drawContours();
      drawRings();
      drawLines();
      handles.update(view, at);
      svg.setAttribute("aria-label", view.label);
      title.textContent = view.said;
    },
    remove: drawn.remove,
  };
}
