// Tabs: a few panels of which one is shown. The one shown stands in the page's address, where there is one, so that a link can point at it.

import { el, set } from "../shared/el.js";

/**
 * panels: [[name, title], ...]. Gives each panel's element by name. `shown(name)` is called when another one is opened.
 * @param {Element} parent
 * @param {string[][]} panels
 * @param {{ address: { panel: string | null } | null, shown: (name: string) => void }} host
 */
export function tabs(parent, panels, { address, shown }) {
  const id = Math.random().toString(36).slice(2);
  const list = el("div", { class: "tabs", role: "tablist", "aria-label": "About this picture" }, parent);
  /** @type {Record<string, HTMLElement>} */
  const bodies = {};
  /** @type {Record<string, HTMLElement>} */
  const heads = {};
  for (const [name, title] of panels) {
    heads[name] = el(
      "button",
      { type: "button", role: "tab", id: `tab-${name}-${id}`, "aria-controls": `panel-${name}-${id}` },
      list,
      title,
    );
    bodies[name] = el(
      "div",
      { class: `panel panel-${name}`, role: "tabpanel", id: `panel-${name}-${id}`, "aria-labelledby": `tab-${name}-${id}` },
      parent,
    );
    heads[name].addEventListener("click", () => open(name, true));
  }
  list.addEventListener("keydown", (event) => {
    const names = Object.keys(heads);
    const at = names.indexOf(current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    open(names[(to + names.length) % names.length], true);
    heads[current].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  let current = panels[0][0];

  /**
   * @param {string} name
   * @param {boolean} asked
   */
  function open(name, asked) {
    current = name;
    for (const other of Object.keys(heads)) {
      const on = other === name;
      set(heads[other], { "aria-selected": on });
      heads[other].tabIndex = on ? 0 : -1;
      bodies[other].hidden = !on;
    }
    shown(name);
    if (asked && address) address.panel = name === panels[0][0] ? null : name;
  }

  return {
    bodies,
    get current() {
      return current;
    },
    // What the address says.
    read() {
      const asked = address?.panel ?? "";
      open(Object.hasOwn(heads, asked) ? asked : panels[0][0], false);
    },
  };
}
