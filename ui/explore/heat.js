// A map of errors: inner steps to the right, shots or step sizes upwards, error as colour. Over it lies what the colours do not say:
// where tasks diverge (hatched), the border of where the baseline is beaten, the setting trained for (ringed), and the cells one points at.

import { chart } from "../chart/chart.js";
import { SCALE } from "../chart/heat.js";
import { pressed } from "../chart/press.js";
import { el, set } from "../shared/el.js";
import { cellName, cellValue, rowName } from "./words.js";

/** @import { At, Axis } from "../chart/chart.js" */
/** @import { Along, ErrorMap, Place } from "./words.js" */

/** @typedef {[number, number]} Cell Its row and its step. */

/**
 * waiting: what is said as long as there is no map. Rows of `trained` may lie between two.
 * @typedef {object} MapView
 * @property {ErrorMap | undefined} map
 * @property {string} waiting
 * @property {number[]} rows
 * @property {number} steps
 * @property {boolean[][] | null} beats
 * @property {Cell | null} trained
 * @property {string} about
 * @property {Cell | null} picked
 */

const HATCHED = 0.01; // of the tasks diverged
const HALF = 0.5; // of a cell

/**
 * `point` is called while one points at a cell, with null when one points at none; `pick` when one is chosen.
 * @param {Element} parent
 * @param {{ along: Along, keep: string, title: string, point: (place: Place | null) => void,
 *   pick: (place: Place) => void }} options
 */
