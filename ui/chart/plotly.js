// Plotly, fetched once a page: its name stands in the page's head (ui/page_html.py); a page that is its own file carries it.

import { el } from "../shared/el.js";

/** @type {Promise<any> | null} */
let asked = null;

/** Plotly itself; a fetch that failed is tried again by the next one who asks. */
export function plotly() {
  const found = /** @type {any} */ (globalThis).Plotly;
  return (asked ??= found ? Promise.resolve(found) : fetched());
}

function fetched() {
  const named = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[data-plotly]"));
  return new Promise((done, failed) => {
    if (!named) return failed(new Error("This page does not name Plotly."));
    const script = el("script", { src: named.href }, document.head);
    script.onload = () => done(/** @type {any} */ (globalThis).Plotly);
    script.onerror = () => {
      asked = null;
      script.remove();
      failed(new Error(`Plotly did not load from ${named.href}.`));
    };
  });
}
