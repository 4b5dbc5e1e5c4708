// The lab picture without Streamlit behind it: one route of the server gives the curves, and what Python does on the lab page with an
// edit or a button is done here. It leaves the page's address alone.

import { controlBar } from "./controls.js";
import { gesture } from "../shared/history.js";
import { makeLab } from "./lab.js";
import { otherSeed } from "../shared/seeds.js";
import { AWAY, text } from "../shared/server.js";
import { styled } from "../shared/styles.js";
import { el } from "../shared/el.js";

const REST_MS = 350; // after the last change
const RETRY_MS = 2000; // a server that is away is asked again
const SAMPLED = ["K", "placement"]; // moving these samples anew

// base: where the modules lie. query: the lab's address parameters to begin with, as text. controls: which sliders and choices stand
// below (names in SETTINGS of ui/lab/settings.py). unfold: whether losses of later steps are kept back until they are taken.
// `changed(query)` is called when something that a person did has come to rest, with all parameters, the step among them;
// `reachable(yes)` when the server stops answering, and when it answers again.
export function aloneLab(
  parent,
  { base, query: first, controls = [], unfold = false, changed = () => {}, reachable = () => {} },
) {
  const server = new URL("lab/", document.baseURI).href;
  const box = el("div", { class: "lab-alone" }, parent);
  let lab = null;
  let bar = null;
  let link = null;
  let said = null;
  let gone = false;
  let held = false;
  let away = false;
  const stop = new AbortController();
  // What is wanted on show, and what the lab has been given: {query, epoch, stepEpoch, rev, gesture, guess, shown}, made anew by `want`; with
  // its json once it is drawn.
  let wanted = null;
  let drawn = null;
  let asking = false;
  let epochs = 0;
  let announced = null;
  let resting = null;
  let latest = { key: null, json: null };

  want(readQuery(first), { newShots: true, newStep: true, shown: true });
  styled(base, ["lab/lab.css"]).then(() => {
    if (gone) return;
    lab = makeLab(box, { server, address: null, tell, picture });
    lab.root.classList.add("alone", "waiting");
    const below = el("div", { class: "below" }, lab.root);
    said = el("p", { class: "hint alert", role: "status" }, below);
    bar = controlBar(el("fieldset", { class: "scales", "aria-label": "Settings" }, below), { move });
    link = el("a", { class: "open", href: "lab" }, below, "Open in the lab");
    lab.hold(held);
    if (controls.length) addControls();
    work();
  });

  // The lab's picture as the server has it. An edit is asked for by the lab, and once more when it is told: then it is known.
  function picture(query) {
    const { step, ...settings } = query;
    const key = keyOf(settings);
    if (key === latest.key) return latest.json;
    const mine = (latest = { key, json: text(`${server}picture.json`, { query: settings, signal: stop.signal }) });
    mine.json.catch(() => (mine.key = null));
    return mine.json;
  }

  async function addControls() {
    let settings = null;
    while (!gone && !settings) {
      try {
        settings = await text(`${server}controls.json`, { signal: stop.signal });
      } catch (error) {
        if (error.refused) return; // what is wrong with the server is said of the picture
        await pause();
      }
    }
    if (gone) return;
    bar.make(JSON.parse(settings), controls);
    if (drawn) bar.update(lab.view);
    lab.hold(held);
  }

  const pause = () => new Promise((done) => setTimeout(done, RETRY_MS));

  // What is on show as far as a person has got: shots and step are the lab's, unless others are on their way to it.
  function now() {
    if (!drawn) return wanted?.query ?? {};
    const query = { ...wanted.query };
    const local = lab.query();
    if (drawn.epoch === wanted.epoch) {
      delete query.shots;
      if ("shots" in local) query.shots = local.shots;
    }
    if (drawn.stepEpoch === wanted.stepEpoch) query.step = String(lab.step);
    return query;
  }

  function want(
    query,
    { newShots = false, newStep = false, rev = wanted?.rev ?? 0, gesture = null, guess = null, shown = false } = {},
  ) {
    const epoch = newShots || !wanted ? ++epochs : wanted.epoch;
    const stepEpoch = newStep || !wanted ? ++epochs : wanted.stepEpoch;
    wanted = { query, epoch, stepEpoch, rev, gesture, guess, shown, asked: keyOf(query) };
    work();
  }

  // One request at a time, and then the latest of what was wanted meanwhile.
  async function work() {
    if (asking || !lab) return;
    asking = true;
    while (!gone && wanted !== drawn) {
      const mine = wanted;
      const { json, error } = await picture(mine.query).then(
        (json) => ({ json }),
        (error) => ({ error }),
      );
      if (gone) return;
      reach(!error || error.refused === true);
      if (!error) show(mine, json);
      else if (!error.refused) await pause();
      else if (wanted === mine) {
        said.textContent = error.message;
        wanted = drawn && { ...drawn, epoch: ++epochs, guess: null, shown: false };
        if (drawn) show(wanted, drawn.json, true); // or the lab and the sliders would keep what was refused
      }
    }
    asking = false;
  }

  function show(mine, json, again = false) {
    const about = {
      epoch: mine.epoch,
      rev: mine.rev,
      step_epoch: mine.stepEpoch,
      gesture: mine.gesture,
      again,
      fresh: false,
      present: false,
      unfold,
    };
    if (mine.query.step !== undefined) about.step = Number(mine.query.step);
    if (mine.guess !== null) about.verdict = { guess: mine.guess, ...behind(lab.view, json) };
    drawn = Object.assign(mine, { json });
    lab.update(json, about);
    lab.root.classList.remove("waiting");
    if (wanted !== mine) return; // sliders have gone on
    mine.query = { ...lab.query(), step: String(lab.step) };
    bar.update(lab.view);
    settle(mine.shown);
  }

  // quiet: it was nobody's doing.
  function settle(quiet) {
    const query = written();
    link.href = `lab?${query}`;
    clearTimeout(resting);
    if (quiet) announced = query;
    else
      resting = setTimeout(() => {
        const query = written();
        if (query === announced || wanted !== drawn) return;
        announced = query;
        changed(query);
      }, REST_MS);
  }

  const written = () => {
    const query = now();
    return new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined)).toString();
  };

  function reach(yes) {
    said.textContent = yes ? "" : `${AWAY} Your changes will show when it does.`;
    if (yes === !away) return;
    away = !yes;
    reachable(yes);
  }

  // A control below was moved.
  function move(name, value) {
    const sampled = SAMPLED.includes(name);
    const query = { ...now(), [name]: String(value) };
    if (sampled) delete query.shots;
    want(query, { newShots: sampled, gesture: gesture(`set ${name}`) });
  }

  function tell(name, message) {
    if (name === "step") settle(false);
    else if (name === "act") act(message);
    else if (message.epoch === wanted.epoch) want(now(), { rev: message.rev });
    else if (!message.points.length) want({ ...now(), shots: "none" }, { rev: message.rev }); // clearing means the same on any
  }

  function act({ name, value }) {
    const { amplitude, phase, shots, seed, hide = "", ...others } = now();
    const { view } = lab;
    const without = (part) =>
      hide
        .split(",")
        .filter((other) => other && other !== part)
        .join() || undefined;
    const kept = { ...others, hide: hide || undefined };
    const another = String(otherSeed(Number(view.query.seed)));
    if (name === "new_task") want(defined({ ...kept, seed: another }), { newShots: true });
    if (name === "sample")
      want(defined({ ...kept, seed: another, amplitude: view.amplitude, phase: view.phase }), { newShots: true });
    if (name === "truth") want(defined({ ...now(), hide: without("truth") }));
    if (name === "reveal") want(defined({ ...now(), hide: without("names") }), { guess: value });
    if (name === "address") want(value, { newShots: true, newStep: true });
  }

  return {
    // Show what these parameters say. Where only the step is another, it moves there.
    show(text) {
      const query = readQuery(text);
      const key = keyOf(query);
      const here = drawn && keyOf(now());
      const same = drawn && wanted === drawn && (key === here || (key === drawn.asked && here === keyOf(drawn.query)));
      if (!same) return want(query, { newShots: true, newStep: true, shown: true });
      lab.go(Number(query.step ?? lab.view.default_step));
      settle(true);
    },
    // While held, a person can look at everything and change nothing.
    hold(newHeld) {
      held = newHeld;
      lab?.hold(held);
    },
    // All parameters of what is on show, as text.
    query: () => written(),
    step(n) {
      if (!drawn) return;
      lab.go(n);
      settle(true);
    },
    remove() {
      gone = true;
      stop.abort();
      clearTimeout(resting);
      lab?.remove();
      box.remove();
    },
  };
}

function readQuery(text) {
  const { present, step, ...query } = Object.fromEntries(new URLSearchParams(text));
  return /^\d+$/.test(step) ? { ...query, step } : query;
}

const defined = (query) =>
  Object.fromEntries(
    Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  );

// Parameters but for the step, to tell whether they are the same.
const keyOf = ({ step, ...query }) => JSON.stringify(Object.entries(query).sort());

// Who was behind each letter: the learners' order is the same before and after.
function behind(blind, json) {
  const { learners, looks } = JSON.parse(json);
  return Object.fromEntries(blind.learners.map(({ name }, i) => [name, looks[learners[i].name].label]));
}
