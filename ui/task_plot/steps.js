// The step bar: first, back, play or pause, forward, last, and a scrubber over the inner steps.

import { el, set } from "./svg.js";

const PLAY_MS = 700; // a step, for few of them; many are played in
const PLAY_ALL_MS = 12_000;
const ICONS = {
  first: "M5,5V19M19,5L9,12L19,19Z",
  back: "M17,5L7,12L17,19Z",
  play: "M7,4L20,12L7,20Z",
  pause: "M7,5V19M17,5V19",
  forward: "M7,5L17,12L7,19Z",
  last: "M19,5V19M5,5L15,12L5,19Z",
};

// `go(step, smooth)` moves to a step; smooth where it is one step away.
export function stepBar(parent, { go }) {
  const buttons = el("div", { class: "buttons" }, parent);
  const make = (drawing, label, act) => {
    const button = el("button", { type: "button", "aria-label": label, title: label }, buttons);
    icon(button, drawing);
    button.addEventListener("click", act);
    return button;
  };
  const firstButton = make("first", "Before any step (Home)", () => jump(0));
  const backButton = make("back", "One step back (left arrow)", () => by(-1));
  const playButton = make("play", "Play (space)", toggle);
  const forwardButton = make("forward", "One step forward (right arrow)", () => by(1));
  const lastButton = make("last", "Last step (End)", () => jump(updates));
  playButton.classList.add("primary");
  const count = el("span", { class: "count" }, parent);
  const track = el("div", { class: "track" }, parent);
  const scrubber = el("input", { type: "range", min: 0, step: 1, "aria-label": "step shown" }, track);
  const trainedMark = el("span", { class: "trained-mark", "aria-hidden": "true" }, track);
  let step = 0, updates = 0, timer = null;

  function icon(button, drawing) {
    button.replaceChildren();
    const svg = el("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, button);
    el("path", { d: ICONS[drawing] }, svg);
  }

  function name(drawing, label) {
    icon(playButton, drawing);
    set(playButton, { "aria-label": label, title: label });
  }

  function pause() {
    if (!timer) return;
    clearInterval(timer);
    timer = null;
    name("play", "Play (space)");
    go(step, false);
  }

  function toggle() {
    if (timer) return pause();
    if (step >= updates) go(0, false);
    name("pause", "Pause (space)");
    timer = setInterval(() => (step < updates ? go(step + 1, true) : pause()), Math.min(PLAY_MS, PLAY_ALL_MS / updates));
    if (step < updates) go(step + 1, true);
  }

  function jump(to) {
    pause();
    go(to, false);
  }

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
    by, jump, toggle, pause,
    get playing() { return Boolean(timer); },
    update(newStep, newUpdates, trained, who) {
      step = newStep;
      updates = newUpdates;
      scrubber.max = updates;
      scrubber.value = step;
      scrubber.setAttribute("aria-valuetext", `step ${step} of ${updates}`);
      scrubber.style.setProperty("--done", `${(100 * step) / updates}%`);
      count.replaceChildren();
      el("b", {}, count, `step ${step}`);
      count.append(` of ${updates}`);
      const marked = trained > 0 && trained <= updates;
      trainedMark.hidden = !marked;
      trainedMark.style.setProperty("--at", trained / updates);
      trainedMark.textContent = marked ? `${who} trained for ${trained === 1 ? "1 step" : `${trained} steps`}` : "";
      // Not `disabled`: that would drop the focus of whoever just pressed it.
      for (const button of [firstButton, backButton]) button.setAttribute("aria-disabled", step === 0);
      for (const button of [forwardButton, lastButton]) button.setAttribute("aria-disabled", step === updates);
    },
  };
}
