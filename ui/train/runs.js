// The runs of this server as a table: which one is shown, and which are drawn beside it.

import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { EXACT, interval } from "../shared/rounding.js";
import { count } from "./words.js";

const HEAD = ["compare", "run", "recipe", "state", "progress", "latest error"];

// `select(name)` shows a run; `compare(name, yes)` draws it beside the one shown, or not, and says whether it could.
export function runTable(parent, { looks, select, compare }) {
  const heading = el("h2", {}, parent, "Runs on this server");
  const scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Runs on this server" }, parent);
  const table = el("table", { class: "runs" }, scroller);
  const notes = el("div", { class: "notes" }, parent);
  let drawn = "";
  let cells = new Map();

  function lay(rows, selected, letters) {
    const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.of : null;
    table.replaceChildren();
    cells = new Map();
    const head = el("tr", {}, el("thead", {}, table));
    for (const name of HEAD) el("th", { scope: "col", class: name }, head, name);
    const body = el("tbody", {}, table);
    for (const row of rows) {
      const shown = row.name === selected;
      const letter = letters.get(row.name);
      const line = el("tr", { class: shown ? "selected" : "", "data-run": row.name }, body);
      const first = el("td", { class: "compare" }, line);
      if (!shown) {
        const box = el(
          "input",
          { type: "checkbox", "aria-label": `compare ${row.title}`, "data-of": `compare ${row.name}` },
          first,
        );
        box.checked = Boolean(letter);
        box.addEventListener("change", () => {
          if (!compare(row.name, box.checked)) box.checked = !box.checked;
        });
      }
      if (letter) {
        swatch(looks[letter], letter, first);
        first.append(letter);
      }
      const name = el("th", { scope: "row" }, line);
      const button = el("button", { type: "button", class: "link", "aria-pressed": shown, "data-of": row.name }, name, row.title);
      button.addEventListener("click", () => select(row.name));
      if (row.mine) el("span", { class: "mine" }, name, "yours");
      const about = el("td", { class: "recipe" }, line, `${row.recipe} · ${row.outer}`);
      const from = row.parent ? `continues from iteration ${count(row.parent.iteration)} of ${row.parent.run}` : "";
      if (from || row.note) el("span", { class: "note" }, about, [from, row.note].filter(Boolean).join(" · "));
      const state = el("td", { class: "state" }, line);
      const progress = el("progress", {}, el("td", { class: "progress" }, line));
      cells.set(row.name, { line, state, progress, error: el("td", { class: "number" }, line) });
    }
    if (focused) table.querySelector(`[data-of="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  return {
    // letters: of the runs drawn beside the one selected.
    update({ runs, older, damaged }, selected, letters) {
      heading.hidden = scroller.hidden = !runs.length;
      const fixed = ({ name, title, note, mine, recipe, outer }) => [name, title, note, mine, recipe, outer];
      const now = JSON.stringify([runs.map(fixed), selected, [...letters]]);
      if (now !== drawn) lay(runs, selected, letters); // else a press must not fall on a row that is being replaced
      drawn = now;
      for (const row of runs) {
        const { line, state, progress, error } = cells.get(row.name);
        line.dataset.state = row.state;
        state.textContent = row.state === "queued" && row.position ? `queued, number ${row.position}` : row.state;
        Object.assign(progress, { max: row.max_steps, value: row.iteration });
        progress.setAttribute("aria-label", `${row.title}: iteration ${count(row.iteration)} of ${count(row.max_steps)}`);
        error.textContent = row.error ? interval(row.error.mean, row.error.ci95, EXACT) : "";
      }
      notes.replaceChildren();
      if (older) el("p", {}, notes, `${count(older)} older ${older === 1 ? "run is" : "runs are"} not listed.`);
      for (const [name, problem] of Object.entries(damaged)) el("p", { class: "alert" }, notes, `${name}: ${problem}`);
    },
  };
}
