// The two-parameter world in numbers: the gradients at theta and where each learner ends, and the tasks.

import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { number } from "../shared/words.js";
import { coordinate, degrees, point } from "./words.js";

/** @import { Look } from "../shared/looks.js" */
/** @import { sceneOf } from "./scene.js" */

/** @typedef {{ role: string | null, cells: string[] }} TableRow */

/**
 * @param {Element} parent
 * @param {Record<string, Look>} looks
 */
export function numbersOf(parent, looks) {
  const label = { class: "world-tables scroller", tabindex: 0, role: "group", "aria-label": "Numbers of this picture" };
  const box = el("div", label, parent);
  const gradients = table(box, looks, "Gradients at θ, and where each learner ends", [
    "learner",
    "length",
    "angle to MAML’s",
    "ends at",
    "loss there, before a step",
    "after a step",
  ]);
  const each = table(box, looks, "The tasks", ["task", "optimum", "curvatures", "loss at θ", "θ′ after a step", "loss at θ′"]);

  return {
    /** @param {ReturnType<typeof sceneOf>} scene */
    update({ rows, about }) {
      gradients(
        rows.map(({ name, label, norm, angle, end, losses }) => ({
          role: name,
          cells: [
            label,
            norm.toFixed(2),
            degrees(angle),
            ...(end && losses ? [point(end), ...losses.map((loss) => number(loss))] : ["diverges", "–", "–"]),
          ],
        })),
      );
      each(
        about.tasks.map(({ letter, centre, curvatures, loss, phi, lossAfter }) => ({
          role: null,
          cells: [letter, point(centre), curvatures.map(coordinate).join(" and "), number(loss), point(phi), number(lossAfter)],
        })),
      );
    },
  };
}

/**
 * What fills a table. Rows are made anew only when there are others; while things move, their text alone changes.
 * @param {Element} parent
 * @param {Record<string, Look>} looks
 * @param {string} caption
 * @param {string[]} columns
 */
function table(parent, looks, caption, columns) {
  const made = el("table", {}, parent);
  el("caption", {}, made, caption);
  const head = el("tr", {}, el("thead", {}, made));
  for (const column of columns) el("th", { scope: "col" }, head, column);
  const body = el("tbody", {}, made);
  let drawn = "";

  return (/** @type {TableRow[]} */ rows) => {
    const named = JSON.stringify(rows.map(({ cells: [name] }) => name));
    if (named !== drawn) {
      drawn = named;
      body.replaceChildren();
      for (const { role, cells } of rows) {
        const row = el("tr", {}, body);
        const first = el("th", { scope: "row" }, row);
        if (role) swatch(looks[role], role, first);
        first.append(cells[0]);
        for (const cell of cells.slice(1)) el("td", {}, row, cell);
      }
    }
    rows.forEach(({ cells: [, ...cells] }, i) =>
      cells.forEach((cell, k) => (body.children[i].children[k + 1].textContent = cell)),
    );
  };
}