export function heatMap(parent, { along, keep, title, point, pick }) {
  const attributes = { tabindex: 0, role: "application", "aria-roledescription": "map" };
  const drawn = chart(parent, { kind: "heat", attributes, zoom: true, keep, title, laid: () => view && update(view) });
  const svg = drawn.over;
  const own = Math.random().toString(36).slice(2);
  const bed = el("rect", { class: "bed" }, drawn.under);
  const defs = el("defs", {}, svg);
  const looks = { width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  el("path", { class: "hatching", d: "M0,0V6" }, el("pattern", { id: `hatch-${own}`, ...looks }, defs));
  const opening = el("rect", {}, el("clipPath", { id: `clip-${own}` }, defs));
  const inside = el("g", { "clip-path": `url(#clip-${own})` }, svg);
  const gone = el("path", { class: "gone", style: `fill: url(#hatch-${own})` }, inside);
  const borders = ["border", "border ink"].map((name) => el("path", { class: name }, inside));
  const rings = ["ring under", "ring"].map((name) => el("rect", { class: name, rx: 3 }, inside));
  const cursor = el("rect", { class: "cursor" }, inside);
  const chosen = el("rect", { class: "chosen" }, inside);
  const waiting = el("text", { class: "waiting", "text-anchor": "middle" }, svg);
  const axis = el("text", { class: "axis", "text-anchor": "end" }, el("g", { class: "grid" }, svg), "inner step");
  /** @type {MapView} */
  let view;
  /** @type {At | null} */
  let at = null;
  /** @type {Cell | null} */
  let here = null;

  /** @returns {{ x: Axis, y: Axis }} */
  function axes() {
    const { rows, steps } = view;
    return {
      x: { range: [-HALF, steps + HALF], ticks: [], grid: false },
      y: { range: [-HALF, rows.length - HALF], ticks: [], grid: false },
    };
  }

  /**
   * As many names as there is room for.
   * @param {At} at
   */
  function named({ x, y, unit }) {
    const { x: across, y: up } = axes();
    const [wide, high] = [x(1) - x(0), y(0) - y(1)];
    const each = wide < 12 * unit ? 5 : wide < 24 * unit ? 2 : 1;
    for (let step = 0; step <= view.steps; step += each) across.ticks.push([step, String(step)]);
    const every = Math.ceil((15 * unit) / high);
    view.rows.forEach((value, row) => {
      const isRound = (along === "K" ? row + 1 : row) % every === 0;
      if (isRound || (row === 0 && every < 3)) up.ticks.push([row, rowName(along, value)]);
    });
    return { x: across, y: up };
  }

  /** @param {At} at */
  function paint(at) {
    const { map, rows, steps } = view;
    const all = Array.from({ length: steps + 1 }, (_, step) => step);
    const z = rows.map((_, row) => all.map((step) => (map ? Math.log(map.mean[row][step]) : null)));
    const values = map && rows.map((value, row) => all.map((s) => `${cellName(along, value, s)}<br>${cellValue(map, row, s)}`));
    drawn.draw({ ...named(at), heat: { x: all, y: [...rows.keys()], z, ...SCALE, values } });
  }

  /** @param {At} at */
  function mark({ x, y, box, unit }) {
    const { map, beats, rows, steps, trained } = view;
    const [wide, high] = [x(1) - x(0), y(0) - y(1)];
    const left = (/** @type {number} */ step) => x(step - HALF);
    const top = (/** @type {number} */ row) => y(row + HALF);
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    set(bed, { x: box.left, y: box.top, width, height });
    const around = drawn.zoomed ? 0 : 4 * unit; // for what frames a cell at the edge
    set(opening, { x: box.left - around, y: box.top - around, width: width + 2 * around, height: height + 2 * around });
    let hatched = "";
    let border = "";
    for (let row = 0; row < rows.length; row++)
      for (let step = 0; step <= steps; step++) {
        if (map && map.diverged[row][step] >= HATCHED) hatched += `M${left(step)},${top(row)}h${wide}v${high}h${-wide}z`;
        if (!beats) continue;
        if (step < steps && beats[row][step] !== beats[row][step + 1]) border += `M${left(step + 1)},${top(row)}v${high}`;
        if (row + 1 < rows.length && beats[row][step] !== beats[row + 1][step]) border += `M${left(step)},${top(row)}h${wide}`;
      }
    set(gone, { d: hatched });
    for (const line of borders) set(line, { d: border });
    for (const ring of rings) frame(ring, map ? trained : null, -1);
    frame(cursor, here, 0);
    frame(chosen, view.picked, 1);
    waiting.textContent = map ? "" : view.waiting;
    set(waiting, { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 });
    set(axis, { x: box.right, y: box.bottom + 28 * unit });
    svg.setAttribute("aria-label", view.about);
  }

  /**
   * Around a cell, `grow` pixels away from it; nowhere where there is none.
   * @param {Element} node
   * @param {Cell | null} cell
   * @param {number} grow
   */
  function frame(node, cell, grow) {
    set(node, { visibility: at && cell ? "visible" : "hidden" });
    if (!at || !cell) return;
    const [row, step] = cell;
    const [wide, high] = [at.x(1) - at.x(0), at.y(0) - at.y(1)];
    const place = { x: at.x(step - HALF) - grow, y: at.y(row + HALF) - grow };
    set(node, { ...place, width: wide + 2 * grow, height: high + 2 * grow });
  }

  /** @param {MouseEvent} event @returns {Cell | null} */
  function cellAt(event) {
    if (!at) return null;
    const place = drawn.node.getBoundingClientRect();
    const [px, py] = [event.clientX - place.left, event.clientY - place.top];
    const { left, right, top, bottom } = at.box;
    if (px < left || px >= right || py < top || py >= bottom) return null;
    return [Math.round(at.y.invert(py)), Math.round(at.x.invert(px))];
  }

  /** @param {Cell | null} cell */
  const moved = (cell) => point(cell ? [along, ...cell] : null);
  drawn.node.addEventListener("pointermove", (event) => moved(cellAt(event)));
  drawn.node.addEventListener("pointerleave", () => moved(null));
  pressed(drawn.node, (event) => {
    const cell = cellAt(event);
    if (!cell) return;
    svg.focus({ preventScroll: true }); // the arrow keys go on from here
    pick([along, ...cell]);
  });
  svg.addEventListener("blur", () => moved(null));
  svg.addEventListener("keydown", (event) => {
    const [row, step] = here ?? view.picked ?? [0, 0];
    /** @type {Record<string, Cell>} */
    const ways = {
      ArrowUp: [row + 1, step],
      ArrowDown: [row - 1, step],
      ArrowRight: [row, step + 1],
      ArrowLeft: [row, step - 1],
      Home: [row, 0],
      End: [row, view.steps],
    };
    const to = ways[event.key];
    if (event.key === "Enter" || event.key === " ") pick([along, row, step]);
    else if (to) moved([Math.max(0, Math.min(view.rows.length - 1, to[0])), Math.max(0, Math.min(view.steps, to[1]))]);
    else return;
    event.preventDefault();
  });

  /** @param {MapView} newView */
  function update(newView) {
    view = newView;
    at = drawn.lay({ ...axes(), sides: { left: along === "K" ? 30 : 46, right: 4, top: 4, bottom: 32 } });
    if (!at) return;
    paint(at);
    mark(at);
  }

  return {
    node: drawn.node,
    update,
    /** @param {Cell | null} cell */
    cursor(cell) {
      here = cell;
      frame(cursor, here, 0);
    },
    remove: drawn.remove,
  };
}
