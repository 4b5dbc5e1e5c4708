// The loss chart: query (thick) and support (thin, dotted) MSE by inner step, log scale; the current step and the trained one marked.
// Behind them, when asked for, what is usual over fresh tasks: the median, and the range of 95% of the tasks.

import { chart } from "../chart/chart.js";
import { labelled } from "../chart/labels.js";
import { el, set } from "../shared/el.js";
import { number } from "../shared/words.js";
import { isDiverged, lastShown, quantile, trainedFor, unfolds } from "./view.js";
import { describeLoss, lossWords } from "./words.js";

/** @import { At, Axis, Line } from "../chart/chart.js" */
/** @import { Fresh, Learner, View } from "./view.js" */

/** @type {Axis} */
const Y = { range: [0.01, 100], log: true, ticks: [0.01, 0.1, 1, 10, 100].map((tick) => [tick, String(tick)]) };
const CROWD = 3; // with more learners than this, ranges would only cover each other

/**
 * `go(step)` is called when the person points at another step.
 * @param {Element} parent
 * @param {{ go: (step: number) => void }} host
 */
export function lossChart(parent, { go }) {
  const drawn = chart(parent, { kind: "loss", keep: "maml-lab-error" });
  const labels = el("g", { class: "labels" }, drawn.over);
  const now = el("g", { class: "now" }, drawn.over);
  /** @type {View} */
  let view;
  /** @type {number} */
  let step;
  /** @type {At | null} */
  let at = null;
  /** @type {Map<string, Fresh>} */
  let fresh = new Map();
  let pressed = false;

  /** @returns {Axis} */
  function stepAxis() {
    const every = /** @type {number} While MAX_UPDATES is at most 100. */ ([1, 2, 5, 10].find((n) => view.updates / n <= 10));
    const ticks = Array.from({ length: Math.floor(view.updates / every) + 1 }, (_, i) => i * every);
    return { range: [0, view.updates], ticks: ticks.map((s) => [s, String(s)]), grid: false };
  }

  /** @param {number} loss */
  const high = (loss) => (isDiverged(view, loss) ? view.limits.diverged : loss);

  // What is usual of one learner.
  /**
   * @param {Learner} l
   * @param {number[]} x
   * @returns {Line[]}
   */
  function usualOf(l, x) {
    const found = fresh.get(l.name);
    if (found?.quantiles.length !== x.length) return [];
    /** @param {number} q */
    const level = (q) => found.quantiles.map((_, s) => Math.min(quantile(found, s, q), Y.range[1]));
    const [low, up] = [level(0.025), level(0.975)];
    const range = { id: `range-${l.name}`, role: l.name, x: [...x, ...x.toReversed()], y: [...up, ...low.toReversed()] };
    const median = { id: `median-${l.name}`, role: l.name, x, y: level(0.5), look: { width: 1.2, dash: [] }, opacity: 0.8 };
    return view.learners.length <= CROWD ? [{ ...range, area: true }, median] : [median];
  }

  function draw() {
    const x = Array.from({ length: view.updates + 1 }, (_, s) => s);
    const shown = lastShown(view, step);
    // A line ends where its learner diverges, at the top.
    /**
     * @param {Float32Array} losses
     * @param {number} end
     */
    const until = (losses, end) => Array.from(losses, (loss, s) => (s > shown || (end >= 0 && s > end) ? NaN : high(loss)));
    const lines = view.learners.flatMap((l) => usualOf(l, x));
    for (const l of view.learners.toReversed()) {
      const on = { role: l.name, x };
      const support = { width: 1.4, dash: [1.5, 3] };
      if (view.shots.length) lines.push({ ...on, id: `support-${l.name}`, y: until(l.support, l.diverged), look: support });
      const y = until(l.query, l.diverged);
      // What comes later is not passed on.
      const said = (/** @type {number} */ s) => `${l.label} ${lossWords(view, l.query[s])} · shots ${number(l.support[s])}`;
      const values = y.map((_, s) => (s > shown ? "" : said(s)));
      lines.push({ ...on, id: l.name, label: l.label, y, look: view.looks[l.name], values });
    }
    drawn.draw({ x: stepAxis(), y: Y, lines, heading: "step %{x}" });
  }

  /** @param {At} at */
  function drawLabels({ x, y, box, unit }) {
    labels.replaceChildren();
    let free = 0; // where the next label may begin
    for (const [trained, who] of trainedFor(view)) {
      if (trained > view.updates) continue;
      const here = x(trained);
      el("line", { class: "trained", x1: here, x2: here, y1: box.top, y2: box.bottom }, labels);
      if (here < free) continue;
      const names = view.learners.length > 2 ? "" : `${who.join(", ")} `;
      const words = `${names}trained for ${trained}`;
      const label = el("text", { class: "trained", x: here + 4, y: box.top - 6 * unit }, labels, words);
      const long = label.getComputedTextLength();
      if (here + 4 + long > box.right + 40 * unit) set(label, { x: here + 2, "text-anchor": "end" });
      free = here + 8 * unit + long;
    }
    const shown = lastShown(view, step);
    const ends = view.learners.map((l) => {
      const gone = l.diverged >= 0 && l.diverged <= shown;
      return { y: gone ? box.top : Math.min(y(high(l.query[shown])), box.bottom), role: l.name, text: l.label };
    });
    labelled(labels, ends, { x: box.right + 8 * unit, gap: 14 * unit, low: box.top, high: box.bottom, unit });
  }

  /** @param {At} at */
  function mark({ x, y, box, unit }) {
    now.replaceChildren();
    el("line", { x1: x(step), x2: x(step), y1: box.top, y2: box.bottom }, now);
    for (const l of view.learners) {
      const cy = Math.min(y(high(l.query[step])), box.bottom);
      el("circle", { class: "dot", style: `fill: var(--${l.name})`, cx: x(step), cy, r: 4.5 * unit }, now);
    }
    drawn.over.setAttribute("aria-label", describeLoss(view, step));
  }

  /** @param {MouseEvent} event */
  const pointed = (event) => {
    if (!at) return;
    const s = Math.round(at.x.invert(event.clientX - drawn.node.getBoundingClientRect().left));
    go(Math.min(Math.max(s, 0), view.updates));
  };
  // A mouse drags the step along; a finger may be scrolling the page, so it only taps.
  drawn.node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    pressed = true;
    drawn.node.setPointerCapture(event.pointerId);
    pointed(event);
  });
  drawn.node.addEventListener("pointermove", (event) => pressed && pointed(event));
  for (const end of ["pointerup", "pointercancel"]) drawn.node.addEventListener(end, () => (pressed = false));
  drawn.node.addEventListener("click", (event) => /** @type {PointerEvent} */ (event).pointerType === "touch" && pointed(event));

  return {
    remove: drawn.remove,
    /**
     * @param {View} newView
     * @param {number} newStep
     */
    update(newView, newStep) {
      view = newView;
      step = newStep;
      const aside = Math.max(76, 16 + 7.2 * Math.max(...view.learners.map((l) => l.label.length)));
      at = drawn.lay({ x: stepAxis(), y: Y, sides: { left: 34, right: aside, top: 18, bottom: 22 } });
      if (!at) return;
      draw();
      drawLabels(at);
      mark(at);
    },
    /** @param {number} newStep */
    move(newStep) {
      step = newStep;
      if (!at) return;
      if (unfolds(view)) {
        draw();
        drawLabels(at);
      }
      mark(at);
    },
    /**
     * What is usual: the name of a learner -> its losses over fresh tasks.
     * @param {Map<string, Fresh>} newFresh
     */
    compare(newFresh) {
      fresh = newFresh;
      if (at) draw();
    },
  };
}
