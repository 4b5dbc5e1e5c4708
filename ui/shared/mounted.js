// How a component lives on a page: one view for each parent, made once its style sheets are there, taken away with the parent.

import { leave } from "./address.js";
import { styled } from "./styles.js";

/**
 * What Streamlit gives a component, and how that tells it of a state or a trigger.
 * @typedef {object} Component
 * @property {HTMLElement} parentElement
 * @property {string} data
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/** @typedef {{ update?: (component: Component) => void, remove(): void }} View */

/**
 * What Streamlit calls, at every rerun and when the page is left. `make` gives the view; where that has `update`, it hears of every
 * rerun, the first one included. base: where the modules and the sheets lie; there is none on a saved page.
 * @param {string[]} sheets
 * @param {(parent: HTMLElement, component: Component, base?: string) => View} make
 */
export function mounted(sheets, make) {
  /** @type {WeakMap<HTMLElement, View>} */
  const views = new WeakMap();
  return {
    /**
     * @param {Component} component
     * @param {string} [base]
     */
    render(component, base) {
      styled(base, sheets).then(() => {
        const parent = component.parentElement;
        if (!parent.isConnected) return; // the page was left meanwhile
        if (!views.has(parent)) views.set(parent, make(parent, component, base));
        views.get(parent)?.update?.(component);
      });
    },
    /** @param {HTMLElement} parent */
    remove(parent) {
      leave();
      views.get(parent)?.remove();
      views.delete(parent);
    },
  };
}
