// The task's plots: one for all learners, or one for each.

import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { onResize } from "../shared/resized.js";
import { taskPlot } from "./task.js";
import { lossWords } from "./words.js";

/** @import { Learner, View } from "./view.js" */

/**
 * Plots in `area`, made anew only when whose they are changes. `edit` is the task plot's; `resized()` is called when there is other room.
 * @param {HTMLElement} area
 * @param {{ edit: (shots: [number, number][], gesture?: string | null) => boolean, resized: () => void }} host
 */
export function taskPlots(area, { edit, resized }) {
  const seen = onResize(resized);
  /** @type {any[]} */
  let plots = [];
  /** @type {string | null} */
  let laidFor = null;

  /** @param {View} view */
  function lay(view) {
    const names = view.panels && view.learners.length > 1 ? view.learners.map((l) => l.name) : [null];
    const wanted = names.join();
    if (wanted === laidFor) return;
    laidFor = wanted;
    seen.disconnect();
    for (const { plot } of plots) plot.remove();
    area.replaceChildren();
    area.classList.toggle("several", names.length > 1);
    const columns = names.length > 4 ? Math.ceil(names.length / 2) : Math.min(names.length, names.length === 4 ? 2 : 3);
    area.style.setProperty("--columns", String(columns));
    area.style.setProperty("--rows", names.length > 3 ? "2" : "1");
    plots = names.map((name) => {
      const cell = name === null ? area : el("div", { class: "cell" }, area);
      const title = name === null ? null : el("p", { class: "panel-title", "data-title": name }, cell);
      return { plot: taskPlot(cell, { edit, only: name }), title, name };
    });
    for (const { plot } of plots) seen.observe(plot.svg);
  }

  return {
    /**
     * @param {View} view
     * @param {number} step
     */
    update(view, step) {
      lay(view);
      for (const { plot } of plots) plot.update(view, step);
    },
    /**
     * @param {number} step
     * @param {(learner: Learner) => Float32Array} [curveOf]
     */
    move(step, curveOf) {
      for (const { plot } of plots) plot.move(step, curveOf);
    },
    /**
     * The name and the loss over each plot that is one learner's.
     * @param {View} view
     * @param {number} step
     */
    say(view, step) {
      for (const { title, name } of plots) {
        const l = title && view.learners.find((l) => l.name === name);
        if (!l) continue;
        title.replaceChildren();
        swatch(view.looks[name], name, title);
        title.append(l.label);
        el("strong", { style: `color: var(--${name}-text)` }, title, lossWords(view, l.query[step]));
      }
    },
    remove() {
      seen.disconnect();
      for (const { plot } of plots) plot.remove();
    },
  };
}
