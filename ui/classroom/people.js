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
  async function once(what, value, words) {
    const now = performance.now();
    if (now - last < DOUBLE_MS) return;
    last = now;
    said.textContent = (await tell(what, value)) ? words() : "";
    if (document.activeElement === document.body) (removals.querySelector("button") ?? title).focus();
  }
  door.addEventListener("click", () => tell("door", state.closed));
  renew.addEventListener("click", () => once("code", null, () => `The new code is ${[...state.room].join(" ")}.`));

  const nameOf = (students) => (students.length === 1 ? students[0].label : counted(students.length));

  // What removes these students or takes them back in.
  function button(place, words, what, students, label = null) {
    const numbers = students.map(({ number }) => number);
    const done = what === "removed" ? `Removed ${nameOf(students)}.` : `${nameOf(students)} taken back in.`;
    const made = el("button", { type: "button", "aria-label": label, "data-key": `${what} ${numbers}` }, place, words);
    made.addEventListener("click", () => once(what, numbers, () => done));
  }

  function draw() {
    const at = isWithin(part) ? document.activeElement.dataset.key : "";
    removals.replaceChildren();
    for (const students of state.removals) {
      const line = el("p", { class: "menu-row" }, removals, `Removed ${nameOf(students)}.`);
      button(line, "Undo", "restored", students, `Undo: ${nameOf(students)}`);
    }
    list.replaceChildren();
    if (!state.people.length) el("p", { class: "hint" }, list, "Nobody has joined.");
    for (const students of state.people) {
      const alone = students.length === 1;
      if (!alone) {
        const heading = el("p", { class: "menu-row" }, list, `${students.length} joined from one network within a minute`);
        button(heading, `Remove these ${students.length}`, "removed", students);
      }
      const before = list.lastElementChild;
      const names =
        alone && before?.matches(".one-by-one") ? before : el("ul", { class: alone ? "names one-by-one" : "names" }, list);
      for (const student of students) {
        const item = el("li", {}, names, student.label);
        button(item, "×", "removed", [student], `Remove ${student.label}`);
      }
    }
    if (state.people.length)
      el(
        "p",
        { class: "hint" },
        list,
        "A student is removed together with their answers, until you undo it. In a school, everybody may share one network.",
      );
    if (at) part.querySelector(`[data-key="${at}"]`)?.focus();
  }

  return {
    update(newState) {
      state = newState;
      door.setAttribute("aria-checked", !state.closed);
      const now = JSON.stringify([state.people, state.removals]);
      if (now !== shown) draw();
      shown = now;
    },
    remove: () => part.remove(),
  };
}
