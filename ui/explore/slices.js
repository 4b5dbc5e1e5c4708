// Curves through the maps: error by inner step, by shots or by step size, each learner with its 95% band.

import { chart } from "../chart/chart.js";
import { labelled } from "../chart/labels.js";
import { pressed } from "../chart/press.js";
import { logTicks } from "../chart/ticks.js";
import { el, set } from "../shared/el.js";
import { lineValue, rowName } from "./words.js";

/** @import { At, Axis, Line } from "../chart/chart.js" */
/** @import { Look } from "../shared/looks.js" */
/** @import { Along, ErrorMap } from "./words.js" */

/**
 * One learner's: cells: of each place along x, the row and the step in its map.
 * @typedef {{ id: string, role: string, label: string, look: Look, map: ErrorMap, cells: [number, number][] }} Curve
 */
/** @typedef {Along | "step"} By */
/** @typedef {{ title: string, x: number[], at: number, lines: Curve[], about: string }} SliceView at: the index marked. */

/** @type {[number, number]} */
const Y = [0.02, 20];
const NAMES = { step: "inner step", K: "shots K", alpha: "inner step size α" };
const HEADINGS = { step: "step %{x}", K: "K = %{x}", alpha: "α = %{x:~g}" };
const LEAST = 1 / 20; // of a mean, to which its band reaches down, on an axis that has no zero

/**
 * One chart, by `along`. `pick` is called with the index of the place along x that was chosen.
 * @param {Element} parent
 * @param {{ along: By, keep: string, pick: (index: number) => void }} options
 */
export function sliceChart(parent, { along, keep, pick }) {
  const title = el("h2", {}, parent);
  const drawn = chart(parent, { kind: "slice", zoom: true, keep, title: "h2", laid: () => view && update(view) });
  const labels = el("g", { class: "labels" }, drawn.over);
  const now = el("line", {}, el("g", { class: "now" }, drawn.over));
  const axis = el("text", { class: "axis", "text-anchor": "end" }, el("g", { class: "grid" }, drawn.over), NAMES[along]);
  /** @type {SliceView} */
  let view;
  /** @type {At | null} */
  let at = null;

  pressed(drawn.node, (event) => {
    if (!at) return;
    const here = event.clientX - drawn.node.getBoundingClientRect().left;
    const { x } = at;
    const near = view.x.map((value) => Math.abs(x(value) - here));
    pick(near.indexOf(Math.min(...near)));
  });

  /** @param {At} at @returns {Axis["ticks"]} As many as there is room for. */
  function places({ x, shown, unit }) {
    const [low, high] = shown.x;
    /** @type {Axis["ticks"]} */
    const ticks = [];
    let free = -Infinity;
    for (const value of view.x) {
      if (value < low || value > high || (along === "alpha" && !drawn.zoomed && !String(value * 1e6).startsWith("1"))) continue;
      const name = rowName(along === "alpha" ? along : "K", value);
      if (x(value) < free) continue;
      ticks.push([value, name]);
      free = x(value) + (name.length * 7 + 10) * unit;
    }
    return ticks;
  }

  /** @returns {Axis} */
  const across = () => ({
    range: [view.x[0], /** @type {number} */ (view.x.at(-1))],
    log: along === "alpha",
    ticks: [],
    grid: false,
  });

  /** @param {Curve} curve */
  const meansOf = ({ map, cells }) => cells.map(([row, step]) => map.mean[row][step]);

  /** @param {Curve} curve @returns {Line} */
  function bandOf({ id, role, map, cells }) {
    const high = cells.map(([row, step]) => map.mean[row][step] + map.ci95[row][step]);
    const low = cells.map(([row, step]) => Math.max(map.mean[row][step] - map.ci95[row][step], LEAST * map.mean[row][step]));
    return { id: `band-${id}`, role, area: true, x: [...view.x, ...view.x.toReversed()], y: [...high, ...low.toReversed()] };
  }

  /** @param {Curve} curve @returns {Line} */
  function lineOf(curve) {
    const { id, role, label, look, map, cells } = curve;
    const values = cells.map(([row, step]) => lineValue(label, map, row, step));
    return { id, role, label, look, x: view.x, y: meansOf(curve), values };
  }

  /** @param {At} at */
  function mark({ x, y, shown, box, unit }) {
    const [low, high] = shown.x;
    const marked = view.x[view.at];
    set(now, { visibility: marked >= low && marked <= high ? "visible" : "hidden" });
    set(now, { x1: x(marked), x2: x(marked), y1: box.top, y2: box.bottom });
    set(axis, { x: box.right, y: box.bottom + 29 * unit });
    labels.replaceChildren();
    const end = view.x.findLastIndex((value) => value <= high);
    const ends = view.lines.map((curve) => ({ y: y(meansOf(curve)[end]), role: curve.role, text: curve.label }));
    labelled(labels, ends, { x: box.right + 8 * unit, gap: 15 * unit, low: box.top + 4, high: box.bottom, unit });
  }

  /** @param {At} at @param {{ x: Axis, y: Axis }} axes */
  function paint(at, axes) {
    axes.x.ticks = places(at);
    axes.y.ticks = logTicks(at.shown.y);
    drawn.draw({ ...axes, lines: [...view.lines.map(bandOf), ...view.lines.map(lineOf)], heading: HEADINGS[along] });
  }

  /** @param {SliceView} newView */
  function update(newView) {
    view = newView;
    title.textContent = view.title;
    drawn.over.setAttribute("aria-label", view.about);
    const axes = { x: across(), y: { range: Y, log: true, ticks: logTicks(Y) } };
    at = drawn.lay({ ...axes, sides: { left: 34, right: 84, top: 8, bottom: 34 } });
    if (!at) return;
    paint(at, axes);
    mark(at);
  }

  return { node: drawn.node, update, remove: drawn.remove };
}
