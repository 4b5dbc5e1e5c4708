// Style sheets, each fetched once: nothing is drawn on a page that is about to change its width.

import { el } from "./svg.js";

const sheets = new Map();

// A promise of these sheets below `base`; at once where there is no base, as on a saved page, which carries its own.
export function styled(base, names) {
  if (!base) return Promise.resolve();
  return Promise.all(names.map((name) => {
    const href = `${base}${name}`;
    if (!sheets.has(href)) sheets.set(href, load(href));
    return sheets.get(href);
  }));
}

function load(href) {
  const link = el("link", { rel: "stylesheet", href }, document.head);
  return new Promise((done) => (link.onload = link.onerror = done));
}
