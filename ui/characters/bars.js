// How likely each character is, by each learner: a row for each character, with it as the network sees it.

import { lineOf, swatch } from "../shared/looks.js";
import { el } from "../shared/el.js";
import { percent } from "./words.js";

/** @import { Look } from "../shared/looks.js" */
/** @import { Learner } from "./words.js" */

const SIDE = 28; // pixels of what the network sees

/**
 * What the network sees, drawn in the colour of the ink.
 * @param {HTMLCanvasElement} canvas
 * @param {string | null} base64 How dark each pixel is, a byte each; null: nothing yet.
 */
export function drawSeen(canvas, base64) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(SIDE, SIDE);
  const [r, g, b] = (getComputedStyle(canvas).color.match(/[\d.]+/g) ?? []).map(Number);
  if (base64) [...atob(base64)].forEach((dark, i) => image.data.set([r, g, b, dark.charCodeAt(0)], 4 * i));
  context.putImageData(image, 0, 0);
}

/** @param {Element} parent @param {string} label */
export const seenCanvas = (parent, label) =>
  el("canvas", { class: "seen", width: SIDE, height: SIDE, role: "img", "aria-label": label }, parent);

/**
 * @param {Element} parent
 * @param {number} count
 */
export function likelihoods(parent, count) {
  const key = el("div", { class: "bar-key", "aria-hidden": "true" }, parent);
  const list = el("ol", { class: "rows" }, parent);
  const rows = Array.from({ length: count }, () => {
    const row = el("li", { class: "row" }, list);
    return {
      row,
      canvas: seenCanvas(row, ""),
      name: el("strong", { class: "row-name" }, row),
      bars: el("div", { class: "bars" }, row),
    };
  });
  /** @type {Record<string, { bar: Element, value: Element }>[]} */
  let drawn = [];
  let laid = "";

  /** @param {Learner[]} learners @param {Record<string, Look>} looks */
  function lay(learners, looks) {
    const names = learners.map((l) => l.name).join();
    if (names === laid) return;
    laid = names;
    key.replaceChildren();
    for (const { name } of learners) {
      const entry = el("span", {}, key);
      swatch(looks[name], name, entry);
      entry.append(looks[name].label);
    }
    drawn = rows.map(({ bars }) => {
      bars.replaceChildren();
      return Object.fromEntries(
        learners.map(({ name }) => {
          const bar = el("svg", { class: "bar", "data-bar": name, "aria-hidden": "true" }, bars);
          el("line", { x1: 0, x2: "100%", y1: "50%", y2: "50%", ...lineOf(looks[name], name) }, bar);
          const value = el("span", { class: "value", style: `color: var(--${name}-text)`, "data-value": name }, bars);
          return [name, { bar, value }];
        }),
      );
    });
  }

  return {
    canvases: rows.map(({ canvas }) => canvas),
    /**
     * likely: by learner, how likely each character is; null while that is not known.
     * @param {{ learners: Learner[], looks: Record<string, Look>, names: string[], drawn: boolean[],
     *   likely: Record<string, number[] | null>, best: number, seen: (string | null)[] }} view
     */
    update({ learners, looks, names, drawn: isDrawn, likely, best, seen }) {
      lay(learners, looks);
      rows.forEach(({ row, canvas, name }, i) => {
        row.classList.toggle("best", i === best);
        row.classList.toggle("empty", !isDrawn[i]);
        name.textContent = names[i];
        canvas.setAttribute("aria-label", isDrawn[i] ? `${names[i]} as the network sees it` : `${names[i]} is not drawn yet`);
        drawSeen(canvas, isDrawn[i] ? seen[i] : null);
        for (const l of learners) {
          const share = isDrawn[i] ? likely[l.name]?.[i] : undefined;
          const { bar, value } = drawn[i][l.name];
          /** @type {SVGElement} */ (bar).style.setProperty("--share", String(share ?? 0));
          value.textContent = share === undefined ? "" : percent(share);
        }
      });
    },
  };
}
