// What one step does, with the numbers in it: the losses before and after, each layer's gradient, and how far each layer moved.

import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { isFrozen, layerNames } from "./view.js";
import { alphaWords, number } from "../shared/words.js";
import { lossWords } from "./words.js";

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const sub = (n) => [...String(n)].map((digit) => SUBSCRIPTS[digit]).join("");
const weights = (n) => (n === 0 ? "θ" : `θ′${sub(n)}`);
const size = (value) => (Number.isFinite(value) ? (value === 0 ? "0" : number(value)) : "∞");

export function oneStepPanel(parent) {
  const formula = el("p", { class: "formula" }, parent);
  const scroller = el(
    "div",
    { class: "scroller", tabindex: 0, role: "group", "aria-label": "What one step does, by layer" },
    parent,
  );
  const table = el("table", {}, scroller);
  const foot = el("p", { class: "about" }, parent);

  return {
    update(view, step) {
      const to = Math.max(step, 1);
      const from = to - 1;
      formula.textContent = `${weights(to)} = ${weights(from)} − α ∇L(${weights(from)}),  α = ${alphaWords(view.alpha)}`;
      table.replaceChildren();
      foot.textContent = "";
      if (!view.shots.length || !view.learners.length) {
        foot.textContent = view.learners.length ? "Without shots there is no gradient." : "No learner is chosen.";
        return;
      }
      const layers = Math.max(...view.learners.map((l) => l.layers));
      const head = el("tr", {}, el("thead", {}, table));
      el("th", { scope: "col" }, head, step ? `step ${step}` : "the first step");
      for (const name of layerNames(layers)) el("th", { scope: "col" }, head, name);
      const body = el("tbody", {}, table);
      for (const l of view.learners) {
        const title = el("tr", { class: "learner" }, body);
        const cell = el("th", { scope: "rowgroup", colspan: layers + 1 }, title);
        swatch(view.looks[l.name], l.name, cell);
        const change = (losses) => `${lossWords(view, losses[from])} → ${lossWords(view, losses[to])}`;
        cell.append(`${l.label}: loss on the shots ${change(l.support)}, error ${change(l.query)}`);
        row(body, "‖∇L‖", layers, l, (i) => size(l.gradient[from][i]));
        row(body, "moved", layers, l, (i) => (isFrozen(view, l, i) ? "frozen" : size(l.moved[to][i])));
      }
      foot.textContent = step ? "" : "This is what the first step will do.";
    },
  };
}

function row(body, name, layers, l, value) {
  const line = el("tr", {}, body);
  el("th", { scope: "row" }, line, name);
  for (let i = 0; i < layers; i++) {
    const own = i === layers - 1 ? l.layers - 1 : i < l.layers - 1 ? i : -1; // heads stand under each other
    el("td", {}, line, own < 0 ? "" : value(own));
  }
}
