// While something is hidden: the guess which learner is MAML, and the buttons that show what was hidden.

import { el } from "../shared/el.js";

// `reveal(guess)` shows the names; guess is a letter, or "" for none. `uncover()` shows the true curve.
export function voteBar(parent, { reveal, uncover }) {
  const bar = el("div", { class: "vote", role: "group", "aria-label": "What is hidden" }, parent);
  let view;
  let step;
  let guess = "";

  function draw() {
    bar.replaceChildren();
    bar.hidden = !view.blind && !view.truth_hidden;
    if (view.blind) {
      for (const l of view.learners) {
        const button = el("button", { type: "button", "aria-pressed": l.name === guess }, bar, `${l.label} is MAML`);
        button.addEventListener("click", () => {
          guess = l.name;
          if (step > 0) reveal(guess);
          else draw();
        });
      }
      const show = el("button", { type: "button", "aria-disabled": step === 0 }, bar, "Show the names");
      show.addEventListener("click", () => step > 0 && reveal(guess));
      if (step === 0)
        el("span", {}, bar, guess ? `You say ${guess}. Take one step to find out.` : "Guess, then take one step, or step first.");
    }
    if (view.truth_hidden) el("button", { type: "button" }, bar, "Show the true curve").addEventListener("click", uncover);
  }

  return {
    update(newView, newStep) {
      view = newView;
      step = newStep;
      if (!view.blind) guess = "";
      draw();
    },
    // A guess made before any step is settled by the first one.
    stepped(newStep) {
      const first = step === 0 && newStep > 0;
      step = newStep;
      if (!view.blind) return;
      if (first && guess) reveal(guess);
      else draw();
    },
  };
}
