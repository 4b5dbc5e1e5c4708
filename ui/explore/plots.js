// What fills the page: two maps of each learner, or three curves through them where the picked cell cuts.

import { byTouch } from "../shared/pointer.js";
import { swatch } from "../shared/looks.js";
import { el } from "../shared/el.js";
import { onResize } from "../shared/resized.js";
import { number, shots, when } from "../shared/words.js";
import { heatMap } from "./heat.js";
import { ALONG } from "./maps.js";
import { sliceChart } from "./slices.js";
import { count, placeOf, rowWords } from "./words.js";

/** @import { Along, Learner, Place } from "./words.js" */
/** @import { Maps } from "./maps.js" */
/** @import { By, Curve } from "./slices.js" */

/**
 * `point` and `pick` are told of cells; `resized` when there is another room. isAsked: whether a question is under way.
 * @param {Element} parent
 * @param {{ point: (place: Place | null) => void, pick: (place: Place) => void, resized: () => void,
 *   isAsked: (name: string) => boolean, isStopped: () => boolean }} host
 */
export function plots(parent, { point, pick, resized, isAsked, isStopped }) {
  const root = el("div", { class: "plots" }, parent);
  const observed = onResize(resized);
  /** @type {{ key: string, along: Along, name: Element, chart: ReturnType<typeof heatMap> }[]} */
  let heats = [];
  /** @type {{ along: By, chart: ReturnType<typeof sliceChart> }[]} */
  let slices = [];
  let shape = "";
  /** @type {Maps} */
  let maps;
  /** @type {Place} */
  let picked;

  function clear() {
    for (const { chart } of [...heats, ...slices]) chart.remove();
    [heats, slices] = [[], []];
    observed.disconnect();
    root.replaceChildren();
  }

  // Made anew only when others are called for.
  function build() {
    const now = JSON.stringify([maps.view, maps.learners.map((l) => l.key)]);
    if (now === shape) return;
    shape = now;
    clear();
    root.className = `plots ${maps.view}`;
    if (maps.view === "curves") {
      slices = /** @type {By[]} */ (["step", "K", "alpha"]).map((along) => {
        const keep = `maml-lab-error-by-${along}`;
        return { along, chart: sliceChart(el("div", {}, root), { along, keep, pick: (i) => pickSlice(along, i) }) };
      });
    } else {
      heats = maps.learners.flatMap(({ key }) =>
        ALONG.map((along) => {
          const area = el("div", { class: "map" }, root);
          const name = el("p", { class: "map-title" }, area);
          const keep = `maml-lab-map-${key}-by-${along}`;
          return { key, along, name, chart: heatMap(area, { along, keep, title: ".map-title", point, pick }) };
        }),
      );
    }
    for (const { chart } of [...heats, ...slices]) observed.observe(chart.node);
  }

  function drawMaps() {
    const { rows, steps, tasks, learners, looks } = maps;
    for (const { key, along, name, chart } of heats) {
      const current = /** @type {Learner} */ (learners.find((l) => l.key === key));
      const asked = maps.parameters(current, along);
      name.replaceChildren();
      swatch(looks[current.role], current.role, name);
      name.append(
        `${current.label}: ${along === "K" ? "shots K" : "step size α"} × inner steps, ${maps.fixedWords(current, along)}`,
      );
      const met = maps.tasksOf(asked);
      if (met && met < tasks) el("span", { class: "met" }, name, `${count(met)} tasks`);
      const measuring = `measuring ${rows[along].length} × ${steps + 1} cells …`;
      chart.update({
        map: maps.mapOf(current, along),
        waiting: isAsked(asked) ? measuring : isStopped() ? "stopped" : "waiting to be measured",
        rows: rows[along],
        steps,
        beats: maps.beaten(current, along),
        trained: maps.trainedCell(current, along),
        about: `${maps.finding(current, along)}${byTouch() ? "" : " Arrow keys move between cells; Enter selects one."}`,
        picked: picked[0] === along ? [picked[1], picked[2]] : null,
      });
    }
  }

  // Where the maps are cut: the row by shots and the row by step size, beside what is picked.
  function cut() {
    const [along, row] = picked;
    const own = maps.alpha ?? maps.learners[0]?.alpha ?? 0.01;
    const K = along === "K" ? row : maps.rows.K.indexOf(maps.K);
    return { K, alpha: along === "alpha" ? row : Math.round(placeOf(own, maps.rows.alpha) ?? 0) };
  }

  function drawSlices() {
    const [along, row, step] = picked;
    const { K, alpha } = cut();
    const { rows, looks } = maps;
    const steps = Array.from({ length: maps.steps + 1 }, (_, i) => i);
    /** @param {Learner[]} learners @param {Along} which @param {[number, number][]} cells @returns {Curve[]} */
    const lines = (learners, which, cells) =>
      learners.flatMap((l) => {
        const map = maps.mapOf(l, which);
        return map ? [{ id: l.key, role: l.role, label: l.label, look: looks[l.role], map, cells }] : [];
      });
    /** @param {Along} which @returns {[number, number][]} */
    const upwards = (which) => rows[which].map((_, r) => [r, step]);
    const [byStep, byShots, byAlpha] = [
      lines(
        along === "K" ? maps.all : maps.learners,
        along,
        steps.map((s) => [row, s]),
      ),
      lines(maps.all, "K", upwards("K")),
      lines(maps.learners, "alpha", upwards("alpha")),
    ];
    const views = {
      step: { title: `by inner step, ${rowWords(along, rows[along][row])}`, x: steps, at: step, lines: byStep },
      K: { title: `by shots, ${when(step)}`, x: rows.K, at: K, lines: byShots },
      alpha: { title: `by step size, ${when(step)}, ${shots(maps.K)}`, x: rows.alpha, at: alpha, lines: byAlpha },
    };
    for (const { along: by, chart } of slices) {
      const said = views[by].lines.map(({ label, map, cells }) => {
        const error = (/** @type {[number, number]} */ [r, s]) => number(map.mean[r][s]);
        const [first, here, last] = [cells[0], cells[views[by].at], cells[cells.length - 1]];
        return `${label} from ${error(first)} to ${error(last)}, ${error(here)} at the line`;
      });
      chart.update({ ...views[by], about: `${views[by].title}. ${said.join("; ")}.` });
    }
  }

  /** @param {By} along @param {number} index */
  function pickSlice(along, index) {
    const [which, row, step] = picked;
    pick(along === "step" ? [which, row, index] : [along, index, step]);
  }

  return {
    /** @param {Maps} newMaps @param {Place} newPicked */
    update(newMaps, newPicked) {
      [maps, picked] = [newMaps, newPicked];
      build();
      if (maps.view === "curves") drawSlices();
      else drawMaps();
    },
    /** @param {Place | null} place */
    cursor(place) {
      for (const { along, chart } of heats) chart.cursor(place?.[0] === along ? [place[1], place[2]] : null);
    },
    remove: clear,
  };
}
