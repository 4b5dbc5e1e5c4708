// What a room sees once a card's predictions are revealed: their tally, and the picture that settles it.

import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { observePart } from "../lessons/card.js";
import { prose } from "../lessons/parts.js";
import { insist } from "../lessons/server.js";
import { tallyPart } from "../lessons/tally.js";

// mine: one's own answer among them, or null for who has none; given: one's own that is not among them; following: whether the lab is held as the teacher has it: held, {query, step}.
// Gives { follow(on, held), recount(tally), query(), focus(), remove() }; query gives the lab on show as {query, step}, null where there is none.
export function together(parent, { card, mine, given = mine, tally, looks, base, following, held }) {
  const stop = new AbortController();
  const asked = el("div", { class: "asked-before" }, parent);
  const place = el("div", {}, parent);
  prose(asked, card.question);
  const tallied = el("div", {}, asked);
  const counted = tally && tallyPart(tallied, { card, looks });
  counted?.update(tally, { mine });
  if (!tally)
    el("p", { class: "complaint" }, tallied, "The predictions cannot be shown: this card has changed since they were made.");
  let observed = null;
  let last = "";
  let truth = null;

  async function settle() {
    const own = mine ?? given;
    const answer = own ?? (await standIn(card, tally, stop.signal));
    if (stop.signal.aborted) return;
    last = held ? textOf(held) : "";
    observed = observePart(place, {
      card,
      answer,
      base,
      looks,
      own: own !== null,
      lab: { query: last || card.observe, held: following },
      settled(found) {
        truth = found.truth;
        counted?.update(tally, { truth, mine });
      },
    });
  }
  settle().catch((error) => stop.signal.aborted || el("p", { class: "complaint" }, place, sentence(error)));

  return {
    recount(newTally) {
      if (newTally === tally) return;
      tally = newTally;
      counted?.update(tally, { truth, mine });
    },
    follow(on, newHeld) {
      [following, held] = [on, newHeld];
      const lab = observed?.lab;
      const text = newHeld ? textOf(newHeld) : "";
      lab?.hold(on);
      if (lab && on && text && text !== last) lab.show(text);
      last = text;
    },
    query() {
      if (!observed?.lab) return null;
      const query = new URLSearchParams(observed.lab.query());
      const step = Number(query.get("step") ?? 0);
      query.delete("step");
      return { query: query.toString(), step };
    },
    focus() {
      observed?.focus();
      place.querySelector(".live")?.scrollIntoView({ block: "start" });
    },
    remove() {
      stop.abort();
      counted?.remove();
      observed?.remove();
      asked.remove();
      place.remove();
    },
  };
}

const textOf = ({ query, step }) => `${query}&step=${step}`;

// An answer for who has given none: the one that is so; where nothing says which, the middle of the room's.
async function standIn(card, tally, signal) {
  const { answer } = card;
  const any = { choice: "0", slider: String(answer.low), sketch: Array(answer.points).fill(0).join() }[answer.kind];
  const { truth } = await insist("lessons/answer.json", { card: card.card, answer: any }, { signal, say: () => {} });
  if (truth === null) return tally?.values?.length ? String(tally.values[Math.floor(tally.values.length / 2)]) : any;
  if (answer.kind === "slider") return String(Math.min(Math.max(truth, answer.low), answer.high));
  return String(truth);
}

export const cardOf = (name, signal) => insist("lessons/card.json", { card: name }, { signal, say: () => {} });
export const allCards = (signal) => insist("lessons/cards.json", {}, { signal, say: () => {} });
