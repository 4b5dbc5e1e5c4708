// What one takes along: the numbers as a table and as files, and the picture.

import { DRAWN, savePng, saveSvg } from "../chart/save.js";
import { el } from "../shared/el.js";
import { interval } from "../shared/words.js";
import { ALONG } from "./maps.js";
import { count, percent, rowName } from "./words.js";

/** @import { Along } from "./words.js" */
/** @import { Maps } from "./maps.js" */

const CHARTS = `${DRAWN}, .map-title .swatch, svg.colour-bar`;
const TEXTS = "h1, .setting, .plots h2, .map-title";

/**
 * @param {Element} root
 * @param {{ server: string }} host
 */
export function takeAway(root, { server }) {
  const fold = el("details", { class: "data" }, root);
  el("summary", {}, fold, "Numbers as a table");
  const scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Errors by cell" }, fold);
  const kept = el("details", { class: "take-away" }, root);
  el("summary", {}, kept, "Export");
  const files = el("div", { class: "files" }, kept);
  let offered = "";
  /** @type {Maps} */
  let maps;
  /** @type {Along} */
  let along;

  function drawTable() {
    scroller.replaceChildren();
    for (const l of maps.learners) {
      const map = maps.mapOf(l, along);
      if (!map) continue;
      const table = el("table", {}, scroller);
      const by = along === "K" ? "shots" : "step size";
      const over = `mean error ± 95% interval by ${by} and inner step, over ${count(map.tasks)} tasks`;
      el("caption", {}, table, `${l.label}, ${maps.fixedWords(l, along)}: ${over}`);
      const head = el("tr", {}, el("thead", {}, table));
      const body = el("tbody", {}, table);
      el("th", { scope: "col" }, head, along === "K" ? "K" : "α");
      for (let step = 0; step <= maps.steps; step++) el("th", { scope: "col" }, head, String(step));
      maps.rows[along].forEach((value, row) => {
        const line = el("tr", {}, body);
        el("th", { scope: "row" }, line, rowName(along, value));
        map.mean[row].forEach((mean, step) => {
          const share = map.diverged[row][step];
          el("td", {}, line, `${interval(mean, map.ci95[row][step])}${share ? ` (${percent(share)})` : ""}`);
        });
      });
    }
    el("p", { class: "about" }, scroller, "in parentheses: the share of tasks that diverged, each counted as 100");
  }
  fold.addEventListener("toggle", () => fold.open && drawTable());

  function drawFiles() {
    const now = JSON.stringify(maps.wanted());
    if (offered === now) return;
    offered = now;
    files.replaceChildren();
    for (const l of maps.learners)
      for (const which of ALONG) {
        const name = `${l.label} by ${which === "K" ? "shots" : "step size"}.csv`;
        el("a", { href: `${server}map.csv?${maps.parameters(l, which)}`, download: "" }, files, name);
      }
    /** @param {string} name @param {() => void} act */
    const save = (name, act) => el("button", { type: "button" }, files, name).addEventListener("click", act);
    save("picture.svg", () => saveSvg(root, "maml-lab-map.svg", CHARTS, TEXTS));
    save("picture.png", () => savePng(root, "maml-lab-map.png", CHARTS, TEXTS));
  }

  return {
    /** @param {Maps} newMaps @param {Along} newAlong The maps of the table. */
    update(newMaps, newAlong) {
      [maps, along] = [newMaps, newAlong];
      if (fold.open) drawTable();
      drawFiles();
    },
  };
}
