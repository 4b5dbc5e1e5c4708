// The numbers at this step: a card for each learner, and what to make of them in words.

import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { lossWords, numbers, remarks, usual } from "./words.js";

/** @import { View } from "./view.js" */

const FEW = 4; // more learners than this have cards of one line, and so has a projector

/** @param {Element} parent */
export function numberCards(parent) {
  const sentence = el("p", { class: "sentence" }, parent);
  const cards = el("div", { class: "cards" }, parent);
  const notes = el("div", { class: "notes" }, parent);

  /** @param {string} text */
  function note(text, alert = false) {
    if (text) el("p", { class: alert ? "alert" : "" }, notes, text);
  }

  return {
    /**
     * @param {View} view
     * @param {number} step
     */
    update(view, step) {
      const many = view.learners.length > FEW || view.present;
      cards.replaceChildren();
      cards.classList.toggle("many", many);
      for (const l of view.learners) {
        const card = el("div", { class: "card" }, cards);
        const name = el("span", { class: "card-label" }, card);
        swatch(view.looks[l.name], l.name, name);
        name.append(many ? l.label : `${l.label}, error`);
        el("strong", { style: `color: var(--${l.name}-text)`, "data-loss": l.name }, card, lossWords(view, l.query[step]));
        el(
          "span",
          { class: "card-label" },
          card,
          view.shots.length ? `error on the shots ${lossWords(view, l.support[step])}` : "no shots",
        );
      }
      sentence.textContent = numbers(view, step);
      notes.replaceChildren();
      for (const remark of remarks(view, step)) note(remark.text, remark.alert);
      note(usual(view, step));
    },
  };
}
