// Colours as Plotly takes them, which knows neither custom properties nor mixed colours.

import { el } from "../shared/el.js";

/**
 * What a colour comes to in the theme on show; asked for once until `forget`.
 * @param {Element} parent
 */
export function colours(parent) {
  const probe = el("span", { hidden: true, "aria-hidden": "true" }, parent);
  /** @type {Map<string, string>} */
  const known = new Map();
  /** @param {string} colour As in CSS, `var(--maml)` too. */
  const found = (colour) => {
    probe.style.color = colour;
    return plain(getComputedStyle(probe).color);
  };
  return {
    /** @param {string} colour */
    of: (colour) => known.get(colour) ?? /** @type {string} */ (known.set(colour, found(colour)).get(colour)),
    forget: () => known.clear(),
  };
}

/**
 * Mixed colours are computed to color(srgb …), with parts of one.
 * @param {string} computed
 */
export function plain(computed) {
  const parts = computed.match(/-?[\d.]+(e-?\d+)?/g)?.map(Number) ?? [0, 0, 0];
  const whole = computed.startsWith("color(") ? 255 : 1;
  const [red, green, blue] = parts.slice(0, 3).map((part) => Math.round(Math.min(Math.max(part * whole, 0), 255)));
  return parts[3] === undefined ? `rgb(${red}, ${green}, ${blue})` : `rgba(${red}, ${green}, ${blue}, ${parts[3]})`;
}
