// Beside the maps: what one cell holds, of every learner, and three of its tasks to open in the lab.

import { swatch } from "../shared/looks.js";
import { json } from "../shared/server.js";
import { el } from "../shared/el.js";
import { alphaWords, interval, number } from "../shared/words.js";
import { cellName, percent } from "./words.js";

/** @import { Place } from "./words.js" */
/** @import { Maps } from "./maps.js" */

const EXAMPLES = { typical: "a typical task", best: "the best task", worst: "the worst task" };

/**
 * `heard` is called when the server has found tasks.
 * @param {Element} parent
 * @param {{ server: string, heard: () => void }} host
 */
export function readout(parent, { server, heard }) {
  const side = el("div", { class: "explore-side" }, parent);
  const title = el("h2", {}, side);
  const values = el("div", { class: "readout" }, side);
  const links = el("div", { class: "cell-links" }, side);
  /** @type {Map<string, any>} What the server said of the tasks of a cell, by the question. */
  const told = new Map();
  /** Of the cell that is picked, by what ends its questions. */
  let asking = { cell: "", stop: new AbortController() };

  /** @param {Maps} maps @param {Place} place */
  function drawValues(maps, [along, row, step]) {
    title.textContent = cellName(along, maps.rows[along][row], step);
    values.replaceChildren();
    const table = el("table", {}, values);
    const head = el("tr", {}, el("thead", {}, table));
    const body = el("tbody", {}, table);
    for (const name of ["", "mean ± 95%", "median", "diverged"]) el(name ? "th" : "td", name ? { scope: "col" } : {}, head, name);
    for (const l of maps.all) {
      const itself = maps.isAdded && l === maps.baseline;
      const map = maps.mapOf(l, itself ? "K" : along);
      const r = itself && along === "alpha" ? maps.rows.K.indexOf(maps.K) : row;
      const line = el("tr", {}, body);
      const name = el("th", { scope: "row" }, line);
      swatch(maps.looks[l.role], l.role, name);
      name.append(l.label);
      const alpha = itself ? l.alpha : (maps.alpha ?? l.alpha);
      if (along === "K" || itself) el("small", {}, name, ` α = ${alphaWords(alpha)}`);
      const cells = map
        ? [interval(map.mean[r][step], map.ci95[r][step]), number(map.median[r][step]), percent(map.diverged[r][step])]
        : ["measuring …", "", ""];
      for (const text of cells) el("td", {}, line, text);
    }
  }

  /** The three tasks of a cell, once the server has found them. @param {string} name Of the question. @param {boolean} ready */
  function examples(name, ready) {
    const found = told.get(name);
    if (found && (found.ready || !ready)) return found;
    told.set(name, { ...found, ready });
    json(`${server}examples.json?${name}`, { signal: asking.stop.signal })
      .then((answer) => {
        told.set(name, { ...answer, ready });
        heard();
      })
      .catch(() => told.delete(name));
    return found;
  }

  /** @param {Maps} maps @param {Place} place */
  function drawLinks(maps, [along, row, step]) {
    links.replaceChildren();
    const cell = [...maps.learners.map((l) => maps.parameters(l, along)), row, step].join();
    if (cell !== asking.cell) {
      asking.stop.abort();
      asking = { cell, stop: new AbortController() };
    }
    if (!maps.learners.some((l) => maps.mapOf(l, along))) return;
    const where = cellName(along, maps.rows[along][row], step).replace(/^./, (c) => c.toLowerCase());
    el("p", { class: "lead" }, links, `Open in the lab, ${where}:`);
    for (const l of maps.learners) {
      const map = maps.mapOf(l, along);
      if (!map) continue;
      const found = examples(`${maps.parameters(l, along)}&row=${row}&step=${step}`, map.tasks >= maps.tasks);
      const line = el("p", {}, links);
      if (maps.learners.length > 1) el("b", {}, line, `${l.label} `);
      if (!found?.typical) line.append("measuring …");
      for (const [which, words] of Object.entries(EXAMPLES)) {
        const task = found?.[which];
        if (!task) continue;
        const text = `${words}, ${task.loss === null || task.loss > maps.diverged ? "diverged" : number(task.loss)}`;
        if (task.href) el("a", { href: task.href, "data-example": which }, line, text);
        else el("span", { title: "The lab cannot show this task" }, line, `${text} (outside the lab’s range)`);
      }
    }
    const points = `These errors are the lab’s, over the whole curve; the maps use ${maps.points} points of it.`;
    el("p", { class: "about" }, links, points);
  }

  return {
    /**
     * The values of the cell one points at, or else of the one that is picked, whose tasks are linked to.
     * @param {Maps} maps
     * @param {Place} picked
     * @param {Place | null} pointed
     */
    update(maps, picked, pointed) {
      drawValues(maps, pointed ?? picked);
      drawLinks(maps, picked);
    },
    remove: () => asking.stop.abort(),
  };
}
