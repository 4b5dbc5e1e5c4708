// How often learners are right over many new tasks: one task is an anecdote. Asked for when it is opened.

import { swatch } from "../shared/looks.js";
import { el } from "../shared/el.js";
import { sentence } from "../shared/server.js";
import { capital, when } from "../shared/words.js";

/** @import { Settings } from "./address.js" */
/** @import { Data } from "./words.js" */

/** @typedef {{ tasks: number, mean: number[], ci95: number[] }} Fresh */

/**
 * `fetchFresh(query)` promises what the server measured of one learner.
 * @param {Element} parent
 * @param {Pick<Data, "learners" | "looks"> & { fetchFresh: (query: { learner: string, freeze: string }) => Promise<Fresh> }} host
 */
export function freshTable(parent, { learners, looks, fetchFresh }) {
  const fold = el("details", { class: "fresh" }, parent);
  el("summary", {}, fold, "How often they are right, over many new tasks");
  const table = el("table", {}, fold);
  const about = el("p", { class: "about" }, fold);
  /** @type {Map<string, Fresh | string | null>} What was measured, what went wrong, or null while that is on its way. */
  const found = new Map();
  /** @type {Settings} */
  let settings;
  let step = 0;

  /** @param {Data["learners"][0]} learner */
  const frozen = ({ adapts }) => (adapts ? settings.freeze : "none");

  /** @param {string} learner @param {string} freeze */
  async function ask(learner, freeze) {
    const key = `${learner} ${freeze}`;
    if (found.has(key)) return;
    found.set(key, null);
    try {
      found.set(key, await fetchFresh({ learner, freeze }));
    } catch (error) {
      found.set(key, sentence(error));
    }
    draw();
  }

  const chosen = () => learners.filter(({ name }) => settings.learners.includes(name));

  function draw() {
    if (!fold.open) return;
    table.replaceChildren();
    let tasks = Infinity;
    for (const learner of chosen()) {
      const { name } = learner;
      const row = el("tr", {}, table);
      const head = el("th", { scope: "row" }, row);
      swatch(looks[name], name, head);
      head.append(looks[name].label);
      const measured = found.get(`${name} ${frozen(learner)}`);
      const cell = el("td", { "data-fresh": name }, row, typeof measured === "string" ? measured : "measuring …");
      if (!measured || typeof measured === "string") continue;
      tasks = Math.min(tasks, measured.tasks);
      const at = Math.min(step, measured.mean.length - 1);
      cell.textContent = `${(100 * measured.mean[at]).toFixed(1)}% ± ${(100 * measured.ci95[at]).toFixed(1)}`;
    }
    const each = tasks < Infinity ? ` over at least ${tasks.toLocaleString("en")} tasks` : "";
    about.textContent = `${capital(when(step))}: the share of questions answered right, mean ± 95% interval${each}.`;
  }

  fold.addEventListener("toggle", () => open());

  function open() {
    if (!fold.open) return;
    for (const learner of chosen()) ask(learner.name, frozen(learner));
    draw();
  }

  return {
    /** @param {Settings} newSettings @param {number} newStep */
    update(newSettings, newStep) {
      [settings, step] = [newSettings, newStep];
      open();
    },
  };
}
