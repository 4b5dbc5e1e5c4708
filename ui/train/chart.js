// The learning chart: validation error by iteration, after each inner step, with its 95% interval; the loss on the
// meta-batches behind it; what is to be beaten as level lines; other runs to compare with.

import { chart } from "../chart/chart.js";
import { beyond, labelled } from "../chart/labels.js";
import { pressed } from "../chart/press.js";
import { linearTicks, logTicks } from "../chart/ticks.js";
import { el } from "../shared/el.js";
import { interval, number, steps } from "../shared/words.js";
import { beaten, count, describe, validations } from "./words.js";

const Y = [0.05, 20];
const MOST = 700; // points of a line: there are no more pixels
const CROWD = 6; // with more inner steps than this, the values under the pointer are those of the first and the last alone

// `go(iteration)` is called when a person points at one.
export function learningChart(parent, { go }) {
  const drawn = chart(parent, {
    kind: "learning",
    zoom: true,
    keep: "maml-lab-training",
    laid: () => update(),
  });
  const axis = el("g", { class: "grid" }, drawn.over);
  const labels = el("g", { class: "labels" }, drawn.over);
  const now = el("g", { class: "now" }, drawn.over);
  let view = null;
  let at = null;

  pressed(drawn.node, (event) => {
    if (!at || !view.row) return;
    const px = event.clientX - drawn.node.getBoundingClientRect().left;
    go(at.x.invert(Math.min(Math.max(px, at.box.left), at.box.right)));
  });

  const whole = () => [0, Math.max(view.row?.max_steps ?? 7000, ...view.others.map((other) => other.row.iteration))];

  // What is off the scale runs along its edge.
  const onScale = (value) => Math.min(Math.max(value, Y[0]), Y[1]);

  // What of the meta-batches is on show, and as much on both sides, so that some is there when the picture is moved. As more of them
  // come, every second one is left out, of those that are left again, and so on: the others stay.
  function batches(lines, [low, high]) {
    const near = (iteration) => iteration >= 2 * low - high && iteration <= 2 * high - low;
    const measured = lines.filter((l) => "loss_after" in l && near(l.iteration));
    const every = 2 ** Math.ceil(Math.log2(Math.max(measured.length / MOST, 1)));
    return measured.filter((_, i) => i % every === 0);
  }

  // Each line, and the label at its end: its name, and its value there.
  function strokes(range) {
    const { row, lines, looks } = view;
    const all = [];
    for (const { role, label, value } of row?.marks ?? view.marks) {
      const look = { ...looks[role], dash: role === "true" ? [2, 3] : looks[role].dash, width: 1.6 };
      all.push({ id: `mark-${label}`, role, look, x: whole(), y: [value, value], worth: [value, value], name: label });
    }
    for (const { row: other, lines, letter } of view.others) {
      const found = validations(lines).map((v) => ({ iteration: v.iteration, ...v.steps.at(-1) }));
      const values = found.map((v) => `${letter} ${interval(v.mean, v.ci95)} at ${count(v.iteration)}`);
      const look = { ...looks[letter], width: 2 };
      all.push({ id: `run-${other.name}`, role: letter, look, ...curveOf(found, "mean"), values, name: letter });
    }
    if (!row) return all;
    const role = row.algorithm;
    const found = validations(lines);
    const last = found[0]?.steps.length - 1;
    const measured = batches(lines, range);
    const said = measured.map(({ loss_before: before, loss_after: after }) =>
      last ? `meta-batch ${number(after)}, before ${number(before)}` : `meta-batch ${number(before)}`,
    );
    const faint = { look: { width: 1, dash: [] }, opacity: 0.32 };
    const before = { id: "batch-before", role: "before", ...faint, ...curveOf(measured, "loss_before") };
    all.push(last ? before : { ...before, values: said });
    if (last) all.push({ id: "batch-after", role, ...faint, ...curveOf(measured, "loss_after"), values: said });
    for (let s = 0; s <= last; s++) {
      const main = s === last;
      const look = main ? { ...looks[role], width: 2.6 } : s === 0 ? looks.before : { ...looks[role], width: 1.2 };
      const name = !main && s === 0 ? "before" : last ? `after ${steps(s)}` : looks[role].label;
      const at = found.map((v) => ({ iteration: v.iteration, ...v.steps[s] }));
      all.push({
        id: `step-${s}`,
        role: s === 0 && !main ? "before" : role,
        look,
        ...curveOf(at, "mean"),
        ...(main ? { dots: 3, bars: bars(at) } : {}),
        ...(main || s === 0 || last < CROWD
          ? { values: at.map((v) => `${name} ${interval(v.mean, v.ci95)} at ${count(v.iteration)}`) }
          : {}),
        name: main || s === 0 ? name : "",
      });
    }
    for (const { label, iteration, value } of beaten(row, lines))
      all.push({ id: `beaten-${label}`, role: "shot", look: { width: 0 }, x: [iteration], y: [value], dots: 6, hollow: true });
    return all;
  }

  // worth: the values themselves, on the scale or not.
  function curveOf(points, of) {
    const worth = points.map((p) => p[of]);
    return { x: points.map((p) => p.iteration), y: worth.map(onScale), worth };
  }
  const bars = (points) => ({
    up: points.map(({ mean, ci95 }) => onScale(mean + ci95) - onScale(mean)),
    down: points.map(({ mean, ci95 }) => onScale(mean) - onScale(mean - ci95)),
  });

  // As many as there is room for.
  function iterations(range) {
    const all = linearTicks(range).filter(([iteration]) => Number.isInteger(iteration));
    const every = Math.ceil((all.length * 90 * at.unit) / (at.box.right - at.box.left));
    return all.filter((_, i) => i % every === 0).map(([iteration]) => [iteration, count(iteration)]);
  }

  // A label says what its line is worth where that leaves the picture.
  function drawLabels(all, [, end]) {
    const { y, box, unit } = at;
    labels.replaceChildren();
    const ends = all.flatMap(({ name, role, x, worth }) => {
      const i = x.findLastIndex((iteration) => iteration <= end * (1 + 1e-9));
      if (!name || i < 0) return [];
      const away = y(worth[i]);
      return [{ y: away, role, text: `${name} ${number(worth[i])}${beyond(away, box)}` }];
    });
    labelled(labels, ends, { x: box.right + 8 * unit, gap: 15 * unit, low: box.top + 4, high: box.bottom, unit });
  }

  function mark() {
    now.replaceChildren();
    if (view.at === null || !at) return;
    const here = at.x(view.at);
    if (here < at.box.left - 1 || here > at.box.right + 1) return; // of the part that is on show
    el("line", { x1: here, x2: here, y1: at.box.top, y2: at.box.bottom }, now);
  }

  function update() {
    const sides = { left: 34, right: 104, top: 10, bottom: 34 };
    const [x, y] = [{ range: whole() }, { range: Y, log: true }];
    at = drawn.lay({ x, y, sides });
    if (!at) return;
    const { box, unit } = at;
    const range = at.shown.x;
    const all = strokes(range);
    drawn.draw({
      x: { ...x, ticks: iterations(range), grid: false },
      y: { ...y, ticks: logTicks(at.shown.y) },
      lines: all,
      heading: "iteration %{x:,}",
    });
    axis.replaceChildren();
    el("text", { class: "axis", x: box.right, y: box.bottom + 30 * unit, "text-anchor": "end" }, axis, "iteration");
    drawLabels(all, range);
    mark();
    drawn.over.setAttribute("aria-label", describe(view.row, view.lines));
  }

  return {
    svg: drawn.over,
    remove: drawn.remove,
    // view: {row, lines, others: [{row, lines, letter}], marks, looks, at}; at: the iteration of the snapshot on show, or null.
    // A part that is on show enlarged stays so while points of the same run come.
    update(newView) {
      const other = newView.row?.name !== view?.row?.name;
      view = newView;
      if (other && drawn.zoomed) drawn.reset();
      else update();
    },
    point(at) {
      if (!view) return;
      view.at = at;
      mark();
    },
  };
}
