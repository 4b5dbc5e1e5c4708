// The page "Characters": holds what is drawn and what learners say of it, and wires the parts together. Drawing comes first: what is
// drawn is there at once, the server hears of it after, and the address at rest.

import { current, currentWith, write } from "../shared/address.js";
import { el } from "../shared/el.js";
import { timeline } from "../shared/history.js";
import { stepKeys } from "../shared/keys.js";
import { paint } from "../shared/looks.js";
import { keyed } from "../shared/pointer.js";
import { presenting } from "../shared/presenting.js";
import { onResize } from "../shared/resized.js";
import { otherSeed } from "../shared/seeds.js";
import { AWAY, json, sentence } from "../shared/server.js";
import { stepBar } from "../shared/steps.js";
import { fromQuery, toQuery } from "./address.js";
import { likelihoods } from "./bars.js";
import { controls } from "./controls.js";
import { MOST_STROKES, readAll, write as textOf, writeAll } from "./drawings.js";
import { freshTable } from "./fresh.js";
import { game } from "./game.js";
import { lossChart } from "./loss.js";
import { squares } from "./squares.js";
import { charactersShare } from "./share.js";
import { best, finding, likelyAt, numbers, remarks, setting } from "./words.js";

/** @import { Bounds } from "./address.js" */
/** @import { Drawing, Stroke } from "./drawings.js" */
/** @import { Answer, Data, Sample } from "./words.js" */

const RETRY_MS = 2000; // a server that is away is asked again
const SAY_MS = 600; // after the last change

/**
 * @param {HTMLElement} parent
 * @param {Data} data
 */
