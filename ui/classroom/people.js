// Who is in a room, for its teacher: the door, the code, and who should not be there.

import { el } from "../shared/el.js";
import { isWithin } from "./focus.js";
import { DOUBLE_MS } from "./server.js";

const counted = (n) => (n === 1 ? "1 student" : `${n} students`);

// `tell(what, value)` does what the teacher wants. Gives { update(state), remove() }; update takes a teacher's state of the room.
export function peoplePart(parent, { tell }) {
  const part = el("details", { class: "room-menu people" }, parent);
  const title = el("summary", {}, part, "Who is in this room");
  const row = el("div", { class: "menu-row" }, part);
  const door = el("button", { type: "button", class: "switch", role: "switch" }, row, "Let newcomers in");
  const renew = el("button", { type: "button" }, row, "New code");
  el("span", { class: "hint" }, row, "Whoever is in the room stays in it. With a new code, nobody joins by the old one.");
  const said = el("p", { class: "hidden", role: "status" }, part);
  const removals = el("div", { class: "removals" }, part);
  const list = el("div", {}, part);
  let state = null;
  let shown = "";
  let last = 0;

  // Names move when somebody comes or goes: the second half of a double click is for nobody.
  async function once(...what) {
    const now = performance.now();
    if (now - last < DOUBLE_MS) return;
    last = now;
    await tell(...what);
    if (document.activeElement === document.body) (removals.querySelector("button") ?? title).focus();
  }
  door.addEventListener("click", () => tell("door", state.closed));
  renew.addEventListener("click", () => once("code"));

  const button = (place, words, act, label) =>
    el("button", { type: "button", "aria-label": label }, place, words).addEventListener("click", act);
  const numbersOf = (students) => students.map(({ number }) => number);
  const nameOf = (students) => (students.length === 1 ? students[0].label : counted(students.length));

  function draw() {
    const at = isWithin(list) ? document.activeElement.getAttribute("aria-label") : "";
    const { people, removed } = state;
    removals.replaceChildren();
    for (const students of removed) {
      const line = el("p", {}, removals, `Removed ${nameOf(students)}. `);
      button(line, "Undo", () => once("restored", numbersOf(students)), `Undo: ${nameOf(students)}`);
    }
    list.replaceChildren();
    if (!people.length) el("p", { class: "hint" }, list, "Nobody has joined.");
    for (const students of people) {
      const alone = students.length === 1;
      if (!alone) {
        const heading = el("p", {}, list, `${students.length} joined from one network within a minute `);
        button(heading, `Remove these ${students.length}`, () => once("removed", numbersOf(students)), null);
      }
      const before = list.lastElementChild;
      const names = alone && before?.matches(".alone") ? before : el("ul", { class: alone ? "names alone" : "names" }, list);
      for (const { number, label } of students) {
        const item = el("li", {}, names, label);
        button(item, "×", () => once("removed", [number]), `Remove ${label}`);
      }
    }
    if (people.length)
      el(
        "p",
        { class: "hint" },
        list,
        "A student is removed together with their answers, until you undo it. In a school, everybody may share one network.",
      );
    if (at) list.querySelector(`[aria-label="${CSS.escape(at)}"]`)?.focus();
  }

  return {
    update(newState) {
      const before = state;
      state = newState;
      door.setAttribute("aria-checked", !state.closed);
      const now = JSON.stringify([state.people, state.removed]);
      if (now !== shown) draw();
      shown = now;
      if (!before) return;
      if (state.room !== before.room) said.textContent = `The new code is ${[...state.room].join(" ")}.`;
      else if (state.removed.length > before.removed.length) said.textContent = `Removed ${nameOf(state.removed[0])}.`;
      else if (state.removed.length < before.removed.length) said.textContent = "Undone.";
    },
    remove: () => part.remove(),
  };
}
