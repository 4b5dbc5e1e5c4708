// Before a room: open one, or join with a code.

import { el } from "../shared/el.js";
import { codeIn, roomsOfMine } from "./address.js";
import { AWAY } from "./server.js";

// code, said: what was typed before, and why it did not do. `open()` opens a room and raises why not; `enter(code)` goes to one. Gives what removes it.
export function door(parent, { code, said, open, enter }) {
  const root = el("div", { class: "door" }, parent);
  el("h1", {}, root, "Predict together");
  el(
    "p",
    { class: "setting" },
    root,
    "Everybody predicts on their own screen. Nobody sees a prediction until the teacher reveals them all; then the lab shows what happens.",
  );
  const ways = el("div", { class: "door-ways" }, root);

  const join = el("form", { class: "door-way" }, ways);
  el("h2", {}, join, "Join a room");
  el("label", { for: "room-code" }, join, "The code on the board");
  const line = el("div", { class: "door-line" }, join);
  const field = el(
    "input",
    {
      id: "room-code",
      class: "code-field",
      autocomplete: "off",
      autocapitalize: "characters",
      spellcheck: "false",
      maxlength: 12,
      required: "",
    },
    line,
  );
  field.value = code;
  el("button", { type: "submit", class: "primary" }, line, "Join");
  el("p", { class: "complaint", role: "alert" }, join, said);
  join.addEventListener("submit", (event) => {
    event.preventDefault();
    enter(codeIn(field.value));
  });

  const teach = el("div", { class: "door-way" }, ways);
  el("h2", {}, teach, "Teach");
  el(
    "p",
    {},
    teach,
    "You get a code for the board and give the room one card after another. There are no accounts, and a room ends by itself after a day without use.",
  );
  const row = el("div", { class: "door-line" }, teach);
  const button = el("button", { type: "button" }, row, "Open a room");
  for (const mine of roomsOfMine()) {
    el("button", { type: "button" }, row, `Back to ${mine}`).addEventListener("click", () => enter(mine));
  }
  const trouble = el("p", { class: "complaint", role: "alert" }, teach);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await open();
    } catch (error) {
      trouble.textContent = error.refused ? error.message : AWAY;
      button.disabled = false;
    }
  });
  return () => root.remove();
}
