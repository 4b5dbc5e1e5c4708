// Drawing on SVG: elements, scales, and paths that survive values that are not finite.

const NS = "http://www.w3.org/2000/svg";

export function el(tag, attributes = {}, parent = null, text = null) {
  const node = tag === "svg" || parent?.namespaceURI === NS ? document.createElementNS(NS, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

// How large things are drawn: 1, and more for a projector. It follows the size of the type.
export const unitOf = (node) => parseFloat(getComputedStyle(node).fontSize) / 14 || 1;

// The attributes of a line in the look of its role.
export function lineOf(look, role, unit = 1) {
  return {
    style: `stroke: var(--${role})`,
    "stroke-width": look.width * unit,
    "stroke-dasharray": look.dash.map((length) => length * unit).join(" ") || null,
  };
}

// A short piece of a role's line, for keys.
export function swatch(look, role, parent) {
  const svg = el("svg", { viewBox: "0 0 26 8", "aria-hidden": "true", class: "swatch" }, parent);
  el("path", { d: "M0,4H26", ...lineOf(look, role) }, svg);
}

export function linear([d0, d1], [r0, r1]) {
  const scale = (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
  scale.invert = (pixel) => d0 + ((pixel - r0) / (r1 - r0)) * (d1 - d0);
  return scale;
}

export function log([d0, d1], range) {
  const scale = linear([Math.log(d0), Math.log(d1)], range);
  return (value) => scale(Math.log(Math.max(value, d0 / 1e6)));
}

// The line through (x[i], y[i]), broken where y is not finite. Far-away values are cut, or browsers drop the whole path.
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

// Positions near the wanted ones, in their order, at least `gap` apart and inside [low, high].
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
