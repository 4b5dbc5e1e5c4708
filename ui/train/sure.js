// A button that destroys: it asks again, and forgets after a while.

import { el } from "../shared/el.js";

const SURE_MS = 4000;

const asking = new Map(); // what is to be destroyed -> until when it asks, though its button be drawn anew between two presses

// of: what is destroyed, told from all else on the page.
export function sureButton(parent, of, name, title, then, label = name) {
  const button = el("button", { type: "button", title, "aria-label": label === name ? null : label }, parent, name);
  const say = (sure) => {
    button.textContent = sure ? `${name}: sure?` : name;
    if (label !== name) button.setAttribute("aria-label", sure ? `${label}: sure?` : label);
    if (sure) button.dataset.sure = "true";
    else delete button.dataset.sure;
  };
  const ask = () => {
    const left = asking.get(of) - performance.now();
    if (!(left > 0)) return;
    say(true);
    setTimeout(() => say(false), left);
  };
  button.addEventListener("click", () => {
    if (button.dataset.sure) {
      asking.delete(of);
      return then();
    }
    asking.set(of, performance.now() + SURE_MS);
    ask();
  });
  ask();
  return button;
}
