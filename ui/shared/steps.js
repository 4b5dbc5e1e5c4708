// The step bar: first, back, play or pause, forward, last, the speed, and a scrubber over the inner steps.

import { keyed } from "./pointer.js";
import { el, set } from "./el.js";

/**
 * Milliseconds that a step is played in; less where there are so many that they would take longer than `all`.
 * @type {Record<string, { step: number, all: number }>}
 */
const SPEEDS = { slow: { step: 2400, all: Infinity }, normal: { step: 700, all: 12_000 }, fast: { step: 220, all: 4_000 } };
const THINK = 0.5; // the share of a slow step in which the loss and its gradient are shown, before anything moves
const UNHURRIED = 1000; // only steps as slow as this are shown in parts
const ICONS = {
  first: "M5,5V19M19,5L9,12L19,19Z",
  back: "M17,5L7,12L17,19Z",
  play: "M7,4L20,12L7,20Z",
  pause: "M7,5V19M17,5V19",
  forward: "M7,5L17,12L7,19Z",
  last: "M19,5V19M5,5L15,12L5,19Z",
};

/** @typedef {keyof typeof ICONS} Drawing */

/**
 * `go(step, smooth)` moves to a step; smooth where it is one step away. `think(part)` shows what comes before a step: "loss", then
 * "gradient"; null: nothing.
 * @param {Element} parent
 * @param {{ go: (step: number, smooth: boolean) => void, think: (part: "loss" | "gradient" | null) => void }} host
 */
export function stepBar(parent, { go, think }) {
  const buttons = el("div", { class: "buttons" }, parent);
  /**
   * @param {Drawing} drawing
   * @param {string} label
   * @param {() => void} act
   */
  const make = (drawing, label, act) => {
    const button = el("button", { type: "button", "aria-label": label, title: label }, buttons);
    icon(button, drawing);
    button.addEventListener("click", act);
    return button;
  };
  const firstButton = make("first", keyed("Before any step", "Home"), () => jump(0));
  const backButton = make("back", keyed("One step back", "left arrow"), () => by(-1));
  const playButton = make("play", keyed("Play", "space"), toggle);
  const forwardButton = make("forward", keyed("One step forward", "right arrow"), () => by(1));
  const lastButton = make("last", keyed("Last step", "End"), () => jump(updates));
  playButton.classList.add("primary");
  const count = el("span", { class: "count" }, parent);
  const track = el("div", { class: "track" }, parent);
  const scrubber = el("input", { type: "range", min: 0, step: 1, "aria-label": "step shown" }, track);
  const trainedMark = el("span", { class: "trained-mark", "aria-hidden": "true" }, track);
  const speed = el(
    "select",
    { class: "speed", "aria-label": "playback speed", title: "Playback speed. Slow shows each line of the algorithm." },
    parent,
  );
  for (const name of Object.keys(SPEEDS)) el("option", { value: name }, speed, `speed: ${name}`);
  speed.value = "normal";
  let step = 0;
  let updates = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  let timer = null;

  /**
   * @param {Element} button
   * @param {Drawing} drawing
   */
  function icon(button, drawing) {
    button.replaceChildren();
    const svg = el("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, button);
    el("path", { d: ICONS[drawing] }, svg);
  }

  /**
   * @param {Drawing} drawing
   * @param {string} label
   */
  function name(drawing, label) {
    icon(playButton, drawing);
    set(playButton, { "aria-label": label, title: label });
  }

  function pause() {
    if (!timer) return;
    clearTimeout(timer);
    timer = null;
    name("play", keyed("Play", "space"));
    think(null);
    go(step, false);
  }

  // One step, and then the next.
  function walk() {
    if (step >= updates) return pause();
    const { step: slow, all } = SPEEDS[speed.value];
    const time = Math.min(slow, all / updates);
    const wait = time >= UNHURRIED ? (time * THINK) / 2 : 0;
    const move = () => {
      go(step + 1, true);
      timer = setTimeout(walk, time - 2 * wait);
    };
    if (!wait) return move();
    think("loss");
    timer = setTimeout(() => {
      think("gradient");
      timer = setTimeout(move, wait);
    }, wait);
  }

  function toggle() {
    if (timer) return pause();
    if (step >= updates) go(0, false);
    name("pause", keyed("Pause", "space"));
    timer = setTimeout(walk, 0);
  }

  /** @param {number} to */
  function jump(to) {
    pause();
    go(to, false);
  }

  /** @param {number} change */
  function by(change) {
    pause();
    const to = step + change;
    if (to >= 0 && to <= updates) go(to, true);
  }

  scrubber.addEventListener("input", () => {
    const to = Number(scrubber.value);
    if (timer) pause();
    go(to, false);
  });

  return {
    by,
    jump,
    toggle,
    pause,
    get playing() {
      return Boolean(timer);
    },
    /**
     * @param {number} newStep
     * @param {number} newUpdates
     * @param {number} trained
     * @param {string} who
     */
    update(newStep, newUpdates, trained, who) {
      step = newStep;
      updates = newUpdates;
      scrubber.max = String(updates);
      scrubber.value = String(step);
      scrubber.setAttribute("aria-valuetext", `step ${step} of ${updates}`);
      scrubber.style.setProperty("--done", `${(100 * step) / updates}%`);
      count.replaceChildren();
      el("b", {}, count, `step ${step}`);
      count.append(` of ${updates}`);
      const marked = trained > 0 && trained <= updates;
      trainedMark.hidden = !marked;
      trainedMark.style.setProperty("--at", String(trained / updates));
      trainedMark.classList.toggle("late", trained / updates > 0.6); // its words stand to the left of it then
      trainedMark.textContent = marked ? `${who} trained for ${trained === 1 ? "1 step" : `${trained} steps`}` : "";
      // Not `disabled`: that would drop the focus of whoever just pressed it.
      for (const button of [firstButton, backButton]) set(button, { "aria-disabled": step === 0 });
      for (const button of [forwardButton, lastButton]) set(button, { "aria-disabled": step === updates });
    },
  };
}
