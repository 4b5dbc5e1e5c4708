// The second-order term as pictures: its length or its angle through a run's snapshots, layer by layer; its length in several networks.

import { chart } from "../chart/chart.js";
import { labelled } from "../chart/labels.js";
import { el, set, unitOf } from "../shared/el.js";
import { degrees } from "./words.js";

/** @import { Axis, Line } from "../chart/chart.js" */
/** @import { Look } from "../shared/looks.js" */

/** @typedef {[number | null, number | null]} Term Its length over that of what is kept, and the angle between them in degrees. */
/**
 * What the server says of one network (ui/geometry/planes.py).
 * @typedef {{ label: string, role: string, iteration: number, whole: Term, layers: Term[], apart: number | null }} TermPoint
 */
/** A part of a network: how it looks, and its term. @typedef {{ role: string, label: string, of: (point: TermPoint) => Term }} Part */
/**
 * One of two measures of the term: which number of it, its axis with what is written there, and how a value is said.
 * @typedef {{ name: string, title: string, which: 0 | 1, top: number, ticks: [number, string][], say: (value: number) => string }} Measure
 */

const LETTERS = ["A", "B", "C", "D", "E", "F", "G", "H", "I"]; // the looks of layers
const EARLY = 100; // iterations up to which the axis is nearly linear, and beyond which it is logarithmic
const BAR = { long: 420, thick: 14, each: 28, gap: 14, room: 70 }; // room: for the numbers beside it

/** @type {Measure[]} */
const MEASURES = [
  {
    name: "ratio",
    title: "length of αHg / length of g",
    which: 0,
    top: 1.5,
    ticks: [0, 0.5, 1, 1.5].map((tick) => [tick, String(tick)]),
    say: (value) => value.toFixed(2),
  },
  {
    name: "angle",
    title: "angle between αHg and g",
    which: 1,
    top: 120,
    ticks: [0, 30, 60, 90, 120].map((tick) => [tick, `${tick}°`]),
    say: degrees,
  },
];

/** @type {Part} */
const everything = { role: "true", label: "all", of: (point) => point.whole };

/**
 * All of a network, then its layers.
 * @param {TermPoint[]} points
 * @returns {Part[]}
 */
export const partsOf = (points) => [
  everything,
  ...(points[0]?.layers ?? []).map((_, i, { length }) => ({
    role: LETTERS[i % LETTERS.length],
    label: i === length - 1 ? "head" : `layer ${i + 1}`,
    of: (/** @type {TermPoint} */ point) => point.layers[i],
  })),
];

/**
 * Both measures of the term by iteration. said: what is to be seen.
 * @param {Element} parent
 * @param {{ points: TermPoint[], looks: Record<string, Look>, said: string, keep: string }} shown
 */
export function termLines(parent, shown) {
  const charts = MEASURES.map((measure) => termLine(parent, measure, shown));
  return {
    lay: () => charts.forEach(({ lay }) => lay()),
    remove: () => charts.forEach(({ remove }) => remove()),
  };
}

/**
 * @param {Element} parent
 * @param {Measure} measure
 * @param {{ points: TermPoint[], looks: Record<string, Look>, said: string, keep: string }} shown
 */
