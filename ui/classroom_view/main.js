// The Classroom page: the door, or the room that the address names, from the teacher's side or a student's.

import { styled } from "../task_plot/styles.js";
import { el } from "../task_plot/svg.js";
import { SHEETS, section, sentence } from "../lesson_view/parts.js";
import { addressOf, forget, isPresented, remember, roomOf, secretOf, takeSecret } from "./address.js";
import { door } from "./door.js";
import { inRoom, openRoom } from "./server.js";
import { studentView } from "./student.js";
import { teacherView } from "./teacher.js";

const views = new WeakMap();

export function render(component, base) {
  takeSecret();
  styled(base, [...SHEETS, "classroom_view/classroom.css"]).then(() => {
    const parent = component.parentElement;
    if (!parent.isConnected) return; // the page was left meanwhile
    if (!views.has(parent)) views.set(parent, makeView(parent, JSON.parse(component.data), base));
    views.get(parent).read();
  });
}

export function remove(parent) {
  views.get(parent)?.remove();
  views.delete(parent);
}

function makeView(parent, { looks }, base) {
  const page = section(parent, looks, "classroom", "Classroom"), { root } = page, home = location.pathname;
  const away = el("p", { class: "away", role: "alert" }, root), place = el("div", {}, root);
  let shown = null, leave = () => {};

  function show(make) {
    leave();
    place.replaceChildren();
    away.textContent = "";
    root.classList.remove("present");
    leave = make(place);
  }

  function go(room) {
    history.pushState(history.state, "", addressOf(room));
    read();
  }

  function read() {
    if (location.pathname !== home) return; // of another page, which Streamlit brings
    takeSecret();
    const room = roomOf(location.href);
    if (room === shown) return;
    shown = room;
    if (room) show((parent) => roomPage(parent, room));
    else show((parent) => doorPage(parent));
  }

  function doorPage(parent, code = "", said = "") {
    const open = async () => {
      const { room, secret } = await openRoom();
      remember(room, secret);
      go(room);
    };
    const made = door(parent, { code, said, open, enter: (room) => (shown === room ? enterAgain(room) : go(room)) });
    return made.remove;
  }

  const enterAgain = (room) => show((parent) => roomPage(parent, room));

  function roomPage(parent, room) {
    const secret = secretOf(room);
    let view = null;
    const there = inRoom({
      room,
      secret,
      news(state) {
        if (state.ended) return over(parent, "This room is over", "Thank you for taking part.");
        view ??= secret ? teacherView(parent, { room, secret, looks, base, act: there.act, file: there.file, present, presented: present(isPresented()) }) : studentView(parent, { looks, base, vote: there.vote, name: there.name });
        view.update(state);
      },
      away: (words) => (away.textContent = words),
      refused(error) {
        if (error.status === 403) {
          forget(room);
          return enterAgain(room);
        }
        if (view) return over(parent, "This room is over", "");
        if (error.status === 404) forget(room);
        show((parent) => doorPage(parent, room, sentence(error)));
      },
    });

    function over(parent, title, words) {
      forget(room);
      view?.remove();
      view = null;
      present(false);
      parent.replaceChildren();
      el("h1", {}, parent, title);
      el("p", { class: "room-lead", role: "status" }, parent, words);
      el("button", { type: "button" }, parent, "To another room").addEventListener("click", () => go(""));
    }

    return () => {
      there.remove();
      view?.remove();
    };
  }

  // Nothing but the room, large. The address remembers it.
  function present(on) {
    root.classList.toggle("present", on);
    if (on !== isPresented()) history.replaceState(history.state, "", addressOf(roomOf(location.href), { present: on }));
    return on;
  }

  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  return {
    read,
    remove() {
      removeEventListener("popstate", read);
      removeEventListener("hashchange", read);
      leave();
      page.remove();
    },
  };
}
