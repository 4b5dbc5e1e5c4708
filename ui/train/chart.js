// The learning chart: validation error by iteration, after each inner step, with its 95% interval; the loss on the
// meta-batches behind it; what is to be beaten as level lines; other runs to compare with.

import { el, set, unitOf } from "../shared/el.js";
import { lineOf } from "../shared/looks.js";
import { linear, log, path } from "../chart/scale.js";
import { spread } from "../chart/labels.js";
import { number, steps } from "../shared/words.js";
import { beaten, count, describe, validations } from "./words.js";

const Y = [0.05, 20];
const MOST = 700; // points of a line: there are no more pixels
const TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];

// `go(iteration)` is called when a person points at one.
export function learningChart(parent, { go }) {
  const svg = el("svg", { class: "learning", role: "img" }, parent);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const clipRect = el("rect", {}, el("clipPath", { id: clip }, el("defs", {}, svg)));
  const grid = el("g", { class: "grid" }, svg);
  const inside = el("g", { "clip-path": `url(#${clip})` }, svg);
  const labels = el("g", { class: "labels" }, svg);
  const now = el("g", { class: "now" }, svg);
  let view;
  let unit;
  let size;
  let sx;
  let sy;

  function layout() {
    const width = svg.clientWidth;
    const height = svg.clientHeight;
    if (!width) return false;
    unit = unitOf(svg);
    size = { left: 34 * unit, right: width - 104 * unit, top: 10 * unit, bottom: height - 34 * unit };
    const last = Math.max(view.row?.max_steps ?? 7000, ...view.others.map((other) => other.row.iteration));
    sx = linear([0, last], [size.left, size.right]);
    sy = log(Y, [size.bottom, size.top]);
    set(svg, { viewBox: `0 0 ${width} ${height}` });
    set(clipRect, { x: size.left - 5, y: size.top - 1, width: size.right - size.left + 10, height: size.bottom - size.top + 2 });
    grid.replaceChildren();
    for (const tick of TICKS) {
      el("line", { x1: size.left, x2: size.right, y1: sy(tick), y2: sy(tick) }, grid);
      el("text", { x: size.left - 6 * unit, y: sy(tick) + 4 * unit, "text-anchor": "end" }, grid, String(tick));
    }
    const every = [1, 2, 5]
      .flatMap((m) => [0, 1, 2, 3, 4, 5, 6].map((e) => m * 10 ** e))
      .sort((a, b) => a - b)
      .find((n) => last / n <= (size.right - size.left) / (90 * unit));
    for (let at = 0; at <= last; at += every)
      el("text", { x: sx(at), y: size.bottom + 16 * unit, "text-anchor": "middle" }, grid, count(at));
    el("text", { class: "axis", x: size.right, y: size.bottom + 30 * unit, "text-anchor": "end" }, grid, "iteration");
    return true;
  }

  // What is off the scale runs along its edge.
  const onScale = (value) => Math.max(sy(value), size.top);
  const line = (points, attributes) =>
    el(
      "path",
      {
        class: "curve",
        d: path(
          points.map((p) => sx(p[0])),
          points.map((p) => onScale(p[1])),
        ),
        ...attributes,
      },
      inside,
    );

  function draw() {
    inside.replaceChildren();
    labels.replaceChildren();
    const ends = []; // [y, label, role]
    const { row, lines } = view;
    for (const mark of row?.marks ?? view.marks) {
      const y = sy(mark.value);
      const look = { ...view.looks[mark.role], dash: mark.role === "true" ? [2, 3] : view.looks[mark.role].dash, width: 1.6 };
      el(
        "path",
        { class: "curve", d: `M${size.left},${y}H${size.right}`, "data-mark": mark.label, ...lineOf(look, mark.role, unit) },
        inside,
      );
      ends.push([y, `${mark.label} ${number(mark.value)}`, mark.role]);
    }
    for (const { row: other, lines, letter } of view.others) {
      const points = validations(lines).map((v) => [v.iteration, v.steps.at(-1).mean]);
      if (!points.length) continue;
      line(points, { "data-run": other.name, ...lineOf({ ...view.looks[letter], width: 2 }, letter, unit) });
      ends.push([sy(points.at(-1)[1]), `${letter} ${number(points.at(-1)[1])}`, letter]);
    }
    if (row) {
      const role = row.algorithm;
      const found = validations(lines);
      const last = found[0]?.steps.length - 1;
      const measured = lines.filter((l) => "loss_after" in l);
      const every = Math.ceil(measured.length / MOST);
      const batches = measured.filter((_, i) => i % every === 0);
      line(
        batches.map((l) => [l.iteration, l.loss_before]),
        { class: "curve faint", style: "stroke: var(--before)" },
      );
      if (last)
        line(
          batches.map((l) => [l.iteration, l.loss_after]),
          { class: "curve faint", style: `stroke: var(--${role})` },
        );
      for (let s = 0; s <= last; s++) {
        const points = found.map((v) => [v.iteration, v.steps[s].mean]);
        const main = s === last;
        const look = main
          ? { ...view.looks[role], width: 2.6 }
          : s === 0
            ? view.looks.before
            : { ...view.looks[role], width: 1.2 };
        line(points, { "data-step": s, ...lineOf(look, s === 0 && !main ? "before" : role, unit) });
        if (!main && s) continue;
        const end = points.at(-1);
        if (end)
          ends.push([
            sy(end[1]),
            `${main ? (last ? `after ${steps(last)}` : view.looks[role].label) : "before"} ${number(end[1])}`,
            main ? role : "before",
          ]);
      }
      for (const v of found) {
        const { mean, ci95 } = v.steps[last];
        const x = sx(v.iteration);
        const style = `stroke: var(--${role}); fill: var(--${role})`;
        el(
          "path",
          { class: "interval", style, d: `M${x},${onScale(Math.max(mean - ci95, Y[0] / 2))}V${onScale(mean + ci95)}` },
          inside,
        );
        el("circle", { class: "dot", style: `fill: var(--${role})`, cx: x, cy: onScale(mean), r: 3 * unit }, inside);
      }
      for (const mark of beaten(row, lines)) {
        const x = sx(mark.iteration);
        const y = sy(mark.value);
        el("circle", { class: "won", cx: x, cy: y, r: 6 * unit, "data-beaten": mark.label }, inside);
      }
    }
    spread(
      ends.map(([y]) => y),
      15 * unit,
      size.top + 4,
      size.bottom,
    ).forEach((y, i) => {
      el("text", { x: size.right + 8 * unit, y: y + 4 * unit, style: `fill: var(--${ends[i][2]}-text)` }, labels, ends[i][1]);
    });
    svg.setAttribute("aria-label", describe(row, lines));
  }

  function mark() {
    now.replaceChildren();
    if (view.at === null) return;
    el("line", { x1: sx(view.at), x2: sx(view.at), y1: size.top, y2: size.bottom }, now);
  }

  svg.addEventListener("click", (event) => sx && view.row && go(sx.invert(event.clientX - svg.getBoundingClientRect().left)));

  return {
    svg,
    // view: {row, lines, others: [{row, lines, letter}], marks, looks, at}; at: the iteration of the snapshot on show, or null.
    update(newView) {
      view = newView;
      if (!layout()) return;
      draw();
      mark();
    },
    point(at) {
      if (!view) return;
      view.at = at;
      if (size) mark();
    },
  };
}
