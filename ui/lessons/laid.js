// Lines laid over every task plot below an element, also over those made later: sketches, and what they are compared with.
//
// On top of what Plotly draws: a class of sixty takes 2 ms here, 115 ms as lines of its own, and 53 ms as one of them, which would not be
// darker where many cross. A sketch grows under the hand, too.

import { el } from "../shared/el.js";
import { lineOf } from "../shared/looks.js";
import { path } from "../chart/scale.js";

// Where a sketch's values are, at equal distances over the whole plot.
export const xsOf = ({ x: [low, high], points }) =>
  Array.from({ length: points }, (_, i) => low + ((high - low) * i) / (points - 1));

// extent: {x, y, points} of card.json's sketch. Lines are {values, role, look, label, atTop, opacity, dots}; label stands at the left end, or over the highest point.
// A half of the plot, "left" or "right", can be said to be the one that counts.
export function laidOver(root, extent) {
  const xs = xsOf(extent);
  const [[left, right], [bottom, top]] = [extent.x, extent.y];
  const plots = new Map();
  let lines = [];
  let half = "all";

  function draw(svg) {
    const {
      layer,
      scales: { x, y, unit },
    } = plots.get(svg);
    layer.replaceChildren();
    if (half !== "all") {
      const [from, to] = half === "left" ? [0, right] : [left, 0];
      el("rect", { class: "aside", x: x(from), y: y(top), width: x(to) - x(from), height: y(bottom) - y(top) }, layer);
    }
    for (const { values, role, look, label, atTop, opacity = 1, dots } of lines) {
      el(
        "path",
        { class: "curve", "data-laid": role, opacity, d: path(xs.map(x), values.map(y)), ...lineOf(look, role, unit) },
        layer,
      );
      for (const i of dots ?? [])
        el("circle", { class: "dot", cx: x(xs[i]), cy: y(values[i]), r: 4 * unit, style: `fill: var(--${role})` }, layer);
      if (!label || !Number.isFinite(values[0])) continue; // a sketch is not drawn from its left end at once
      const at = atTop ? values.indexOf(Math.max(...values.slice(2, -2))) : 0;
      const up = !atTop && values[0] < values[4] ? 16 : -9; // not on the line
      const place = {
        x: x(xs[at]) + (atTop ? 0 : 5 * unit),
        y: y(values[at]) + up * unit,
        "text-anchor": atTop ? "middle" : "start",
      };
      el("text", { class: "laid-label", style: `fill: var(--${role}-text)`, ...place }, layer, label);
    }
  }

  function hear({ target, detail }) {
    for (const svg of plots.keys()) if (!svg.isConnected) plots.delete(svg);
    const layer = plots.get(target)?.layer ?? el("g", { class: "laid", "aria-hidden": "true" }, target);
    plots.set(target, { layer, scales: detail });
    draw(target);
  }
  root.addEventListener("laid", hear);

  return {
    update(newLines, newHalf = "all") {
      [lines, half] = [newLines, newHalf];
      for (const svg of plots.keys()) draw(svg);
    },
    // The scales of the one plot there is, or undefined before it is drawn.
    get scales() {
      return plots.values().next().value?.scales;
    },
    remove() {
      root.removeEventListener("laid", hear);
      for (const { layer } of plots.values()) layer.remove();
    },
  };
}
