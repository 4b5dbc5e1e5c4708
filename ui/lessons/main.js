// The Lessons page: the list of cards and how far a person is, or one card, as the address says.

import { current, currentWith, push } from "../shared/address.js";
import { mounted } from "../shared/mounted.js";
import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { SHEETS, observePart, questionPart } from "./card.js";
import { cardList } from "./list.js";
import { section } from "./parts.js";
import * as progress from "./progress.js";
import { insist } from "./server.js";

const PARAMETER = "card";

export const { render, remove } = mounted(SHEETS, (parent, { data }, base) => makeView(parent, JSON.parse(data), base));

function makeView(parent, { looks }, base) {
  const page = section(parent, looks, "lessons", "Lessons");
  const { root } = page;
  const home = location.pathname;
  let shown;
  let leave = () => {};
  let first = true;

  const parameters = (name) => ({ [PARAMETER]: name || null });

  function go(name) {
    if (name === shown) return;
    push(parameters(name), { alone: true });
    read();
  }

  // A link to a card, or to the list, that needs no new page.
  function link(parent, name, words, attributes = {}) {
    const made = el("a", { href: currentWith(parameters(name), { alone: true }).href, ...attributes }, parent, words);
    made.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(name);
    });
    return made;
  }

  function read() {
    if (location.pathname !== home) return; // of another page, which Streamlit brings
    const name = current().searchParams.get(PARAMETER) ?? "";
    if (name === shown) return;
    leave();
    root.replaceChildren();
    const from = shown;
    shown = name;
    leave = (name ? cardPage : listPage)(root, { name, from, link, looks, base, arrive });
    first = false;
  }

  // The focus goes to what is new, unless the page has just been opened.
  function arrive(node) {
    if (first) return;
    node.focus({ preventScroll: true });
    root.closest("[data-testid=stMain]")?.scrollTo({ top: 0 });
  }

  // Streamlit does nothing at a press on the entry of the page that is open: here it leads from a card to the list.
  function entry({ target }) {
    const pressed = target.closest?.("a[href]");
    if (pressed && !root.contains(pressed) && pressed.pathname === home && !pressed.search) go("");
  }

  addEventListener("popstate", read);
  document.addEventListener("click", entry);
  return {
    update: read,
    remove() {
      removeEventListener("popstate", read);
      document.removeEventListener("click", entry);
      leave();
      page.remove();
    },
  };
}

// The list. Gives what takes it away again, as `cardPage` does.
function listPage(root, { from, link, arrive }) {
  const title = el("h1", { tabindex: -1 }, root, "Predict, see what happens, and find out why");
  el(
    "p",
    { class: "setting" },
    root,
    "Each card asks for a prediction, then measures the answer. A wrong prediction teaches the most.",
  );
  arrive(title);
  return cardList(root, { from, link, title });
}

// One card: its question, and below it, once there is an answer, what comes of it.
function cardPage(root, { name, link, looks, base, arrive }) {
  const stop = new AbortController();
  const top = el("div", { class: "card-top" }, root);
  link(top, "", "All lessons", { class: "to-list" });
  const title = el("h1", { tabindex: -1 }, top);
  const said = el("p", { class: "waiting-words", role: "status" }, root);
  const body = el("div", {}, root);
  const foot = el("nav", { class: "card-foot", "aria-label": "Lessons" }, root);
  let card = null;
  let question = null;
  let observed = null;
  let leaveList = () => {};

  insist("lessons/card.json", { card: name }, { signal: stop.signal, say: (words) => (said.textContent = words) }).then(
    (found) => {
      card = found;
      title.textContent = card.title;
      draw();
      arrive(title);
    },
    (error) => {
      title.textContent = "This card cannot be shown";
      said.textContent = `${sentence(error)} Here are the others:`;
      leaveList = cardList(body, { link, title });
      foot.remove();
      arrive(title);
    },
  );

  function draw() {
    const { answer } = progress.of(name);
    question = questionPart(body, { card, base, looks, commit, committed: answer ?? null });
    if (answer !== undefined) observe(answer);
    drawFoot();
  }

  function commit(answer) {
    progress.note(name, { answer });
    observe(answer);
    observed.focus();
    drawFoot();
  }

  function observe(answer) {
    observed = observePart(body, {
      card,
      answer,
      base,
      looks,
      lab: { query: progress.of(name).lab },
      known: Boolean(progress.of(name).reached),
      changed: (query) => progress.note(name, { lab: query }),
      done: () => progress.note(name, { reached: true }),
      settled(found) {
        if (found.truth !== null) question.show(found.truth);
        progress.note(name, { right: found.right });
      },
    });
  }

  function drawFoot() {
    foot.replaceChildren();
    if (card.previous) link(foot, card.previous, "Previous card", { class: "step-link" });
    if (observed) {
      const again = el("button", { type: "button" }, foot, "Try this card again");
      again.addEventListener("click", () => {
        progress.forget(name);
        clear();
        draw();
        title.focus({ preventScroll: true });
        root.closest("[data-testid=stMain]")?.scrollTo({ top: 0 });
      });
    }
    if (card.next) link(foot, card.next, "Next card", { class: observed ? "step-link onward next" : "step-link next" });
    else link(foot, "", "All lessons", { class: "step-link next" });
  }

  function clear() {
    question?.remove();
    observed?.remove();
    question = observed = null;
  }

  return () => {
    stop.abort();
    leaveList();
    clear();
  };
}
