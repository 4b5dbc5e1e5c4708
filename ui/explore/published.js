// The published table: errors that others reported beside ours, which can be measured again while one looks.

import { EXACT, interval } from "../shared/rounding.js";
import { sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { alphaWords } from "../shared/words.js";
import { count } from "./words.js";

const AT_ONCE = 2; // questions to the server
const WORSE = "above";
const BETTER = "below";

// `ask(parameters, signal)` promises what ui/explore/published.py's measure() says; `file(parameters)` is the address of its table_csv(). title and setting are the page's heading and the line below it.
export function publishedPanel(parent, { title, setting, ask, file }) {
  const strip = el("div", { class: "strip" }, parent);
  const again = el("button", { type: "button", class: "primary" }, strip, "Measure again");
  const bar = el("progress", { "aria-label": "tasks measured", hidden: "" }, strip);
  const place = el("span", { class: "place", role: "status" }, strip);
  const scroller = el(
    "div",
    { class: "scroller", tabindex: 0, role: "group", "aria-label": "Published figures beside ours" },
    parent,
  );
  const notes = el("div", { class: "findings" }, parent);
  const files = el("div", { class: "files" }, parent);
  const csv = el("a", { download: "" }, files, "published.csv");
  let data;
  let on = false;
  let time = 0;
  let running = false;
  let fresh = {};
  let rounds = 0;
  let failed = "";
  let stop = new AbortController();

  const learners = () => Object.values(data.learners).flat();
  const shownOf = (key, K, step) => fresh[key]?.[K]?.[step] ?? data.ours[key][K][step];
  const total = () => learners().length * 2 * data.rounds;

  again.addEventListener("click", () => (running ? halt() : start()));

  function halt() {
    running = false;
    stop.abort();
    draw();
  }

  async function start() {
    const { signal } = (stop = new AbortController());
    const jobs = learners().flatMap((l) => [5, 10].map((K) => [l.key, K]));
    [running, fresh, rounds, failed] = [true, {}, 0, ""];
    time = (time % data.most_times) + 1;
    draw();
    const worker = async () => {
      for (let job = jobs.shift(); job; job = jobs.shift()) {
        const [key, K] = job;
        for (let n = 1; n <= data.rounds; n++) {
          const found = await ask({ learners: key, K, time, rounds: n }, signal);
          signal.throwIfAborted();
          rounds += 1;
          if (n === data.rounds) fresh[key] = { ...fresh[key], [K]: found };
          draw();
        }
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    } catch (error) {
      if (signal.aborted) return;
      failed = `Could not measure: ${sentence(error)}${error.refused ? "" : " Press “Measure again” to retry."}`;
      stop.abort(); // the other one's
    }
    running = false;
    draw();
  }

  const cells = (figure) => data.learners[figure.of].map((l) => ({ label: l.label, ...shownOf(l.key, figure.K, figure.step) }));
  const verdict = (figure, { mean, ci95 }) => (mean + ci95 < figure.value ? BETTER : mean - ci95 > figure.value ? WORSE : "");

  function draw() {
    if (!on) return; // the heading is another view's
    const six = data.figures.filter((f) => f.source === data.figures[0].source);
    const best = data.learners.maml.at(-1);
    const won = six.filter((f) => verdict(f, shownOf(best.key, f.K, f.step)) === BETTER).length;
    title.textContent = `${best.label}’s 95% interval lies below ${won === six.length ? `all ${won}` : `${won} of the ${six.length}`} figures in MAML-tf’s table`;
    setting.textContent = "Mean error on query points: as published, and as measured on our checkpoints.";
    again.textContent = running ? "Stop" : "Measure again";
    bar.hidden = !running;
    bar.max = total();
    bar.value = rounds;
    const done = rounds === total();
    place.textContent =
      failed ||
      (running
        ? `measuring over ${count(data.tasks)} tasks each: ${Math.round((100 * rounds) / total())}%`
        : done
          ? `Ours were measured just now, over ${count(data.tasks)} tasks that none of them had seen.`
          : `Ours were measured after training, over ${count(data.tasks)} tasks.`);
    place.dataset.done = done && !running;
    const measured = Object.entries(fresh).flatMap(([key, shots]) => Object.keys(shots).map((K) => `${key}:${K}`));
    csv.href = file(measured.length ? new URLSearchParams({ measured: measured.join(), time }) : "");
    scroller.replaceChildren();
    const groups = grouped(data.figures);
    for (const [of, figures] of groups) {
      const table = el("table", { class: "published" }, scroller);
      const head = el("tr", {}, el("thead", {}, table));
      const body = el("tbody", {}, table);
      for (const name of ["published by", "shots", "steps", "published"]) el("th", { scope: "col" }, head, name);
      for (const l of data.learners[of])
        el("small", {}, el("th", { scope: "col" }, head, `our ${l.label}`), ` α = ${alphaWords(l.alpha)}`);
      for (const figure of figures) {
        const line = el("tr", {}, body);
        el("th", { scope: "row" }, line, figure.of === "maml" ? figure.source : `${figure.source}: ${figure.of}`);
        for (const text of [figure.K, figure.step, `${figure.read_off ? "about " : ""}${figure.value}`])
          el("td", {}, line, String(text));
        for (const cell of cells(figure)) {
          const said = figure.read_off ? "" : verdict(figure, cell);
          const [mean, half] = interval(cell.mean, cell.ci95, EXACT).split(" ± ");
          const td = el("td", { class: said || null }, line, mean);
          el("span", { class: "half" }, td, ` ± ${half}`);
          if (said) el("small", {}, td, said === BETTER ? " ▼ below" : " ▲ above");
        }
      }
    }
    notes.replaceChildren();
    for (const note of data.notes) el("p", { class: "about" }, notes, note);
  }

  return {
    update(newData) {
      [data, on] = [newData, true];
      draw();
    },
    // Another view is shown; what is being measured goes on.
    leave: () => (on = false),
    remove: () => stop.abort(),
  };
}

function grouped(figures) {
  const groups = new Map();
  for (const f of figures) groups.set(f.of, [...(groups.get(f.of) ?? []), f]);
  return groups;
}
