// The loss on the drawings by inner step, of the learners that take steps: what gradient descent descends.

import { chart } from "../chart/chart.js";
import { labelled } from "../chart/labels.js";
import { el } from "../shared/el.js";
import { number } from "../shared/words.js";
import { describeLoss } from "./words.js";

/** @import { Axis, Line } from "../chart/chart.js" */
/** @import { Look } from "../shared/looks.js" */
/** @import { Answer, Learner } from "./words.js" */

const RANGE = /** @type {[number, number]} */ ([1e-4, 10]);
/** @type {Axis} */
const Y = { range: RANGE, log: true, ticks: [1e-4, 0.001, 0.01, 0.1, 1, 10].map((tick) => [tick, String(tick)]) };

/**
 * `go(step)` is called when the person points at another step.
 * @param {Element} parent
 * @param {{ go: (step: number) => void }} host
 */
export function lossChart(parent, { go }) {
  const drawn = chart(parent, { kind: "loss", keep: "maml-lab-characters-loss" });
  const labels = el("g", { class: "labels" }, drawn.over);
  const now = el("g", { class: "now" }, drawn.over);
  /** @type {ReturnType<typeof drawn.lay>} */
  let at = null;
  /** @type {{ learners: Learner[], looks: Record<string, Look>, answers: Record<string, Answer>, updates: number }} */
  let view;

  const inside = (/** @type {number} */ loss) => Math.min(Math.max(loss, RANGE[0]), RANGE[1]);
  const stepping = () => view.learners.filter((l) => view.answers[l.name]?.loss);

  /** @param {number} step */
  function mark(step) {
    now.replaceChildren();
    if (!at) return;
    el("line", { x1: at.x(step), x2: at.x(step), y1: at.box.top, y2: at.box.bottom }, now);
    for (const { name } of stepping()) {
      const cy = at.y(inside(/** @type {number[]} */ (view.answers[name].loss)[step]));
      el("circle", { class: "dot", style: `fill: var(--${name})`, cx: at.x(step), cy, r: 4.5 * at.unit }, now);
    }
    drawn.over.setAttribute("aria-label", describeLoss(stepping(), view.looks, view.answers, step));
  }

  drawn.node.addEventListener("click", (event) => {
    if (!at) return;
    const step = Math.round(at.x.invert(event.clientX - drawn.node.getBoundingClientRect().left));
    go(Math.min(Math.max(step, 0), view.updates));
  });

  return {
    svg: drawn.over,
    remove: drawn.remove,
    move: mark,
    /**
     * @param {typeof view} newView
     * @param {number} step
     */
    update(newView, step) {
      view = newView;
      const x = Array.from({ length: view.updates + 1 }, (_, s) => s);
      /** @type {Axis} */
      const steps = { range: [0, view.updates], ticks: x.map((s) => [s, String(s)]), grid: false };
      at = drawn.lay({ x: steps, y: Y, sides: { left: 46, right: 60, top: 10, bottom: 22 } });
      if (!at) return;
      const { x: sx, y: sy, box, unit } = at;
      /** @type {Line[]} */
      const lines = stepping().map(({ name }) => {
        const loss = /** @type {number[]} */ (view.answers[name].loss);
        const { label } = view.looks[name];
        const values = loss.map((value) => `${label} ${number(value)}`);
        return { id: name, role: name, label, x, y: loss.map(inside), look: view.looks[name], values };
      });
      drawn.draw({ x: steps, y: Y, lines, heading: "step %{x}" });
      labels.replaceChildren();
      const ends = lines.map(({ role, label, y }) => ({ y: sy(y[view.updates]), role, text: label ?? "" }));
      labelled(labels, ends, { x: sx(view.updates) + 8 * unit, gap: 14 * unit, low: box.top, high: box.bottom, unit });
      mark(step);
    },
  };
}
