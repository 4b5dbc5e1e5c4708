// What a room predicted, large enough for the back row: bars by option, dots on the slider's axis, or every sketch over the task.
//
// Bars are no chart of Plotly's: each stands below its option, HTML with formulas that breaks into as many lines as there is room for, which
// a chart's labels cannot hold; a graph for each takes 47 ms where there are four, and its value stands beside it already.

import { chart } from "../chart/chart.js";
import { el, unitOf } from "../shared/el.js";
import { lineOf } from "../shared/looks.js";
import { onResize } from "../shared/resized.js";
import { laidOver } from "./laid.js";
import { YOURS, inline, section } from "./parts.js";
import { readSketch } from "./sketch.js";
import { scaleOf } from "./slider.js";
import { stillTask } from "./still.js";

const KINDS = { choice: bars, slider: dots, sketch: sketches };
const RADIUS = 8; // of a dot
const TICK = 44; // pixels that a tick's number takes
const people = (n) => (n === 1 ? "1 prediction" : `${n} predictions`);

// Gives { update(tally, { truth, mine }), remove() }. tally: as a lesson makes it from answers; truth: that of answer.json, while it is
// shown; mine: the text of one's own answer. What is not there yet is null.
export function tallyPart(parent, { card, looks }) {
  const part = section(parent, looks, "tally", "Predictions");
  const count = el("p", { class: "tally-count", role: "status" }, part.root);
  const shown = KINDS[card.answer.kind](el("div", { class: `tally-${card.answer.kind}` }, part.root), { card, looks });
  return {
    update(tally, { truth = null, mine = null } = {}) {
      count.textContent = people((tally.values ?? tally.sketches)?.length ?? tally.counts.reduce((sum, n) => sum + n, 0));
      shown.update(tally, { truth, mine });
    },
    remove() {
      shown.remove?.();
      part.remove();
    },
  };
}

function bars(parent, { card }) {
  const list = el("ol", { class: "bars" }, parent);
  const rows = card.answer.options.map((html) => {
    const row = el("li", {}, list);
    const label = el("div", { class: "bar-label" }, row);
    inline(label, html);
    const mark = el("span", { class: "mark" }, label);
    const track = el("div", { class: "bar-track" }, row);
    return { row, mark, bar: el("div", { class: "bar-fill" }, track), count: el("strong", {}, track) };
  });
  return {
    update({ counts }, { truth, mine }) {
      const most = Math.max(...counts, 1);
      rows.forEach(({ row, mark, bar, count }, i) => {
        bar.style.setProperty("--share", counts[i] / most);
        count.textContent = counts[i];
        row.classList.toggle("so", i === truth);
        row.classList.toggle("faint", truth !== null && i !== truth);
        mark.textContent = [i === truth && "right", mine !== null && i === Number(mine) && "yours"].filter(Boolean).join(" · ");
      });
    },
  };
}

