// The lab picture: holds what is shown, wires the parts together, and talks to its host: the lab page, a saved page, or alone.js.

import { algorithmPanel } from "./algorithm.js";
import { freshPanel } from "./fresh.js";
import { timeline } from "../shared/history.js";
import { paint } from "../shared/looks.js";
import { stepKeys } from "../shared/keys.js";
import { lossChart } from "./loss.js";
import { glide } from "../shared/motion.js";
import { numberCards } from "./numbers.js";
import { oneStepPanel } from "./onestep.js";
import { taskPlots } from "./plots.js";
import { keyed, shotHelp } from "../shared/pointer.js";
import { presenting } from "../shared/presenting.js";
import { json, text } from "../shared/server.js";
import { labShare } from "./share.js";
import { stepBar } from "../shared/steps.js";
import { el } from "../shared/el.js";
import { shotTable } from "./table.js";
import { tabs } from "./tabs.js";
import { queryOf, unpack } from "./view.js";
import { voteBar } from "./vote.js";
import { finding, numbers, remarks, setting, shotCount } from "./words.js";

const REST_MS = 350; // the host hears of a step when it has been at rest this long
const RESEND_MS = 2000; // an edit not confirmed by then is sent again
const TWEEN_MS = 160;
const PANELS = [
  ["numbers", "Numbers"],
  ["algorithm", "Algorithm"],
  ["step", "One step"],
  ["tasks", "1,000 tasks"],
  ["shots", "Shots"],
];

