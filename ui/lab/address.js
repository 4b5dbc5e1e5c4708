// The lab page's address: it follows the picture, and Back and forward bring others.

import { current, currentWith, push, write } from "../shared/address.js";

const PANEL = "panel";

// `went(query)` is called with the address parameters after Back or forward.
export function labAddress(went) {
  const home = location.pathname;
  const movers = [];
  const moved = () => {
    if (location.pathname !== home) return; // of another page, which Streamlit brings
    for (const mover of movers) mover();
    went(Object.fromEntries(current().searchParams));
  };
  addEventListener("popstate", moved);
  const all = (query, names) => Object.fromEntries(names.map((name) => [name, query[name] ?? null])); // in Python's order

  return {
    // The address with these parameters of those named; others stay.
    of: (query, names) => currentWith(all(query, names)).href,
    // remember: Back leads to the picture before.
    write: (query, names, remember) => (remember ? push : write)(all(query, names)),
    // Which panel is open, null for the first one.
    get panel() {
      return current().searchParams.get(PANEL);
    },
    set panel(name) {
      write({ [PANEL]: name });
    },
    onMove(mover) {
      movers.push(mover);
    },
    remove() {
      removeEventListener("popstate", moved);
    },
  };
}
