// The real network: the plane that adaptation moves in most, for MAML and for a learner beside it; loss before and after a step.

import { colourBar, tintOf } from "../chart/heat.js";
import { onResize } from "../shared/resized.js";
import { json, sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { floats } from "../shared/arrays.js";
import { list, number } from "../shared/words.js";
import { STEPS, middleOf, planeMap } from "./map.js";
import { whenSeen } from "./seen.js";

/** @import { Look } from "../shared/looks.js" */
/** @import { NetworkPlane, When } from "./map.js" */

const BESIDE = ["pretrained", "fomaml", "reptile"];
/** @type {[When, string][]} */
const WHEN = [
  ["before", "before any step"],
  ["after", "after one inner step"],
];

/**
 * @param {Element} parent
 * @param {{ looks: Record<string, Look> }} known
 */
export function realNetwork(parent, { looks }) {
  parent.classList.add("network");
  el("h2", { class: "part-title" }, parent, "The real network: the plane in which it adapts");
  const setting = el("p", { class: "setting" }, parent, "The two directions along which adaptation moves it most.");
  const chooser = el("div", { class: "world-buttons", role: "group", "aria-label": "Compare MAML with" }, parent);
  el("span", { class: "key-words" }, chooser, "compare MAML with:");
  const buttons = Object.fromEntries(
    BESIDE.map((name) => {
      const made = el("button", { type: "button" }, chooser);
      swatch(looks[name], name, made);
      made.append(looks[name].label);
      made.addEventListener("click", () => show(name));
      return [name, made];
    }),
  );
  const pictures = el("div", { class: "planes" }, parent);
  colourBar(parent, tintOf);
  el("p", { class: "key" }, parent, "bright: low error · the same colours in all four pictures, and on Explore");
  const said = el("p", { class: "sentence", role: "status" }, parent, "");
  el(
    "p",
    { class: "about" },
    parent,
    "Lines: contours of the mean error over 32 tasks, at the same levels in all four pictures. Coloured paths: the inner steps of eight tasks from θ (the dot), projected onto the plane; long ones leave the picture. The plane is spanned by the two principal directions, about θ, of the displacements θ′ − θ after 10 steps on each of 64 tasks with 10 shots; every network has its own plane.",
  );
  const scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "The planes in numbers" }, parent);
  const table = el("table", {}, scroller);
  /** @type {Map<string, Promise<NetworkPlane>>} */
  const known = new Map();
  /** What ends the question for a learner's plane, while it is under way. @type {Map<string, AbortController>} */
  const asking = new Map();
  /** A learner -> its two pictures. @type {Map<string, ReturnType<typeof figure>[]>} */
  const figures = new Map();
  let beside = BESIDE[0];
  let gone = false;

  /** @param {string} name @returns {Promise<NetworkPlane>} */
  function fetched(name) {
    const before = known.get(name);
    if (before) return before;
    const stop = new AbortController();
    asking.set(name, stop);
    const asked = json("geometry/plane.json", { query: { learner: name }, signal: stop.signal })
      .catch((error) => {
        if (!stop.signal.aborted) known.delete(name);
        throw error;
      })
      .finally(() => asking.get(name) === stop && asking.delete(name));
    known.set(name, asked);
    return asked;
  }

  /** @param {string} name */
  async function show(name) {
    beside = name;
    for (const [other, stop] of asking) {
      if (other === "maml" || other === name) continue;
      stop.abort();
      known.delete(other);
    }
    for (const other of BESIDE) buttons[other].setAttribute("aria-pressed", String(other === name));
    frame();
    /** @type {NetworkPlane[]} */
    const planes = [];
    try {
      for (const learner of ["maml", name]) {
        planes.push(await fetched(learner));
        if (gone || beside !== name) return;
        draw(planes);
      }
    } catch (error) {
      if (gone || beside !== name) return;
      for (const each of figures.values()) for (const { wait } of each) wait("");
      said.textContent = `The planes cannot be shown: ${sentence(error)}`;
    }
  }

  // The frames of the pictures, each empty until its plane is known.
  function frame() {
    for (const [name, each] of figures) {
      if (name === "maml" || name === beside) continue;
      for (const { remove } of each) remove();
      figures.delete(name);
    }
    for (const name of ["maml", beside]) {
      const each = figures.get(name) ?? WHEN.map(([when, words]) => figure(name, when, words));
      figures.set(name, each);
      for (const { wait } of each) wait("measuring …");
    }
    said.textContent ||= "Measuring …";
  }

  /** @param {string} learner @param {When} when @param {string} words */
  function figure(learner, when, words) {
    const box = el("figure", {}, pictures);
    const head = el("figcaption", {}, box);
    swatch(looks[learner], learner, head);
    head.append(`${looks[learner].label}, ${words}`);
    const inside = el("div", { class: "frame" }, box);
    const awaited = el("p", { class: "awaited" }, inside);
    /** @type {ReturnType<typeof planeMap> | null} */
    let map = null;
    return {
      /** @param {string} words */
      wait: (words) => void (awaited.textContent = words),
      /** @param {NetworkPlane} plane */
      fill(plane) {
        awaited.remove();
        map ??= planeMap(inside, { plane, when, name: `${plane.label}, ${words}` });
      },
      lay: () => map?.lay(),
      remove() {
        map?.remove();
        box.remove();
      },
    };
  }

  // planes: those that are known, MAML's first.
  /** @param {NetworkPlane[]} planes */
  function draw(planes) {
    for (const plane of planes) for (const { fill } of figures.get(plane.learner) ?? []) fill(plane);
    const share = (/** @type {NetworkPlane} */ { explained }) => explained[0] + explained[1];
    said.textContent =
      `One step from θ takes the mean error of ${list(planes.map((plane) => `${plane.label} from ${number(centre(plane.before))} to ${number(centre(plane.after))}`))}. ` +
      `These planes hold ${list(planes.map((plane) => `${percent(share(plane))} of ${plane.label}’s`))} movement; the rest is in directions that the pictures do not show.`;
    setting.textContent =
      `Of ${planes[0].parameters.toLocaleString("en")} directions, the two along which adaptation moves it most. From θ, ` +
      `${list(planes.map(({ label, length: [one, all] }) => `${label} is ${one.toFixed(2)} away after one step, ${all.toFixed(2)} after ${STEPS}`))}.`;
    fill(planes);
  }

  /** @param {NetworkPlane[]} planes */
  function fill(planes) {
    table.replaceChildren();
    const head = el("tr", {}, el("thead", {}, table));
    const body = el("tbody", {}, table);
    const columns = [
      "learner",
      "along the first direction",
      "along the second",
      "not shown",
      "distance after 1 step",
      `after ${STEPS} steps`,
      "half the picture’s width",
      "error at θ",
      "after 1 step",
    ];
    for (const column of columns) el("th", { scope: "col" }, head, column);
    for (const {
      learner,
      label,
      explained: [u, v],
      length,
      extent,
      before,
      after,
    } of planes) {
      const row = el("tr", {}, body);
      const first = el("th", { scope: "row" }, row);
      swatch(looks[learner], learner, first);
      first.append(label);
      for (const cell of [
        percent(u),
        percent(v),
        percent(1 - u - v),
        ...length.map((l) => l.toFixed(3)),
        String(extent),
        number(centre(before)),
        number(centre(after)),
      ])
        el("td", {}, row, cell);
    }
  }

  for (const name of BESIDE) buttons[name].setAttribute("aria-pressed", String(name === beside));
  const unsee = whenSeen(parent, () => show(beside));
  const resized = onResize(() => {
    for (const each of figures.values()) for (const { lay } of each) lay();
  });
  resized.observe(pictures);
  return {
    remove() {
      gone = true;
      for (const stop of asking.values()) stop.abort();
      unsee();
      resized.disconnect();
      for (const each of figures.values()) for (const { remove } of each) remove();
    },
  };
}

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)}%`;
/** @param {string} errors As the server sends them. */
const centre = (errors) => middleOf(floats(errors));
