// The page's address as it is wanted: the one place that writes the browser's history.
//
// A browser lets a page write so often (WebKit 100 times in 10 seconds, others 200), then throws, or drops the write without a word.
// So the address is written at rest, seldom enough, and once more if it was refused: nothing that is drawn or sent depends on it.

const REST_MS = 300; // after the last change
const AGAIN_MS = 1000; // after a refusal
const MOST = 50;
const WHILE_MS = 10_000; // writes in a while: Streamlit has to write too, and fails where it is refused

/** @typedef {Record<string, string | number | null>} Query */
/** @typedef {{ query: Query, alone: boolean }} Edit */

/** @type {Edit | null} What is wanted of the entry that is open. */
let open = null;
/** @type {Edit | null} What is wanted of the one that is to follow it. */
let next = null;
let path = location.pathname;
/** @type {number | undefined} */
let timer;
/** @type {number[]} */
const written = []; // when

/**
 * @param {Edit | null} before
 * @param {Edit} edit
 */
const merged = (before, edit) => (!before || edit.alone ? edit : { ...before, query: { ...before.query, ...edit.query } });

/**
 * @param {string | URL} address
 * @param {Edit | null} edit
 */
function edited(address, edit) {
  const to = new URL(address);
  if (!edit) return to;
  if (edit.alone) [to.search, to.hash] = ["", ""];
  for (const name of Object.keys(edit.query)) to.searchParams.delete(name);
  for (const [name, value] of Object.entries(edit.query)) if (value !== null) to.searchParams.set(name, String(value));
  return to;
}

// The address as it is wanted: the browser's may be behind.
export function current() {
  stay();
  return edited(edited(location.href, open), next);
}

/**
 * The wanted address with these parameters too, in this order; null takes one away. alone: with none but these, and no fragment.
 * @param {Query} query
 */
export const currentWith = (query, { alone = false } = {}) => edited(current(), { query, alone });

/**
 * Have these parameters in the address, in its place in the history.
 * @param {Query} query
 */
export function write(query, { alone = false } = {}) {
  const edit = { query, alone };
  const before = current();
  if (edited(before, edit).href === before.href) return;
  if (next) next = merged(next, edit);
  else open = merged(open, edit);
  later(REST_MS);
}

/**
 * The same as a step of its own: Back leads to the address before. What is refused is one step, once it is allowed.
 * @param {Query} query
 */
export function push(query, { alone = false } = {}) {
  stay();
  next = merged(next, { query, alone });
  flush();
}

// Write what is wanted now.
export function flush() {
  clearTimeout(timer);
  stay();
  if (open && put("replaceState", open)) open = null;
  if (!open && next && put("pushState", next)) next = null;
  if (open || next) later(AGAIN_MS);
}

// The view that wanted all this is going: what cannot be written now must not be written over what comes.
export function leave() {
  flush();
  forget();
}

/** @param {number} ms */
function later(ms) {
  clearTimeout(timer);
  timer = setTimeout(flush, ms);
}

function forget() {
  clearTimeout(timer);
  open = next = null;
}

// What was wanted of a page is nothing to the one that Streamlit has gone to since.
function stay() {
  if (path !== location.pathname) forget();
  path = location.pathname;
}

/**
 * Gives whether the address is this one now.
 * @param {"replaceState" | "pushState"} how
 * @param {Edit} edit
 */
function put(how, edit) {
  const to = edited(location.href, edit).href;
  const now = performance.now();
  if (to === location.href) return true;
  if (written.length === MOST && now - written[0] < WHILE_MS) return false;
  try {
    history[how](history.state, "", to);
  } catch {
    return false;
  }
  if (location.href !== to) return false;
  written.push(now);
  if (written.length > MOST) written.shift();
  return true;
}

addEventListener("popstate", forget); // what was wanted was of another entry
// Somebody may copy the address, reload the page, or go on to another one.
for (const type of ["blur", "visibilitychange", "pagehide"]) addEventListener(type, flush);
addEventListener("click", ({ target }) => target instanceof Element && target.closest("a[href]") && flush(), true);
addEventListener(
  "keydown",
  ({ key, ctrlKey, metaKey, altKey, repeat }) => !repeat && (ctrlKey || metaKey || altKey || key === "F5") && flush(),
  true,
);
