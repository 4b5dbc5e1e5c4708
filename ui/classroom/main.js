// The Classroom page: the door, or the room that the address names, from the teacher's side or a student's.

import { mounted } from "../shared/mounted.js";
import { presenting } from "../shared/presenting.js";
import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { SHEETS, section } from "../lessons/parts.js";
import {
  drop,
  forget,
  goTo,
  isOffered,
  isPresented,
  lastJoined,
  noteCode,
  noteJoined,
  notePresented,
  remember,
  roomShown,
  secretOf,
  takeSecret,
  turnAway,
} from "./address.js";
import { door } from "./door.js";
import { isWithin, toHeading } from "./focus.js";
import { inRoom, openRoom } from "./server.js";
import { studentView } from "./student.js";
import { teacherView } from "./teacher.js";

const life = mounted([...SHEETS, "classroom/classroom.css"], (parent, { data }, base) =>
  makeView(parent, JSON.parse(data), base),
);
export const { remove } = life;
const SLOW_MS = 1500; // before it is said that one waits at the door

export function render(component, base) {
  takeSecret(); // before anything is fetched: a class looks on
  life.render(component, base);
}

function makeView(parent, { looks, longest }, base) {
  const page = section(parent, looks, "classroom", "Classroom");
  const { root } = page;
  const home = location.pathname;
  const away = el("p", { class: "away", role: "alert" }, root);
  const place = el("div", {}, root);
  let shown = null;
  let leave = () => {};
  let astray = false; // astray: what had the focus is gone, and its place is not filled yet

  function show(make) {
    astray ||= isWithin(place);
    leave();
    place.replaceChildren();
    away.textContent = "";
    enlarge(false);
    leave = make(place);
    settle();
  }

  function settle() {
    if (!place.querySelector("h1, h2")) return;
    if (astray) toHeading(place);
    astray = false;
  }

  function go(room) {
    goTo(room);
    read();
  }

  function read() {
    if (location.pathname !== home) return; // of another page, which Streamlit brings
    takeSecret();
    const room = roomShown();
    if (room === shown && !isOffered(room)) return;
    shown = room;
    if (room) show((parent) => roomPage(parent, room));
    else show((parent) => doorPage(parent));
  }

  function doorPage(parent, code = lastJoined(), said = "") {
    const open = async () => {
      const { room, secret } = await openRoom();
      remember(room, secret);
      go(room);
    };
    return door(parent, { code, said, open, enter: (room) => (shown === room ? enterAgain(room) : go(room)) });
  }

  const enterAgain = (room) => show((parent) => roomPage(parent, room));

  function roomPage(parent, entered) {
    const secret = secretOf(entered);
    let room = entered;
    const slow = setTimeout(() => (away.textContent ||= "One moment: joining can take a few seconds."), SLOW_MS);
    let view = null;
    const there = inRoom({
      room,
      secret,
      news(state) {
        clearTimeout(slow);
        if (state.ended) return over(parent, "This room is over", "Thank you for taking part.");
        if (state.removed) return removed(parent);
        if (!view) parent.replaceChildren();
        if (!view || state.room !== room) know(state.room);
        view ??= secret
          ? teacherView(parent, {
              secret,
              looks,
              base,
              act: there.act,
              file: there.file,
              present,
              presented: present(isPresented()),
            })
          : studentView(parent, { looks, base, longest, vote: there.vote, name: there.name });
        view.update(state);
        settle();
      },
      away: (words) => (away.textContent = words),
      refused(error) {
        if (error.status === 403 && secret) {
          drop(room, secret);
          if (secretOf(room)) return enterAgain(room);
          return show((parent) =>
            doorPage(parent, room, "That was not this room’s teacher address. With the code you can join as a student."),
          );
        }
        if (view && error.status === 404) return over(parent, "This room is over", "");
        if (error.status === 404) forget(room);
        shown = "";
        show((parent) => doorPage(parent, room, sentence(error)));
        turnAway();
      },
    });

    // The code may be changed while one is in the room.
    function know(code) {
      if (code !== room) {
        forget(room);
        noteCode(code);
        room = shown = code;
      }
      if (secret) remember(code, secret);
      else noteJoined(code);
    }

    function over(parent, title, words) {
      forget(room);
      instead(parent, title, words);
    }

    // Whoever is taken back in goes on here.
    function removed(parent) {
      if (view || !parent.querySelector("h1"))
        instead(
          parent,
          "The teacher has removed you from this room",
          "Is this a mistake? Ask your teacher to take you back in, or for a new code.",
        );
    }

    function instead(parent, title, words) {
      astray ||= isWithin(parent);
      view?.remove();
      view = null;
      present(false);
      parent.replaceChildren();
      el("h1", {}, parent, title);
      el("p", { class: "room-lead", role: "status" }, parent, words);
      el("button", { type: "button" }, parent, "Go to another room").addEventListener("click", () => go(""));
      settle();
    }

    return () => {
      clearTimeout(slow);
      there.remove();
      view?.remove();
    };
  }

  function enlarge(on) {
    root.classList.toggle("present", on);
    presenting(root, on);
  }

  // Nothing but the room, large. The address remembers it.
  function present(on) {
    enlarge(on);
    notePresented(on);
    return on;
  }

  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  return {
    update: read,
    remove() {
      removeEventListener("popstate", read);
      removeEventListener("hashchange", read);
      leave();
      presenting(root, false);
      page.remove();
    },
  };
}
