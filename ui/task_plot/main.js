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
export function render(component, base) {
  stylesheet ??= new Promise((done) => {
    const link = el("link", { rel: "stylesheet", href: `${base}lab.css` }, document.head);
    link.onload = link.onerror = done;
  });
  stylesheet.then(() => {
    const parent = component.parentElement;
    if (!labs.has(parent)) {
      for (const stale of parent.querySelectorAll(".maml-lab")) stale.remove();
      labs.set(parent, makeLab(parent));
    }
    labs.get(parent).update(component);
  });
}

export function remove(parent) {
  labs.get(parent)?.remove();
  labs.delete(parent);
}

function makeLab(parent) {
  const root = el("section", { class: "maml-lab", "aria-label": "Adapt lab" }, parent);
  const main = el("div", { class: "area-plot" }, root);
  const heading = el("h1", {}, main);
  const subheading = el("p", { class: "setting" }, main);
  const plot = taskPlot(main, { edit, focusPlot: () => plot.svg.focus() });
  const hint = el("p", { class: "hint" }, main);
  const side = el("div", { class: "side" }, root);
  const words = el("div", { class: "area-words" }, side);
  const sentence = el("p", { class: "sentence" }, words);
  const cards = el("div", { class: "cards" }, words);
  const notes = el("div", { class: "notes" }, words);
  const table = shotTable(words, { edit, complain });
  const losses = el("div", { class: "area-loss" }, side);
  el("h2", {}, losses, "loss by inner step, log scale");
  el("p", { class: "key" }, losses, "thick: query (the whole curve) · thin: support (the shots)");
  const chart = lossChart(losses, { go: (to) => { bar.pause(); go(to, false); } });
  const below = el("div", { class: "area-steps" }, root);
  const bar = stepBar(el("div", { class: "steps", role: "group", "aria-label": "Inner steps" }, below), { go });
  const actions = el("div", { class: "actions" }, below);
  const action = (name, act) => {
    const button = el("button", { type: "button" }, actions, name);
    button.addEventListener("click", act);
    return button;
  };
  // A state and not a trigger: it goes with every later message too, so that none on its way at this moment can swallow it.
  const ask = (name) => component.setStateValue("act", { visit: view.visit, name, n: ++asked });
  action("New task", () => ask("new_task"));
  const sample = action("Sample", () => ask("sample"));
  action("Clear", () => edit([]));
  const live = el("p", { class: "hidden", role: "status" }, root);

  let component, raw = null, view = null, step = 0, complaint = "";
  let epoch = null, stepEpoch = null, rev = 0, confirmed = 0, inFlight = null, resting = null, rests = 0, asked = 0, frame = null, speaking = null;

  // Shots belong to the browser: an edit shows at once, and goes to Python one message at a time, the latest winning.
  function edit(shots) {
    if (shots.length > view.limits.shots) {
      complain(`At most ${view.limits.shots} shots are possible.`);
      return false;
    }
    complaint = "";
    view = { ...view, shots, by_hand: true };
    rev += 1;
    draw();
    flush();
    return true;
  }

  function flush() {
    root.dataset.confirmed = String(rev === confirmed);
    if (rev === confirmed || inFlight) return;
    inFlight = { rev, timer: setTimeout(() => { inFlight = null; flush(); }, RESEND_MS) };
    component.setStateValue("shots", { epoch, rev, points: view.shots });
  }

  function go(to, smooth) {
    const from = step;
    step = to;
    cancelAnimationFrame(frame);
    updateBar();
    chart.move(step);
    say();
    if (smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const began = performance.now();
      const tick = (time) => {
        const t = Math.min(Math.max((time - began) / TWEEN_MS, 0), 1), ease = t * (2 - t);
        plot.move(step, t === 1 ? undefined : (l) => l.curves[from].map((y, i) => y + ease * (l.curves[step][i] - y)));
        if (t < 1) frame = requestAnimationFrame(tick);
      };
      tick(began);
    } else {
      plot.move(step);
    }
    clearTimeout(resting);
    if (!bar.playing) resting = setTimeout(() => component.setStateValue("step", { step, n: ++rests }), REST_MS) // n: the same step twice is news twice;
  }

  function updateBar() {
    const trained = view.learners.find((l) => l.trained_steps);
    bar.update(step, view.updates, trained?.trained_steps ?? 0, trained?.label ?? "");
  }

  function draw() {
    cancelAnimationFrame(frame);
    applyLooks();
    plot.update(view, step);
    chart.update(view, step);
    updateBar();
    table.update(view);
    sample.textContent = `Sample ${view.K} shot${view.K === 1 ? "" : "s"}`;
    say();
  }

  function say() {
    heading.textContent = finding(view, step);
    subheading.textContent = setting(view);
    hint.textContent = `${shotCount(view)} · click to place one, drag to move it, double-click or Delete to remove it`;
    cards.replaceChildren();
    const many = view.learners.length > 4;
    cards.classList.toggle("many", many);
    for (const l of view.learners) {
      const card = el("div", { class: "card" }, cards), look = view.looks[l.name];
      const name = el("span", { class: "card-label" }, card);
      const line = el("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" }, name);
      const dash = look.dash.join(" ") || null;
      el("path", { d: "M0,4H26", style: `stroke: var(--${l.name})`, "stroke-width": look.width, "stroke-dasharray": dash }, line);
      name.append(many ? l.label : `${l.label}, query loss`);
      el("strong", { style: `color: var(--${l.name}-text)`, "data-loss": l.name }, card, lossWords(view, l.query[step]));
      el("span", { class: "card-label" }, card, view.shots.length ? `support loss ${lossWords(view, l.support[step])}` : "no shots");
    }
    sentence.textContent = numbers(view, step);
    const said = remarks(view, step);
    notes.replaceChildren();
    if (complaint) note(complaint, true);
    for (const remark of said) note(remark.text, remark.alert);
    note(usual(view, step));
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      live.textContent = [complaint, numbers(view, step), ...said.map((remark) => remark.text)].join(" ");
    }, 600);
  }

  function note(text, alert = false) {
    if (text) el("p", { class: alert ? "alert" : "" }, notes, text);
  }

  function complain(text) {
    complaint = text;
    say();
  }

  let dark = null;
  function applyLooks() {
    const probe = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(probe.slice(at, at + 2), 16));
    const isDark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
    if (isDark === dark) return;
    dark = isDark;
    for (const [role, look] of Object.entries(view.looks)) {
      const colour = dark ? look.dark : look.light;
      root.style.setProperty(`--${role}`, colour);
      root.style.setProperty(`--${role}-text`, `color-mix(in srgb, ${colour} 82%, var(--ink))`); // thin strokes need more contrast
    }
  }

  // The address bar follows the state; Back leads to the last picture worth remembering. Parameters of others stay.
  function writeAddress() {
    const address = new URL(location.href);
    for (const name of view.names) address.searchParams.delete(name);
    for (const [name, value] of Object.entries(view.query)) address.searchParams.set(name, value);
    if (address.href === location.href) return;
    history[view.remember ? "pushState" : "replaceState"](history.state, "", address);
  }
  const readAddress = () => component?.setTriggerValue("address", Object.fromEntries(new URLSearchParams(location.search)));
  addEventListener("popstate", readAddress);

  // Keys work wherever nothing else wants them; a focused shot keeps its own arrows (task.js).
  function key(event) {
    if (!view || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const on = event.target;
    if (on.closest?.("input, textarea, select, [contenteditable], [role=slider], [role=listbox], [role=dialog], [role=menu]")) return;
    if (event.key === " " && on.closest?.("button, summary, a, [role=button]:not(.shot)")) return;
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
    update(newComponent) {
      component = newComponent;
      if (component.data === raw) return;
      raw = component.data;
      const local = view, next = unpack(raw);
      if (next.epoch !== epoch) {
        epoch = next.epoch;
        complaint = "";
        const lost = next.fresh && local && rev !== confirmed; // an edit on its way to a server that has restarted since
        rev = next.rev + (lost ? 1 : 0);
        if (lost) [next.shots, next.by_hand] = [local.shots, true];
      } else if (next.rev < rev) {
        [next.shots, next.by_hand] = [local.shots, true]; // Python has not seen the latest edit yet: its curves are progress, its shots are old
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
      writeAddress();
      draw();
      flush();
    },
    remove() {
      bar.pause();
      clearTimeout(resting);
      clearTimeout(speaking);
      if (inFlight) clearTimeout(inFlight.timer);
      cancelAnimationFrame(frame);
      removeEventListener("popstate", readAddress);
      document.removeEventListener("keydown", key);
      resized.disconnect();
      themed.disconnect();
      root.remove();
    },
  };
}
