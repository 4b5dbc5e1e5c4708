// Sliders and choices for some of the lab's settings, where there is no Streamlit. What there is to move is SETTINGS of ui/lab/settings.py.

import { el } from "../shared/el.js";

const OF_VIEW = { num_updates: "updates" }; // settings that the view calls otherwise

// `move(name, value)` is called all through a drag.
export function controlBar(parent, { move }) {
  const parts = {};

  function scale(name, { label, help, values }) {
    const box = el("label", { class: "scale", title: help }, parent);
    const head = el("span", { class: "scale-label" }, box);
    const words = el("span", {}, head);
    const value = el("strong", {}, head);
    const input = el("input", { type: "range", min: 0, step: 1, name, "aria-label": label }, box);
    let all = values;
    const say = (i) => {
      value.textContent = plain(all[i]);
      input.setAttribute("aria-valuetext", plain(all[i]));
      input.style.setProperty("--done", `${(100 * i) / (all.length - 1)}%`);
    };
    input.addEventListener("input", () => {
      say(Number(input.value));
      move(name, all[Number(input.value)]);
    });
    return (at, note) => {
      words.textContent = label + note;
      all = values.includes(at) ? values : [...values, at].sort((a, b) => a - b); // any value in range is a position once it is set
      const i = all.indexOf(at);
      input.max = all.length - 1;
      input.value = i;
      say(i);
    };
  }

  function choice(name, { label, help, values, names }) {
    const box = el("div", { class: "scale of-names", role: "group", "aria-label": label, title: help }, parent);
    el("span", { class: "scale-label" }, box, label);
    const row = el("div", { class: "choice" }, box);
    const buttons = values.map((value, i) => {
      const made = el("button", { type: "button", name }, row, names[i]);
      made.addEventListener("click", () => move(name, value));
      return made;
    });
    return (at) => buttons.forEach((made, i) => made.setAttribute("aria-pressed", values[i] === at));
  }

  return {
    // settings: the server's, of which those named are made.
    make(settings, names) {
      for (const name of names) parts[name] = (settings[name].names.length ? choice : scale)(name, settings[name]);
    },
    update(view) {
      const note = (name) =>
        name === "K" && view.by_hand ? ` (${view.shots.length ? `now ${view.shots.length}, by hand` : "no shots now"})` : "";
      for (const [name, put] of Object.entries(parts)) put(view[OF_VIEW[name] ?? name], note(name));
    },
  };
}

const plain = (value) => String(Number(value.toPrecision(6)));
