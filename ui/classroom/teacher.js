// The teacher's side of a room, on the projector: the code, a card, how many have answered, the reveal, the lab for everybody.

import { sentence } from "../shared/server.js";
import { el, set } from "../shared/el.js";
import { questionPart } from "../lessons/card.js";
import { addressOf } from "./address.js";
import { isWithin, toHeading } from "./focus.js";
import { roomMenu } from "./menu.js";
import { peoplePart } from "./people.js";
import { AWAY, DOUBLE_MS, RETRY_MS, codeOf, pause } from "./server.js";
import { allCards, cardOf, together } from "./together.js";

const LOOK_MS = 40; // between two looks at the lab that others follow
const STEP_MS = 100; // between two of its steps that are sent: sixty browsers draw each
const SURE_MS = 4000; // a button that destroys asks again, and forgets after this long

// `act(what, value)` and `file(name)` ask the server and raise why not; `present(on)` makes it large. Gives { update(state), remove() }.
export function teacherView(parent, { secret, looks, base, act, file, present, presented }) {
  const root = el("div", { class: "teacher" }, parent);
  const top = el("header", { class: "room-top" }, root);
  const code = el("strong", { class: "code-small" }, top);
  const where = el("span", { class: "where" }, top);
  const joined = el("span", { class: "joined", role: "status" }, top);
  const large = el("button", { type: "button", "aria-pressed": presented }, top, presented ? "Leave" : "Present");
  large.addEventListener("click", () => enlarge(large.getAttribute("aria-pressed") !== "true"));
  const complaint = el("p", { class: "complaint", role: "alert" }, root);
  const body = el("div", { class: "room-body" }, root);
  const bar = el("div", { class: "room-bar", role: "group", "aria-label": "This card" }, root);
  const status = el("p", { class: "hidden", role: "status" }, root);
  const people = peoplePart(root, { tell });
  const aside = roomMenu(root, {
    room: () => state.room,
    secret,
    host: () => host(),
    file,
    end: () => tell("end"),
    complain,
    revealed: () => state?.done.length ?? 0,
  });
  let state = null;
  let scene = null;
  let stop = new AbortController();
  let question = null;
  let shared = null;
  let card = null;
  let live = {};
  let sending = false;
  let sent = "";
  let chosen = "";
  let doubted = 0;
  let telling = null;
  let gone = false;

  function complain(error) {
    complaint.textContent = error ? (error.refused ? sentence(error) : AWAY) : "";
  }

  // What was pressed last is done as soon as the server is there. Gives whether it was.
  async function tell(what, value) {
    const mine = (telling = {});
    complain(null);
    while (!gone && telling === mine) {
      try {
        await act(what, value);
        complain(null);
        return true;
      } catch (error) {
        complain(error);
        if (error.refused) return false;
        await pause(RETRY_MS);
      }
    }
    return false;
  }

  function enlarge(on) {
    large.setAttribute("aria-pressed", on);
    large.textContent = on ? "Leave" : "Present";
    present(on);
  }
  const escaped = (event) => event.key === "Escape" && large.getAttribute("aria-pressed") === "true" && enlarge(false);
  document.addEventListener("keydown", escaped);

  // Where others reach this page: this machine has another name for them.
  const host = () => chosen || (state?.reach?.hosts[0] ?? "");

  function clear() {
    stop.abort();
    stop = new AbortController();
    for (const part of [question, shared]) part?.remove();
    [question, shared, card, live, sent, doubted] = [null, null, null, {}, "", 0];
    body.replaceChildren();
    bar.replaceChildren();
  }

  const button = (parent, words, act, attributes = {}) => {
    const made = el("button", { type: "button", ...attributes }, parent, words);
    made.addEventListener("click", act);
    return made;
  };

  function lobby() {
    const { signal } = stop;
    const way = el("div", { class: "way-in" }, body);
    const words = el("div", {}, way);
    el("p", { class: "way-words" }, words, "Join at");
    el("p", { class: "way-address" }, words, addressOf("", { host: host() }).replace(/^https?:\/\//, ""));
    el("p", { class: "way-words" }, words, "with the code");
    live.code = el("p", { class: "code-large" }, words);
    live.picture = el("img", { class: "qr" }, way);
    if (state.reach?.hosts.length > 1) hosts(words);
    if (state.reach?.alone)
      el(
        "p",
        { class: "warning" },
        body,
        "This server accepts connections from this machine only, so nobody else can join. Stop it, and start it with “make classroom”.",
      );
    else if (state.reach && !host())
      el("p", { class: "warning" }, body, "This machine is not on a network, so nobody else can join.");
    const list = el("div", {}, body);
    el("h2", {}, list, "Choose a card for the room");
    const rows = el("div", { class: "room-cards" }, list);
    allCards(signal).then(({ cards, broken }) => {
      for (const { card, title, minutes } of cards) {
        const row = button(rows, null, () => tell("card", card), { class: "room-card" });
        el("span", {}, row, title);
        el("span", { class: "room-card-state" }, row, state.done.includes(card) ? "revealed" : `${minutes} min`);
      }
      for (const { file, line, message } of broken)
        el("p", { class: "hint" }, list, `${file}${line ? `, line ${line}` : ""}, is left out: ${message}`);
    }, complain);
  }

  // One of this machine's addresses is that of the class's network; only a person knows which.
  function hosts(parent) {
    const label = el("label", { class: "way-hosts" }, parent, "Not your class’s network? ");
    const select = el("select", {}, label);
    for (const name of state.reach.hosts) el("option", {}, select, name);
    select.value = host();
    select.addEventListener("change", () => {
      [chosen, scene] = [select.value, null];
      update(state);
      body.querySelector("select")?.focus();
    });
  }

  async function play(left) {
    const { signal } = stop;
    let found;
    try {
      found = await cardOf(state.card, signal);
    } catch (error) {
      button(bar, "All cards", () => tell("card", ""));
      return complain(error);
    }
    if (signal.aborted) return;
    card = found;
    el("h1", {}, body, card.title);
    if (left) toHeading(body);
    if (state.revealed) reveal();
    else ask();
    update(state);
  }

  function ask() {
    const watched = el("div", { class: "watched" }, body);
    question = questionPart(watched, { card, looks, commit() {} });
    for (const part of watched.querySelectorAll(".answer, .pad, .commit-bar")) part.inert = true; // the room answers, not the board
    live.count = el("strong", { class: "answered", role: "status" }, bar);
    const few = () =>
      2 * state.answered < state.students ? `Only ${state.answered} of ${state.students} have answered. Reveal anyway?` : "";
    live.reveal = button(bar, "Reveal", () => {}, { class: "primary" });
    surely(live.reveal, few, () => tell("reveal", state.card));
    live.fold = el("details", { class: "missing" }, bar);
    el("summary", {}, live.fold, "Who has not answered");
    live.missing = el("div", { class: "names" }, live.fold);
    live.hint = el("p", { class: "hint", role: "status" }, live.fold);
    button(bar, "Withdraw the card", () => tell("card", ""), { class: "last" });
  }

  function reveal() {
    shared = together(body, { card, mine: null, tally: state.tally, looks, base, following: false, held: state.held });
    if (card.view === "lab") live.follow = button(bar, "Follow me", follow, { class: "switch", role: "switch" });
    button(bar, "Go to the result", () => shared.focus());
    button(bar, "All cards", () => tell("card", ""), { class: "last" });
    if (card.next) button(bar, "Next card", () => tell("card", card.next), { class: "primary" });
  }

  // Everybody's lab is to show this one before it is held.
  async function follow() {
    const on = !state.following;
    if (on) await tell("held", shared.query());
    await tell("follow", on);
  }

  // A name that should not stand on the board is pressed twice, since the list moves while a class answers.
  function names() {
    const list = JSON.stringify([state.missing, doubted]);
    const at = isWithin(live.missing) ? document.activeElement.dataset.number : "";
    if (list === live.listed) return;
    live.listed = list;
    live.missing.replaceChildren();
    const sure = state.missing.find(({ number }) => number === doubted);
    if (sure) live.hint.textContent = `Press ${sure.label} again to remove the name.`;
    else live.hint.textContent = state.missing.some(({ named }) => named) ? "Press a name to remove it." : "";
    if (!state.missing.length) el("span", {}, live.missing, "Everybody has answered.");
    for (const { number, label, named } of state.missing) {
      if (named)
        button(live.missing, label, () => unname(number), {
          "data-number": number,
          ...(number === doubted && { "data-sure": true }),
        });
      else el("span", {}, live.missing, label);
    }
    if (at) live.missing.querySelector(`[data-number="${at}"]`)?.focus();
  }

  function unname(number) {
    if (doubted === number) return tell("unnamed", number);
    doubted = number;
    names();
    setTimeout(() => {
      if (doubted !== number || !live.missing) return;
      doubted = 0;
      names();
    }, SURE_MS);
  }

  const looking = setInterval(async () => {
    if (!state?.following || !shared || sending) return;
    const now = shared.query();
    const text = JSON.stringify(now);
    if (!now || text === sent) return;
    sending = true;
    sent = text;
    const enough = pause(STEP_MS);
    try {
      await act("held", now);
    } catch (error) {
      sent = "";
      if (error.status) complain(error);
      await pause(RETRY_MS);
    }
    await enough;
    sending = false;
  }, LOOK_MS);

  function update(newState) {
    state = newState;
    const { students, answered } = state;
    spell(code, state.room);
    joined.textContent = `${students === 1 ? "1 has joined" : `${students} have joined`}${state.closed ? " · the door is closed" : ""}`;
    where.textContent = addressOf("", { host: host() }).replace(/^https?:\/\//, "");
    const now = JSON.stringify([state.card, state.revealed, Boolean(state.tally)]);
    if (now !== scene) {
      const left = isWithin(body, bar);
      scene = now;
      clear();
      root.classList.toggle("lobby", !state.card);
      if (state.card) play(left);
      else lobby();
      if (left) toHeading(body);
      root.closest("[data-testid=stMain]")?.scrollTo({ top: 0 });
      status.textContent = state.revealed ? "The predictions are revealed." : "";
    }
    if (live.code) {
      const address = addressOf(state.room, { host: host() });
      spell(live.code, state.room);
      set(live.picture, { src: codeOf(address), alt: `QR code of ${address}` });
    }
    if (live.count) {
      live.count.textContent = `${answered} of ${students} ${students === 1 ? "has" : "have"} answered`;
      names();
    }
    live.follow?.setAttribute("aria-checked", state.following);
    shared?.recount(state.tally);
    people.update(state);
  }

  return {
    update,
    remove() {
      gone = true;
      clearInterval(looking);
      document.removeEventListener("keydown", escaped);
      clear();
      people.remove();
      aside.remove();
      root.remove();
    },
  };
}

// A code, read out letter by letter.
function spell(place, code) {
  if (place.textContent === code) return;
  place.textContent = code;
  place.setAttribute("aria-label", `Code ${[...code].join(" ")}`);
}

// A press asks first, where `question()` says something, and the next one does it: not the second half of a double click.
function surely(button, question, act) {
  const words = button.textContent;
  let asked = null;
  button.addEventListener("click", () => {
    const now = performance.now();
    const asks = question();
    if (asked === null && asks) {
      asked = now;
      button.textContent = asks;
      setTimeout(() => {
        asked = null;
        button.textContent = words;
      }, SURE_MS);
    } else if (asked === null || now - asked > DOUBLE_MS) act();
  });
}
