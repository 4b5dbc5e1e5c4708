// The squares one draws in: one for each character with its name below, and a large one for the question.

import { el } from "../shared/el.js";
import { named } from "./address.js";
import { drawSeen, seenCanvas } from "./bars.js";
import { pad } from "./pad.js";

/** @import { Drawing, Stroke } from "./drawings.js" */

/**
 * Squares are counted: the characters', then the question's. `begins`, `drawn` as in pad.js; `pick(i)` where one picks instead of drawing.
 * @param {Element} parent
 * @param {{ names: string[], pen: number, longest: number, begins: (i: number) => { may: boolean, anew: boolean },
 *   drawn: (i: number, stroke: Stroke) => void, clear: (i: number) => void, rename: (i: number, name: string) => void,
 *   pick: (i: number) => void }} host
 */
export function squares(parent, { names, pen, longest, begins, drawn, clear, rename, pick }) {
  const given = el("div", { class: "signs", role: "group", "aria-label": "One drawing of each character" }, parent);
  const asking = el("div", { class: "question" }, parent);

  /** @param {Element} into @param {number} i */
  function square(into, i) {
    const made = pad(into, { pen, begins: () => begins(i), drawn: (stroke) => drawn(i, stroke) });
    const cross = el("button", { type: "button", class: "cross", title: "Clear this square" }, into, "×");
    cross.addEventListener("click", () => clear(i));
    return { ...made, cross };
  }

  const each = names.map((name, i) => {
    const box = el("div", { class: "sign" }, given);
    const made = square(box, i);
    const field = el(
      "input",
      { type: "text", class: "name", maxlength: 8 * longest, autocomplete: "off", spellcheck: "false" },
      box,
    );
    field.setAttribute("aria-label", `Name of character ${name}`);
    field.addEventListener("change", () => rename(i, named(field.value, longest)));
    field.addEventListener("keydown", (event) => event.key === "Enter" && field.blur());
    const choice = el("button", { type: "button", class: "pick" }, box);
    choice.addEventListener("click", () => pick(i));
    made.svg.addEventListener("click", () => box.parentElement?.classList.contains("picking") && pick(i));
    return { ...made, field, choice };
  });
  const box = el("div", { class: "sign asked" }, asking);
  const label = el("p", { class: "asked-label" }, box, "Which one is this?");
  const question = square(box, names.length);
  const view = el("p", { class: "as-seen" }, box);
  const canvas = seenCanvas(view, "The question as the network sees it");
  view.append("as the network sees it");
  const beside = el("div", { class: "beside" }, asking);

  return {
    beside,
    label,
    /** @param {{ drawings: Drawing[], names: string[], playing: boolean, hidden: boolean }} now */
    update({ drawings, names: called, playing, hidden }) {
      given.classList.toggle("picking", playing);
      [...each, question].forEach(({ update, cross, svg }, i) => {
        const isQuestion = i === names.length;
        const drawing = isQuestion && hidden ? [] : drawings[i];
        const what = isQuestion ? "The question" : `Character ${called[i]}`;
        const strokes = drawing.length === 1 ? "1 stroke" : `${drawing.length} strokes`;
        update(drawing, `${what}, ${drawing.length ? `drawn in ${strokes}` : "empty: draw here"}`);
        svg.classList.toggle("empty", !drawing.length);
        cross.hidden = playing || !drawing.length;
        cross.setAttribute("aria-label", isQuestion ? "Clear the question" : `Clear ${called[i]}`);
      });
      each.forEach(({ field, choice }, i) => {
        if (document.activeElement !== field) field.value = called[i];
        field.hidden = playing;
        choice.hidden = !playing;
        choice.textContent = called[i];
        choice.setAttribute("aria-label", `It is ${called[i]}`);
      });
    },
    /** @param {string | null} seen */
    see(seen) {
      view.style.visibility = seen ? "" : "hidden"; // its place is kept
      drawSeen(canvas, seen);
    },
  };
}