// The host gives `server`, the address of the lab's routes, null where there is none, and then shots stay where they are; `address`
// (lab_address.js), null where the page's address is not the lab's; and it is told by `tell(name, message)`:
// shots: {epoch, rev, points}, after an edit. step: {step}, when it has come to rest. act: {visit, name, value}, what a button asks for.
// `picture(query)` promises the server's JSON of these parameters.
export function makeLab(parent, { server, address, tell, picture = (query) => text(`${server}picture.json`, { query }) }) {
  const live = server !== null;
  const isPage = address !== null || !live;
  const root = el("section", { class: live ? "maml-lab lab" : "maml-lab lab saved", "aria-label": "Adapt lab" }, parent);
  const main = el("div", { class: "area-plot" }, root);
  const heading = el("h1", {}, main);
  const subheading = el("p", { class: "setting" }, main);
  const vote = voteBar(main, { reveal: (guess) => ask("reveal", guess), uncover: () => ask("truth") });
  const plotArea = el("div", { class: "plots" }, main);
  const hint = el("p", { class: "hint" }, main);
  const side = el("div", { class: "side" }, root);
  const losses = el("div", { class: "area-loss" }, side);
  el("h2", {}, losses, "error by inner step, log scale");
  el("p", { class: "key" }, losses, "thick: on query points (the whole curve) · thin: on support points (the shots)");
  const words = el("div", { class: "area-words" }, side);
  const below = el("div", { class: "area-steps" }, root);
  const status = el("p", { class: "hidden", role: "status" }, root);

  const chart = lossChart(losses, {
    go: (to) => {
      bar.pause();
      walk(to, false);
    },
  });
  const panels = live ? PANELS : PANELS.filter(([name]) => name !== "tasks");
  const tabBar = tabs(words, panels, {
    address,
    shown: (name) => {
      if (view) updatePanel();
      fresh?.turn(name === "tasks");
    },
  });
  const cards = numberCards(tabBar.bodies.numbers);
  const algorithm = algorithmPanel(tabBar.bodies.algorithm, {
    source: live && ((name) => text(`${server}source`, { query: { of: name } })),
    sourceAddress: live && `${server}source`,
  });
  const oneStep = oneStepPanel(tabBar.bodies.step);
  const fresh = live
    ? freshPanel(tabBar.bodies.tasks, {
        fetchFresh: (query, signal) => json(`${server}fresh.json`, { query, signal }),
        show: chart.compare,
      })
    : null;
  const table = shotTable(tabBar.bodies.shots, { edit, complain });
  const bar = stepBar(el("fieldset", { class: "steps", "aria-label": "Inner steps" }, below), {
    go: walk,
    think: (part) => tabBar.current === "algorithm" && algorithm.think(part),
  });

  const actions = el("fieldset", { class: "actions", "aria-label": "The task and its shots" }, below);
  const corner = address && el("div", { class: "corner" }, root);
  const button = (into, name, title, act) => {
    const made = el("button", { type: "button", title }, into, name);
    made.addEventListener("click", act);
    return made;
  };
  const undoButton = button(actions, "↶", keyed("Undo", "Ctrl+Z"), () => travel("undo"));
  const redoButton = button(actions, "↷", keyed("Redo", "Ctrl+Shift+Z"), () => travel("redo"));
  undoButton.setAttribute("aria-label", "Undo");
  redoButton.setAttribute("aria-label", "Redo");
  button(actions, "New task", "Another task, with its own shots", () => ask("new_task"));
  const sample = button(actions, "Sample", "Other shots of the same task", () => ask("sample"));
  button(actions, "Clear", "Remove all shots", () => edit([]));
  const share =
    address &&
    labShare(root, {
      root,
      lab: server,
      text,
      query: () => new URLSearchParams(queryOf(view, step)).toString(),
      address: () => address.of(queryOf(view, step), view.names),
    });
  if (address) button(corner, "Share", "Link, code, data, picture, checkpoints", () => share.open(view));
  const presentButton = address && button(corner, "Present", "Large, for a projector", () => ask("present"));
  const keys = el("div", { class: "keys" }, root);
  el("span", {}, keys, "← → step · space play · R before any step · N new task · Esc leave");
  const plots = taskPlots(plotArea, { edit, resized: () => view && draw() });
  const undoable = timeline();
  const paints = paint(root);

  let view = null;
  let step = 0;
  let held = false;
  let complaint = "";
  let travelling = false;
  let gone = false;
  let epoch = null;
  let stepEpoch = null;
  let rev = 0;
  let confirmed = 0;
  let asked = 0;
  let drawn = 0;
  let adapting = false;
  let inFlight = null;
  let resting = null;
  let stopGlide = () => {};
  let speaking = null;

  function ask(name, value = null) {
    if (held) return;
    send(); // in the order in which a person did it
    asked = rev;
    tell("act", { visit: view.visit, name, value });
  }

  function travel(way) {
    const to = held ? null : undoable[way](queryOf(view, step));
    if (!to) return;
    travelling = true;
    ask("address", { ...to, step: String(step) });
  }

  // Shots belong to the browser: an edit shows at once, and the host is told one message at a time, the latest winning.
  function edit(shots, gesture = null) {
    if (held) return false;
    if (!live) return complain("In a saved picture the shots stay where they are. Move them in the lab.");
    if (shots.length > view.limits.shots) return complain(`A task can have at most ${view.limits.shots} shots.`);
    undoable.note(queryOf(view, step), gesture);
    complaint = "";
    const first = !view.by_hand; // one way back, to the shots before all editing
    view = { ...view, shots, by_hand: true, verdict: null };
    rev += 1;
    root.dataset.confirmed = "false";
    draw();
    adapt().finally(flush);
    setTimeout(() => gone || address?.write(queryOf(view, step), view.names, first)); // after the shot is on the screen
    return true;
  }

  // The curves for the latest edit, straight from the server. Python hears of the edit too, but its rerun takes longer.
  async function adapt() {
    if (adapting) return;
    adapting = true;
    try {
      while (drawn !== rev && !gone) {
        const mine = rev;
        const before = settings(view.query);
        const of = epoch;
        const next = unpack(await picture(queryOf(view, step)));
        if (gone || epoch !== of || settings(view.query) !== before) break; // Python's own answer is for other settings, and newer
        view = { ...view, learners: next.learners };
        drawn = mine;
        draw();
      }
    } catch {
      // Python's answer brings them, if the server lives.
    } finally {
      adapting = false;
    }
  }

  function flush() {
    if (gone) return;
    root.dataset.confirmed = String(rev === confirmed);
    if (!inFlight && !adapting) send();
  }

  function send() {
    if (rev === confirmed || inFlight?.rev === rev) return;
    clearTimeout(inFlight?.timer);
    inFlight = {
      rev,
      timer: setTimeout(() => {
        inFlight = null;
        flush();
      }, RESEND_MS),
    };
    tell("shots", { epoch, rev, points: view.shots });
  }

  // A person moves to a step, and the host is told.
  function walk(to, smooth) {
    if (held) return updateBar();
    go(to, smooth);
    if (!bar.playing) resting = setTimeout(() => tell("step", { step }), REST_MS);
  }

  function go(to, smooth) {
    const from = step;
    step = to;
    stopGlide();
    updateBar();
    chart.move(step);
    say();
    const move = (curveOf) => plots.move(step, curveOf);
    if (smooth) stopGlide = glide(TWEEN_MS, (between) => move(between && ((l) => between(l.curves[from], l.curves[step]))));
    else move();
    vote.stepped(step);
    clearTimeout(resting);
  }

  function updateBar() {
    const trained = view.learners.find((l) => l.trained_steps);
    bar.update(step, view.updates, trained?.trained_steps ?? 0, trained?.label ?? "");
  }

  function draw() {
    stopGlide();
    paints.apply(view.looks);
    plots.update(view, step);
    chart.update(view, step);
    updateBar();
    root.classList.toggle("present", view.present);
    presenting(root, view.present);
    if (address) {
      (view.present ? keys : root).append(corner);
      presentButton.textContent = view.present ? "Leave" : "Present";
    }
    sample.textContent = `Sample ${view.K} shot${view.K === 1 ? "" : "s"}`;
    undoButton.setAttribute("aria-disabled", !undoable.canUndo);
    redoButton.setAttribute("aria-disabled", !undoable.canRedo);
    vote.update(view, step);
    say();
  }

  function say() {
    heading.textContent = finding(view, step);
    subheading.textContent = setting(view);
    subheading.hidden = view.blind || view.truth_hidden; // the vote stands there
    hint.classList.toggle("alert", Boolean(complaint));
    const help = held ? " · controlled from another screen" : live ? ` · ${shotHelp()}` : "";
    hint.textContent = complaint || shotCount(view) + help;
    plots.say(view, step);
    updatePanel();
    clearTimeout(speaking);
    if (view.blind) status.textContent = ""; // it may still name them
    speaking = setTimeout(() => {
      const said = [
        complaint,
        view.verdict ? finding(view, step) : "",
        numbers(view, step),
        ...remarks(view, step).map((remark) => remark.text),
      ];
      status.textContent = said.filter(Boolean).join(" ");
    }, 600);
  }

  // Only what is in sight is worth the time.
  function updatePanel() {
    const update = {
      numbers: cards.update,
      algorithm: algorithm.update,
      step: oneStep.update,
      tasks: fresh?.update,
      shots: table.update,
    }[tabBar.current];
    update?.(view, step);
  }

  function complain(text) {
    complaint = text;
    say();
    return false;
  }

  address?.onMove(tabBar.read);

  const stopKeys = stepKeys(root, {
    isPage,
    free: () => view !== null && !held,
    presented: () => view.present,
    by: bar.by,
    toggle: bar.toggle,
    jump: bar.jump,
    last: () => view.updates,
    travel,
    ask,
  });
  tabBar.read();

  return {
    // json: what Python's `payload` made; about: what of it the host knows better. again: the picture before one that cannot be.
    update(json, about = {}) {
      const local = view;
      const next = { ...unpack(json), ...about };
      if (local && !travelling && !next.again && (next.epoch !== epoch || settings(next.query) !== settings(local.query)))
        undoable.note(queryOf(local, step), next.gesture);
      if (next.epoch !== epoch) {
        epoch = next.epoch;
        complaint = "";
        travelling = false;
        // An edit on its way to a server that has restarted since; or shots cleared after the press that brought these others.
        const lost =
          local && rev !== confirmed && (next.fresh || (rev > asked && !local.shots.length && next.rev < rev && !next.again));
        rev = next.rev + (lost ? 1 : 0);
        asked = next.rev;
        drawn = next.rev;
        if (lost) [next.shots, next.by_hand] = [local.shots, true];
      } else {
        if (next.rev < rev) [next.shots, next.by_hand] = [local.shots, true]; // Python has not seen the latest edit yet
        if (settings(next.query) === settings(local.query) && next.rev < drawn) next.learners = local.learners; // ... nor its curves
        else drawn = next.rev;
      }
      confirmed = next.rev;
      if (inFlight && (next.rev >= inFlight.rev || rev === confirmed)) {
        clearTimeout(inFlight.timer);
        inFlight = null;
      }
      view = next;
      if (next.step_epoch !== stepEpoch) {
        stepEpoch = next.step_epoch;
        step = next.step;
      }
      step = Math.min(step, view.updates);
      draw();
      address?.write(rev === confirmed ? view.query : queryOf(view, step), view.names, view.remember);
      if (drawn < rev) adapt().finally(flush);
      else flush();
    },
    root,
    get view() {
      return view;
    },
    get step() {
      return step;
    },
    // The lab's address parameters of what is on show.
    query: () => queryOf(view, step),
    // Move to a step, as nobody's doing.
    go(to) {
      bar.pause();
      const there = Math.min(to, view.updates);
      if (there !== step) go(there, true);
    },
    // Whether a person can change nothing, but look at everything.
    hold(newHeld) {
      bar.pause();
      held = newHeld;
      root.classList.toggle("held", held);
      for (const group of root.querySelectorAll("fieldset")) group.disabled = held;
      if (view) draw();
    },
    remove() {
      gone = true;
      bar.pause();
      fresh?.remove();
      clearTimeout(resting);
      clearTimeout(speaking);
      if (inFlight) clearTimeout(inFlight.timer);
      stopGlide();
      stopKeys();
      plots.remove();
      chart.remove();
      paints.remove();
      presenting(root, false);
      root.remove();
    },
  };
}

// What of an address is neither the step nor the shots, to tell whether it changed.
const settings = ({ step, shots, ...others }) => JSON.stringify(others);