export function charactersView(parent, data) {
  const server = new URL("characters/", document.baseURI).href;
  const count = data.names.length;
  /** @type {Bounds} */
  const bounds = {
    names: data.names,
    learners: data.learners.map(({ name }) => name),
    updates: data.updates,
    name: data.longest_name,
    seed: data.sample.seed,
    freezes: data.freezes,
  };
  const read = fromQuery(current().searchParams, bounds);
  let { settings } = read;
  /** @type {Drawing[]} One a character, then the one that is asked about. */
  let drawings = settings.drawings ?? drawingsOf(data.sample);
  /** @type {Set<number>} Those that this person is drawing: the first stroke on any other begins it anew. */
  let own = new Set();
  /** @type {number | null} Which character the query is, where it was sampled. */
  let truth = settings.drawings ? null : data.sample.answer;
  /** @type {Record<string, Answer>} */
  let answers = {};
  /** @type {(string | null)[]} */
  let seen = [];
  let answered = ""; // what the answers are of
  let complaint = read.problems.join(" ");
  let remarked = "";
  /** @type {Promise<void> | null} */
  let asking = null;
  let gone = false;
  /** @type {number | undefined} */
  let speaking;
  const undoable = timeline();
  const stop = new AbortController();

  const root = el("section", { class: "maml-lab characters", "aria-label": "Characters" }, parent);
  const main = el("div", { class: "area-draw" }, root);
  const heading = el("h1", {}, main, "Five characters that no network has seen");
  const subheading = el("p", { class: "setting" }, main);
  const signs = squares(main, {
    names: data.names,
    pen: data.pen,
    begins: (i) => ({ may: !play.on && strokesLeft(i), anew: !own.has(i) }),
    drawn: (i, stroke) => draw(i, own.has(i) ? [...drawings[i], stroke] : [stroke]),
    clear: (i) => draw(i, []),
    rename: (i, name) => set({ names: settings.names.map((old, at) => (at === i ? name || data.names[i] : old)) }),
    pick: (i) => play.pick(i),
    longest: data.longest_name,
  });
  const bars = likelihoods(signs.beside, count);
  const side = el("div", { class: "side" }, root);
  const losses = el("div", { class: "area-loss" }, side);
  el("h2", {}, losses, "loss on the five drawings by inner step, log scale");
  const chart = lossChart(losses, { go: (to) => bar.jump(to) });
  const notes = el("div", { class: "notes" }, side);
  const usual = freshTable(side, {
    learners: data.learners,
    looks: data.looks,
    fetchFresh: (query) => json(`${server}fresh.json`, { query, signal: stop.signal }),
  });
  const hint = el("p", { class: "hint alert", role: "alert" }, main);
  const status = el("p", { class: "hidden", role: "status" }, root);
  const below = el("div", { class: "area-steps" }, root);
  const bar = stepBar(el("fieldset", { class: "steps", "aria-label": "Inner steps" }, below), {
    go: (to) => go(to),
    think: () => {},
  });
  const actions = el("fieldset", { class: "actions", "aria-label": "Drawings" }, below);
  /** @param {string} words @param {string} title @param {() => void} act @param {Element} into */
  const button = (words, title, act, into = actions) => {
    const made = el("button", { type: "button", title }, into, words);
    made.addEventListener("click", act);
    return made;
  };
  const undoButton = button("↶", keyed("Undo", "Ctrl+Z"), () => travel("undo"));
  const redoButton = button("↷", keyed("Redo", "Ctrl+Shift+Z"), () => travel("redo"));
  undoButton.setAttribute("aria-label", "Undo");
  redoButton.setAttribute("aria-label", "Redo");
  button("Clear all", "Five empty squares for characters of your own", () =>
    change({ drawings: drawings.map(() => []), own: new Set(), truth: null, step: 0 }),
  );
  button("New characters", "Five others that nobody has seen, and a question", () => sample());
  button("You first", "See one drawing of each character, then name the next one before the networks do", () => play.start());
  const chosen = controls(el("fieldset", { class: "choices", "aria-label": "Learners" }, root), data, { set });
  const play = game(signs.beside, {
    names: () => settings.names,
    looks: data.looks,
    sample: sampleAndAsk,
    guesses,
    changed: (over) => set(over ? { step: data.updates } : {}),
  });
  const share = charactersShare(root, {
    server,
    address: () => currentWith(toQuery(kept(), bounds)).href,
    query: () => wanted(settings.learners),
  });
  const corner = el("div", { class: "corner" }, root);
  button("Share", "A link to these drawings", () => share.open(), corner);
  const presentButton = button("Present", "Large, for a projector", () => set({ present: !settings.present }), corner);
  const keys = el("div", { class: "keys" }, root);
  el("span", {}, keys, "← → step · space play · R before any step · N new characters · Esc leave");
  const paints = paint(root);
  const stopKeys = stepKeys(root, {
    isPage: true,
    free: () => true,
    presented: () => settings.present,
    by: bar.by,
    toggle: bar.toggle,
    jump: bar.jump,
    last: () => data.updates,
    travel,
    ask: (name) => (name === "present" ? set({ present: false }) : sample()),
  });

  /** @param {Sample} found */
  function drawingsOf({ support, query }) {
    return [...readAll(support, count), ...readAll(query, 1)];
  }

  /** @param {number} i */
  function strokesLeft(i) {
    if (!own.has(i) || drawings[i].length < MOST_STROKES) return true;
    return complain(`A drawing can have at most ${MOST_STROKES} strokes. Undo one, or clear the square.`);
  }

  /** @param {string} words */
  function complain(words) {
    complaint = words;
    say();
    return false;
  }

  // The settings of the address: what is drawn stands there unless a seed says it.
  const kept = () => ({ ...settings, drawings: truth !== null && !own.size ? null : drawings });

  // All that undo brings back.
  const moment = () => ({
    drawings: writeAll(drawings),
    own: [...own].join(),
    truth: String(truth),
    seed: String(settings.seed),
    step: String(settings.step),
  });

  /** @param {number} i @param {Drawing} drawing */
  function draw(i, drawing) {
    const now = new Set(own);
    if (drawing.length) now.add(i);
    else now.delete(i);
    change({ drawings: drawings.map((old, at) => (at === i ? drawing : old)), own: now, truth: null });
  }

  /** @param {{ drawings: Drawing[], own: Set<number>, truth: number | null, seed?: number, step?: number }} to */
  function change({ drawings: newDrawings, own: newOwn, truth: newTruth, seed = settings.seed, step = settings.step }) {
    undoable.note(moment());
    [drawings, own, truth, complaint] = [newDrawings, newOwn, newTruth, ""];
    settings = { ...settings, seed, step };
    show();
  }

  /** @param {"undo" | "redo"} way */
  function travel(way) {
    const to = play.on ? null : undoable[way](moment());
    if (!to) return;
    drawings = readAll(to.drawings, count + 1);
    own = new Set(to.own ? to.own.split(",").map(Number) : []);
    truth = to.truth === "null" ? null : Number(to.truth);
    settings = { ...settings, seed: Number(to.seed), step: Number(to.step) };
    complaint = "";
    show();
  }

  /** @param {Partial<typeof settings>} some */
  function set(some) {
    settings = { ...settings, ...some };
    show();
  }

  async function sample(seed = otherSeed(settings.seed)) {
    try {
      const found = await json(`${server}sample.json`, { query: { seed }, signal: stop.signal });
      bar.pause();
      change({ drawings: drawingsOf(found), own: new Set(), truth: found.answer, seed, step: 0 });
      return found;
    } catch (error) {
      if (!gone) complain(error.refused ? sentence(error) : `${AWAY} Try again in a moment.`);
      return null;
    }
  }

  // For the game: no question before every learner has made up its mind, so that all count.
  async function sampleAndAsk() {
    const found = await sample();
    if (found) await ask();
    return found;
  }

  const isDrawn = () => drawings.map((drawing) => drawing.length > 0);

  // Of what is drawn, the characters that take part: the others have no place in the answer.
  const taking = () => data.names.map((_, i) => i).filter((i) => drawings[i].length);

  function wanted(learners = bounds.learners) {
    const part = taking();
    if (part.length < 2) return null;
    return {
      support: writeAll(part.map((i) => drawings[i])),
      query: textOf(drawings[count]),
      learners: learners.join(),
      freeze: settings.freeze,
    };
  }

  // One question at a time, and then the latest of what was wanted meanwhile.
  function ask() {
    return (asking ??= askAll().finally(() => (asking = null)));
  }

  async function askAll() {
    for (let query = wanted(); query && JSON.stringify(query) !== answered && !gone; query = wanted()) {
      const part = taking();
      try {
        const found = await json(`${server}picture.json`, { query, signal: stop.signal });
        if (gone) return;
        answered = JSON.stringify(query);
        answers = Object.fromEntries(Object.entries(found.answers).map(([name, answer]) => [name, spread(answer, part)]));
        seen = [...data.names.map((_, i) => (part.includes(i) ? found.seen[part.indexOf(i)] : null)), found.seen.at(-1)];
        root.dataset.answered = String(Number(root.dataset.answered ?? 0) + 1);
        show();
      } catch (error) {
        if (gone) return;
        complain(error.refused ? sentence(error) : `${AWAY} Your drawings stay, and are asked about when it is back.`);
        if (error.refused) break;
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
  }

  /**
   * An answer about those that take part, as one about all.
   * @param {Answer} answer
   * @param {number[]} part
   * @returns {Answer}
   */
  function spread({ likely, loss }, part) {
    return { loss, likely: likely && likely.map((row) => data.names.map((_, i) => row[part.indexOf(i)] ?? 0)) };
  }

  /** What each learner says at last, for the game. */
  function guesses() {
    if (answered !== JSON.stringify(wanted())) return {};
    const each = data.learners.map(({ name }) => [name, likelyAt(answers[name], data.updates)]);
    return Object.fromEntries(each.flatMap(([name, shares]) => (shares ? [[name, best(/** @type {number[]} */ (shares))]] : [])));
  }

  /** @param {number} to */
  function go(to) {
    settings = { ...settings, step: to };
    chart.move(to);
    update();
    remember();
  }

  const remember = () => gone || play.on || write(toQuery(kept(), bounds));

  function view() {
    const learners = data.learners.filter(({ name }) => settings.learners.includes(name));
    const drawn = isDrawn();
    const asked = drawn[count];
    const known = drawn.slice(0, count).filter(Boolean).length > 1 ? answers : {};
    return {
      learners,
      looks: data.looks,
      answers: known,
      names: settings.names,
      drawn: drawn.slice(0, count),
      asked,
      truth,
      freeze: settings.freeze,
    };
  }

  // Everything anew.
  function show() {
    paints.apply(data.looks);
    root.classList.toggle("present", settings.present);
    presenting(root, settings.present);
    (settings.present ? keys : root).append(corner);
    presentButton.textContent = settings.present ? "Leave" : "Present";
    undoButton.setAttribute("aria-disabled", String(!undoable.canUndo));
    redoButton.setAttribute("aria-disabled", String(!undoable.canRedo));
    root.classList.toggle("playing", play.on);
    root.classList.toggle("quiet", play.quiet);
    signs.update({ drawings, names: settings.names, playing: play.on, hidden: play.hidden });
    chosen.update(settings);
    chart.update({ ...view(), updates: data.updates }, settings.step);
    update();
    remember();
    setTimeout(ask); // after it is on the screen
  }

  // What differs by step.
  function update() {
    const now = view();
    const { step } = settings;
    bar.update(step, data.updates, 0, "");
    const likely = Object.fromEntries(
      now.learners.map(({ name }) => [name, now.asked && !play.quiet ? likelyAt(now.answers[name], step) : null]),
    );
    const first = now.learners.map(({ name }) => likely[name]).find(Boolean);
    const clear = first && Math.max(...first) > 0.4 ? best(first) : -1;
    bars.update({ ...now, likely, best: clear, seen: play.quiet ? [] : seen });
    signs.see(play.quiet || !now.asked ? null : (seen[count] ?? null));
    usual.update(settings, step);
    say();
  }

  function say() {
    const now = view();
    const { step } = settings;
    heading.textContent = play.on ? play.words : (finding(now, step) ?? heading.textContent);
    subheading.textContent = setting(now);
    hint.textContent = complaint;
    const said = remarks(now, step);
    if (said.join() !== remarked) {
      remarked = said.join();
      notes.replaceChildren();
      for (const words of said) el("p", {}, notes, words);
    }
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      status.textContent = play.on
        ? play.words
        : [complaint, now.asked ? numbers(now, step) : heading.textContent].filter(Boolean).join(" ");
    }, SAY_MS);
  }

  const resized = onResize(show);
  resized.observe(chart.svg);
  root.addEventListener("painted", () => update());
  if (!settings.drawings && settings.seed !== data.sample.seed) {
    const { step } = settings;
    sample(settings.seed).then((found) => found && go(step));
  }
  show();

  return {
    remove() {
      gone = true;
      stop.abort();
      clearTimeout(speaking);
      bar.pause();
      stopKeys();
      play.stop();
      resized.disconnect();
      chart.remove();
      paints.remove();
      presenting(root, false);
      root.remove();
    },
  };
}
