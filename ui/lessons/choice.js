// An answer that is one of a few.

import { el } from "../shared/el.js";
import { inline } from "./parts.js";

// Every kind of answer: `changed()` when there is another one; value(): its text, or null; lock(text): show a given one, for good;
// show(truth): mark what is so beside it.
export function choiceAnswer(parent, { answer, label, changed }) {
  const group = el("fieldset", { class: "options", "aria-label": label }, parent);
  const name = `choice-${Math.random().toString(36).slice(2)}`;
  const rows = answer.options.map((html, i) => {
    const row = el("label", { class: "option" }, group);
    const input = el("input", { type: "radio", name, value: i }, row);
    inline(row, html);
    input.addEventListener("change", changed);
    el("span", { class: "option-edge" }, row); // what is chosen and what has the keyboard show on it: a label cannot ask its input
    return { row, input, mark: el("span", { class: "mark" }, row) };
  });
  let locked = null;

  return {
    value: () => group.querySelector("input:checked")?.value ?? null,
    missing: "Choose an option first.",
    lock(text) {
      locked = Number(text);
      group.classList.add("locked");
      for (const [i, { row, input, mark }] of rows.entries()) {
        input.checked = i === locked;
        input.disabled = true;
        row.classList.toggle("yours", i === locked);
        mark.textContent = i === locked ? "your prediction" : "";
      }
    },
    show(truth) {
      rows[truth].row.classList.add("so");
      rows[truth].mark.textContent = truth === locked ? "your prediction, right" : "right";
    },
    remove() {},
  };
}
