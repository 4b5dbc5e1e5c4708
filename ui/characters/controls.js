// Which learners are on show, and what of them may move.

import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";

/** @import { Data } from "./words.js" */
/** @import { Settings } from "./address.js" */

/** @type {Record<string, [name: string, help: string]>} */
const MOVING = {
  none: ["All layers move", "Every weight takes the gradient steps"],
  body: ["Only the head moves", "The features stay where they are; the last layer alone takes the steps"],
};

/**
 * @param {Element} parent
 * @param {Data} data
 * @param {{ set: (some: Partial<Settings>) => void }} host
 */
export function controls(parent, { learners, looks, freezes }, { set }) {
  /** @type {string[]} */
  let chosen = [];
  const toggles = learners.map(({ name }) => {
    const made = el("button", { type: "button" }, parent);
    swatch(looks[name], name, made);
    made.append(looks[name].label);
    made.addEventListener("click", () =>
      set({ learners: learners.map((l) => l.name).filter((other) => (other === name) !== chosen.includes(other)) }),
    );
    return { made, name };
  });
  const moving = el("div", { class: "moving", role: "group", "aria-label": "What moves" }, parent);
  const ways = freezes.map((freeze) => {
    const [words, title] = MOVING[freeze];
    const made = el("button", { type: "button", title }, moving, words);
    made.addEventListener("click", () => set({ freeze }));
    return { made, freeze };
  });
  moving.hidden = !learners.some(({ adapts }) => adapts);

  return {
    /** @param {Settings} settings */
    update(settings) {
      chosen = settings.learners;
      for (const { made, name } of toggles) made.setAttribute("aria-pressed", String(chosen.includes(name)));
      for (const { made, freeze } of ways) made.setAttribute("aria-pressed", String(settings.freeze === freeze));
    },
  };
}
