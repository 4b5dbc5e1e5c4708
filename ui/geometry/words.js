// The findings of the geometry page in words. Pure functions.

import { list } from "../shared/words.js";

/** @import { Point } from "./toy.js" */

/**
 * A learner at theta: the length of its gradient, its angle to MAML's, and where it ends, if it does.
 * @typedef {{ name: string, label: string, norm: number, angle: number | null, end: Point | null }} Row
 */
/** @typedef {{ letter: string, centre: Point, curvatures: Point, phi: Point, loss: number, lossAfter: number }} TaskAbout */
/**
 * The mean loss at theta before and after a step, where each is lowest, and the tasks.
 * @typedef {{ theta: Point, before: number, after: number, best: Point, bestAfter: Point, tasks: TaskAbout[] }} About
 */

const SAME = 0.01; // distances that are said to be none

/** @param {number} value */
export const coordinate = (value) => value.toFixed(2).replace("-", "−");
/** @param {Point} at */
export const point = (at) => `(${at.map(coordinate).join(", ")})`;
/** @param {number | null} angle */
export const degrees = (angle) => (angle === null ? "–" : `${angle.toFixed(angle < 9.95 ? 1 : 0)}°`);
/** @param {Point} a @param {Point} b */
const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/**
 * Where the learners end, in a sentence; MAML may be among them or not.
 * @param {Row[]} rows
 * @param {number} difference
 */
export function finding(rows, difference) {
  const ends = rows.flatMap((row) => (row.end ? [{ ...row, end: row.end }] : []));
  const lost = rows.filter((row) => !row.end);
  const runs = lost.length ? `${list(lost.map((row) => row.label))} ${lost.length > 1 ? "diverge" : "diverges"}` : "";
  if (ends.length < 2) return runs ? `${runs}.` : "Choose two learners to see how they differ.";
  const [first, ...others] = ends;
  const gaps = others.map(
    (row, i) =>
      `${row.label}${i ? "" : " ends"} ${apart(first.end, row.end).toFixed(2)}${i ? "" : ` away from where ${first.label} ends`}`,
  );
  const together = others.every((row) => apart(first.end, row.end) < SAME);
  const said = together
    ? `${difference === 0 ? "Equal curvatures: " : ""}${list(ends.map((row) => row.label))} end at the same point`
    : `With these curvatures, ${list(gaps)}`;
  return `${said}${runs && `; ${runs}`}.`;
}

/** @param {About} about */
export function describeBefore({ tasks, theta, before, best }) {
  const each = tasks.map((task) => `${task.letter} from ${coordinate(task.loss)} to ${coordinate(task.lossAfter)}`);
  return `Mean loss before adaptation, lowest at ${point(best)}. At θ ${point(theta)} it is ${coordinate(before)}. One inner step changes the loss of task ${list(each)}.`;
}

/** @param {About} about @param {Row[]} rows */
export function describeAfter({ bestAfter, after }, rows) {
  const each = rows.map(
    (row) =>
      `${row.label}: ${row.norm.toFixed(2)} long${row.angle ? `, ${degrees(row.angle)} from MAML’s` : ""}${row.end ? `, ends at ${point(row.end)}` : ", diverges"}`,
  );
  return `Mean loss after one inner step, lowest at ${point(bestAfter)}. At θ it is ${coordinate(after)}.${each.length ? ` Gradients: ${each.join("; ")}.` : ""}`;
}

/**
 * What each learner follows: its formula, and what that means.
 * @type {Record<string, [string, string]>}
 */
export const FOLLOWS = {
  maml: [
    "(I − αHᵢ) Hᵢ (θ′ᵢ − cᵢ)",
    "The exact gradient of the loss after the step. The factor I − αHᵢ asks: if θ moves, how much of that move is left after the step? Along a direction that the step solves anyway (curvature near 1/α), nothing is left, so MAML leaves that direction to the other tasks. It ends where the mean loss after one inner step is lowest.",
  ],
  fomaml: [
    "Hᵢ (θ′ᵢ − cᵢ)",
    "The gradient at θ′ᵢ, used as if it were the one at θ: the factor is left out. Where all curvatures are equal, the factor is a single number and only the length changes. Where they differ, FOMAML keeps pulling along directions that the step would have solved. Beyond curvature 1/α it pulls the wrong way, and where that prevails it diverges.",
  ],
  reptile: [
    "(θ − θ′ᵢ) / (α · steps)",
    "The way back from where several inner steps lead (here five): no gradient is taken at θ′ᵢ. With one step it is joint pretraining. With many, each task pulls less along the directions it has already solved, so Reptile usually ends between pretrained and MAML.",
  ],
  pretrained: [
    "Hᵢ (θ − cᵢ)",
    "The gradient of the loss before any step. It ends where the mean loss before adaptation is lowest, drawn towards the tasks with steep curvature, and takes no account of the step to come.",
  ],
};
