// The keys of a view with a step bar, which work wherever nothing else wants them; a focused shot keeps its own arrows (lab/task.js).

import { wayOf } from "./history.js";

const TAKEN =
  "input, textarea, select, [contenteditable], [role=slider], [role=listbox], [role=combobox], [role=dialog], [role=menu]";

/**
 * Listen, until the function that this returns is called. On somebody else's page keys work in the view alone; but where that page is
 * presented, a lecturer's clicker moves the steps wherever the focus is.
 * root: the view. isPage: whether the page is its own. `free()` says whether keys may do anything now, `presented()` whether the view
 * fills the screen. `by(steps)`, `toggle()`, `jump(step)` and `last()` are the step bar's; `travel(way)` undoes and redoes; `ask(name)`
 * is what a button asks for.
 * @param {HTMLElement} root
 * @param {{ isPage: boolean, free: () => boolean, presented: () => boolean, by: (steps: number) => void, toggle: () => void,
 *   jump: (step: number) => void, last: () => number, travel: (way: "undo" | "redo") => void, ask: (name: string) => void }} view
 */
export function stepKeys(root, { isPage, free, presented, by, toggle, jump, last, travel, ask }) {
  const back = () => by(-1);
  const forward = () => by(1);
  /** @type {Record<string, () => void>} */
  const acts = { ArrowLeft: back, ArrowRight: forward, " ": toggle, Home: () => jump(0), End: () => jump(last()) };
  /** @type {Record<string, () => void>} */
  const clicker = { ArrowLeft: back, ArrowRight: forward, PageUp: back, PageDown: forward };
  /** @type {Record<string, () => void>} */
  const large = { r: () => jump(0), n: () => ask("new_task"), Escape: () => ask("present") };

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (!free() || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const on = /** @type {Element} */ (event.target);
    const here = isPage || root.contains(on);
    if (on.closest?.(TAKEN)) return;
    if (event.ctrlKey || event.metaKey) {
      const way = wayOf(event);
      if (!way || !here) return;
      travel(way);
      event.preventDefault();
      return;
    }
    if (event.key === " " && on.closest?.("button, summary, a, [role=button]:not(.shot)")) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = (here && acts[name]) || (root.closest(".present") && clicker[name]) || (presented() && large[name]);
    if (!act) return;
    act();
    event.preventDefault();
  }
  document.addEventListener("keydown", key);
  return () => document.removeEventListener("keydown", key);
}
