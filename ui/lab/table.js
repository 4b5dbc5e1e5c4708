// The shots as a table: the same data, for the keyboard and for exact values.

import { el } from "../shared/el.js";
import { curve } from "./view.js";

/** @import { Shot, View } from "./view.js" */

/**
 * `complain(text)` is called when a value was not taken as typed.
 * @param {Element} parent
 * @param {{ edit: (shots: Shot[]) => boolean, complain: (text: string) => void }} host
 */
export function shotTable(parent, { edit, complain }) {
  const fold = el("div", { class: "shot-table" }, parent);
  const scroller = el("div", { class: "scroller" }, fold);
  const table = el("table", {}, scroller);
  const head = el("tr", {}, el("thead", {}, table));
  for (const name of ["shot", "x", "y", ""]) el("th", { scope: "col" }, head, name);
  const body = el("tbody", {}, table);
  const add = el("button", { type: "button" }, fold, "Add a shot");
  /** @type {View} */
  let view;

  /**
   * @param {Element} row
   * @param {number} i
   * @param {0 | 1} axis
   */
  function input(row, i, axis) {
    const name = /** @type {const} */ (["x", "y"])[axis];
    const [low, high] = view.limits[name];
    const field = el(
      "input",
      { type: "number", step: 0.1, min: low, max: high, "aria-label": `${name} of shot ${i + 1}` },
      el("td", {}, row),
    );
    field.addEventListener("change", () => {
      const value = field.valueAsNumber;
      if (!Number.isFinite(value)) {
        field.value = String(view.shots[i][axis]);
        return complain(`${name} of shot ${i + 1} must be a number from ${low} to ${high}; it stays at ${field.value}.`);
      }
      /** @type {Shot} */
      const shot = [...view.shots[i]];
      shot[axis] = Math.round(Math.min(Math.max(value, low), high) * 1000) / 1000;
      if (axis === 0) shot[1] = Math.round((shot[1] - curve(view, view.shots[i][0]) + curve(view, shot[0])) * 1000) / 1000;
      edit(view.shots.map((other, j) => (j === i ? shot : other)));
      field.value = String(view.shots[i][axis]);
      if (value < low || value > high) complain(`${name} must be from ${low} to ${high}; the nearest value is used.`);
    });
    field.addEventListener("blur", () => (field.value = String(view.shots[i]?.[axis] ?? "")));
  }

  function show() {
    add.disabled = view.shots.length >= view.limits.shots;
    for (const row of [...body.children].slice(view.shots.length).reverse()) {
      if (row.contains(document.activeElement)) add.focus();
      row.remove();
    }
    while (body.children.length < view.shots.length) {
      const row = el("tr", {}, body);
      const i = body.children.length - 1;
      el("th", { scope: "row" }, row, String(i + 1));
      input(row, i, 0);
      input(row, i, 1);
      const remove = el(
        "button",
        { type: "button", "aria-label": `Remove shot ${i + 1}`, title: "Remove" },
        el("td", {}, row),
        "×",
      );
      remove.addEventListener("click", () => {
        edit(view.shots.filter((_, j) => j !== i));
        (body.children[Math.min(i, view.shots.length - 1)]?.querySelector("button") ?? add).focus();
      });
    }
    view.shots.forEach((shot, i) => {
      body.children[i].querySelectorAll("input").forEach((field, axis) => {
        if (field !== document.activeElement && Number(field.value) !== shot[axis]) field.value = String(shot[axis]); // never under the typist
      });
    });
  }

  add.addEventListener("click", () => {
    const x = widestGap(
      view.shots.map(([x]) => x),
      view.limits.x,
    );
    edit([...view.shots, [x, Math.round(curve(view, x) * 1000) / 1000]]);
    body.lastElementChild?.querySelector("input")?.select();
  });

  return {
    /** @param {View} newView */
    update(newView) {
      view = newView;
      show();
    },
  };
}

/**
 * The middle of the widest stretch without a shot.
 * @param {number[]} xs
 * @param {[number, number]} range
 */
function widestGap(xs, [low, high]) {
  const at = [low, ...xs.toSorted((a, b) => a - b), high];
  let best = 0;
  for (let i = 1; i < at.length - 1; i++) if (at[i + 1] - at[i] > at[best + 1] - at[best]) best = i;
  return Math.round(((at[best] + at[best + 1]) / 2) * 10) / 10;
}
