// The training view: asks the server what the runs are doing, shows one of them, and steers it.

import { current, write } from "../shared/address.js";
import { missed } from "../shared/away.js";
import { paint } from "../shared/looks.js";
import { mounted } from "../shared/mounted.js";
import { byTouch, click } from "../shared/pointer.js";
import { el } from "../shared/el.js";
import { onResize } from "../shared/resized.js";
import { EXACT, interval } from "../shared/rounding.js";
import { json, sentence } from "../shared/server.js";
import { number } from "../shared/words.js";
import { learningChart } from "./chart.js";
import { everybodysFold } from "./everybody.js";
import { runTable } from "./runs.js";
import { sureButton } from "./sure.js";
import { throughPanel } from "./through.js";
import { DIFFERS, advice, beaten, count, finding, isLive, progress, validations } from "./words.js";

const LIVE_MS = 800;
const IDLE_MS = 3000; // between two questions to the server
const PARAMETER = "run";
const LETTERS = ["A", "B", "C", "D", "E", "F"]; // the looks of runs compared

export const { render, remove } = mounted(["lab/lab.css", "train/train.css"], (parent, { data }) =>
  makeView(parent, JSON.parse(data)),
);

function makeView(parent, { looks, limits, marks }) {
  const server = new URL("train/", document.baseURI).href;
  const lab = new URL("lab/", document.baseURI).href;
  const root = el("section", { class: "maml-lab training", "aria-label": "Training" }, parent);
  const paints = paint(root);
  const overview = el("div", { class: "overview" }, root);
  const left = el("div", { class: "area-chart" }, overview);
  const heading = el("h1", {}, left);
  const subheading = el("p", { class: "setting" }, left);
  const counsel = el("p", { class: "counsel" }, left);
  const chart = learningChart(left, { go: (iteration) => through.point(iteration) });
  const key = el("p", { class: "hint" }, left);
  const right = el("div", { class: "area-through" }, overview);
  const through = throughPanel(right, {
    looks,
    limits,
    fetchTask: (query, signal) => json(`${server}task.json`, { query, signal }),
    moved,
  });
  const strip = el("div", { class: "strip" }, root);
  const bar = el("progress", { "aria-label": "progress of the run" }, strip);
  const place = el("span", { class: "place" }, strip);
  const buttons = el("div", { class: "strip-buttons", role: "group", "aria-label": "This run" }, strip);
  const complaint = el("p", { class: "complaint", role: "alert" }, root);
  const table = runTable(el("div", { class: "area-runs" }, root), { looks, select, compare });
  const everybody = everybodysFold(root, { ask: () => json(`${server}everybody.json`), act });
  const fold = el("details", { class: "data" }, root);
  el("summary", {}, fold, "Errors as a table");
  const data = el(
    "table",
    {},
    el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Errors by iteration" }, fold),
  );
  const status = el("p", { class: "hidden", role: "status" }, root);
  const renaming = renameDialog(root, (name, value) => act(name, "rename", value));

  let component;
  let list = { runs: [], damaged: {} };
  let selected = current().searchParams.get(PARAMETER) ?? "";
  let pressed = null;
  const compared = new Set();
  const stores = new Map();
  let at = null;
  let newest = true;
  let timer = null;
  let polling = new AbortController();
  let heard = false;
  let spoken = "";
  let templates = 0;
  let drawnButtons = "";
  let removed = "";
  let drawn = "";

  // What is known of a run beside its row: its snapshots and marks, its metrics by iteration (a repeated one replaces the first),
  // and the offset to read on from.
  const storeOf = (name) =>
    stores.get(name) ?? stores.set(name, { offset: 0, lines: new Map(), seen: "", snapshots: [], marks: [] }).get(name);
  function rowOf(name) {
    const row = list.runs.find((row) => row.name === name);
    const { snapshots, marks } = storeOf(name);
    return row && { ...row, snapshots, marks };
  }
  const linesOf = (name) => [...storeOf(name).lines.values()].sort((a, b) => a.iteration - b.iteration);

  async function poll() {
    clearTimeout(timer);
    polling.abort();
    const { signal } = (polling = new AbortController());
    try {
      list = await json(`${server}runs.json`, { query: [selected, ...compared].map((name) => ["also", name]), signal });
      if (!rowOf(selected)) {
        if (selected && selected !== removed) complain(`There is no run ${selected} on this server (any more).`);
        const best = [(row) => row.mine && isLive(row), (row) => row.state === "running", () => true]
          .map((is) => list.runs.find(is))
          .find(Boolean);
        show(best?.name ?? "", Boolean(selected));
      }
      for (const name of [selected, ...compared]) await follow(name, signal);
      heard = true;
      missed(root, false);
      if (complaint.dataset.about === "server") complain("");
    } catch (error) {
      if (signal.aborted) return; // it has been asked anew, or the page is left
      missed(root, !error.refused);
      if (error.refused) complain(`The runs cannot be read: ${sentence(error)}`, "server");
    }
    if (signal.aborted) return;
    draw();
    timer = setTimeout(poll, list.runs.some(isLive) ? LIVE_MS : IDLE_MS);
  }

  async function follow(name, signal) {
    const row = rowOf(name);
    const store = row && storeOf(name);
    const seen = row && `${row.state} ${row.iteration}`;
    if (!row || (store.seen === seen && store.offset >= row.size)) return; // nothing new
    const news = await json(`${server}run.json`, { query: { run: name, since: store.offset }, signal });
    Object.assign(store, { seen, offset: news.offset, snapshots: news.snapshots, marks: news.marks });
    for (const line of news.metrics) store.lines.set(line.iteration, { ...store.lines.get(line.iteration), ...line });
  }

  // said: whether the address is to say so too.
  function show(name, said) {
    selected = name;
    compared.delete(name);
    [at, newest] = [null, true];
    if (said) write({ [PARAMETER]: name || null });
  }

  function select(name) {
    complain("");
    show(name, true);
    draw();
    poll();
  }

  function compare(name, yes) {
    complain("");
    const full = yes && compared.size >= LETTERS.length;
    if (full) complain(`At most ${LETTERS.length} runs can be compared with the one shown: remove one first.`);
    else compared[yes ? "add" : "delete"](name);
    poll();
    return !full;
  }

  async function act(name, what, value = null) {
    complain("");
    if (what === "delete") removed = name;
    try {
      await json(`${server}act`, { body: { run: name, do: what, value } });
    } catch (error) {
      complain(sentence(error));
    }
    poll();
  }

  function asTemplate(iteration) {
    component.setStateValue("template", { run: selected, iteration, n: ++templates });
    root.closest("[data-testid=stMain]")?.scrollTo({ top: 0, behavior: "smooth" }); // the form is there
  }

  function complain(text, about = "") {
    complaint.textContent = text;
    complaint.dataset.about = about;
  }

  // The snapshot on show in the task beside the chart.
  function moved(iteration, isNewest) {
    at = iteration;
    newest = isNewest;
    chart.point(at);
    drawButtons();
  }

  function draw() {
    const row = rowOf(selected);
    const lines = row ? linesOf(selected) : [];
    paints.apply(looks);
    heading.textContent = finding(row, lines);
    counsel.textContent = row ? advice(row, lines) : "";
    subheading.textContent = row
      ? `${row.title} · ${row.recipe} · ${row.outer}${row.note ? ` · ${row.note}` : ""}`
      : "A run turns a random network into one that adapts in one step. It continues when you leave this page.";
    const others = [...compared].filter(rowOf).map((name, i) => ({ row: rowOf(name), lines: linesOf(name), letter: LETTERS[i] }));
    const now = JSON.stringify([
      selected,
      [selected, ...compared].map((name) => storeOf(name).offset),
      chart.svg.clientWidth,
      chart.svg.clientHeight,
    ]);
    if (now !== drawn) chart.update({ row, lines, others, marks, looks, at });
    drawn = now;
    const said = row ? ["error over 1,000 validation tasks, with 95% intervals", "faint: loss on the training meta-batches"] : [];
    for (const mark of row?.marks ?? marks) said.push(`${mark.label}: ${mark.about}`);
    if (row) said.push(`${click()} to see your task at that moment`);
    if (row && !byTouch()) said.push("drag to enlarge a part");
    key.textContent = said.join(" · ");
    through.update(row ? selected : "", row ? row.snapshots : []);
    strip.hidden = !row;
    if (row) {
      bar.max = row.max_steps;
      bar.value = row.iteration;
      place.textContent = progress(row);
    }
    drawButtons();
    everybody.update(list.here);
    table.update(list, selected, new Map(others.map(({ row, letter }) => [row.name, letter])));
    if (fold.open) drawData(lines);
    speak(row, lines);
  }

  // Said once each: how it goes, and the moment something is beaten.
  function speak(row, lines) {
    if (!row) return;
    const won = beaten(row, lines)
      .map((mark) => `${mark.label} (${number(mark.value)}) was beaten at iteration ${count(mark.iteration)}`)
      .join(". ");
    const now = `${row.name} ${row.state} ${won}`;
    if (now === spoken) return;
    spoken = now;
    status.textContent = `${finding(row, lines)}. ${won}`;
  }

  function drawButtons() {
    const row = rowOf(selected);
    const now = row
      ? JSON.stringify([row.name, row.state, row.elsewhere, row.asked, row.may, row.title, row.snapshots.length > 0, at, newest])
      : "";
    if (now === drawnButtons) return; // a press must not fall on a button that is being replaced
    drawnButtons = now;
    const focused = buttons.contains(document.activeElement) ? document.activeElement.textContent : null;
    buttons.replaceChildren();
    if (!row) return;
    const button = (name, title, act) => {
      const made = el("button", { type: "button", title }, buttons, name);
      made.addEventListener("click", () => act(made));
      return made;
    };
    const link = (name, title, href, download = null) => el("a", { href, title, download }, buttons, name);
    const { may, state } = row;
    const steerable = may && !row.asked;
    if (steerable && isLive(row)) button("Pause", "Saves the run and frees its place", () => act(selected, "pause"));
    if (may && ["paused", "interrupted", "failed"].includes(state)) {
      if (row.elsewhere) button("Resume here", `Continues on this machine: ${DIFFERS}`, () => act(selected, "resume", "here"));
      else button("Resume", "Continues, with the same bits as if it had never stopped", () => act(selected, "resume"));
    }
    if (steerable && ["running", "queued", "paused", "interrupted"].includes(state))
      button("Stop", "Ends the run and keeps its checkpoint", () => act(selected, "stop"));
    if (row.snapshots.length) {
      const learner = newest ? `run:${selected}` : `run:${selected}@${at}`;
      const beside = row.algorithm === "pretrained" ? "maml" : "pretrained";
      link(
        "Open in lab",
        "This checkpoint beside a shipped one, on your own shots",
        `lab?${new URLSearchParams({ learners: `${beside},${learner}`, K: Math.min(row.K, 20), num_updates: Math.max(10, row.steps), step: Math.max(row.steps, 1), ...inRange(row.alpha) })}`,
      );
      link("Download", "The checkpoint as a .safetensors file", `${lab}checkpoint?${new URLSearchParams({ learner })}`, "");
      link(
        "All as zip",
        "The checkpoint with its settings, results and metrics, and how to use and reproduce it",
        `${lab}bundle.zip?${new URLSearchParams({ learner })}`,
        "",
      );
    }
    button("Duplicate", "A new run from the same recipe, which you can change first", () => asTemplate(null));
    const restart = button(
      "Restart here",
      "A new run that continues from the snapshot shown; you can change its settings first",
      () => !newest && at && asTemplate(at),
    );
    restart.setAttribute("aria-disabled", newest || !at);
    if (may) button("Rename", "A name and a note for this run", () => renaming.open(row));
    if (may && !isLive(row))
      sureButton(buttons, selected, "Delete", "Deletes the run and its checkpoints for good", () => act(selected, "delete"));
    [...buttons.children].find((made) => made.textContent === focused)?.focus({ preventScroll: true });
  }

  function drawData(lines) {
    data.replaceChildren();
    const found = validations(lines);
    const head = el("tr", {}, el("thead", {}, data));
    const body = el("tbody", {}, data);
    el("th", { scope: "col" }, head, "iteration");
    for (const { step } of found[0]?.steps ?? []) el("th", { scope: "col" }, head, step === 0 ? "before" : `after ${step}`);
    for (const { iteration, steps } of found) {
      const line = el("tr", {}, body);
      el("th", { scope: "row" }, line, count(iteration));
      for (const { mean, ci95, diverged } of steps)
        el("td", {}, line, `${interval(mean, ci95, EXACT)}${diverged ? ` (${(100 * diverged).toFixed(1)}% diverged)` : ""}`);
    }
  }
  fold.addEventListener("toggle", () => fold.open && drawData(linesOf(selected)));

  const resized = onResize(() => draw());
  resized.observe(chart.svg);

  return {
    update(newComponent) {
      component = newComponent;
      const asked = JSON.parse(component.data);
      if (pressed === null) pressed = selected ? asked.pressed : 0; // an address knows better than a press before it
      if (asked.pressed !== pressed && asked.selected) {
        pressed = asked.pressed;
        select(asked.selected);
      } else if (!heard) {
        poll();
      }
    },
    remove() {
      polling.abort();
      missed(root, false);
      clearTimeout(timer);
      resized.disconnect();
      chart.remove();
      through.remove();
      paints.remove();
      root.remove();
    },
  };
}

