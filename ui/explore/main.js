// The explore view: asks the server for maps until they are exact enough, draws them or curves through them, and reads out a cell.

import { colourBar, colourOf } from "../chart/heat.js";
import { current, write } from "../shared/address.js";
import { savePng, saveSvg } from "../chart/save.js";
import { paint } from "../shared/looks.js";
import { mounted } from "../shared/mounted.js";
import { byTouch, click } from "../shared/pointer.js";
import { json, sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { alphaWords, interval, list, number, shots, when } from "../shared/words.js";
import { heatMap } from "./heat.js";
import { publishedPanel } from "./published.js";
import { sliceChart } from "./slices.js";
import { beats, cellName, cellWords, count, heading, mapFinding, percent, placeOf, rowName, rowWords } from "./words.js";

const AT_ONCE = 2; // questions to the server
const AGAIN_MS = 3000; // after one that failed
const PARAMETER = "cell";
const ALONG = ["K", "alpha"];
const EXAMPLES = { typical: "a typical task", best: "the best task", worst: "the worst task" };
const CHARTS = "svg.heat, svg.slice, svg.colour-bar";
const TEXTS = "h1, .setting, .plots h2, .map-title";

export const { render, remove } = mounted(["explore/explore.css"], makeView);

function makeView(parent) {
  const server = new URL("explore/", document.baseURI).href;
  const root = el("section", { class: "maml-lab explore", "aria-label": "Maps" }, parent);
  const paints = paint(root);
  const head = el("div", { class: "explore-head" }, root);
  const title = el("h1", {}, head);
  const setting = el("p", { class: "setting" }, head);
  const main = el("div", { class: "explore-main" }, root);
  const plots = el("div", { class: "plots" }, main);
  const scale = colourBar(main, colourOf);
  const key = el("p", { class: "key" }, main);
  const side = el("div", { class: "explore-side" }, root);
  const cellTitle = el("h2", {}, side);
  const readout = el("div", { class: "readout" }, side);
  const links = el("div", { class: "cell-links" }, side);
  const strip = el("div", { class: "strip" }, root);
  const bar = el("progress", { "aria-label": "tasks measured" }, strip);
  const place = el("span", { class: "place" }, strip);
  const stop = el("button", { type: "button" }, strip);
  const complaint = el("p", { class: "complaint", role: "alert" }, root);
  const status = el("p", { class: "hidden", role: "status" }, root);
  const words = el("div", { class: "findings" }, root);
  const fold = el("details", { class: "data" }, root);
  el("summary", {}, fold, "Numbers as a table");
  const scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Errors by cell" }, fold);
  const takeAway = el("details", { class: "take-away" }, root);
  el("summary", {}, takeAway, "Export");
  const files = el("div", { class: "files" }, takeAway);
  const table = el("div", { class: "published-panel" }, root);
  const published = publishedPanel(table, {
    title,
    setting,
    ask: (query) => json(`${server}published.json`, { query }),
    file: (parameters) => `${server}published.csv?${parameters}`,
  });
  const known = new Map();
  const flying = new Map();
  const told = new Map(); // by parameters: maps, questions under way, example tasks
  let state = null;
  let charts = [];
  let shape = "";
  let picked = null;
  let pointed = null;
  let stopped = false;
  let gone = false;
  let failed = 0;
  let timer = null;
  let frame = null;
  let spoken = "";

  const parameters = (learner, along) => {
    const own = { learners: learner.key, along, conditions: state.conditions.join() };
    if (along === "alpha") own.K = state.K;
    else if (state.alpha !== null && learner !== state.baseline) own.alpha = state.alpha;
    for (const name of Object.keys(own)) if (own[name] === "") delete own[name];
    return new URLSearchParams(own).toString();
  };
  const mapOf = (learner, along) => known.get(parameters(learner, along));
  const wanted = () => [
    ...new Set([
      ...state.learners.flatMap((l) => ALONG.map((along) => parameters(l, along))),
      ...(isNeeded() ? [parameters(state.baseline, "K")] : []),
    ]),
  ];
  const isNeeded = () => state.learners.some((l) => l.key !== state.baseline.key);
  const tasksOf = (name) => known.get(name)?.tasks ?? 0;

  // Asks for what has met the fewest tasks, until everything has met enough.
  function work() {
    clearTimeout(timer);
    if (gone || stopped || document.hidden || state.view === "published") return;
    if (failed)
      timer = setTimeout(() => {
        failed = 0;
        work();
      }, AGAIN_MS);
    const names = wanted();
    const busy = names.filter((name) => flying.has(name)).length;
    const open = names.filter((name) => !flying.has(name) && tasksOf(name) < state.tasks).sort((a, b) => tasksOf(a) - tasksOf(b));
    for (const name of open.slice(0, failed ? 0 : Math.max(0, AT_ONCE - busy))) {
      flying.set(
        name,
        json(`${server}map.json?${name}&have=${tasksOf(name)}`)
          .then((map) => {
            if (map.tasks > tasksOf(name)) known.set(name, map);
            complaint.textContent = "";
          })
          .catch((error) => {
            failed += 1;
            if (!gone)
              complaint.textContent = `A map could not be measured: ${sentence(error)}${error.refused ? "" : " Trying again."}`;
          })
          .finally(() => {
            flying.delete(name);
            work();
            later();
          }),
      );
    }
  }

  // Draws once a frame, however much has arrived.
  function later() {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      if (!gone) draw();
    });
  }

  // The baseline's means for the rows of a map: at the same shots, with its own step size.
  function baselineRows(along) {
    const map = mapOf(state.baseline, "K");
    if (!map) return null;
    return along === "K" ? map.mean : state.rows.alpha.map(() => map.mean[state.rows.K.indexOf(state.K)]);
  }

  function trainedCell(learner, along) {
    if (!learner.steps) return null;
    const row = placeOf(along === "K" ? learner.K : learner.alpha, state.rows[along]);
    return row === null || learner.steps > state.steps ? null : [row, learner.steps];
  }

  const fixedWords = (learner, along) =>
    along === "K" ? `α = ${alphaWords(state.alpha ?? learner.alpha)}${state.alpha === null ? " (its own)" : ""}` : shots(state.K);
  const beaten = (learner, along) =>
    learner.key === state.baseline.key ? null : beats(mapOf(learner, along), baselineRows(along));
  const finding = (learner, along) =>
    mapFinding(learner, along, state.rows[along], mapOf(learner, along), beaten(learner, along), fixedWords(learner, along));

  // The charts of this view, made anew only when it calls for others.
  function build() {
    const now = JSON.stringify([state.view, state.learners.map((l) => l.key)]);
    if (now === shape) return;
    shape = now;
    plots.replaceChildren();
    plots.className = `plots ${state.view}`;
    if (state.view === "curves") {
      charts = ["step", "K", "alpha"].map((along) => sliceChart(el("div", {}, plots), { pick: (i) => pickSlice(along, i) }));
    } else {
      charts = state.learners.flatMap((learner) =>
        ALONG.map((along) => {
          const area = el("div", { class: "map" }, plots);
          const name = el("p", { class: "map-title" }, area);
          return { learner, along, name, chart: heatMap(area, { along, point, pick }) };
        }),
      );
    }
    observed.disconnect();
    for (const chart of charts) observed.observe((chart.chart ?? chart).svg);
  }

  function draw() {
    paints.apply(state.looks);
    root.classList.toggle("with-table", state.view === "published");
    if (state.view === "published") return published.update(state.published);
    published.leave();
    build();
    const maps = state.learners.map((l) => mapOf(l, "K"));
    title.textContent = heading(state.learners, maps, state.rows.K);
    const beyond = state.condition_names.length ? ` · beyond training: ${state.condition_names.join(", ")}` : "";
    setting.textContent = `Mean error on query points, over the same fresh tasks in every cell${beyond}`;
    if (state.view === "curves") drawSlices();
    else drawMaps();
    const curves = state.view === "curves";
    scale.style.display = curves ? "none" : "";
    key.textContent = curves
      ? `bands: 95% intervals of the mean · ${click()} a chart to move its line; the other charts follow`
      : "bright: low error · hatched: 1% of the tasks or more diverge · outline: 95% interval below the mean of pretrained with its own α · ring: the setting it was trained for";
    drawStrip();
    drawWords();
    drawReadout();
    if (fold.open) drawTable();
    drawFiles();
  }

  function drawMaps() {
    for (const { learner, along, name, chart } of charts) {
      const current = state.learners.find((l) => l.key === learner.key);
      name.replaceChildren();
      swatch(state.looks[current.role], current.role, name);
      name.append(`${current.label}: ${along === "K" ? "shots K" : "step size α"} × inner steps, ${fixedWords(current, along)}`);
      const met = tasksOf(parameters(current, along));
      if (met && met < state.tasks) el("span", { class: "met" }, name, `${count(met)} tasks`);
      chart.update({
        map: mapOf(current, along),
        waiting: flying.has(parameters(current, along))
          ? `measuring ${state.rows[along].length} × ${state.steps + 1} cells …`
          : stopped
            ? "stopped"
            : "waiting to be measured",
        rows: state.rows[along],
        steps: state.steps,
        beats: beaten(current, along),
        trained: trainedCell(current, along),
        about: `${finding(current, along)}${byTouch() ? "" : " Arrow keys move between cells; Enter selects one."}`,
        picked: picked[0] === along ? picked.slice(1) : null,
      });
    }
  }

  // Where the curves are cut: the row by shots, the row by step size, and the step, from what is picked.
  function cut() {
    const [along, row, step] = picked;
    const own = state.alpha ?? state.learners[0]?.alpha ?? 0.01;
    const K = along === "K" ? row : state.rows.K.indexOf(state.K);
    return { along, row, step, K, alpha: along === "alpha" ? row : Math.round(placeOf(own, state.rows.alpha) ?? 0) };
  }

  function drawSlices() {
    const { along, row, step, K, alpha } = cut();
    const steps = Array.from({ length: state.steps + 1 }, (_, i) => i);
    const at = rowWords(along, state.rows[along][row]);
    const all =
      isNeeded() && !state.learners.some((l) => l.key === state.baseline.key)
        ? [...state.learners, state.baseline]
        : state.learners;
    const lines = (learners, which, take) =>
      learners.flatMap((l) => {
        const map = mapOf(l, which);
        return map
          ? [{ role: l.role, label: l.label, look: state.looks[l.role], mean: take(map.mean), ci95: take(map.ci95) }]
          : [];
      });
    const show = (chart, title, kind, x, index, drawn) =>
      chart.update({
        title,
        along: kind,
        x,
        at: index,
        lines: drawn,
        about: `${title}. ${drawn.map((l) => `${l.label} from ${number(l.mean[0])} to ${number(l.mean.at(-1))}, ${number(l.mean[index])} at the line`).join("; ")}.`,
      });
    const [byStep, byShots, byAlpha] = charts;
    show(
      byStep,
      `by inner step, ${at}`,
      "step",
      steps,
      step,
      lines(along === "K" ? all : state.learners, along, (part) => part[row]),
    );
    show(
      byShots,
      `by shots, ${when(step)}`,
      "K",
      state.rows.K,
      K,
      lines(all, "K", (part) => part.map((r) => r[step])),
    );
    show(
      byAlpha,
      `by step size, ${when(step)}, ${shots(state.K)}`,
      "alpha",
      state.rows.alpha,
      alpha,
      lines(state.learners, "alpha", (part) => part.map((r) => r[step])),
    );
  }

  function pickSlice(along, index) {
    const [which, row] = picked;
    if (along === "step") pick([which, row, index]);
    else pick([along, index, picked[2]]);
  }

  // What is being measured just now, in words.
  function underWay() {
    const maps = [...state.learners, state.baseline].flatMap((l) =>
      ALONG.map((along) => [parameters(l, along), `${l.label} by ${along === "K" ? "shots" : "step size"}`]),
    );
    return list([...new Map(maps.filter(([name]) => flying.has(name))).values()]) || "…";
  }

  function drawStrip() {
    const names = wanted();
    const least = Math.min(...names.map(tasksOf));
    const total = names.reduce((sum, name) => sum + Math.min(tasksOf(name), state.tasks), 0);
    bar.max = Math.max(1, names.length * state.tasks);
    bar.value = total;
    const ready = least >= state.tasks;
    root.dataset.tasks = names.length ? least : "";
    place.textContent = !names.length
      ? ""
      : ready
        ? `${count(least)} tasks per cell`
        : `${stopped ? "stopped" : `measuring ${underWay()}`}: ${count(least)} of ${count(state.tasks)} tasks per cell`;
    stop.hidden = ready || !names.length;
    stop.textContent = stopped ? "Continue" : "Stop";
    bar.hidden = ready;
  }
  stop.addEventListener("click", () => {
    stopped = !stopped;
    work();
    draw();
  });

  function drawWords() {
    words.replaceChildren();
    for (const learner of state.learners) for (const along of ALONG) el("p", { class: "about" }, words, finding(learner, along));
    const said =
      state.learners.length && state.learners.every((l) => ALONG.every((along) => mapOf(l, along))) ? title.textContent : "";
    if (said && said !== spoken) status.textContent = spoken = said;
  }

  function drawReadout() {
    const [along, row, step] = pointed ?? picked;
    const value = state.rows[along][row];
    cellTitle.textContent = cellName(along, value, step);
    readout.replaceChildren();
    const table = el("table", {}, readout);
    const head = el("tr", {}, el("thead", {}, table));
    const body = el("tbody", {}, table);
    for (const name of ["", "mean ± 95%", "median", "diverged"]) el(name ? "th" : "td", name ? { scope: "col" } : {}, head, name);
    const baseline = isNeeded() && !state.learners.some((l) => l.key === state.baseline.key) ? [state.baseline] : [];
    for (const l of [...state.learners, ...baseline]) {
      const itself = l === state.baseline;
      const map = itself ? mapOf(l, "K") : mapOf(l, along);
      const r = itself && along === "alpha" ? state.rows.K.indexOf(state.K) : row;
      const line = el("tr", {}, body);
      const name = el("th", { scope: "row" }, line);
      swatch(state.looks[l.role], l.role, name);
      name.append(l.label);
      if (along === "K" || itself) el("small", {}, name, ` α = ${alphaWords(itself ? l.alpha : (state.alpha ?? l.alpha))}`);
      const cells = map
        ? [interval(map.mean[r][step], map.ci95[r][step]), number(map.median[r][step]), percent(map.diverged[r][step])]
        : ["measuring …", "", ""];
      for (const text of cells) el("td", {}, line, text);
    }
    drawLinks();
  }

  // The tasks of the cell that is picked, as links into the lab.
  function drawLinks() {
    const [along, row, step] = picked;
    links.replaceChildren();
    if (!state.learners.some((l) => mapOf(l, along))) return;
    el(
      "p",
      { class: "lead" },
      links,
      `Open in the lab, ${cellName(along, state.rows[along][row], step).replace(/^./, (c) => c.toLowerCase())}:`,
    );
    for (const l of state.learners) {
      const map = mapOf(l, along);
      const name = `${parameters(l, along)}&row=${row}&step=${step}`;
      if (!map) continue;
      const found = told.get(name);
      const ready = map.tasks >= state.tasks;
      if (!found || (ready && !found.ready)) {
        told.set(name, { ...found, ready });
        json(`${server}examples.json?${name}`)
          .then((answer) => {
            told.set(name, { ...answer, ready });
            later();
          })
          .catch(() => told.delete(name));
      }
      const line = el("p", {}, links);
      if (state.learners.length > 1) el("b", {}, line, `${l.label} `);
      if (!found?.typical) line.append("measuring …");
      for (const [which, words] of Object.entries(EXAMPLES)) {
        const task = found?.[which];
        if (!task) continue;
        const text = `${words}, ${task.loss === null || task.loss > state.diverged ? "diverged" : number(task.loss)}`;
        if (task.href) el("a", { href: task.href, "data-example": which }, line, text);
        else el("span", { title: "The lab cannot show this task" }, line, `${text} (outside the lab’s range)`);
      }
    }
    el(
      "p",
      { class: "about" },
      links,
      `These errors are the lab’s, over the whole curve; the maps use ${state.points} points of it.`,
    );
  }

  function drawTable() {
    const [along] = picked;
    scroller.replaceChildren();
    for (const l of state.learners) {
      const map = mapOf(l, along);
      if (!map) continue;
      const table = el("table", {}, scroller);
      el(
        "caption",
        {},
        table,
        `${l.label}, ${fixedWords(l, along)}: mean error ± 95% interval by ${along === "K" ? "shots" : "step size"} and inner step, over ${count(map.tasks)} tasks`,
      );
      const head = el("tr", {}, el("thead", {}, table));
      const body = el("tbody", {}, table);
      el("th", { scope: "col" }, head, along === "K" ? "K" : "α");
      for (let step = 0; step <= state.steps; step++) el("th", { scope: "col" }, head, String(step));
      state.rows[along].forEach((value, row) => {
        const line = el("tr", {}, body);
        el("th", { scope: "row" }, line, rowName(along, value));
        map.mean[row].forEach((mean, step) =>
          el(
            "td",
            {},
            line,
            `${interval(mean, map.ci95[row][step])}${map.diverged[row][step] ? ` (${percent(map.diverged[row][step])})` : ""}`,
          ),
        );
      });
    }
    el("p", { class: "about" }, scroller, "in parentheses: the share of tasks that diverged, each counted as 100");
  }
  fold.addEventListener("toggle", () => fold.open && drawTable());

  function drawFiles() {
    const now = JSON.stringify(wanted());
    if (files.dataset.of === now) return;
    files.dataset.of = now;
    files.replaceChildren();
    for (const l of state.learners)
      for (const along of ALONG)
        el(
          "a",
          { href: `${server}map.csv?${parameters(l, along)}`, download: "" },
          files,
          `${l.label} by ${along === "K" ? "shots" : "step size"}.csv`,
        );
    const save = (name, act) => el("button", { type: "button" }, files, name).addEventListener("click", act);
    save("picture.svg", () => saveSvg(root, "maml-lab-map.svg", CHARTS, TEXTS));
    save("picture.png", () => savePng(root, "maml-lab-map.png", CHARTS, TEXTS));
  }

  function point(cell) {
    if (String(cell) === String(pointed)) return;
    pointed = cell;
    for (const { along, chart } of charts) chart?.cursor(cell?.[0] === along ? cell.slice(1) : null);
    if (cell)
      status.textContent = `${cellName(cell[0], state.rows[cell[0]][cell[1]], cell[2])}. ${state.learners.map((l) => cellWords(l.label, mapOf(l, cell[0]), cell[1], cell[2])).join("; ")}`;
    drawReadout();
  }

  function pick(cell) {
    picked = cell;
    draw();
    const [along, row, step] = cell;
    write({ [PARAMETER]: `${along},${rowName(along, state.rows[along][row])},${step}` });
  }

  // The cell that the address names, else the one the first learner was trained for, else 10 shots and a step.
  function cellOfAddress() {
    const [along, value, step] = (current().searchParams.get(PARAMETER) ?? "").split(",");
    const row = ALONG.includes(along) ? state.rows[along].indexOf(Number(value)) : -1;
    if (row >= 0 && Number(step) >= 0 && Number(step) <= state.steps && Number.isInteger(Number(step)))
      return [along, row, Number(step)];
    const first = state.learners[0];
    const trained = first && trainedCell(first, "K");
    return ["K", ...(trained ?? [state.rows.K.indexOf(10), 1])];
  }

  const looked = () => document.hidden || work();
  document.addEventListener("visibilitychange", looked);
  const observed = new ResizeObserver(later);

  return {
    update({ data }) {
      const newState = JSON.parse(data);
      const rows = state?.rows;
      state = newState;
      if (!picked || rows[picked[0]].length !== state.rows[picked[0]].length) picked = cellOfAddress();
      pointed = null;
      stopped = false;
      work();
      draw();
    },
    remove() {
      gone = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", looked);
      observed.disconnect();
      published.remove();
      paints.remove();
      root.remove();
    },
  };
}
