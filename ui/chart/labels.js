// Labels beside what they name, apart from each other.

import { el } from "../shared/el.js";

/**
 * Positions near the wanted ones, in their order, at least `gap` apart and inside [low, high].
 * @param {number[]} wanted
 * @param {number} gap
 * @param {number} low
 * @param {number} high
 */
export function spread(wanted, gap, low, high) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const at = wanted.map((y) => Math.min(Math.max(y, low), high));
  for (let k = 1; k < order.length; k++) at[order[k]] = Math.max(at[order[k]], at[order[k - 1]] + gap);
  let ceiling = high;
  for (let k = order.length - 1; k >= 0; k--) {
    at[order[k]] = Math.min(at[order[k]], ceiling);
    ceiling = at[order[k]] - gap;
  }
  return at;
}

/**
 * What is added to a label whose line leaves the chart: where it is.
 * @param {number} y
 * @param {{ top: number, bottom: number }} box
 */
export const beyond = (y, { top, bottom }) => (y < top - 1 ? " ↑" : y > bottom + 1 ? " ↓" : "");

/** @typedef {{ y: number, role: string, text: string }} Label */

/**
 * Labels in one column beside a chart, each in its role's colour, as near to its line's end as the others let it.
 * @param {Element} parent
 * @param {Label[]} labels
 * @param {{ x: number, gap: number, low: number, high: number, unit: number }} where
 */
export function labelled(parent, labels, { x, gap, low, high, unit }) {
  const places = spread(
    labels.map((label) => label.y),
    gap,
    low,
    high,
  );
  labels.forEach(({ role, text }, i) => {
    el("text", { x, y: places[i] + 4 * unit, style: `fill: var(--${role}-text)` }, parent, text);
  });
  return places;
}
