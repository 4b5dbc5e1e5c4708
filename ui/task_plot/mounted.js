// How a component lives on a page: one view for each parent, made once its style sheets are there, taken away with the parent.

import { leave } from "./address.js";
import { styled } from "./styles.js";

// What Streamlit calls, at every rerun and when the page is left. `make(parent, component, base)` gives the view; where that has
// `update(component)`, it hears of every rerun, the first one included.
export function mounted(sheets, make) {
  const views = new WeakMap();
  return {
    render(component, base) {
      styled(base, sheets).then(() => {
        const parent = component.parentElement;
        if (!parent.isConnected) return; // the page was left meanwhile
        if (!views.has(parent)) views.set(parent, make(parent, component, base));
        views.get(parent).update?.(component);
      });
    },
    remove(parent) {
      leave();
      views.get(parent)?.remove();
      views.delete(parent);
    },
  };
}
