// How roles look: their colours as custom properties of an element, in the shade of the theme on show, and again when that changes; their lines.

import { el } from "./el.js";

const TINT = { light: "20%", dark: "30%" }; // of a map's colours in the page's own: thin lines in tasks' colours keep 3:1 contrast to it

/**
 * How a role looks in all pictures.
 * @typedef {{ label: string, light: string, dark: string, width: number, dash: number[] }} Look
 */

/** @param {HTMLElement} root */
export function paint(root) {
  /** @type {Record<string, Look>} */
  let looks = {};
  /** @type {boolean | null} */
  let dark = null;
  /** @type {string | null} */
  let roles = null;

  function apply(newLooks = looks) {
    looks = newLooks;
    const probe = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(probe.slice(at, at + 2), 16));
    const isDark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
    const wanted = Object.keys(looks).join();
    if (isDark === dark && wanted === roles) return;
    [dark, roles] = [isDark, wanted];
    root.style.setProperty("--tint", dark ? TINT.dark : TINT.light);
    for (const [role, look] of Object.entries(looks)) {
      const colour = dark ? look.dark : look.light;
      root.style.setProperty(`--${role}`, colour);
      root.style.setProperty(`--${role}-text`, `color-mix(in srgb, ${colour} 76%, var(--ink))`); // thin strokes need more contrast
    }
    root.dispatchEvent(new CustomEvent("painted")); // to charts, which are told colours as they are
  }

  const again = () => apply();
  const themed = new MutationObserver(again);
  themed.observe(document.querySelector("[data-testid=stApp]") ?? document.body, {
    attributes: true,
    attributeFilter: ["class", "style"],
  });
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  preferred.addEventListener("change", again);

  return {
    apply,
    remove() {
      themed.disconnect();
      preferred.removeEventListener("change", again);
    },
  };
}

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