function termLine(parent, { name, title, which, top, ticks, say }, { points, looks, said, keep }) {
  const box = el("div", {}, parent);
  el("h3", {}, box, title);
  const attributes = { role: "img", "data-chart": name, "aria-label": `${title} by iteration. ${said}` };
  const drawn = chart(box, { kind: "layers", attributes, keep: `${keep}-${name}` });
  const labels = el("g", { class: "labels" }, drawn.over);
  const axis = el("text", { class: "axis", "text-anchor": "end" }, el("g", { class: "grid" }, drawn.over), "iteration");
  const last = Math.max(points[points.length - 1].iteration, 10 * EARLY);
  const times = [0, ...[1, 10, 100, 1000, 10_000].map((many) => many * EARLY)].filter((iteration) => iteration <= last);
  /** @type {Axis} */
  const x = {
    range: [EARLY, last + EARLY],
    log: true,
    ticks: times.map((iteration) => [iteration + EARLY, iteration.toLocaleString("en")]),
    grid: false,
  };
  /** @type {Axis} */
  const y = { range: [0, top], ticks };
  const [all, ...layers] = partsOf(points);
  const lines = [...layers, all].map(({ role, label, of }) => {
    const known = points.flatMap((point) => {
      const value = of(point)[which];
      return value === null ? [] : [{ at: point.iteration, value }];
    });
    const when = (/** @type {number} */ at) => (role === all.role ? ` at iteration ${at.toLocaleString("en")}` : "");
    return {
      id: label,
      role,
      label,
      x: known.map(({ at }) => at + EARLY),
      y: known.map(({ value }) => Math.min(value, top)),
      values: known.map(({ at, value }) => `${label} ${say(value)}${when(at)}`),
      look: { ...looks[role], width: role === all.role ? 2.6 : 1.8 },
    };
  });

  function lay() {
    const at = drawn.lay({ x, y, sides: { left: 40, right: 66, top: 8, bottom: 36 } });
    if (!at) return;
    const { box, unit } = at;
    drawn.draw({ x, y, lines, heading: title });
    set(axis, { x: box.right, y: box.bottom + 31 * unit });
    labels.replaceChildren();
    const ended = lines.filter((line) => line.y.length);
    const ends = ended.map(({ role, label, y }) => ({ y: at.y(y[y.length - 1]), role, text: label }));
    labelled(labels, ends, { x: box.right + 8 * unit, gap: 15 * unit, low: box.top + 4, high: box.bottom, unit });
  }
  lay();
  return { lay, remove: drawn.remove };
}

/**
 * The length of the term in several networks, a bar each. said: what is to be seen.
 * @param {Element} parent
 * @param {{ points: TermPoint[], said: string, keep: string }} shown
 */
export function termBars(parent, { points, said, keep }) {
  const box = el("div", { class: "term-bars" }, parent);
  const drawn = chart(box, { kind: "bars", attributes: { role: "img", "aria-label": said }, pointer: false, keep });
  el(
    "p",
    { class: "about" },
    box,
    "length of αHg as a share of the length of g, and the angle between them; each network with its own α",
  );
  const words = el("g", { class: "bar-words" }, drawn.over);
  const names = points.map(({ label }) => el("text", {}, words, label));
  const numbers = points.map(({ whole: [ratio, angle] }) =>
    el("text", {}, words, ratio === null ? "–" : `${ratio.toFixed(2)} · ${degrees(angle)}`),
  );
  const most = Math.max(1, ...points.map(({ whole: [ratio] }) => ratio ?? 0));
  /** @type {Axis} */
  const x = { range: [0, most], ticks: [], grid: false };
  /** @type {Axis} The first on top. */
  const y = { range: [points.length - 0.5, -0.5], ticks: [], grid: false };
  /** @type {Line[]} */
  const lines = points.map(({ label, role, whole: [ratio] }, i) => ({
    id: label,
    role,
    x: [0, ratio ?? 0],
    y: [i, i],
    look: { width: BAR.thick, dash: [] },
  }));

  function lay() {
    const unit = unitOf(drawn.over);
    set(drawn.over, { height: points.length * BAR.each * unit });
    const left = Math.max(...names.map((name) => name.getComputedTextLength())) / unit + BAR.gap;
    const long = Math.min(BAR.long, drawn.over.clientWidth / unit - left - BAR.room);
    const at = drawn.lay({ x, y, sides: { left, right: drawn.over.clientWidth / unit - left - long, top: 0, bottom: 0 } });
    if (!at) return;
    drawn.draw({ x, y, lines });
    names.forEach((name, i) => set(name, { x: 0, y: at.y(i) + 5 * unit }));
    numbers.forEach((number, i) => set(number, { x: at.box.right + BAR.gap * unit, y: at.y(i) + 5 * unit }));
  }
  lay();
  return { lay, remove: drawn.remove };
}
