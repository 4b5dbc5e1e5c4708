// An answer that is a curve, drawn over the task with the mouse, a finger or the keyboard.

import { byTouch } from "../shared/pointer.js";
import { el } from "../shared/el.js";
import { laidOver, xsOf } from "./laid.js";
import { YOURS } from "./parts.js";

const HANDLE = 4; // the keyboard moves every fourth value, and those between follow

const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);
const round = (value) => Math.round(value * 100) / 100;
const signed = (value, digits) => value.toFixed(digits).replace("-", "minus ");

export const readSketch = (text) => text.split(",").map(Number);

// What a stroke makes of a curve: values between two places of the pen are on the line between them. values: numbers, or nulls;
// extent: {x, y, points} of card.json's sketch.
export function stroke(values, [x0, y0], [x1, y1], extent) {
  const {
    x: [left, right],
    points,
  } = extent;
  const xs = xsOf(extent);
  const at = (x) => ((x - left) / (right - left)) * (points - 1);
  const [low, high] = [Math.min(at(x0), at(x1)), Math.max(at(x0), at(x1))];
  const next = [...values];
  const first = Math.ceil(low - 0.5);
  const last = Math.floor(high + 0.5); // the nearest one, however short the stroke
  for (let i = Math.max(first, 0); i <= Math.min(last, points - 1); i++) {
    const part = x1 === x0 ? 1 : Math.min(Math.max((xs[i] - x0) / (x1 - x0), 0), 1);
    next[i] = round(inside(y0 + part * (y1 - y0), extent.y));
  }
  return next;
}

// A curve without gaps: on the line between what is drawn to both sides, and level beyond its ends.
export function whole(values) {
  const drawn = values.flatMap((value, i) => (value === null ? [] : [i]));
  return values.map((value, i) => {
    if (value !== null) return value;
    const left = drawn.findLast((other) => other < i);
    const right = drawn.find((other) => other > i);
    if (left === undefined || right === undefined) return values[left ?? right];
    return round(values[left] + ((i - left) / (right - left)) * (values[right] - values[left]));
  });
}

// The curve with one of the keyboard's points moved: those between it and its neighbours follow smoothly.
export function nudged(values, at, by, { y }) {
  const moved = inside(values[at] + by, y) - values[at];
  return values.map((value, i) => {
    const away = Math.abs(i - at) / HANDLE;
    return away < 1 ? round(inside(value + (moved * (1 + Math.cos(Math.PI * away))) / 2, y)) : value;
  });
}

// stage: the element that holds the still picture, which is drawn on.
export function sketchAnswer(parent, { answer, looks, stage, changed }) {
  const how = byTouch() ? ["with a finger", ""] : ["with the mouse", " On the keyboard, ← → choose a point and ↑ ↓ move it."];
  el("p", { class: "sketch-what" }, parent, answer.label);
  const help = el(
    "p",
    { class: "sketch-help" },
    parent,
    `Draw from the left edge to the right ${how[0]}. Draw over a part to change it.${how[1]}`,
  );
  help.id = `sketch-${Math.random().toString(36).slice(2)}`;
  const clearButton = el("button", { type: "button" }, el("div", { class: "sketch-buttons" }, parent), "Clear the sketch");
  const pad = el(
    "div",
    { class: "pad", tabindex: 0, role: "application", "aria-label": "Your sketch", "aria-describedby": help.id },
    stage,
  );
  const spoken = el("p", { class: "hidden", "aria-live": "polite" }, parent);
  const laid = laidOver(stage, answer);
  const xs = xsOf(answer);
  const last = answer.points - 1;
  const nothing = () => Array(answer.points).fill(null);
  let values = nothing();
  let pen = null;
  let handle = last / 2;
  let keys = false;
  let truth = null;
  let locked = false;

  const isEmpty = () => values.every((value) => value === null);

  function draw() {
    const lines = [];
    if (truth) lines.push({ values: truth, role: answer.learner, look: looks[answer.learner], label: "measured", atTop: true });
    if (!isEmpty())
      lines.push({
        values: pen ? values.map((value) => value ?? NaN) : whole(values),
        role: YOURS,
        look: looks[YOURS],
        label: "your sketch",
        dots: keys && !locked ? [handle] : [],
      });
    laid.update(lines, answer.half);
    clearButton.setAttribute("aria-disabled", isEmpty() || locked);
  }

  function here(event) {
    const box = pad.getBoundingClientRect();
    const { x, y } = laid.scales;
    return [x.invert(event.clientX - box.left), y.invert(event.clientY - box.top)];
  }

  function pull(to) {
    values = stroke(values, pen, to, answer);
    pen = to;
    draw();
  }

  pad.addEventListener("pointerdown", (event) => {
    if (locked || event.button !== 0 || !event.isPrimary || !laid.scales) return;
    pad.setPointerCapture(event.pointerId);
    keys = false;
    pen = here(event);
    pull(pen);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pen) return;
    for (const part of event.getCoalescedEvents?.() ?? []) pull(here(part));
    pull(here(event));
  });
  const lift = () => {
    if (!pen) return;
    pen = null;
    values = whole(values);
    draw();
    changed();
  };
  pad.addEventListener("pointerup", lift);
  pad.addEventListener("pointercancel", lift);

  pad.addEventListener("keydown", (event) => {
    const by = event.shiftKey ? 1 : 0.25;
    const to = { ArrowLeft: handle - HANDLE, ArrowRight: handle + HANDLE, Home: 0, End: last }[event.key];
    const up = { ArrowUp: by, ArrowDown: -by, PageUp: 1, PageDown: -1 }[event.key];
    if (locked || event.altKey || event.ctrlKey || event.metaKey || (to === undefined && up === undefined)) return;
    event.preventDefault();
    event.stopPropagation();
    keys = true;
    if (isEmpty()) values = Array(answer.points).fill(0);
    if (to !== undefined) handle = inside(to, [0, last]);
    else values = nudged(values, handle, up, answer);
    draw();
    changed();
    spoken.textContent = `x ${signed(xs[handle], 1)}: y ${signed(values[handle], 2)}`;
  });

  clearButton.addEventListener("click", () => {
    if (locked || isEmpty()) return;
    values = nothing();
    draw();
    changed();
    spoken.textContent = "Sketch cleared.";
  });
  draw();

  return {
    value: () => (isEmpty() ? null : values.join(",")),
    missing: "Draw your prediction on the picture first.",
    lock(text) {
      values = readSketch(text);
      locked = true;
      pad.setAttribute("tabindex", -1);
      pad.classList.add("locked");
      clearButton.hidden = help.hidden = true;
      draw();
    },
    show(curve) {
      truth = curve;
      draw();
    },
    remove: laid.remove,
  };
}
