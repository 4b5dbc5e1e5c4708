// The page's address, where the lab has it to itself: it follows the picture, and Back and forward bring others.

const PANEL = "panel";

// `went(query)` is called with the address parameters after Back or forward.
export function pageAddress(went) {
  const home = location.pathname, movers = [];
  const moved = () => {
    if (location.pathname !== home) return; // of another page, which Streamlit brings
    for (const mover of movers) mover();
    went(Object.fromEntries(new URLSearchParams(location.search)));
  };
  addEventListener("popstate", moved);

  return {
    // The address with these parameters of those named; others stay.
    of(query, names) {
      const to = new URL(location.href);
      for (const name of names) to.searchParams.delete(name);
      for (const name of names) if (name in query) to.searchParams.set(name, query[name]); // in Python's order
      return to.href;
    },
    // Back leads to the last picture worth remembering.
    write(query, names, remember) {
      const to = this.of(query, names);
      if (to !== location.href) history[remember ? "pushState" : "replaceState"](history.state, "", to);
    },
    // Which panel is open, null for the first one.
    get panel() { return new URLSearchParams(location.search).get(PANEL); },
    set panel(name) {
      const to = new URL(location.href);
      if (name === null) to.searchParams.delete(PANEL);
      else to.searchParams.set(PANEL, name);
      history.replaceState(history.state, "", to);
    },
    onMove(mover) { movers.push(mover); },
    remove() { removeEventListener("popstate", moved); },
  };
}
