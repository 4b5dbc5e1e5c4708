// The glossary in the browser: where a term first stands in the prose of a page it becomes a button that opens its definition.
//
// Pages draw themselves again and again, so nothing is marked by hand: after each change the prose is walked in its order.

import { sheet } from "../shared/styles.js";

const PROSE = ".maml-lab, .ckpt, .stHtml"; // what this project wrote into the page itself; all else is React's, and is left alone
const NOT_PROSE =
  "a, button, label, input, select, textarea, summary, dialog, svg, math, code, pre, script, style, .page-title, .hidden, [hidden], " +
  "[aria-hidden=true], [aria-live], [role=status], [role=alert], [role=img], [role=button], [role=tab], [role=option], details:not([open]) > :not(summary)";
const GAP = 6;
const EDGE = 8; // pixels between the box and its term, and between the box and the window

// What may not be torn from a word at the end of a line: a browser may break before and after a button, whatever stands there.
const BEFORE = /(?:\S*\u00a0|[\p{L}\p{N}]+-|[\p{Ps}\p{Pi}"])*$/u;
const AFTER = /^(?:’s)?[\p{Pe}\p{Pf}\p{Po}]*(?:\u00a0\S*)*/u;

const here = (name) => new URL(name, import.meta.url).href;
const [entries] = await Promise.all([fetch(here("terms.json")).then((answer) => answer.json()), sheet(here("glossary.css"))]);
const says = new Map(entries.map(({ term, says }) => [term, says]));
const termOf = new Map(
  entries.flatMap(({ term, words }) =>
    words.flatMap((word) => [[word, term], ...(word.length > 1 ? [[word.toLowerCase(), term]] : [])]),
  ),
);
const longestFirst = [...new Set(entries.flatMap(({ words }) => words))].sort((a, b) => b.length - a.length);
const WORDS = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${longestFirst.join("|")})(?![\\p{L}\\p{N}_′+-])`, "giu");

const box = document.body.appendChild(Object.assign(document.createElement("div"), { id: "term-box", className: "term-box" }));
box.setAttribute("role", "status");
let open = null;
let focused = null;
let waiting = false; // the button whose definition is open; the one that has the focus

const isTerm = (node) => node.nodeType === Node.ELEMENT_NODE && node.matches("button.term");
const isSeen = (element) => element.getClientRects().length > 0;

// Make the first standing of each term a button, and what is none any more text again.
function mark() {
  waiting = false;
  const found = new Map();
  const nodes = [];
  let again = false;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) => {
    if (node.nodeType === Node.TEXT_NODE || isTerm(node)) return NodeFilter.FILTER_ACCEPT;
    return node.matches(NOT_PROSE) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
  });
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const inTerm = node.nodeType === Node.TEXT_NODE && isTerm(node.parentElement);
    if (!inTerm && node.parentElement.closest(PROSE)) nodes.push(node);
  }
  for (const node of nodes) {
    if (!node.isConnected) again = true; // joined to its neighbour when a button between them went
    else if (!isTerm(node)) markText(node, found);
    else if (!found.has(node.dataset.term) && isSeen(node)) found.set(node.dataset.term, node);
    else if (node !== open && node !== document.activeElement) unmark(node);
  }
  // What was open or had the focus may have been drawn again.
  if (open && !open.isConnected) {
    const redrawn = found.get(open.dataset.term);
    if (redrawn) attach(redrawn);
    else close();
  }
  const lost =
    focused && !focused.isConnected && document.activeElement === document.body ? found.get(focused.dataset.term) : null;
  lost?.focus({ preventScroll: true });
  observer.takeRecords();
  if (again) later();
}

function markText(node, found) {
  const text = node.data;
  const pieces = [];
  let from = 0;
  for (const match of text.matchAll(WORDS)) {
    const term = termOf.get(match[0]) ?? termOf.get(match[0].toLowerCase());
    if (!term || found.has(term) || !isSeen(node.parentElement)) continue;
    const end = match.index + match[0].length;
    const start = match.index - BEFORE.exec(text.slice(from, match.index))[0].length;
    const after = AFTER.exec(text.slice(end))[0];
    const place = document.createElement("term-place");
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "term", textContent: match[0] });
    button.dataset.term = term;
    button.setAttribute("aria-expanded", "false");
    place.className = "term-place";
    place.append(text.slice(start, match.index), button, after);
    pieces.push(text.slice(from, start), place);
    from = end + after.length;
    found.set(term, button);
  }
  if (!pieces.length) return;
  // One element in the place of one text, or a row of boxes (display: flex) would have more of them than before.
  const whole = document.createElement("term-text");
  whole.append(...pieces, text.slice(from));
  node.replaceWith(...(node.parentElement.localName === "term-text" ? whole.childNodes : [whole]));
}

function unmark(button) {
  const place = button.closest("term-place");
  const parent = place?.parentElement;
  if (!place) return; // no button of ours: its page put it there
  place.replaceWith(place.textContent);
  parent.normalize();
}

function attach(button) {
  open?.setAttribute("aria-expanded", "false");
  open = button;
  open.setAttribute("aria-expanded", "true");
  open.setAttribute("aria-controls", box.id);
  position();
}

function show(button) {
  box.replaceChildren(
    ...button.dataset.term.split("|").map((term) => {
      const paragraph = document.createElement("p");
      paragraph.append(Object.assign(document.createElement("strong"), { textContent: term }), ` ${says.get(term)}`);
      return paragraph;
    }),
  );
  const page = getComputedStyle(document.querySelector(".stApp") ?? document.body);
  Object.assign(box.style, { color: page.color, background: page.backgroundColor, fontFamily: page.fontFamily });
  attach(button);
}

function close() {
  open?.setAttribute("aria-expanded", "false");
  open = null;
  box.replaceChildren();
  box.removeAttribute("style");
}

// Below the term where there is room, else above it, and always within the window.
function position() {
  if (!open) return;
  const at = open.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = at.bottom + GAP;
  const above = at.top - GAP - height;
  const top = below + height <= innerHeight - EDGE || above < EDGE ? below : above;
  box.style.left = `${Math.max(EDGE, Math.min(at.left, document.documentElement.clientWidth - width - EDGE))}px`;
  box.style.top = `${Math.max(EDGE, Math.min(top, innerHeight - height - EDGE))}px`;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button.term");
  if (!button) return;
  if (button === open) close();
  else show(button);
});
document.addEventListener(
  "pointerdown",
  ({ target }) => {
    if (open && !box.contains(target) && !open.contains(target)) close();
  },
  true,
);
document.addEventListener("focusin", ({ target }) => {
  focused = target.closest?.("button.term") ?? null;
  if (open && focused !== open) close();
});
// Before the page's own keys: an Escape that closes the box must not leave a presentation too.
window.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !open) return;
    close();
    event.stopPropagation();
    event.preventDefault();
  },
  true,
);
for (const moved of ["scroll", "resize"]) window.addEventListener(moved, position, { capture: true, passive: true });

const later = () => {
  if (!waiting) requestAnimationFrame(mark);
  waiting = true;
};
const observer = new MutationObserver((changes) => {
  const element = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
  // What is no prose changes at every frame where something moves; but it may become prose where it is shown or opened.
  if (changes.some(({ type, target }) => type === "attributes" || !element(target)?.closest(NOT_PROSE))) later();
});
observer.observe(document.body, {
  childList: true,
  characterData: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["hidden", "open"],
});
window.addEventListener("resize", later);
later();
