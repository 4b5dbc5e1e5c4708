// Drawing on SVG: elements, scales, and paths that survive values that are not finite.

const NS = "http://www.w3.org/2000/svg";

/** @import { Look } from "./looks.js" */
/** @typedef {string | number | boolean} Value */

/**
 * An element in `parent`, in SVG where that is; an attribute that is null is left out.
 * @template {string} Tag
 * @param {Tag} tag
 * @param {Record<string, Value | null>} [attributes]
 * @param {Element | null} [parent]
 * @param {string | null} [text]
 * @returns {Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag]
 *   : Tag extends keyof SVGElementTagNameMap ? SVGElementTagNameMap[Tag] : Element}
 */
export function el(tag, attributes = {}, parent = null, text = null) {
  const isDrawn = tag === "svg" || parent?.namespaceURI === NS;
  /** @type {any} The tag says which; the few names that both have are taken for HTML's. */
  const node = isDrawn ? document.createElementNS(NS, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

/**
 * @param {Element} node
 * @param {Record<string, Value>} attributes
 */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
}

/**
 * How large things are drawn: 1, and more for a projector. It follows the size of the type.
 * @param {Element} node
 */
export const unitOf = (node) => parseFloat(getComputedStyle(node).fontSize) / 14 || 1;

/**
 * The attributes of a line in the look of its role.
 * @param {Look} look
 * @param {string} role
 */
export function lineOf(look, role, unit = 1) {
  return {
    style: `stroke: var(--${role})`,
    "stroke-width": look.width * unit,
    "stroke-dasharray": look.dash.map((length) => length * unit).join(" ") || null,
  };
}

/**
 * A short piece of a role's line, for keys.
 * @param {Look} look
 * @param {string} role
 * @param {Element} parent
 */
export function swatch(look, role, parent) {
  const svg = el("svg", { viewBox: "0 0 26 8", "aria-hidden": "true", class: "swatch" }, parent);
  el("path", { d: "M0,4H26", ...lineOf(look, role) }, svg);
}

/** @typedef {[number, number] | number[]} Range */

/**
 * From a domain to a range, and back by `invert`.
 * @param {Range} domain
 * @param {Range} range
 */
export function linear([d0, d1], [r0, r1]) {
  /** @param {number} value */
  const scale = (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
  scale.invert = (/** @type {number} */ pixel) => d0 + ((pixel - r0) / (r1 - r0)) * (d1 - d0);
  return scale;
}

/**
 * @param {Range} domain
 * @param {Range} range
 */
export function log([d0, d1], range) {
  const scale = linear([Math.log(d0), Math.log(d1)], range);
  return (/** @type {number} */ value) => scale(Math.log(Math.max(value, d0 / 1e6)));
}

/**
 * The line through (x[i], y[i]), broken where y is not finite. Far-away values are cut, or browsers drop the whole path.
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 */
export function path(x, y) {
  let d = "";
  let pen = "M";
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(y[i])) {
      pen = "M";
      continue;
    }
    d += `${pen}${x[i].toFixed(1)},${Math.max(-9999, Math.min(9999, y[i])).toFixed(1)}`;
    pen = "L";
  }
  return d;
}

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
