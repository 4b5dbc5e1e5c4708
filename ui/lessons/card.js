// A lesson card in the browser: its question with an answer to commit, and what comes of it. Made for every page that shows cards:
// what they need of styles is SHEETS (parts.js), for styled().

import { el } from "../shared/el.js";
import { choiceAnswer } from "./choice.js";
import { heading, prose, section } from "./parts.js";
import { sketchAnswer } from "./sketch.js";
import { sliderAnswer } from "./slider.js";
import { stillTask, stillWorld } from "./still.js";

export { observePart } from "./observe.js";
export { SHEETS } from "./parts.js";

const ANSWERS = { choice: choiceAnswer, slider: sliderAnswer, sketch: sketchAnswer };

// The question, the still picture that it is about, and the answer, which `commit(text)` hears of once and which is then locked;
// where it gives a promise, the answer is said to be committed when that is kept.
// card: what lessons/card.json says; committed: the text of an answer given before.
// Gives { lock(text), show(truth), remove() }: lock an answer given elsewhere; mark the truth of answer.json beside it.
export function questionPart(parent, { card, looks, commit, committed = null }) {
  const part = section(parent, looks, "question", card.headings[0]);
  const stage = el("div", { class: "stage" }, part.root);
  const asked = el("div", { class: "asked" }, part.root);
  const still =
    card.view === "world" ? stillWorld(stage, { query: card.predict, looks }) : stillTask(stage, { query: card.predict });
  heading(asked, card.headings[0]);
  prose(asked, card.question);
  const answer = ANSWERS[card.answer.kind](el("div", { class: "answer" }, asked), {
    answer: card.answer,
    label: card.headings[0],
    looks,
    stage,
    changed,
  });
  const bar = el("div", { class: "commit-bar" }, asked);
  const button = el("button", { type: "button", class: "primary commit" }, bar, "Commit");
  const said = el("p", { class: "commit-said", role: "status" }, bar);
  let locked = false;

  function changed() {
    button.setAttribute("aria-disabled", answer.value() === null);
    said.textContent = "";
  }

  function lock(text) {
    if (locked) return;
    locked = true;
    answer.lock(text);
    button.hidden = true;
    said.textContent = "Committed.";
  }

  button.addEventListener("click", () => {
    const text = answer.value();
    if (text === null) said.textContent = answer.missing;
    else {
      lock(text);
      const sent = commit(text);
      if (!sent?.then) return;
      said.textContent = "Sending …";
      sent.then(
        () => (said.textContent = "Committed."),
        () => (said.textContent = ""),
      );
    }
  });
  changed();
  if (committed !== null) lock(committed);

  return {
    lock,
    show: answer.show,
    remove() {
      answer.remove();
      still.remove();
      part.remove();
    },
  };
}
