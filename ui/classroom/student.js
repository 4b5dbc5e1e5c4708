// A student's side of a room: wait, predict, commit, wait, see.

import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { questionPart } from "../lessons/card.js";
import { isWithin, toHeading } from "./focus.js";
import { RETRY_MS, pause } from "./server.js";
import { cardOf, together } from "./together.js";

// `vote(card, answer)` and `name(text)` do so, and raise why not. Gives { update(state), remove() }.
export function studentView(parent, { looks, base, longest, vote, name }) {
  const root = el("div", { class: "student" }, parent);
  const title = el("h1", {}, root);
  const lead = el("p", { class: "room-lead", role: "status" }, root);
  const complaint = el("p", { class: "complaint", role: "alert" }, root);
  const body = el("div", {}, root);
  const foot = el("footer", { class: "room-foot" }, root);
  const who = el("span", {}, foot);
  const form = nameForm(foot, longest, name);
  let state = null;
  let scene = null;
  let stop = new AbortController();
  let question = null;
  let shared = null;
  let ready = false;
  let hasLab = false;
  let pending = null; // {card, answer}: a prediction on its way

  function clear() {
    stop.abort();
    stop = new AbortController();
    for (const part of [question, shared]) part?.remove();
    [question, shared, ready] = [null, null, false];
    body.replaceChildren();
    complaint.textContent = "";
  }

  async function play() {
    const { signal } = stop;
    try {
      const card = await cardOf(state.card, signal);
      if (signal.aborted) return;
      title.textContent = card.title;
      [ready, hasLab] = [true, card.view === "lab"];
      if (state.revealed)
        shared = together(body, {
          card,
          mine: state.mine,
          given: late(),
          tally: state.tally,
          looks,
          base,
          following: state.following,
          held: state.held,
        });
      else question = questionPart(body, { card, looks, committed: state.mine, commit: (text) => commit(card, text) });
      say();
    } catch (error) {
      title.textContent = "This card cannot be shown";
      complaint.textContent = sentence(error);
    }
  }

  // An answer is kept until the server has it: a class may lose its network for a moment.
  async function commit(card, text) {
    const { signal } = stop;
    const mine = (pending = { card: card.card, answer: text });
    document.activeElement?.blur(); // its button is gone
    toHeading(root);
    while (!signal.aborted) {
      try {
        await vote(card.card, text);
        if (pending === mine) pending = null;
        complaint.textContent = "";
        up(); // where it says what comes next
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error.refused) {
          const words = sentence(error);
          pending = null;
          scene = null; // the question is open again, until the server tells what it has
          update(state);
          complaint.textContent = words;
          return;
        }
        complaint.textContent = "Your prediction has not arrived yet. It is being sent again until it does.";
        await pause(RETRY_MS);
      }
    }
  }

  // The prediction that the reveal was quicker than.
  const late = () => (state.revealed && state.mine === null && pending?.card === state.card ? pending.answer : null);

  const up = () =>
    root
      .closest("[data-testid=stMain]")
      ?.scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });

  function say() {
    if (!state.card) lead.textContent = "The next card will appear here.";
    else if (!ready) lead.textContent = "";
    else if (!state.revealed && pending?.card === state.card && state.mine === null)
      lead.textContent = "Sending your prediction …";
    else if (!state.revealed)
      lead.textContent =
        state.mine === null
          ? "Predict and commit. Nobody sees your prediction until all are revealed."
          : "Your prediction is in. Wait for the teacher to reveal them all.";
    else if (!shared) lead.textContent = "";
    else
      lead.textContent = `The predictions are revealed. ${!hasLab ? "" : state.following ? "The lab follows the teacher’s." : "The lab is yours to explore."}`;
  }

  function update(newState) {
    state = newState;
    who.textContent = `Room ${state.room} · you are ${state.name || `student ${state.number}`}`;
    const done = state.named && isWithin(form);
    const left = done || isWithin(body);
    if (done) document.activeElement.blur(); // its form goes
    form.hidden = state.named;
    const now = JSON.stringify([state.card, state.revealed, Boolean(state.tally)]);
    if (now !== scene) {
      const first = scene === null;
      scene = now;
      clear();
      if (late() !== null) complaint.textContent = "Your prediction arrived too late for the reveal, so it is not among these.";
      if (state.card) play();
      else title.textContent = "Waiting for the teacher";
      if (!first) up();
    } else if (question && state.mine !== null) question.lock(state.mine);
    shared?.follow(state.following, state.held);
    shared?.recount(state.tally);
    say();
    if (left) toHeading(root);
  }

  return {
    update,
    remove() {
      clear();
      root.remove();
    },
  };
}

function nameForm(parent, longest, name) {
  const form = el("form", { class: "name-form" }, parent);
  el(
    "label",
    { for: "room-name" },
    form,
    "Your name (optional). The teacher sees it beside your predictions, and you cannot change it later.",
  );
  const field = el("input", { id: "room-name", maxlength: longest, autocomplete: "given-name", required: "" }, form);
  el("button", { type: "submit" }, form, "Save");
  const said = el("span", { class: "complaint", role: "alert" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await name(field.value);
    } catch (error) {
      said.textContent = sentence(error);
    }
  });
  return form;
}
