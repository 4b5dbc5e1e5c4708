// A button that destroys: it asks again, and forgets after a while.

import { el } from "../shared/el.js";

const SURE_MS = 4000;

export function sureButton(parent, name, title, then, label = name) {
  const button = el("button", { type: "button", title, "aria-label": label === name ? null : label }, parent, name);
  button.addEventListener("click", () => {
    if (button.dataset.sure) return then();
    const say = (sure) => {
      button.textContent = sure ? `${name}: sure?` : name;
      if (label !== name) button.setAttribute("aria-label", sure ? `${label}: sure?` : label);
      if (sure) button.dataset.sure = "true";
      else delete button.dataset.sure;
    };
    say(true);
    setTimeout(() => say(false), SURE_MS);
  });
  return button;
}
