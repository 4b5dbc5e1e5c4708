// The lab picture: holds what is shown, wires the parts together, and talks to Python.

import { lossChart } from "./loss.js";
import { stepBar } from "./steps.js";
import { el } from "./svg.js";
import { shotTable } from "./table.js";
import { taskPlot } from "./task.js";
import { unpack } from "./view.js";
import { finding, lossWords, numbers, remarks, setting, shotCount, usual } from "./words.js";

const REST_MS = 350; // Python hears of a step when it has been at rest this long
const RESEND_MS = 2000; // an edit not confirmed by then is sent again
const TWEEN_MS = 160;
const labs = new WeakMap();
let stylesheet = null;

// Streamlit calls this at every rerun; the lab is made once for each parent and then updated.
export function render({ data, parentElement, setStateValue }, base) {
  stylesheet ??= new Promise((done) => {
    const link = el("link", { rel: "stylesheet", href: `${base}lab.css` }, document.head);
    link.onload = link.onerror = done;
  });
  stylesheet.then(() => {
    if (!labs.has(parentElement)) labs.set(parentElement, makeLab(parentElement));
    labs.get(parentElement).update(data, setStateValue);
  });
  return () => {
    labs.get(parentElement)?.remove();
    labs.delete(parentElement);
  };
}

function makeLab(parentElement) {
  const root = el("section", { class: "maml-lab", "aria-label": "Adapt lab" }, parentElement);
  const main = el("div", { class: "area-plot" }, root);
  const heading = el("h1", {}, main);
  const subheading = el("p", { class: "setting" }, main);
  const plot = taskPlot(main, { edit, focusPlot: () => plot.svg.focus() });
  const hint = el("p", { class: "hint" }, main);
  const side = el("div", { class: "area-loss" }, root);
  el("h2", {}, side, "loss by inner step");
  el("p", { class: "key" }, side, "thick: query (the whole curve) · thin: support (the shots)");
  const chart = lossChart(side, { go: (to) => { bar.pause(); go(to, false); } });
  const words = el("div", { class: "area-words" }, root);
  const sentence = el("p", { class: "sentence" }, words);
  const cards = el("div", { class: "cards" }, words);
  const notes = el("div", { class: "notes" }, words);
  const table = shotTable(words, { edit });
  const bar = stepBar(el("div", { class: "area-steps", role: "group", "aria-label": "Inner steps" }, root), { go });
  const live = el("p", { class: "hidden", role: "status" }, root);

  let raw = null, view = null, step = 0, send = () => {};
  let epoch = null, stepEpoch = null, rev = 0, confirmed = 0, inFlight = null, resting = null, frame = null, speaking = null;

  // Shots belong to the browser: an edit shows at once, and goes to Python one message at a time, the latest winning.
  function edit(shots, final) {
    if (shots.length > view.limits.shots) {
      note(`At most ${view.limits.shots} shots are possible.`);
      return false;
    }
    view = { ...view, shots, by_hand: true };
    rev += 1;
    view.final = final;
    draw();
    flush();
    return true;
  }

  function flush() {
    if (rev === confirmed || inFlight) return;
    inFlight = { rev, timer: setTimeout(() => { inFlight = null; flush(); }, RESEND_MS) };
    send("shots", { epoch, rev, points: view.shots, final: view.final ?? true });
  }

  function go(to, smooth) {
    const from = step;
    step = to;
    cancelAnimationFrame(frame);
    bar.update(step, view.updates, trainedSteps());
    chart.move(step);
    say();
    if (smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const began = performance.now();
      const tick = (time) => {
        const t = Math.min(Math.max((time - began) / TWEEN_MS, 0), 1), ease = t * (2 - t);
        plot.tween(step, t === 1 ? undefined : (l) => l.curves[from].map((y, i) => y + ease * (l.curves[step][i] - y)));
        if (t < 1) frame = requestAnimationFrame(tick);
      };
      tick(began);
    } else {
      plot.tween(step);
    }
    rest();
  }

  function rest() {
    clearTimeout(resting);
    if (!bar.playing) resting = setTimeout(() => send("step", step), REST_MS);
  }

  const trainedSteps = () => Math.max(0, ...view.learners.map((l) => l.trained_steps));

  function draw() {
    applyLooks();
    plot.update(view, step);
    chart.update(view, step);
    bar.update(step, view.updates, trainedSteps());
    table.update(view);
    say();
  }

  function say() {
    heading.textContent = finding(view, step);
    subheading.textContent = setting(view);
    hint.textContent = `${shotCount(view)} · click to place one, drag to move it, double-click or Delete to remove it`;
    cards.replaceChildren();
    for (const l of view.learners) {
      const card = el("div", { class: "card" }, cards);
      el("span", { class: "card-label" }, card, l.label);
      el("strong", { style: `color: var(--${l.name})`, "data-loss": l.name }, card, lossWords(view, l.query[step]));
      el("span", { class: "card-label" }, card, view.shots.length ? `on the shots ${lossWords(view, l.support[step])}` : "no shots");
    }
    sentence.textContent = numbers(view, step);
    notes.replaceChildren();
    for (const remark of remarks(view, step)) note(remark.text, remark.alert);
    const typical = usual(view, step);
    if (typical) note(typical);
    clearTimeout(speaking);
    speaking = setTimeout(() => (live.textContent = [numbers(view, step), ...remarks(view, step).map((r) => r.text)].join(" ")), 600);
  }

  function note(text, alert = false) {
    el("p", { class: alert ? "alert" : "" }, notes, text);
  }

  let dark = null;
  function applyLooks() {
    const probe = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(probe.slice(at, at + 2), 16));
    const isDark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
    if (isDark === dark) return;
    dark = isDark;
    for (const [role, look] of Object.entries(view.looks)) root.style.setProperty(`--${role}`, dark ? look.dark : look.light);
  }

  // Keys work when nothing that wants them has the focus; a focused shot keeps its own (task.js).
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target, free = target === document.body || target === plot.svg || target.closest?.(".area-steps, .area-loss");
    if (!free || !view || target.matches?.("input[type=range]") && event.key !== " ") return;
    if (event.key === " " && target.matches?.("button")) return;
    const acts = { ArrowLeft: () => bar.by(-1), ArrowRight: () => bar.by(1), " ": bar.toggle, Home: () => bar.jump(0), End: () => bar.jump(view.updates) };
    if (!(event.key in acts)) return;
    acts[event.key]();
    event.preventDefault();
  }
  document.addEventListener("keydown", key);
  const resized = new ResizeObserver(() => view && draw());
  resized.observe(plot.svg);
  const themed = new MutationObserver(() => view && applyLooks());
  themed.observe(document.querySelector("[data-testid=stApp]") ?? document.body, { attributes: true, attributeFilter: ["class", "style"] });

  return {
    update(data, setStateValue) {
      send = setStateValue;
      if (data === raw) return;
      raw = data;
      const local = view, next = unpack(data);
      if (next.epoch !== epoch) {
        epoch = next.epoch;
        rev = confirmed = next.rev;
      } else if (next.rev < rev) {
        // Python has not seen the latest edit yet: its curves are progress, its shots are old.
        [next.shots, next.by_hand, next.final] = [local.shots, true, local.final];
        confirmed = next.rev;
      } else {
        confirmed = next.rev;
      }
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
      root.dataset.confirmed = String(rev === confirmed);
      flush();
    },
    remove() {
      bar.pause();
      clearTimeout(resting);
      clearTimeout(speaking);
      if (inFlight) clearTimeout(inFlight.timer);
      document.removeEventListener("keydown", key);
      resized.disconnect();
      themed.disconnect();
      root.remove();
    },
  };
}
