// Plotly, fetched once a page: its address stands in the page's head (ui/chart/plotly_file.py); a page that is its own file carries it.

import { el } from "../shared/el.js";

/** @type {Promise<any> | null} */
let asked = null;

/** Plotly itself; where it did not come, the next one who asks tries again. */
export function plotly() {
  return (asked ??= brought().catch((error) => {
    asked = null;
    throw error;
  }));
}

async function brought() {
  const named = document.querySelector("[data-plotly]");
  if (!named) throw new Error("This page does not name Plotly.");
  await painted(); // to run it takes half a second, in which nothing else is drawn
  if (named instanceof HTMLLinkElement) await fetched(named.href);
  else el("script", {}, document.head, await unpacked(/** @type {string} */ (named.textContent)));
  return /** @type {any} */ (globalThis).Plotly;
}

// Until what there is to draw without it is on the screen; there is no frame in a tab that nobody looks at.
const painted = () =>
  Promise.race([
    new Promise((done) => requestAnimationFrame(() => setTimeout(done))),
    new Promise((done) => setTimeout(done, 300)),
  ]);

/** @param {string} src */
function fetched(src) {
  const script = el("script", { src }, document.head);
  return new Promise((done, failed) => {
    script.onload = done;
    script.onerror = () => {
      script.remove();
      failed(new Error(`Plotly did not load from ${src}.`));
    };
  });
}

/** @param {string} base64 Of the compressed file. */
function unpacked(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}
