// For who sits at the server: everybody's runs and uploads, what they hold on disk, and the means to end them.

import { el } from "../shared/el.js";
import { sureButton } from "./sure.js";
import { count, isLive } from "./words.js";

const HEAD = ["what", "state", "size", ""];
const LOOK_MS = 700; // between two looks, while it is open: each time that the page asks

const megabytes = (bytes) => `${count(Math.ceil((100 * bytes) / 2 ** 20) / 100)} MB`;

// `ask()` gives what the server lists (ui/train/everybody.py); `act(name, what)` does something to one or, without a name, to all.
export function everybodysFold(parent, { ask, act }) {
  const fold = el("details", { class: "data everybody", hidden: "" }, parent);
  el("summary", {}, fold, "Everybody’s runs");
  const held = el("p", { class: "hint" }, fold);
  const all = el("div", { class: "strip-buttons", role: "group", "aria-label": "All runs" }, fold);
  const done = async (name, what) => {
    await act(name, what);
    await look();
  };
  sureButton(all, "stop all", "Stop all", "Stops every run that trains or waits, and keeps its checkpoint", () =>
    done("", "stop all"),
  );
  sureButton(all, "clear", "Clear the line", "Stops every run that waits", () => done("", "clear"));
  const scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Everybody’s runs" }, fold);
  const table = el("table", {}, scroller);
  let drawn = "";
  let sizes = new Map();
  let looked = -Infinity;

  async function look() {
    looked = performance.now();
    const found = await ask().catch(() => null); // the page itself says that the server is away
    if (found) draw(found);
  }

  function draw({ runs, uploads, held: bytes, room }) {
    const rows = [...runs, ...uploads.map((each) => ({ ...each, state: "uploaded" }))];
    const now = JSON.stringify(rows.map(({ name, title, state }) => [name, title, state]));
    held.textContent = `${count(runs.length)} runs hold ${megabytes(bytes)}; from ${megabytes(room)} on, the oldest that are over go by themselves.`;
    if (now !== drawn) lay(rows); // else a press must not fall on a button that is being replaced
    drawn = now;
    for (const { name, size } of rows) sizes.get(name).textContent = megabytes(size);
  }

  function lay(rows) {
    const focused = fold.contains(document.activeElement) ? document.activeElement.dataset.of : null;
    table.replaceChildren();
    sizes = new Map();
    const head = el("tr", {}, el("thead", {}, table));
    for (const name of HEAD) el("th", { scope: "col" }, head, name);
    const body = el("tbody", {}, table);
    for (const { name, title, state } of rows) {
      const line = el("tr", {}, body);
      el("th", { scope: "row" }, line, title);
      el("td", {}, line, state);
      sizes.set(name, el("td", { class: "number" }, line));
      const cell = el("td", { class: "strip-buttons" }, line);
      let button;
      if (isLive({ state })) {
        button = el("button", { type: "button", "aria-label": `Stop ${title}` }, cell, "Stop");
        button.addEventListener("click", () => done(name, "stop"));
      } else
        button = sureButton(
          cell,
          `everybody's ${name}`,
          "Delete",
          "Deletes it for good",
          () => done(name, "delete"),
          `Delete ${title}`,
        );
      button.dataset.of = name;
    }
    if (focused) table.querySelector(`[data-of="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  fold.addEventListener("toggle", () => fold.open && look());

  return {
    // here: whether who looks sits at the server.
    update(here) {
      fold.hidden = !here;
      if (here && fold.open && performance.now() - looked > LOOK_MS) look();
    },
  };
}
