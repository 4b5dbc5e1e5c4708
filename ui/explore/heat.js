// A heatmap: inner steps to the right, shots or step sizes upwards, error as colour on a log scale, divergence hatched, the
// border of where the baseline is beaten, the setting trained for ringed.

import { colourOf } from "../chart/heat.js";
import { el, set, unitOf } from "../shared/el.js";
import { rowName } from "./words.js";

const HATCHED = 0.01; // of the tasks diverged

// `point(along, row, step)` is called while one points at a cell, with null when one points at none; `pick` when one is chosen.
export function heatMap(parent, { along, label, point, pick }) {
  const svg = el("svg", { class: "heat", tabindex: 0, role: "application", "aria-roledescription": "map" }, parent);
  const hatch = `hatch-${Math.random().toString(36).slice(2)}`;
  const pattern = el(
    "pattern",
    { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    el("defs", {}, svg),
  );
  el("rect", { width: 6, height: 6, fill: "none" }, pattern);
  el("path", { class: "hatching", d: "M0,0V6" }, pattern);
  const axes = el("g", { class: "grid" }, svg);
  const inside = el("g", {}, svg);
  const border = el("path", { class: "border" }, svg);
  const borderInk = el("path", { class: "border ink" }, svg);
  const marks = el("g", { class: "marks" }, svg);
  const cursor = el("rect", { class: "cursor", visibility: "hidden" }, svg);
  const chosen = el("rect", { class: "chosen", visibility: "hidden" }, svg);
  const waiting = el("text", { class: "waiting", "text-anchor": "middle" }, svg);
  let view;
  let drawn = "";
  let tiles = [];
  let at = null;
  let box;

  function layout() {
    const width = svg.clientWidth;
    const height = svg.clientHeight;
    const unit = unitOf(svg);
    const wanted = [width, height, unit, view.rows.length].join();
    if (!width || wanted === drawn) return Boolean(width);
    drawn = wanted;
    const left = (along === "K" ? 30 : 46) * unit;
    const bottom = height - 32 * unit;
    box = {
      left,
      top: 4 * unit,
      w: (width - left - 4 * unit) / (view.steps + 1),
      h: (bottom - 4 * unit) / view.rows.length,
      bottom,
    };
    set(svg, { viewBox: `0 0 ${width} ${height}` });
    axes.replaceChildren();
    inside.replaceChildren();
    tiles = view.rows.map((_, row) =>
      Array.from({ length: view.steps + 1 }, (_, step) => {
        const place = { x: x(step), y: y(row), width: box.w + 0.5, height: box.h + 0.5 };
        return {
          tile: el("rect", { class: "tile", ...place }, inside),
          gone: el("rect", { ...place, fill: `url(#${hatch})`, visibility: "hidden" }, inside),
        };
      }),
    );
    for (let step = 0; step <= view.steps; step += box.w < 12 * unit ? 5 : 2)
      el("text", { x: x(step) + box.w / 2, y: bottom + 14 * unit, "text-anchor": "middle" }, axes, String(step));
    const every = Math.ceil((15 * unit) / box.h);
    view.rows.forEach((value, row) => {
      if ((along === "K" ? row + 1 : row) % every === 0 || (row === 0 && every < 3))
        el("text", { x: left - 6 * unit, y: y(row) + box.h / 2 + 4 * unit, "text-anchor": "end" }, axes, rowName(along, value));
    });
    el("text", { class: "axis", x: width - 4 * unit, y: bottom + 28 * unit, "text-anchor": "end" }, axes, "inner step");
    return true;
  }

  const x = (step) => box.left + step * box.w;
  const y = (row) => box.bottom - (row + 1) * box.h;
  const frame = (node, [row, step], grow = 0) =>
    set(node, { x: x(step) - grow, y: y(row) - grow, width: box.w + 2 * grow, height: box.h + 2 * grow, visibility: "visible" });

  function draw() {
    const { map, beats } = view;
    tiles.forEach((cells, row) =>
      cells.forEach(({ tile, gone }, step) => {
        tile.style.fill = map ? colourOf(map.mean[row][step]) : "var(--grid)";
        gone.setAttribute("visibility", map && map.diverged[row][step] >= HATCHED ? "visible" : "hidden");
      }),
    );
    waiting.textContent = map ? "" : view.waiting;
    set(waiting, { x: (x(0) + x(view.steps + 1)) / 2, y: (y(-1) + y(view.rows.length - 1)) / 2 });
    let d = "";
    if (beats)
      for (let row = 0; row < view.rows.length; row++)
        for (let step = 0; step <= view.steps; step++) {
          if (step < view.steps && beats[row][step] !== beats[row][step + 1]) d += `M${x(step + 1)},${y(row)}v${box.h}`;
          if (row + 1 < view.rows.length && beats[row][step] !== beats[row + 1][step]) d += `M${x(step)},${y(row)}h${box.w}`;
        }
    set(border, { d });
    set(borderInk, { d });
    marks.replaceChildren();
    if (map && view.trained) {
      const [row, step] = view.trained;
      for (const kind of ["ring under", "ring"])
        el(
          "rect",
          {
            class: kind,
            x: box.left + step * box.w + 1,
            y: box.bottom - (row + 1) * box.h + 1,
            width: box.w - 2,
            height: box.h - 2,
            rx: 3,
          },
          marks,
        );
    }
    svg.setAttribute("aria-label", view.about);
  }

  function show(node, cell, grow) {
    if (cell && box) frame(node, cell, grow);
    else node.setAttribute("visibility", "hidden");
  }

  function cellAt(event) {
    const place = svg.getBoundingClientRect();
    const step = Math.floor((event.clientX - place.left - box.left) / box.w);
    const row = Math.floor((place.top + box.bottom - event.clientY) / box.h);
    return step >= 0 && step <= view.steps && row >= 0 && row < view.rows.length ? [row, step] : null;
  }

  const moved = (cell) => point(cell ? [along, ...cell] : null);
  svg.addEventListener("pointermove", (event) => box && moved(cellAt(event)));
  svg.addEventListener("pointerleave", () => moved(null));
  svg.addEventListener("blur", () => moved(null));
  svg.addEventListener("click", (event) => {
    const cell = box && cellAt(event);
    if (cell) pick([along, ...cell]);
  });
  svg.addEventListener("keydown", (event) => {
    const [row, step] = at ?? view.picked ?? [0, 0];
    const to = {
      ArrowUp: [row + 1, step],
      ArrowDown: [row - 1, step],
      ArrowRight: [row, step + 1],
      ArrowLeft: [row, step - 1],
      Home: [row, 0],
      End: [row, view.steps],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") pick([along, row, step]);
    else if (to) moved([Math.max(0, Math.min(view.rows.length - 1, to[0])), Math.max(0, Math.min(view.steps, to[1]))]);
    else return;
    event.preventDefault();
  });

  return {
    svg,
    label,
    // view: {map, waiting, rows, steps, beats, trained, about, picked}; waiting: what is said as long as there is no map. trained and picked: [row, step] or null. Rows may lie between two.
    update(newView) {
      view = newView;
      if (!layout()) return;
      draw();
      show(chosen, view.picked, 1);
      show(cursor, at, 0);
    },
    cursor(cell) {
      at = cell;
      show(cursor, at, 0);
    },
  };
}
