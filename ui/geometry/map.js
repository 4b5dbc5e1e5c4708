// A plane of the real network: the mean error as colour and as contours, tasks' paths from theta, and what stands under the pointer.

import { chart } from "../chart/chart.js";
import { HIGH, TINTS } from "../chart/heat.js";
import { floats } from "../shared/arrays.js";
import { el, set } from "../shared/el.js";
import { number } from "../shared/words.js";
import { contour, joined } from "./contours.js";

/** @import { At, Line } from "../chart/chart.js" */

/**
 * What the server says of a network's plane (ui/geometry/planes.py).
 * @typedef {object} NetworkPlane
 * @property {string} learner
 * @property {string} label
 * @property {number} parameters
 * @property {[number, number]} explained
 * @property {number} extent
 * @property {[number, number]} length
 * @property {string} before
 * @property {string} after
 * @property {string} paths
 */

/** @typedef {"before" | "after"} When */

const LEVELS = [0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.1, 1.5, 2, 2.5, 3, 4, 5, 6.5, 8, 10, 13, 18, 25, 35, 50];
export const STEPS = 10;
const DOTS = Array.from({ length: STEPS + 1 }, (_, step) => (step === 0 ? 0 : step === 1 || step === STEPS ? 3.4 : 1.8));
const APART = 24; // pixels between two levels' numbers
const NONE = { left: 0, right: 0, top: 0, bottom: 0 };

/**
 * @param {Element} parent
 * @param {{ plane: NetworkPlane, when: When, name: string }} shown
 */
export function planeMap(parent, { plane, when, name }) {
  const { extent, learner } = plane;
  const errors = floats(plane[when]);
  const n = Math.sqrt(errors.length);
  const places = Array.from({ length: n }, (_, i) => placeOf(i));
  const error = number(middleOf(errors));
  const label = `${name}: mean error ${error} at θ, ${number(Math.min(...errors))} at the lowest point of the plane, from ${-extent} to ${extent} along both directions.`;
  const attributes = { role: "img", "aria-label": label };
  const drawn = chart(parent, { kind: "map", attributes, zoom: true, keep: `${learner}-plane-${when}`, laid: lay });
  const names = el("g", { class: "level-names" }, drawn.over);
  const theta = el("circle", { class: "theta", r: 4.5 }, drawn.over);

  /** @param {number} cell From 0 to n - 1. */
  function placeOf(cell) {
    return extent * ((2 * cell) / (n - 1) - 1);
  }

  /** @template Value @param {(error: number) => Value} of */
  const rowsOf = (of) => places.map((_, row) => Array.from(errors.subarray(row * n, (row + 1) * n), of));
  const heat = {
    ...TINTS,
    x: places,
    y: places,
    z: rowsOf((error) => Math.log(Number.isFinite(error) ? error : HIGH)),
    values: rowsOf((error) => `error ${Number.isFinite(error) ? number(error) : "without bound"}`),
    smooth: true,
  };
  const levels = LEVELS.map((level) => ({
    level,
    segments: contour(errors, n, level).map((ends) => ends.map(placeOf)), // [x0, y0, x1, y1]
  })).filter(({ segments }) => segments.length);
  const ways = levels.flatMap(({ segments }) => joined(segments)); // each is an element of its own to Plotly
  /** @type {Line} */
  const contours = {
    id: "levels",
    role: "level",
    x: ways.flatMap((way) => [...way.map(([x]) => x), NaN]),
    y: ways.flatMap((way) => [...way.map(([, y]) => y), NaN]),
    look: { width: 1, dash: [] },
  };
  const lines = [contours, ...(when === "before" ? pathsOf(plane) : [])];
  const axis = { range: /** @type {[number, number]} */ ([-extent, extent]), ticks: [], grid: false };

  // A level's number stands right of theta, where the line through it to the right cuts the contour.
  /** @param {At} at */
  function drawNames({ x, y, box, unit }) {
    names.replaceChildren();
    /** @type {number[]} */
    const taken = [];
    const cut = y.invert((box.top + box.bottom) / 2);
    const from = Math.max(x(0) + 16 * unit, box.left + 14 * unit);
    for (const { level, segments } of levels) {
      const here = segments.flatMap(([x0, y0, , y1]) => ((y0 - cut) * (y1 - cut) <= 0 ? [x(x0)] : []));
      const free = (/** @type {number} */ at) => taken.every((other) => Math.abs(other - at) > APART * unit);
      const place = here.find((at) => at > from && at < box.right - 14 * unit && free(at));
      if (place === undefined) continue;
      taken.push(place);
      el("text", { x: place, y: y(cut) + 4 * unit, "text-anchor": "middle" }, names, String(level));
    }
  }

  function lay() {
    const at = drawn.lay({ x: axis, y: axis, sides: NONE });
    if (!at) return;
    drawn.draw({ x: axis, y: axis, lines, heat });
    drawNames(at);
    set(theta, { cx: at.x(0), cy: at.y(0) });
  }
  lay();

  return { lay, remove: drawn.remove };
}

/**
 * The inner steps of each task, with a light edge.
 * @param {NetworkPlane} plane
 * @returns {Line[]}
 */
function pathsOf({ learner, paths }) {
  const points = floats(paths);
  const each = 2 * (STEPS + 1);
  return Array.from({ length: points.length / each }, (_, task) => {
    const own = points.subarray(task * each, (task + 1) * each);
    const x = own.filter((_, i) => i % 2 === 0);
    const y = own.filter((_, i) => i % 2 === 1);
    return [
      { id: `casing-${task}`, role: "paper", x, y, look: { width: 5, dash: [] }, opacity: 0.85 },
      { id: `path-${task}`, role: learner, x, y, look: { width: 1.8, dash: [] }, dots: DOTS },
    ];
  }).flat();
}

/**
 * What is measured at theta itself.
 * @param {Float32Array} errors
 */
export const middleOf = (errors) => errors[(errors.length - 1) / 2];
