// The explore view: a heading with the finding, maps or curves through them that sharpen while one looks, and what one cell holds.

import { colourBar, colourOf } from "../chart/heat.js";
import { current, write } from "../shared/address.js";
import { paint } from "../shared/looks.js";
import { mounted } from "../shared/mounted.js";
import { click } from "../shared/pointer.js";
import { json } from "../shared/server.js";
import { el } from "../shared/el.js";
import { list } from "../shared/words.js";
import { ALONG, mapsOf } from "./maps.js";
import { plots } from "./plots.js";
import { publishedPanel } from "./published.js";
import { readout } from "./readout.js";
import { refining } from "./refining.js";
import { takeAway } from "./takeaway.js";
import { cellName, cellWords, count, heading, rowName } from "./words.js";

/** @import { Component } from "../shared/mounted.js" */
/** @import { Along, Place } from "./words.js" */
/** @import { Maps, State } from "./maps.js" */

const PARAMETER = "cell";
const MAP_KEY =
  "bright: low error · hatched: 1% of the tasks or more diverge · outline: 95% interval below the mean of pretrained with its own α · ring: the setting it was trained for";

export const { render, remove } = mounted(["explore/explore.css"], makeView);

/** @param {Element} parent */
function makeView(parent) {
  const server = new URL("explore/", document.baseURI).href;
  const root = el("section", { class: "maml-lab explore", "aria-label": "Maps" }, parent);
  const paints = paint(root);
  const head = el("div", { class: "explore-head" }, root);
  const title = el("h1", {}, head);
  const setting = el("p", { class: "setting" }, head);
  const main = el("div", { class: "explore-main" }, root);
  const refined = refining({
    server,
    maps: () => maps,
    heard: later,
    complain: (words) => !gone && (complaint.textContent = words),
  });
  const { isAsked } = refined;
  const drawn = plots(main, { point, pick, resized: later, isAsked, isStopped: () => refined.stopped });
  const scale = colourBar(main, colourOf);
  const key = el("p", { class: "key" }, main);
  const side = readout(root, { server, heard: later });
  const strip = el("div", { class: "strip" }, root);
  const bar = el("progress", { "aria-label": "tasks measured" }, strip);
  const place = el("span", { class: "place" }, strip);
  const stop = el("button", { type: "button" }, strip);
  const complaint = el("p", { class: "complaint", role: "alert" }, root);
  const status = el("p", { class: "hidden", role: "status" }, root);
  const words = el("div", { class: "findings" }, root);
  const taken = takeAway(root, { server });
  const published = publishedPanel(el("div", { class: "published-panel" }, root), {
    title,
    setting,
    ask: (/** @type {Record<string, string>} */ query, /** @type {AbortSignal} */ signal) =>
      json(`${server}published.json`, { query, signal }),
    file: (/** @type {URLSearchParams} */ parameters) => `${server}published.csv?${parameters}`,
  });
  /** @type {Maps} */
  let maps;
  /** @type {Place} */
  let picked;
  /** @type {Place | null} */
  let pointed = null;
  let gone = false;
  /** @type {number | null} */
  let frame = null;
  let spoken = "";

  // Draws once a frame, however much has arrived.
  function later() {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      if (!gone) draw();
    });
  }

  function draw() {
    paints.apply(maps.looks);
    root.classList.toggle("with-table", maps.view === "published");
    if (maps.view === "published") return published.update(maps.published);
    published.leave();
    const first = maps.learners.map((l) => maps.mapOf(l, "K"));
    title.textContent = heading(maps.learners, first, maps.rows.K);
    const beyond = maps.condition_names.length ? ` · beyond training: ${maps.condition_names.join(", ")}` : "";
    setting.textContent = `Mean error on query points, over the same fresh tasks in every cell${beyond}`;
    const curves = maps.view === "curves";
    scale.style.display = curves ? "none" : "";
    key.textContent = curves
      ? `bands: 95% intervals of the mean · ${click()} a chart to move its line; the other charts follow`
      : MAP_KEY;
    drawn.update(maps, picked);
    drawStrip();
    drawWords();
    side.update(maps, picked, pointed);
    taken.update(maps, picked[0]);
  }

  // What is being measured just now, in words.
  function underWay() {
    const asked = [...maps.learners, maps.baseline].flatMap((l) =>
      ALONG.map((along) => ({ name: maps.parameters(l, along), said: `${l.label} by ${along === "K" ? "shots" : "step size"}` })),
    );
    const said = asked.filter(({ name }) => isAsked(name)).map((one) => one.said);
    return list([...new Set(said)]) || "…";
  }

  function drawStrip() {
    const names = maps.wanted();
    const least = Math.min(...names.map(maps.tasksOf));
    const total = names.reduce((sum, name) => sum + Math.min(maps.tasksOf(name), maps.tasks), 0);
    bar.max = Math.max(1, names.length * maps.tasks);
    bar.value = total;
    const ready = least >= maps.tasks;
    const doing = refined.stopped ? "stopped" : `measuring ${underWay()}`;
    root.dataset.tasks = names.length ? String(least) : "";
    place.textContent = !names.length
      ? ""
      : ready
        ? `${count(least)} tasks per cell`
        : `${doing}: ${count(least)} of ${count(maps.tasks)} tasks per cell`;
    stop.hidden = ready || !names.length;
    stop.textContent = refined.stopped ? "Continue" : "Stop";
    bar.hidden = ready;
  }
  stop.addEventListener("click", () => {
    refined.stop(!refined.stopped);
    draw();
  });

  function drawWords() {
    words.replaceChildren();
    for (const l of maps.learners) for (const along of ALONG) el("p", { class: "about" }, words, maps.finding(l, along));
    const isWhole = maps.learners.length > 0 && maps.learners.every((l) => ALONG.every((along) => maps.mapOf(l, along)));
    const said = isWhole ? (title.textContent ?? "") : "";
    if (said && said !== spoken) status.textContent = spoken = said;
  }

  /** @param {Place | null} cell */
  function point(cell) {
    if (String(cell) === String(pointed)) return;
    pointed = cell;
    drawn.cursor(cell);
    if (cell) {
      const [along, row, step] = cell;
      const said = maps.learners.map((l) => cellWords(l.label, maps.mapOf(l, along), row, step));
      status.textContent = `${cellName(along, maps.rows[along][row], step)}. ${said.join("; ")}`;
    }
    side.update(maps, picked, pointed);
  }

  /** @param {Place} cell */
  function pick(cell) {
    picked = cell;
    draw();
    const [along, row, step] = cell;
    write({ [PARAMETER]: `${along},${rowName(along, maps.rows[along][row])},${step}` });
  }

  // The cell that the address names, else the one the first learner was trained for, else 10 shots and a step.
  /** @returns {Place} */
  function cellOfAddress() {
    const [along, value, step] = (current().searchParams.get(PARAMETER) ?? "").split(",");
    const which = /** @type {Along} */ (along);
    const row = ALONG.includes(which) ? maps.rows[which].indexOf(Number(value)) : -1;
    if (row >= 0 && Number(step) >= 0 && Number(step) <= maps.steps && Number.isInteger(Number(step)))
      return [which, row, Number(step)];
    const first = maps.learners[0];
    const trained = first && maps.trainedCell(first, "K");
    return ["K", ...(trained ?? /** @type {[number, number]} */ ([maps.rows.K.indexOf(10), 1]))];
  }

  return {
    /** @param {Component} component */
    update({ data }) {
      /** @type {State} */
      const state = JSON.parse(data);
      const rows = maps?.rows;
      maps = mapsOf(state, refined.known);
      if (!picked || rows[picked[0]].length !== maps.rows[picked[0]].length) picked = cellOfAddress();
      point(null);
      refined.stop(false);
      draw();
    },
    remove() {
      gone = true;
      refined.remove();
      side.remove();
      drawn.remove();
      published.remove();
      paints.remove();
      root.remove();
    },
  };
}
