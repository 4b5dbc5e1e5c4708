// The list of all cards in two groups, with how far a person is on each, and which files are no cards.

import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import * as progress from "./progress.js";
import { insist } from "./server.js";

const FIRST_MINUTES = 10;
const TASK_OF = { choice: "choose", slider: "give a number", sketch: "draw a curve" };

// `link(parent, card, words, attributes)` makes a link to a card. from: the card whose link has the focus; title: what has it when a
// button that had it is gone. Gives what stops it.
export function cardList(root, { from, link, title }) {
  const stop = new AbortController();
  const list = el("div", { class: "card-list" }, root);
  const said = el("p", { class: "waiting-words", role: "status" }, root);
  const foot = el("div", { class: "list-foot" }, root);

  insist("lessons/cards.json", {}, { signal: stop.signal, say: (words) => (said.textContent = words) }).then(
    ({ cards, broken }) => {
      draw(cards);
      for (const { file, line, message } of broken)
        el("p", { class: "broken" }, foot, `${file}${line ? `, line ${line}` : ""}, is left out: ${message}`);
      if (!cards.length) said.textContent = "There are no lessons on this server.";
      if (from) list.querySelector(`[data-card="${CSS.escape(from)}"]`)?.focus({ preventScroll: true });
    },
    (error) => (said.textContent = sentence(error)),
  );

  function draw(cards) {
    list.replaceChildren();
    let minutes = 0;
    const groups = [
      ["The first ten minutes", []],
      ["More", []],
    ];
    for (const card of cards) {
      minutes += card.minutes;
      groups[minutes <= FIRST_MINUTES ? 0 : 1][1].push(card);
    }
    for (const [name, members] of groups.filter(([, members]) => members.length)) {
      el("h2", { class: "group-name" }, list, name);
      const rows = el("ol", { class: "card-rows" }, list);
      for (const card of members) row(rows, card);
    }
    forgetting(cards);
  }

  function row(rows, { card, title, minutes, answer: kind, challenge, number }) {
    const { answer, right, reached } = progress.of(card);
    const item = link(el("li", {}, rows), card, null, { class: "card-row", "data-card": card });
    el("span", { class: "card-number", "aria-hidden": "true" }, item, String(number ?? ""));
    el("span", { class: "card-title" }, item, title);
    const came = { true: "right", false: "wrong" }[right];
    const states = answer === undefined ? [TASK_OF[kind]] : ["predicted", came, challenge && reached && "challenge solved"];
    el("span", { class: "card-state" }, item, states.filter(Boolean).join(" · "));
    el("span", { class: "card-minutes" }, item, `${minutes} min`);
    item.classList.toggle("begun", answer !== undefined);
  }

  function forgetting(cards) {
    if (progress.isEmpty()) return;
    const box = el("p", { class: "forget" }, foot);
    const button = el("button", { type: "button" }, box, "Forget my progress");
    el("span", { class: "hint" }, box, "It is kept in this browser only.");
    button.addEventListener("click", () => {
      progress.forgetAll();
      box.remove();
      draw(cards);
      said.textContent = "Your progress has been forgotten.";
      title.focus();
    });
  }

  return () => stop.abort();
}
