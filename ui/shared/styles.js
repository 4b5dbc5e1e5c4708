// Style sheets, each fetched once: nothing is drawn on a page that is about to change its width.

import { el } from "./el.js";

const ALL = ["style.css", "shared/views.css"]; // what every view needs, below what its own sheets say
/** @type {Map<string, Promise<unknown>>} */
const sheets = new Map();

/**
 * A promise of these sheets below `base`, and of those that every view needs; at once where there is no base, as on a saved page, which
 * carries its own.
 * @param {string | undefined} base
 * @param {string[]} names
 * @returns {Promise<unknown>}
 */
export function styled(base, names) {
  if (!base) return Promise.resolve();
  return Promise.all([...ALL, ...names].map((name) => sheet(`${base}${name}`)));
}

/**
 * A promise of this sheet, asked for once.
 * @param {string} href
 * @returns {Promise<unknown>}
 */
export function sheet(href) {
  const asked = sheets.get(href);
  if (asked) return asked;
  const link = el("link", { rel: "stylesheet", href }, document.head);
  const loaded = new Promise((done) => (link.onload = link.onerror = done));
  sheets.set(href, loaded);
  return loaded;
}
