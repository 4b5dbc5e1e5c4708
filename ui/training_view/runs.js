// The runs of this server as a table: which one is shown, and which are drawn beside it.

import { el } from "../task_plot/svg.js";
import { number } from "../task_plot/words.js";
import { count } from "./words.js";

const HEAD = ["compare", "run", "recipe", "state", "progress", "error after its inner steps"];

// `select(name)` shows a run; `compare(name, yes)` draws it beside the one shown, or not.
export function runTable(parent, { select, compare }) {
  const heading = el("h2", {}, parent, "Runs on this server");
  const scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Runs on this server" }, parent);
  const table = el("table", { class: "runs" }, scroller);
  const damaged = el("div", { class: "notes" }, parent);
  let drawn = "";

  return {
    update({ runs, damaged: broken }, selected, compared) {
      const now = JSON.stringify([runs.map(({ left, rate, ...row }) => row), broken, selected, [...compared]]);
      if (now === drawn) return; // a press must not fall on a row that is being replaced
      drawn = now;
      const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.of : null;
      heading.hidden = scroller.hidden = !runs.length;
      table.replaceChildren();
      const head = el("tr", {}, el("thead", {}, table));
      for (const name of HEAD) el("th", { scope: "col" }, head, name);
      const body = el("tbody", {}, table);
      for (const row of runs) {
        const line = el("tr", { class: row.name === selected ? "selected" : "", "data-run": row.name, "data-state": row.state }, body);
        const shown = row.name === selected;
        const first = el("td", {}, line);
        if (!shown) {
          const box = el("input", { type: "checkbox", "aria-label": `compare ${row.title}`, "data-of": `compare ${row.name}` }, first);
          box.checked = compared.has(row.name);
          box.addEventListener("change", () => compare(row.name, box.checked));
        }
        const name = el("th", { scope: "row" }, line);
        const button = el("button", { type: "button", class: "link", "aria-pressed": shown, "data-of": row.name }, name, row.title);
        button.addEventListener("click", () => select(row.name));
        if (row.mine) el("span", { class: "mine" }, name, "yours");
        const about = el("td", { class: "recipe", title: row.command }, line, row.recipe);
        if (row.note) el("span", { class: "note" }, about, row.note);
        el("td", { class: "state" }, line, row.state === "queued" && row.position ? `queued, number ${row.position}` : row.state);
        const progress = el("td", {}, line);
        el("progress", { max: row.max_steps, value: row.iteration, "aria-label": `${row.title}: iteration ${count(row.iteration)} of ${count(row.max_steps)}` }, progress);
        el("td", { class: "number" }, line, row.error ? `${number(row.error.mean)} ± ${row.error.ci95.toFixed(3)}` : "");
      }
      damaged.replaceChildren();
      for (const [name, problem] of Object.entries(broken)) el("p", { class: "alert" }, damaged, `${name}: ${problem}`);
      if (focused) table.querySelector(`[data-of="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    },
  };
}
