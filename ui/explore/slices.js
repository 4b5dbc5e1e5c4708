// Curves through the maps: error by inner step, by shots or by step size, each learner with its 95% band.

import { el, set, unitOf } from "../shared/el.js";
import { lineOf } from "../shared/looks.js";
import { linear, log, path } from "../chart/scale.js";
import { spread } from "../chart/labels.js";
import { rowName } from "./words.js";

const Y = [0.02, 20];
const TICKS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];

// One chart. `pick(index)` is called with the place along x that was clicked.
export function sliceChart(parent, { pick }) {
  const title = el("h2", {}, parent);
  const svg = el("svg", { class: "slice", role: "img" }, parent);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const clipRect = el("rect", {}, el("clipPath", { id: clip }, el("defs", {}, svg)));
  const grid = el("g", { class: "grid" }, svg);
  const inside = el("g", { "clip-path": `url(#${clip})` }, svg);
  const labels = el("g", { class: "labels" }, svg);
  const now = el("g", { class: "now" }, svg);
  let view;
  let sx;

  svg.addEventListener("click", (event) => {
    if (!sx) return;
    const at = event.clientX - svg.getBoundingClientRect().left;
    const near = view.x.map((value) => Math.abs(sx(value) - at));
    pick(near.indexOf(Math.min(...near)));
  });

  return {
    svg,
    // view: {title, along: "step", "K" or "alpha", x, at, lines: [{role, label, look, mean, ci95}], about}; at: the index marked.
    update(newView) {
      view = newView;
      title.textContent = view.title;
      svg.setAttribute("aria-label", view.about);
      const width = svg.clientWidth;
      const height = svg.clientHeight;
      const unit = unitOf(svg);
      if (!width) return;
      const size = { left: 34 * unit, right: width - 84 * unit, top: 8 * unit, bottom: height - 34 * unit };
      const scale = view.along === "alpha" ? log : linear;
      const ends = [];
      sx = scale([view.x[0], view.x.at(-1)], [size.left, size.right]);
      const sy = log(Y, [size.bottom, size.top]);
      set(svg, { viewBox: `0 0 ${width} ${height}` });
      set(clipRect, { x: size.left - 4, y: size.top - 1, width: size.right - size.left + 8, height: size.bottom - size.top + 2 });
      for (const group of [grid, inside, labels, now]) group.replaceChildren();
      for (const tick of TICKS) {
        el("line", { x1: size.left, x2: size.right, y1: sy(tick), y2: sy(tick) }, grid);
        el("text", { x: size.left - 6 * unit, y: sy(tick) + 4 * unit, "text-anchor": "end" }, grid, String(tick));
      }
      let free = -Infinity;
      for (const value of view.x) {
        const x = sx(value);
        const name = view.along === "alpha" && !/^[1]/.test(String(value * 1e6)) ? "" : rowName(view.along, value);
        if (!name || x < free) continue;
        el("text", { x, y: size.bottom + 15 * unit, "text-anchor": "middle" }, grid, name);
        free = x + (name.length * 7 + 10) * unit;
      }
      el(
        "text",
        { class: "axis", x: size.right, y: size.bottom + 29 * unit, "text-anchor": "end" },
        grid,
        { step: "inner step", K: "shots K", alpha: "inner step size α" }[view.along],
      );
      for (const line of view.lines) {
        const xs = view.x.map(sx);
        const high = line.mean.map((m, i) => sy(m + line.ci95[i]));
        const low = line.mean.map((m, i) => sy(Math.max(m - line.ci95[i], m / 20)));
        const band = path([...xs, ...xs.toReversed()], [...high, ...low.toReversed()]);
        el("path", { class: "band", style: `fill: var(--${line.role})`, d: `${band}Z` }, inside);
        el(
          "path",
          { class: "curve", "data-line": line.label, d: path(xs, line.mean.map(sy)), ...lineOf(line.look, line.role, unit) },
          inside,
        );
        ends.push([sy(line.mean.at(-1)), line]);
      }
      spread(
        ends.map(([y]) => y),
        15 * unit,
        size.top + 4,
        size.bottom,
      ).forEach((y, i) => {
        el(
          "text",
          { x: size.right + 8 * unit, y: y + 4 * unit, style: `fill: var(--${ends[i][1].role}-text)` },
          labels,
          ends[i][1].label,
        );
      });
      if (view.at !== null) el("line", { x1: sx(view.x[view.at]), x2: sx(view.x[view.at]), y1: size.top, y2: size.bottom }, now);
    },
  };
}