// The lab's step size, where it can be set to this one.
const inRange = (alpha) => (alpha >= 1e-4 && alpha <= 1 ? { alpha } : {});

// `rename(run, {title, note})` is called with what was written.
function renameDialog(parent, rename) {
  const dialog = el("dialog", { class: "share", "aria-labelledby": "rename-title" }, parent);
  const form = el("form", { method: "dialog" }, dialog);
  el("h2", { id: "rename-title" }, form, "Rename this run");
  el("label", { class: "label", for: "rename-name" }, form, "name");
  const title = el("input", { id: "rename-name", maxlength: 60, required: "" }, form);
  el("label", { class: "label", for: "rename-note" }, form, "note");
  const note = el("textarea", { id: "rename-note", maxlength: 500, rows: 3 }, form);
  const row = el("div", { class: "strip-buttons" }, form);
  el("button", { type: "submit", value: "save", class: "primary" }, row, "Save");
  el("button", { type: "submit", value: "cancel", formnovalidate: "" }, row, "Cancel");
  let run = "";
  dialog.addEventListener("close", () => dialog.returnValue === "save" && rename(run, { title: title.value, note: note.value }));
  return {
    open(about) {
      run = about.name;
      [title.value, note.value, dialog.returnValue] = [about.title, about.note, ""];
      dialog.showModal();
    },
  };
}
