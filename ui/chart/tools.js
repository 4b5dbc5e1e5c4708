// The few buttons of a chart: save it, and the whole of it again after a zoom. They show when the pointer or the focus is on the chart.

import { el } from "../shared/el.js";
import { DRAWN, savePng, saveSvg } from "./save.js";

/**
 * keep: the name of the file, without its ending. `reset` shows the whole chart. title: of what stands beside the chart and is saved with it.
 * @param {HTMLElement} chart
 * @param {{ keep: string, title?: string, reset: () => void }} host
 */
export function tools(chart, { keep, title = "", reset }) {
  const saved = () => (/** @type {Element} */ (title ? chart.parentElement : chart));
  const bar = el("div", { class: "tools", role: "group", "aria-label": "This chart" }, chart);
  /** @param {string} name @param {string} help @param {() => void} act */
  const button = (name, help, act) => {
    const made = el("button", { type: "button", title: help }, bar, name);
    made.addEventListener("click", act);
    made.addEventListener("pointerdown", (event) => event.stopPropagation()); // the chart takes presses as places
    return made;
  };
  const whole = button("whole", "Show the whole chart again (or double-click it); Shift and a drag move it", reset);
  whole.hidden = true;
  button("PNG", "Save this chart as a picture", () => savePng(saved(), `${keep}.png`, DRAWN, title));
  button("SVG", "Save this chart as a drawing", () => saveSvg(saved(), `${keep}.svg`, DRAWN, title));
  return { zoomed: (/** @type {boolean} */ yes) => (whole.hidden = !yes) };
}
