// The inner loop as the paper and maml_core/algorithms.py have it, with this task's values; the line being executed is lit.

import { el } from "../shared/el.js";
import { alphaWords, number, shots } from "../shared/words.js";
import { lossWords } from "./words.js";

// The parts of a step that can be lit, each with its line.
const LINES = [
  ["start", "θ′ ← θ"],
  ["repeat", "repeat num_updates times:"],
  ["loss", "L ← loss(θ′, x, y)"],
  ["gradient", "g ← ∇ L(θ′)"],
  ["update", "θ′ ← θ′ − α g"],
  ["judge", "loss(θ′, x∗, y∗)"],
];
const INSIDE = ["loss", "gradient", "update"]; // of the loop

const ABOUT = [
  "The inner loop (Finn et al. 2017, Algorithm 2). Every learner runs these lines on the same shots x, y. They differ in θ, where they start; " +
    "also, ANIL moves only the head, and Meta-SGD has learned an α for each weight. A step with a single α changes the weights in the direction in which the loss on the shots falls fastest.",
  "Pretraining looked for the θ with the smallest loss before any step. MAML looked for the θ with the smallest loss after the steps, min over θ of " +
    "Σ L(θ − α∇L(θ)): its meta-gradient goes through the update above. Before any step, both draw nearly the same curve, the mean of all tasks; " +
    "but one step from MAML’s weights leads close to each task.",
];

// `source(name)` promises the text of a function of the engine, and `sourceAddress` is where all of it stands; both null where there is no server.
export function algorithmPanel(parent, { source, sourceAddress }) {
  const head = el("div", { class: "algorithm-head" }, parent);
  el("code", {}, head, "adapt(loss, θ, x, y, α, num_updates)");
  const who = el("select", { "aria-label": "learner whose values are shown" }, head);
  const list = el("ol", { class: "algorithm" }, parent);
  const rows = {};
  for (const [name, text] of LINES) {
    const row = el("li", { class: INSIDE.includes(name) ? "inside" : "", "data-line": name }, list);
    el("code", {}, row, text);
    rows[name] = { row, value: el("span", { class: "value" }, row) };
  }
  for (const text of ABOUT) el("p", { class: "about" }, parent, text);
  if (source) codeFold(parent, source, sourceAddress);
  who.addEventListener("change", () => show());
  let view;
  let step;
  let lit = "start";

  function show() {
    const l = view.learners.find((l) => l.name === who.value) ?? view.learners[0];
    const coming = lit === "loss" || lit === "gradient" || step === 0; // values of the step to come, or of the one that led here
    const from = coming ? step : step - 1;
    const value = {
      start: l ? `θ of ${l.label}` : "",
      repeat: `step ${step} of ${view.updates}`,
      loss: l && view.shots.length ? `L = ${lossWords(view, l.support[from])} on ${shots(view.shots.length)}` : "no shots",
      gradient: l && view.shots.length ? `‖g‖ = ${size(l.gradient[from])}` : "",
      update: !coming && l ? `moved by ${size(l.moved[step])}, α = ${alphaWords(view.alpha)}` : `α = ${alphaWords(view.alpha)}`,
      judge: l ? `error ${lossWords(view, l.query[step])} on the whole curve` : "",
    };
    for (const [name, { row, value: cell }] of Object.entries(rows)) {
      cell.textContent = value[name];
      row.classList.toggle("lit", name === lit);
      if (name === lit) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    }
  }

  return {
    update(newView, newStep) {
      view = newView;
      if (newStep !== step) lit = newStep ? "update" : "start";
      step = newStep;
      const chosen = who.value;
      who.replaceChildren();
      for (const l of view.learners) el("option", { value: l.name }, who, l.label);
      if (view.learners.some((l) => l.name === chosen)) who.value = chosen;
      who.hidden = view.learners.length < 2;
      show();
    },
    // part: "loss" or "gradient", what is looked at before the next step; null when that step is not taken after all.
    think(part) {
      lit = part ?? (step ? "update" : "start");
      show();
    },
  };
}

// The length of a gradient or a movement, over all layers.
const size = (layers) => {
  const length = Math.hypot(...layers);
  return Number.isFinite(length) ? number(length) : "∞";
};

function codeFold(parent, source, sourceAddress) {
  const fold = el("details", { class: "code" }, parent);
  el("summary", {}, fold, "These lines in maml_core/algorithms.py");
  const code = el("pre", { tabindex: 0, "aria-label": "inner_step and adapt, in Python" }, fold);
  const link = el("a", { href: sourceAddress, target: "_blank", rel: "noopener" }, fold, "all of algorithms.py");
  fold.addEventListener("toggle", async () => {
    if (!fold.open || code.textContent) return;
    try {
      code.textContent = `${await source("inner_step")}\n\n${await source("adapt")}`;
      link.before(code);
    } catch {
      code.textContent = "";
      link.textContent = "The server did not answer. Open all of algorithms.py";
    }
  });
}