function dots(parent, { card: { answer } }) {
  const scale = scaleOf(answer);
  el("p", { class: "axis-label" }, parent, answer.label);
  const drawn = chart(parent, { kind: "dots", keep: "maml-lab-predictions" });
  const words = el("g", { class: "words", "aria-hidden": "true" }, drawn.over);
  const { low, high, log } = answer;
  let last = null;

  function draw() {
    if (!last || !drawn.over.clientWidth) return;
    const [{ values }, { truth, mine }] = last;
    const every = Math.ceil((scale.ticks.length * TICK * unitOf(drawn.over)) / drawn.over.clientWidth);
    const ticks = scale.ticks.filter((_, i) => i % every === 0).map((tick) => [tick, scale.words(tick)]);
    const axis = (range) => ({ range, log, ticks, grid: false });
    const level = (range) => ({ range, ticks: [] });
    // Room beside the first and the last value for half a dot.
    const inner = drawn.lay({ x: axis([low, high]), y: level([0, 1]), sides: { left: 26, right: 26, top: 4, bottom: 34 } });
    const { box, unit } = inner;
    const at = (value) => inner.x(inside(value));
    const r = RADIUS * unit;
    // Each dot stands at its value, as low as those before it leave room; rows are closer where there are many.
    const wide = 2 * r + 2 * unit;
    const ends = []; // of each row, where its last dot is
    const rows = values.map((value) => {
      const free = ends.findIndex((end) => at(value) - end >= wide);
      const row = free < 0 ? ends.length : free;
      ends[row] = at(value);
      return row;
    });
    const pitch = Math.min(wide, (box.bottom - box.top - 44 * unit) / Math.max(ends.length, 1));
    const floor = -(r + 2 * unit) / pitch;
    const x = axis([inner.x.invert(box.left - 12 * unit), inner.x.invert(box.right + 12 * unit)]);
    const y = level([floor, floor + (box.bottom - box.top) / pitch]);
    const { y: sy } = drawn.lay({ x, y, sides: { left: 14, right: 14, top: 4, bottom: 34 } });

    const own = mine === null ? -1 : values.findLastIndex((value) => Math.abs(value - Number(mine)) <= 1e-9 * Math.abs(value));
    const dotsOf = (id, role, which) => ({
      id,
      role,
      x: which.map((i) => inside(values[i])),
      y: which.map((i) => rows[i]),
      values: which.map((i) => said(values, values[i], scale) + (i === own ? " · yours" : "")),
      look: { width: 0 },
      dots: RADIUS,
    });
    const others = values.flatMap((_, i) => (i === own ? [] : [i]));
    const lines = [{ id: "axis", role: "soft", x: x.range, y: [floor, floor], look: { width: 3 } }]; // half of it shows
    if (truth !== null) lines.push(upright(inside(truth), y.range, `measured: ${scale.words(truth)}`));
    lines.push(dotsOf("predictions", "prediction", others));
    if (own >= 0) lines.push(dotsOf("own", "ink", [own]));
    drawn.draw({ x, y, lines, nearest: true });

    words.replaceChildren();
    if (truth !== null) {
      const right = scale.position(truth) > 0.6;
      const place = { x: at(truth) + (right ? -8 : 8) * unit, y: 18 * unit, "text-anchor": right ? "end" : "start" };
      el("text", { class: "truth-words", ...place }, words, `measured: ${scale.words(truth)}`);
    }
    if (own >= 0) {
      const place = { x: at(values[own]), y: sy(rows[own]) - r - 6 * unit, "text-anchor": "middle" };
      el("text", { class: "own-words", ...place }, words, "yours");
    }
    drawn.over.setAttribute("aria-label", describe(values, truth, scale));
  }
  const inside = (value) => Math.min(Math.max(value, low), high);
  const resized = onResize(draw);
  resized.observe(drawn.over);
  return {
    update(...now) {
      last = now;
      draw();
    },
    remove() {
      resized.disconnect();
      drawn.remove();
    },
  };
}

// A line across the chart that the pointer finds at many places.
function upright(at, [from, to], words) {
  const y = Array.from({ length: 17 }, (_, i) => from + ((to - from) * i) / 16);
  return { id: "truth", role: "ink", x: y.map(() => at), y, values: y.map(() => words), look: { width: 2 } };
}

// A value under the pointer: how many gave it, and how many less and more.
function said(values, value, scale) {
  const counts = [values.filter((other) => other === value), values.filter((other) => other < value)].map((all) => all.length);
  const [same, less] = counts;
  const more = values.length - same - less;
  const apart = [less && `${less} below`, more && `${more} above`].filter(Boolean).join(", ");
  return `${scale.words(value)}: ${people(same)}${apart && ` · ${apart}`}`;
}

function describe(values, truth, scale) {
  if (!values.length) return "No predictions yet.";
  const middle = values[Math.floor(values.length / 2)];
  return `${people(values.length)} from ${scale.words(values[0])} to ${scale.words(values.at(-1))}, half of them up to ${scale.words(middle)}.${truth === null ? "" : ` Measured: ${scale.words(truth)}.`}`;
}

function sketches(parent, { card, looks }) {
  const stage = el("div", { class: "stage" }, parent);
  const laid = laidOver(stage, card.answer);
  const still = stillTask(stage, { query: card.predict });
  const key = el("p", { class: "tally-key" }, parent);
  const { learner } = card.answer;
  const faint = { ...looks[YOURS], width: 2 };
  return {
    update({ sketches }, { truth, mine }) {
      const all = sketches.map((values) => ({
        values,
        role: YOURS,
        look: faint,
        opacity: Math.max(0.25, 0.8 - sketches.length / 50),
      }));
      if (mine !== null) all.push({ values: readSketch(mine), role: YOURS, look: { ...looks[YOURS], width: 4 }, label: "yours" });
      if (truth !== null) all.push({ values: truth, role: learner, look: { ...looks[learner], width: 5 } });
      laid.update(all);
      key.replaceChildren();
      keyed(key, looks[YOURS], YOURS, "predictions");
      if (truth !== null) keyed(key, looks[learner], learner, `what ${looks[learner].label} draws`);
    },
    remove() {
      laid.remove();
      still.remove();
    },
  };
}

function keyed(parent, look, role, words) {
  const item = el("span", {}, parent);
  const svg = el("svg", { viewBox: "0 0 26 8", class: "swatch", "aria-hidden": "true" }, item);
  el("path", { d: "M0,4H26", ...lineOf(look, role) }, svg);
  item.append(words);
}
