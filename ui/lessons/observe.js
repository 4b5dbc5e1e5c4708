// What comes of an answer: what was observed, said for this very answer; the live picture that settles it; why; and a challenge.

import { aloneLab } from "../lab/alone.js";
import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { challengePart } from "./challenge.js";
import { laidOver } from "./laid.js";
import { YOURS, heading, prose, section } from "./parts.js";
import { runPart } from "./run.js";
import { insist } from "./server.js";
import { readSketch } from "./sketch.js";
import { scaleOf } from "./slider.js";

// answer: the committed text; own: whether it is this person's. lab: {query, held} of the live lab, where they are others than the
// card's. known: whether the challenge was reached before. `changed(query)`: something a person did in the live picture has come to
// rest. `done()`: the challenge is reached. `settled(found)` hears answer.json once it is there.
// Gives { lab, focus(), remove() }; lab is aloneLab's, or null where the card's picture is none.
export function observePart(
  parent,
  {
    card,
    answer,
    base,
    looks,
    own = true,
    lab: { query = card.observe, held = false } = {},
    known = false,
    changed = () => {},
    done = () => {},
    settled = () => {},
  },
) {
  const part = section(parent, looks, "observe", card.headings[1]);
  const stop = new AbortController();
  const title = heading(part.root, card.headings[1], { tabindex: -1 });
  const outcome = el("div", { class: "outcome", "aria-live": "polite" }, part.root);
  const waiting = el("p", { class: "waiting-words" }, outcome, "Measuring …");
  const look = el("div", { class: "look" }, part.root);
  const live = el("div", { class: "live" }, part.root);
  const after = el("div", { class: "after" }, part.root);
  const why = el("div", { class: "explain" }, after);
  const challenge = card.challenge && challengePart(after, { card, known, reached: done });
  const rest = (query) => {
    challenge?.check(query);
    changed(query);
  };
  const removable = [];
  let lab = null;

  if (card.view === "world") world();
  else if (card.view === "train")
    removable.push(runPart(live, { card, predicted: Number(answer), news: () => challenge?.check({ answer }) }));
  else {
    if (own && card.answer.kind === "sketch") sketched();
    lab = aloneLab(live, { base, query, controls: card.controls, unfold: true, changed: rest });
    lab.hold(held);
    removable.push(lab);
  }

  async function world() {
    const { twoParameterWorld } = await import("../geometry/world.js");
    if (stop.signal.aborted) return;
    const box = el("div", { class: "maml-lab geometry" }, live);
    const bar = el("p", { class: "open-bar" }, live);
    const link = el("a", { href: `geometry?${query}` }, bar, "Open on the Geometry page");
    const moved = (to) => {
      link.href = `geometry?${to}`;
      rest(to);
    };
    removable.push(twoParameterWorld(box, { looks, query, changed: moved }));
  }

  function beside(truth) {
    const { words } = scaleOf(card.answer);
    const figures = el("p", { class: "figures" }, outcome);
    for (const [name, value] of [...(own ? [["predicted", Number(answer)]] : []), ["measured", truth]]) {
      const figure = el("span", {}, figures, name);
      el("strong", {}, figure, words(value));
    }
  }

  function sketched() {
    const laid = laidOver(live, card.answer);
    laid.update([{ values: readSketch(answer), role: YOURS, look: looks[YOURS], label: "your sketch" }]);
    removable.push(laid);
  }

  insist(
    "lessons/answer.json",
    { card: card.card, answer },
    { signal: stop.signal, say: (words) => (waiting.textContent = words || "Measuring …") },
  ).then(
    (found) => {
      outcome.replaceChildren();
      if (card.answer.kind === "slider" && found.truth !== null) beside(found.truth);
      prose(outcome, found.said);
      if (own && found.apart)
        el(
          "p",
          { class: "apart" },
          outcome,
          `The mean squared distance between your sketch and the measured curve is ${found.apart.distance}. Up to ${found.apart.within} counts as right.`,
        );
      if (found.failed.length)
        el("p", { class: "failed" }, outcome, `With these checkpoints, this does not hold: ${found.failed.join("; ")}.`);
      prose(look, found.observe);
      heading(why, card.headings[2]);
      prose(why, found.explain);
      settled(found);
    },
    (error) => (waiting.textContent = sentence(error)),
  );

  return {
    lab,
    focus() {
      title.focus({ preventScroll: true });
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      part.root.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
    },
    remove() {
      stop.abort();
      challenge?.remove();
      for (const each of removable) each.remove();
      part.remove();
    },
  };
}
