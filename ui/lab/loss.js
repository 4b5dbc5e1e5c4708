// The loss chart: query (thick) and support (thin, dotted) MSE by inner step, log scale; the current step and the trained one marked.
// Behind them, when asked for, what is usual over fresh tasks: the median, and the range of 95% of the tasks.

import { el, set, unitOf } from "../shared/el.js";
import { log, linear, path } from "../chart/scale.js";
import { lineOf } from "../shared/looks.js";
import { spread } from "../chart/labels.js";
import { isDiverged, lastShown, quantile, trainedFor, unfolds } from "./view.js";
import { describeLoss } from "./words.js";

/** @import { Fresh, View } from "./view.js" */

const TICKS = [0.01, 0.1, 1, 10, 100];
const CROWD = 3; // with more learners than this, ranges would only cover each other

/**
 * `go(step)` is called when the person points at another step.
 * @param {Element} parent
 * @param {{ go: (step: number) => void }} host
 */
export function lossChart(parent, { go }) {
  const svg = el("svg", { class: "loss", role: "img" }, parent);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const clipRect = el("rect", {}, el("clipPath", { id: clip }, el("defs", {}, svg)));
  const grid = el("g", { class: "grid" }, svg);
  const usual = el("g", { "clip-path": `url(#${clip})` }, svg);
  const lines = el("g", { "clip-path": `url(#${clip})` }, svg);
  const labels = el("g", { class: "labels" }, svg);
  const now = el("g", { class: "now" }, svg);
  /** @type {View} */
  let view;
  /** @type {number} */
  let step;
  /** @type {number} */
  let unit;
  /** @type {ReturnType<typeof linear>} */
  let sx;
  /** @type {ReturnType<typeof log>} */
  let sy;
  /** @type {{ left: number, right: number, top: number, bottom: number }} */
  let size;
  /** @type {Map<string, Fresh>} */
  let fresh = new Map();
  let pressed = false;

  function layout() {
    const width = svg.clientWidth;
    const height = svg.clientHeight;
    if (!width) return false;
    unit = unitOf(svg);
    const aside = Math.max(76, 16 + 7.2 * Math.max(...view.learners.map((l) => l.label.length)));
    size = { left: 34 * unit, right: width - aside * unit, top: 18 * unit, bottom: height - 22 * unit };
    sx = linear([0, view.updates], [size.left, size.right]);
    sy = log([0.01, 100], [size.bottom, size.top]);
    set(svg, { viewBox: `0 0 ${width} ${height}` });
    set(clipRect, { x: size.left - 5, y: size.top - 5, width: size.right - size.left + 10, height: size.bottom - size.top + 10 });
    grid.replaceChildren();
    for (const tick of TICKS) {
      el("line", { x1: size.left, x2: size.right, y1: sy(tick), y2: sy(tick) }, grid);
      el("text", { x: size.left - 6 * unit, y: sy(tick) + 4 * unit, "text-anchor": "end" }, grid, String(tick));
    }
    const every = /** @type {number} While MAX_UPDATES is at most 100. */ ([1, 2, 5, 10].find((n) => view.updates / n <= 10));
    for (let s = 0; s <= view.updates; s += every) {
      el("text", { x: sx(s), y: size.bottom + 16 * unit, "text-anchor": "middle" }, grid, String(s));
    }
    return true;
  }

  function drawUsual() {
    usual.replaceChildren();
    const x = Float32Array.from({ length: view.updates + 1 }, (_, s) => sx(s));
    for (const l of view.learners) {
      const found = fresh.get(l.name);
      const style = `fill: var(--${l.name}); stroke: var(--${l.name})`;
      if (found?.quantiles.length !== view.updates + 1) continue;
      /** @param {number} q */
      const level = (q) => found.quantiles.map((_, s) => sy(quantile(found, s, q)));
      const [low, high] = [level(0.025), level(0.975)];
      const around = `${path(x, high)}${path([...x].reverse(), [...low].reverse()).replace("M", "L")}Z`;
      if (view.learners.length <= CROWD) el("path", { class: "range", style, d: around, "data-range": l.name }, usual);
      el("path", { class: "median", style, d: path(x, level(0.5)), "data-median": l.name }, usual);
    }
  }

  function draw() {
    lines.replaceChildren();
    labels.replaceChildren();
    const x = Float32Array.from({ length: view.updates + 1 }, (_, s) => sx(s));
    let free = 0; // where the next label may begin
    for (const [trained, who] of trainedFor(view)) {
      if (trained > view.updates) continue;
      el("line", { class: "trained", x1: sx(trained), x2: sx(trained), y1: size.top, y2: size.bottom }, lines);
      if (sx(trained) < free) continue;
      const names = view.learners.length > 2 ? "" : `${who.join(", ")} `;
      const label = el(
        "text",
        { class: "trained", x: sx(trained) + 4, y: size.top - 6 * unit },
        labels,
        `${names}trained for ${trained}`,
      );
      const long = label.getComputedTextLength();
      if (sx(trained) + 4 + long > size.right + 40 * unit) set(label, { x: sx(trained) + 2, "text-anchor": "end" });
      free = sx(trained) + 8 * unit + long;
    }
    // A line ends where its learner diverges, at the top.
    /** @param {number} loss */
    const high = (loss) => sy(isDiverged(view, loss) ? view.limits.diverged : loss);
    const shown = lastShown(view, step);
    /**
     * @param {Float32Array} losses
     * @param {number} end
     */
    const until = (losses, end) => losses.map((loss, s) => (s > shown || (end >= 0 && s > end) ? NaN : high(loss)));
    const ends = [];
    for (const l of [...view.learners].reverse()) {
      const look = view.looks[l.name];
      const style = `stroke: var(--${l.name})`;
      if (view.shots.length) el("path", { class: "curve support", style, d: path(x, until(l.support, l.diverged)) }, lines);
      const y = until(l.query, l.diverged);
      el("path", { class: "curve", d: path(x, y), ...lineOf(look, l.name, unit) }, lines);
      ends.unshift(l.diverged >= 0 && l.diverged <= shown ? size.top : Math.min(y[shown], size.bottom));
    }
    spread(ends, 14 * unit, size.top, size.bottom).forEach((y, i) => {
      el(
        "text",
        { x: size.right + 8 * unit, y: y + 4 * unit, style: `fill: var(--${view.learners[i].name}-text)` },
        labels,
        view.learners[i].label,
      );
    });
  }

  function mark() {
    now.replaceChildren();
    el("line", { x1: sx(step), x2: sx(step), y1: size.top, y2: size.bottom }, now);
    for (const l of view.learners) {
      const loss = l.query[step];
      const cy = Math.min(sy(isDiverged(view, loss) ? view.limits.diverged : loss), size.bottom);
      el("circle", { class: "dot", style: `fill: var(--${l.name})`, cx: sx(step), cy, r: 4.5 * unit }, now);
    }
    svg.setAttribute("aria-label", describeLoss(view, step));
  }

  /** @param {MouseEvent} event */
  const pointed = (event) => {
    const s = Math.round(sx.invert(event.clientX - svg.getBoundingClientRect().left));
    go(Math.min(Math.max(s, 0), view.updates));
  };
  // A mouse drags the step along; a finger may be scrolling the page, so it only taps.
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    pressed = true;
    svg.setPointerCapture(event.pointerId);
    pointed(event);
  });
  svg.addEventListener("pointermove", (event) => pressed && pointed(event));
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => (pressed = false));
  svg.addEventListener("click", (event) => event.pointerType === "touch" && pointed(event));

  return {
    svg,
    /**
     * @param {View} newView
     * @param {number} newStep
     */
    update(newView, newStep) {
      view = newView;
      step = newStep;
      if (!layout()) return;
      drawUsual();
      draw();
      mark();
    },
    /** @param {number} newStep */
    move(newStep) {
      step = newStep;
      if (!size) return;
      if (unfolds(view)) draw();
      mark();
    },
    /**
     * What is usual: the name of a learner -> its losses over fresh tasks.
     * @param {Map<string, Fresh>} newFresh
     */
    compare(newFresh) {
      fresh = newFresh;
      if (size) drawUsual();
    },
  };
}
