// The comparison on the Checkpoints page: mean error by inner step of every learner on the same tasks, with its 95% interval, log scale.

import { chart } from "../chart/chart.js";
import { beyond, labelled } from "../chart/labels.js";
import { logTicks } from "../chart/ticks.js";
import { el } from "../shared/el.js";
import { paint } from "../shared/looks.js";
import { mounted } from "../shared/mounted.js";
import { onResize } from "../shared/resized.js";
import { EXACT } from "../shared/rounding.js";
import { interval } from "../shared/words.js";

/** @import { At, Axis, Line } from "../chart/chart.js" */
/** @import { Look } from "../shared/looks.js" */

/**
 * One learner: its numbers at each inner step. gone: the share of tasks that diverged, in words, empty where none did.
 * @typedef {{ role: string, mean: number[], ci95: number[], gone: string[] }} Compared
 */

/** @typedef {{ learners: Compared[], looks: Record<string, Look>, finding: string }} View */

const ASIDE = 0.42; // of the width, at most, for the names
const LETTER = 7.2; // pixels, about
const MANY = 12; // more inner steps than this are not all numbered
const DECADES = 3; // over so many, only powers of ten are marked
const STEP = 0.15; // room beside the first step and the last one, in steps

export const { render, remove } = mounted(["checkpoints/checkpoints.css"], (parent) => {
  const root = el("section", { class: "maml-lab compared", "aria-label": "Errors compared" }, parent);
  const paints = paint(root);
  const drawn = comparison(root);
  let raw = "";
  return {
    update({ data }) {
      if (data === raw) return;
      raw = data;
      const view = JSON.parse(data);
      paints.apply(view.looks);
      drawn.update(view);
    },
    remove() {
      drawn.remove();
      paints.remove();
      root.remove();
    },
  };
});

/** @param {Element} parent */
function comparison(parent) {
  const drawn = chart(parent, { kind: "comparison", zoom: true, keep: "maml-lab-comparison", laid: draw });
  const labels = el("g", { class: "labels", "aria-hidden": "true" }, drawn.over);
  const names = el("g", { class: "grid", "aria-hidden": "true" }, drawn.over);
  /** @type {View} */
  let view;

  const last = () => view.learners[0].mean.length - 1;
  /** @param {Compared} learner @param {number} step */
  const lowest = ({ mean, ci95 }, step) => Math.max(mean[step] - ci95[step], mean[step] / 20); // a log scale has no place for 0
  /** @param {Compared} learner */
  const labelOf = ({ role }) => view.looks[role].label;

  /** @returns {[number, number]} */
  function range() {
    const most = Math.max(...view.learners.flatMap(({ mean, ci95 }) => mean.map((value, s) => value + ci95[s])));
    return [Math.min(...view.learners.flatMap(({ mean }) => mean)) / 1.26, most * 1.26];
  }

  // What is marked of the part on show.
  /** @param {[number, number]} range */
  function errorTicks([low, high]) {
    const all = logTicks([low, high]);
    return Math.log10(high / low) < DECADES ? all : all.filter(([tick]) => Number.isInteger(Math.log10(tick)));
  }

  /** @param {[number, number]} range @returns {[number, string][]} */
  function stepTicks([low, high]) {
    const every = [1, 2, 5, 10, 20].find((n) => (high - low) / n <= MANY) ?? 50;
    const all = Array.from({ length: last() + 1 }, (_, step) => step);
    return all.filter((step) => step % every === 0 && step >= low && step <= high).map((step) => [step, String(step)]);
  }

  /** @param {Compared} learner @returns {Line[]} */
  function linesOf(learner) {
    const { role, mean, ci95, gone } = learner;
    const x = mean.map((_, step) => step);
    const low = x.map((step) => lowest(learner, step));
    const high = mean.map((value, step) => value + ci95[step]);
    const band = { x: [...x, ...x.toReversed()], y: [...high, ...low.toReversed()] };
    const values = mean.map((value, step) => {
      const diverged = gone[step] && ` · ${gone[step]} diverged`;
      return `${labelOf(learner)} ${interval(value, ci95[step], EXACT)}${diverged}`;
    });
    return [
      { id: `range-${role}`, role, ...band, area: true },
      { id: role, role, x, y: mean, look: view.looks[role], label: labelOf(learner), values, dots: 3.5 },
    ];
  }

  function draw() {
    if (!view) return;
    const most = Math.max(...view.learners.map((learner) => labelOf(learner).length));
    const room = (ASIDE * drawn.over.clientWidth) / LETTER;
    const letters = Math.min(most, Math.max(Math.floor(room) - 2, 4));
    /** @type {Axis} */
    const x = { range: [-STEP, last() + STEP], ticks: [] };
    /** @type {Axis} */
    const y = { range: range(), log: true, ticks: [] };
    const at = drawn.lay({ x, y, sides: { left: 46, right: 16 + LETTER * letters, top: 30, bottom: 40 } });
    if (!at) return;
    x.ticks = stepTicks(at.shown.x);
    y.ticks = errorTicks(at.shown.y);
    // The first one lies on top: it is what the others are measured against.
    drawn.draw({ x, y, lines: view.learners.toReversed().flatMap(linesOf), heading: "step %{x}" });
    drawLabels(at, letters);
    drawn.over.setAttribute("aria-label", `Error by inner step. ${view.finding}`);
  }

  /** @param {At} at @param {number} letters */
  function drawLabels({ x, y, box, unit }, letters) {
    labels.replaceChildren();
    const edge = Math.min(x.invert(box.right), last());
    const ends = view.learners.map((learner) => {
      const [before, part] = [Math.max(Math.floor(edge), 0), edge - Math.floor(edge)];
      const [from, to] = [y(learner.mean[before]), y(learner.mean[Math.min(before + 1, last())])];
      const here = from + part * (to - from);
      return { y: here, role: learner.role, text: short(labelOf(learner), letters) + beyond(here, box) };
    });
    labelled(labels, ends, { x: box.right + 8 * unit, gap: 16 * unit, low: box.top + 2, high: box.bottom, unit });
    names.replaceChildren();
    el("text", { class: "axis", x: box.right, y: box.bottom + 33 * unit, "text-anchor": "end" }, names, "inner step");
    el("text", { class: "axis", x: box.left, y: box.top - 9 * unit }, names, "mean error");
  }

  const resized = onResize(draw);
  resized.observe(drawn.over);

  return {
    /** @param {View} newView */
    update(newView) {
      view = newView;
      draw();
    },
    remove() {
      resized.disconnect();
      drawn.remove();
    },
  };
}

/** @param {string} text @param {number} letters */
function short(text, letters) {
  const all = [...text];
  return all.length > letters ? `${all.slice(0, letters - 1).join("")}…` : text;
}
