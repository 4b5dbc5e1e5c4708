// What a room predicted, large enough for the back row: bars by option, dots on the slider's axis, or every sketch over the task.

import { el, set, unitOf } from "../shared/el.js";
import { linear } from "../chart/scale.js";
import { lineOf } from "../shared/looks.js";
import { laidOver } from "./laid.js";
import { YOURS, inline, section } from "./parts.js";
import { readSketch } from "./sketch.js";
import { scaleOf } from "./slider.js";
import { stillTask } from "./still.js";

const KINDS = { choice: bars, slider: dots, sketch: sketches };
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
  const svg = el("svg", { class: "dots", role: "img" }, parent);
  const HEIGHT = 17; // in em of 14 pixels
  let last = null;

  function draw() {
    const width = svg.clientWidth;
    if (!width || !last) return;
    const [{ values }, { truth, mine }] = last;
    const unit = unitOf(svg);
    const height = HEIGHT * 14 * unit;
    const r = 8 * unit;
    const x = linear([0, 1], [26 * unit, width - 26 * unit]);
    const bottom = height - 34 * unit;
    const at = (value) => x(Math.min(Math.max(scale.position(value), 0), 1));
    set(svg, { viewBox: `0 0 ${width} ${height}`, height, "aria-label": describe(values, truth, scale) });
    svg.replaceChildren();
    el("line", { class: "axis-line", x1: x(0), x2: x(1), y1: bottom, y2: bottom }, svg);
    for (const tick of scale.ticks) {
      el("line", { class: "axis-line", x1: at(tick), x2: at(tick), y1: bottom, y2: bottom + 6 * unit }, svg);
      el("text", { class: "tick", x: at(tick), y: bottom + 24 * unit, "text-anchor": "middle" }, svg, scale.words(tick));
    }
    if (truth !== null) {
      const right = scale.position(truth) > 0.6;
      el("line", { class: "truth-line", x1: at(truth), x2: at(truth), y1: 4 * unit, y2: bottom + 6 * unit }, svg);
      el(
        "text",
        { class: "truth-words", x: at(truth) + (right ? -8 : 8) * unit, y: 18 * unit, "text-anchor": right ? "end" : "start" },
        svg,
        `measured: ${scale.words(truth)}`,
      );
    }
    // Each dot stands at its value, as low as those before it leave room; rows are closer where there are many.
    const wide = 2 * r + 2 * unit;
    const ends = []; // of each row, where its last dot is
    const placed = values.map((value) => {
      const free = ends.findIndex((end) => at(value) - end >= wide);
      const row = free < 0 ? ends.length : free;
      ends[row] = at(value);
      return { value, row };
    });
    const pitch = Math.min(wide, (bottom - 48 * unit) / Math.max(ends.length, 1));
    const level = (row) => bottom - r - 2 * unit - row * pitch;
    const own =
      mine === null ? undefined : placed.findLast(({ value }) => Math.abs(value - Number(mine)) <= 1e-9 * Math.abs(value));
    for (const dot of placed)
      el("circle", { class: dot === own ? "dot own" : "dot", cx: at(dot.value), cy: level(dot.row), r }, svg);
    if (own)
      el(
        "text",
        { class: "own-words", x: at(own.value), y: level(own.row) - r - 6 * unit, "text-anchor": "middle" },
        svg,
        "yours",
      );
  }
  const resized = new ResizeObserver(draw);
  resized.observe(svg);
  return {
    update(...now) {
      last = now;
      draw();
    },
    remove: () => resized.disconnect(),
  };
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
