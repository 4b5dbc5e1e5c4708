// The challenge: what is to be reached, and whether what is on show reaches it. The server's engine decides.

import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { heading, inline, prose } from "./parts.js";
import { insist } from "./server.js";

const NOTE_MS = 6000;

// `reached()` is called once. known: whether it was reached at an earlier time.
export function challengePart(parent, { card, known = false, reached }) {
  const box = el("div", { class: "challenge" }, parent);
  heading(box, card.headings[3]);
  prose(box, card.challenge.text);
  const state = el("div", { class: "challenge-state", role: "status" }, box);
  let stop = null;
  let done = false;

  function say(words, html = "") {
    box.classList.toggle("reached", done || known);
    state.replaceChildren();
    el("strong", {}, state, words);
    if (html) inline(state, html);
  }

  // The picture may be a screen away, as on a phone: then it is said there.
  function beside() {
    const { top } = state.getBoundingClientRect();
    if (top > 0 && top < innerHeight - 40) return;
    const note = el("p", { class: "challenge-note", "aria-hidden": "true" }, box, "Challenge solved");
    setTimeout(() => note.remove(), NOTE_MS);
  }

  // What of the goal is so already, with what was measured for it.
  function conditions(parts) {
    const all = el("ul", { class: "conditions" }, state);
    for (const { text, holds, now } of parts) {
      const item = el("li", { class: holds ? "holds" : null }, all);
      el("code", {}, item, text);
      const values = Object.entries(now).map(([name, value]) => (Object.keys(now).length > 1 ? `${name} ${value}` : value));
      item.append(holds ? " yes" : ` not yet${values.length ? `, now ${values.join(", ")}` : ""}`);
    }
  }

  say(
    known ? "Solved before" : "Not yet",
    known || card.view === "train" ? "" : "It is checked whenever you change the picture above.",
  );

  return {
    // query: parameters of what is on show, as text or an object.
    async check(query) {
      if (done) return;
      stop?.abort();
      const { signal } = (stop = new AbortController());
      const parameters = { ...Object.fromEntries(new URLSearchParams(query)), card: card.card };
      try {
        const found = await insist("lessons/check.json", parameters, {
          signal,
          say: (words) => words && say("Not checked yet", words),
        });
        if (signal.aborted) return;
        done = found.done;
        say(done ? "Challenge solved" : known ? "Solved before" : "Not yet", found.said);
        if (found.parts.length && !known) conditions(found.parts);
        if (done) {
          beside();
          reached();
        }
      } catch (error) {
        say("This cannot be checked", sentence(error));
      }
    },
    remove() {
      stop?.abort();
    },
  };
}
