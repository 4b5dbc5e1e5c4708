// The two-parameter world: its state, its two pictures, its controls; all of it moves in the browser.

import { colourBar, tintOf } from "../chart/heat.js";
import { current, write } from "../shared/address.js";
import { gesture, timeline, wayOf } from "../shared/history.js";
import { keyed } from "../shared/pointer.js";
import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { onResize } from "../shared/resized.js";
import { ALPHA, DEFAULTS, PLACES, TASKS, fromQuery, toQuery } from "./address.js";
import { planePlot } from "./plot.js";
import { numbersOf } from "./numbers.js";
import { sceneOf } from "./scene.js";
import { LEARNERS, OUTER_STEPS } from "./toy.js";
import { FOLLOWS, finding } from "./words.js";
import { number } from "../shared/words.js";

const INNER_KEY =
  "arrows: each task’s inner step, θ → θ′ · rings: each task’s curvatures · numbers on the contours: the mean loss";
const PLAY_MS = 6000; // all outer steps; the first ones, which do most, take longer
const REST_MS = 300; // what has come to rest is told this long after the last change
const NOTHING = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, null])); // in the address, of this world

let left = null; // the state when the page was left for another one

// query: the parameters to begin with where the world is a part of another page, as text. The page's address is then left alone, and
// `changed(query)` hears of what has come to rest. still: a picture alone.
export function twoParameterWorld(parent, { looks, query, still = false, changed = () => {} }) {
  const embedded = query !== undefined;
  const begin = embedded ? new URLSearchParams(query) : current().searchParams;
  const { state: asked, problems } = fromQuery(begin);
  const back = !embedded && left && !Object.keys(DEFAULTS).some((name) => begin.has(name));
  let state = back ? left : asked;
  let timer = null;
  let frame = null;
  let drawing = false;
  const undoable = timeline();
  parent.classList.toggle("embedded", embedded);
  parent.classList.toggle("still", still);

  const heading = el(embedded ? "h3" : "h1", { class: "world-finding" }, parent);
  el(
    "p",
    { class: "setting" },
    parent,
    "A world of two parameters: each task has a quadratic loss around its optimum. Drag θ or a task; play the outer loop.",
  );
  const plots = el("div", { class: "world-plots" }, parent);
  const picture = (name, keep, reachable) => {
    const box = el("div", {}, plots);
    const head = el("h2", {}, box, name);
    const value = el("span", { class: "value" }, head);
    const plot = planePlot(box, { move, rest, reachable: reachable && !still, keep: still ? "" : keep });
    return { value, plot, key: el("p", { class: "hint" }, box) };
  };
  const before = picture("Before adaptation: F₀(θ) = mean Lᵢ(θ)", "before-adaptation", true);
  const after = picture("After one inner step: F₁(θ) = mean Lᵢ(θ − α∇Lᵢ(θ))", "after-one-inner-step", false);

  const scale = el("div", { class: "world-scale" }, parent);
  colourBar(scale, tintOf);
  el("p", { class: "key" }, scale, "mean loss, on the same scale in both pictures: bright is low");

  const bar = el("div", { class: "world-bar" }, parent);
  const buttons = el("div", { class: "world-buttons", role: "group", "aria-label": "Outer loop" }, bar);
  const button = (name, title, act, attributes = {}) => {
    const made = el("button", { type: "button", title, ...attributes }, buttons, name);
    made.addEventListener("click", act);
    return made;
  };
  const playButton = button("Play", "Play the outer loop", toggle, { class: "primary" });
  button("Step", "One outer step of each learner", () => to(state.step + 1));
  button("To the end", `All ${OUTER_STEPS} outer steps`, () => to(OUTER_STEPS));
  button("To the start", "Back to θ, before any outer step", () => to(0));
  const count = el("span", { class: "count" }, bar);
  const ways = el("div", { class: "world-buttons", role: "group", "aria-label": "Undo and redo" }, bar);
  const [undoButton, redoButton] = [
    ["undo", "↶", "Undo", "Ctrl+Z"],
    ["redo", "↷", "Redo", "Ctrl+Shift+Z"],
  ].map(([way, sign, name, keys]) => {
    const made = el("button", { type: "button", title: keyed(name, keys), "aria-label": name }, ways, sign);
    made.addEventListener("click", () => travel(way));
    return made;
  });
  const chosen = el("div", { class: "world-buttons", role: "group", "aria-label": "Learners" }, bar);
  const toggles = Object.fromEntries(
    LEARNERS.map((name) => {
      const made = el("button", { type: "button" }, chosen);
      swatch(looks[name], name, made);
      made.append(looks[name].label);
      made.addEventListener("click", () =>
        change({ learners: LEARNERS.filter((other) => (other === name) !== state.learners.includes(other)) }),
      );
      return [name, made];
    }),
  );
  const controls = el("div", { class: "world-controls" }, parent);
  const slider = (name, label, [low, high], low_word, high_word) => {
    const box = el("label", { class: "world-slider" }, controls);
    const head = el("span", { class: "world-label" }, box, label);
    const value = el("strong", {}, head);
    const input = el("input", { type: "range", min: low, max: high, step: 0.01, name, "aria-label": label }, box);
    const ends = el("span", { class: "world-ends", "aria-hidden": "true" }, box);
    el("span", {}, ends, low_word);
    el("span", {}, ends, high_word);
    input.addEventListener("input", () => change({ [name]: Number(input.value) }, gesture(`set ${name}`)));
    return { input, value, done: (at) => input.style.setProperty("--done", `${(100 * (at - low)) / (high - low)}%`) };
  };
  const difference = slider("difference", "how much the tasks’ curvatures differ", [0, 1], "all equal", "all different");
  const alpha = slider("alpha", "inner step size α", ALPHA, "0", String(ALPHA[1]));
  const more = el("div", { class: "world-buttons", role: "group", "aria-label": "Tasks" }, controls);
  const tasksButton = (name, title, act) => {
    const made = el("button", { type: "button", title }, more, name);
    made.addEventListener("click", act);
    return made;
  };
  const add = tasksButton(
    "Add a task",
    "",
    () => state.tasks.length < TASKS[1] && change({ tasks: [...state.tasks, PLACES[state.tasks.length]] }),
  );
  const drop = tasksButton(
    "Remove a task",
    "",
    () => state.tasks.length > TASKS[0] && change({ tasks: state.tasks.slice(0, -1) }),
  );
  tasksButton("Reset all", "Back to the settings that the page opens with", () => change({ ...DEFAULTS }));
  const hint = el("p", { class: "hint alert", role: "status" }, parent, problems.join(" "));
  const spoken = el("p", { class: "hidden", role: "status" }, parent);

  const learners = el("div", { class: "follows" }, parent);
  for (const name of LEARNERS) {
    const card = el("div", {}, learners);
    const head = el("h2", {}, card);
    const [formula, text] = FOLLOWS[name];
    swatch(looks[name], name, head);
    head.append(`What ${looks[name].label} follows`);
    el("p", { class: "formula" }, card, `mean over i of ${formula}`);
    el("p", { class: "about" }, card, text);
  }
  const numbers = numbersOf(parent, looks);

  // A change shows with the next frame; of several in one, the last. Those of one gesture are undone as one.
  function change(parts, as = null) {
    undoable.note(state, as);
    put({ ...state, ...parts });
  }

  function travel(way) {
    const to = undoable[way](state);
    if (!to) return;
    pause();
    put(to);
  }

  function put(next) {
    state = next;
    hint.textContent = "";
    if (!drawing) requestAnimationFrame(draw);
    drawing = true;
    rest();
  }

  function move(handle, next) {
    change(
      handle === "theta" ? { theta: next(state.theta) } : { tasks: state.tasks.map((at, i) => (i === handle ? next(at) : at)) },
      gesture("drag"),
    );
  }

  // On a page of its own wherever the focus is; on somebody else's page in here alone.
  function key(event) {
    const on = event.target;
    const way = wayOf(event);
    if (!way || (embedded && !parent.contains(on))) return;
    if (on.closest?.("input:not([type=range]), textarea, select, [contenteditable]")) return;
    travel(way);
    event.preventDefault();
  }
  if (!still) document.addEventListener("keydown", key);

  function rest() {
    if (!embedded) write({ ...NOTHING, ...toQuery(state) });
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (embedded) changed(new URLSearchParams(toQuery(state)).toString());
      spoken.textContent = `${heading.textContent} ${count.textContent}`;
    }, REST_MS);
  }

  function to(step, as = null) {
    pause();
    change({ step: Math.min(Math.max(step, 0), OUTER_STEPS) }, as);
  }

  function pause() {
    cancelAnimationFrame(frame);
    frame = null;
    playButton.textContent = "Play";
  }

  function toggle() {
    if (frame) return pause();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return to(OUTER_STEPS);
    const playing = gesture("play");
    const from = state.step >= OUTER_STEPS ? 0 : state.step;
    const start = performance.now() - PLAY_MS * Math.sqrt(from / OUTER_STEPS);
    const tick = (now) => {
      const part = Math.min(1, Math.max(0, now - start) / PLAY_MS);
      const step = Math.floor(OUTER_STEPS * part ** 2);
      if (part === 1) return to(OUTER_STEPS, playing);
      if (step !== state.step) change({ step }, playing);
      frame = requestAnimationFrame(tick);
    };
    playButton.textContent = "Pause";
    frame = requestAnimationFrame(tick);
  }

  function draw() {
    drawing = false;
    const scene = sceneOf(state, looks);
    for (const [{ plot, value, key }, plane, loss, words] of [
      [before, scene.before, scene.about.before, INNER_KEY],
      [after, scene.after, scene.about.after, scene.key],
    ]) {
      plot.update(plane);
      value.textContent = `${number(loss)} at θ`;
      key.textContent = words;
    }
    heading.textContent = finding(scene.rows, state.difference);
    count.textContent = `outer step ${state.step} of ${OUTER_STEPS}`;
    for (const name of LEARNERS) toggles[name].setAttribute("aria-pressed", state.learners.includes(name));
    for (const [part, value] of [
      [difference, state.difference],
      [alpha, state.alpha],
    ]) {
      if (Number(part.input.value) !== value) part.input.value = value;
      part.value.textContent = String(value);
      part.done(value);
    }
    // Not `disabled`: that would drop the focus of whoever just pressed it.
    undoButton.setAttribute("aria-disabled", !undoable.canUndo);
    redoButton.setAttribute("aria-disabled", !undoable.canRedo);
    add.setAttribute("aria-disabled", state.tasks.length >= TASKS[1]);
    drop.setAttribute("aria-disabled", state.tasks.length <= TASKS[0]);
    numbers.update(scene);
  }

  const lay = () => {
    for (const { plot } of [before, after]) plot.resize();
    draw();
  };
  lay(); // at once, or what is below would move when the pictures come
  const resized = onResize(lay);
  resized.observe(plots);

  return {
    remove() {
      if (!embedded) left = state;
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      resized.disconnect();
      for (const { plot } of [before, after]) plot.remove();
      document.removeEventListener("keydown", key);
    },
  };
}
