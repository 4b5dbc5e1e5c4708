// The person goes first: they have seen one drawing of each character, a clock runs, they name the next one; then the network. Scores stay in
// this browser.

import { el } from "../shared/el.js";
import { stored } from "../shared/stored.js";
import { list } from "../shared/words.js";

/** @import { Look } from "../shared/looks.js" */
/** @import { Sample } from "./words.js" */

const KEPT = "maml-lab-characters";
const TICK_MS = 100;

/** @typedef {"off" | "waiting" | "ready" | "asking" | "told"} Phase */
/** @typedef {{ right: number, of: number, ms?: number }} Score */

/**
 * `sample()` brings other characters, `guesses()` what each learner takes the question for, `changed(over)` is called when the game goes on;
 * over: the answer is told.
 * @param {Element} parent
 * @param {{ names: () => string[], looks: Record<string, Look>, sample: () => Promise<Sample | null>,
 *   guesses: () => Record<string, number>, changed: (over: boolean) => void }} host
 */
export function game(parent, { names, looks, sample, guesses, changed }) {
  const box = el("div", { class: "game" }, parent);
  const clock = el("p", { class: "clock", role: "timer" }, box);
  const scores = el("dl", { class: "scores" }, box);
  const buttons = el("div", { class: "game-buttons" }, box);
  const onward = el("button", { type: "button", class: "primary" }, buttons);
  const leave = el("button", { type: "button" }, buttons, "Leave the game");
  const kept = stored(KEPT);
  /** @type {Phase} */
  let phase = "off";
  let truth = 0;
  let began = 0;
  let words = "";
  /** @type {number | undefined} */
  let ticking;

  onward.addEventListener("click", () => (phase === "ready" ? show() : phase === "told" && next()));
  leave.addEventListener("click", stop);

  /** @param {Phase} to */
  function turn(to) {
    phase = to;
    clearInterval(ticking);
    box.hidden = phase === "off";
    onward.hidden = phase === "asking" || phase === "waiting";
    onward.textContent = phase === "told" ? "Next characters" : "Show the question";
    if (phase !== "told") clock.textContent = "";
    draw();
    changed(phase === "told");
  }

  async function next() {
    words = "Look at the five characters: you will be asked about one of them";
    turn("waiting");
    const found = await sample();
    if (phase !== "waiting") return;
    if (!found) return stop();
    truth = found.answer;
    turn("ready");
  }

  function show() {
    words = "Which one is this? Choose it";
    turn("asking");
    began = performance.now();
    const tick = () => (clock.textContent = `${((performance.now() - began) / 1000).toFixed(1)} s`);
    ticking = setInterval(tick, TICK_MS);
    tick();
  }

  /** @param {number} i */
  function pick(i) {
    if (phase !== "asking") return;
    const ms = performance.now() - began;
    const said = guesses();
    const all = kept.read();
    count(all, "you", i === truth, ms);
    for (const [name, guess] of Object.entries(said)) count(all, name, guess === truth);
    kept.write(all);
    const called = names();
    const each = Object.entries(said).map(([name, guess]) => `${looks[name].label} says ${called[guess]}`);
    words = `${i === truth ? "Right" : `You said ${called[i]}`}: it is ${called[truth]}. ${list(each)}`;
    clock.textContent = `${(ms / 1000).toFixed(1)} s`;
    turn("told");
    onward.focus({ preventScroll: true });
  }

  /** @param {Record<string, any>} all @param {string} name @param {boolean} isRight */
  function count(all, name, isRight, ms = 0) {
    const { right, of, ms: before } = scoreOf(all[name]);
    all[name] = { right: right + Number(isRight), of: of + 1, ms: before + ms };
  }

  function draw() {
    scores.replaceChildren();
    const all = kept.read();
    for (const name of ["you", ...Object.keys(looks)]) {
      const { right, of, ms } = scoreOf(all[name]);
      if (!of) continue;
      el("dt", {}, scores, name === "you" ? "You" : looks[name].label);
      el("dd", { "data-score": name }, scores, `${right} of ${of}${ms ? `, ${(ms / of / 1000).toFixed(1)} s each` : ""}`);
    }
  }

  function stop() {
    clearInterval(ticking);
    if (phase !== "off") turn("off");
  }

  box.hidden = true;
  return {
    start: next,
    stop,
    pick,
    get on() {
      return phase !== "off";
    },
    /** Whether the question is not to be seen yet. */
    get hidden() {
      return phase === "waiting" || phase === "ready";
    },
    /** Whether learners keep what they say to themselves. */
    get quiet() {
      return phase !== "off" && phase !== "told";
    },
    get words() {
      return words;
    },
  };
}

/**
 * What a browser has kept, which may be anything.
 * @param {any} kept
 * @returns {Required<Score>}
 */
function scoreOf(kept) {
  const [right, of, ms] = [kept?.right, kept?.of, kept?.ms].map((value) => (Number.isFinite(value) && value > 0 ? value : 0));
  return { right, of, ms };
}
