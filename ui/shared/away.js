// On every page: what a person reads while the server is away, until it is back. Streamlit's own words are about a terminal.

import { el } from "./el.js";
import { STAYS } from "./server.js";

const MISSED_MS = 3000; // a line of Streamlit's that is back before was not missed
const STATE = "data-test-connection-state";

const said = el("p", { class: "server-away", role: "status" }, document.body);
/** @type {Set<unknown>} */
const missing = new Set();
/** @type {number | undefined} */
let timer;

/**
 * Whoever asks the server again and again says here that it is away, and that it is back.
 * @param {unknown} who
 * @param {boolean} isAway
 */
export function missed(who, isAway) {
  missing[isAway ? "add" : "delete"](who);
  const app = document.querySelector(`[${STATE}]`);
  if (!app) return;
  const { color, backgroundColor } = getComputedStyle(app);
  Object.assign(said.style, { color, backgroundColor });
  said.textContent = missing.size ? STAYS : "";
}

new MutationObserver(([{ target }]) => {
  if (/** @type {Element} */ (target).getAttribute(STATE) === "CONNECTED") {
    clearTimeout(timer);
    timer = undefined;
    missed(document, false);
  } else timer ??= setTimeout(missed, MISSED_MS, document, true);
}).observe(document.body, { subtree: true, attributeFilter: [STATE] });
