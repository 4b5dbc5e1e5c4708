// The few buttons of a chart: save it, and the whole of it again after a zoom. They show when the pointer or the focus is on the chart.

import { el } from "../shared/el.js";
import { DRAWN, savePng, saveSvg } from "./save.js";

/**
 * keep: the name of the file, without its ending. `reset` shows the whole chart.
 * @param {HTMLElement} chart
 * @param {{ keep: string, reset: () => void }} host
 */
export function tools(chart, { keep, reset }) {
  const bar = el("div", { class: "tools", role: "group", "aria-label": "This chart" }, chart);
  /** @param {string} name @param {string} title @param {() => void} act */
  const button = (name, title, act) => {
    const made = el("button", { type: "button", title }, bar, name);
    made.addEventListener("click", act);
    made.addEventListener("pointerdown", (event) => event.stopPropagation()); // the chart takes presses as places
    return made;
  };
  const whole = button("whole", "Show the whole chart again (or double-click it)", reset);
  whole.hidden = true;
  button("PNG", "Save this chart as a picture", () => savePng(chart, `${keep}.png`, DRAWN, ""));
  button("SVG", "Save this chart as a drawing", () => saveSvg(chart, `${keep}.svg`, DRAWN, ""));
  return { zoomed: (/** @type {boolean} */ yes) => (whole.hidden = !yes) };
}
