// The findings of the geometry page in words. Pure functions.

import { list } from "../task_plot/words.js";

const SAME = 0.01; // distances that are said to be none

export const coordinate = (value) => value.toFixed(2).replace("-", "−");
export const point = (at) => `(${at.map(coordinate).join(", ")})`;
export const degrees = (angle) => (angle === null ? "–" : `${angle.toFixed(angle < 9.95 ? 1 : 0)}°`);
const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

// Where the learners end, in a sentence. rows: [{name, label, end}], MAML among them or not.
export function finding(rows, difference) {
  const ends = rows.filter((row) => row.end), lost = rows.filter((row) => !row.end);
  const runs = lost.length ? `${list(lost.map((row) => row.label))} ${lost.length > 1 ? "run" : "runs"} away` : "";
  if (ends.length < 2) return runs ? `${runs}.` : "Choose two learners to see where they part.";
  const [first, ...others] = ends, gaps = others.map((row, i) => `${row.label}${i ? "" : " ends"} ${apart(first.end, row.end).toFixed(2)}`);
  const together = others.every((row) => apart(first.end, row.end) < SAME);
  const said = together
    ? `${difference === 0 ? "Equal curvatures: " : ""}${list(ends.map((row) => row.label))} end at the same point`
    : `With these curvatures ${list(gaps)} away from where ${first.label} ends`;
  return `${said}${runs && `; ${runs}`}.`;
}

export function describeBefore(view) {
  const { tasks, theta, before, best } = view;
  const each = tasks.map((task) => `${task.letter} from ${coordinate(task.loss)} to ${coordinate(task.lossAfter)}`);
  return `Mean loss before adaptation, lowest at ${point(best)}. At theta ${point(theta)} it is ${coordinate(before)}. One inner step takes the loss of task ${list(each)}.`;
}

export function describeAfter(view, rows) {
  const each = rows.map((row) => `${row.label}: ${row.norm.toFixed(2)} long${row.angle ? `, ${degrees(row.angle)} from MAML's` : ""}${row.end ? `, ends at ${point(row.end)}` : ", ends nowhere"}`);
  return `Mean loss after one inner step, lowest at ${point(view.bestAfter)}. At theta it is ${coordinate(view.after)}.${each.length ? ` Gradients: ${each.join("; ")}.` : ""}`;
}

// What each learner follows: its formula, and what that comes to.
export const FOLLOWS = {
  maml: ["(I − αHᵢ) Hᵢ (φᵢ − cᵢ)", "The exact gradient of the loss after the step. The factor I − αHᵢ asks: if θ moves, how much of that is left after the step? Along a direction that the step solves anyway (curvature near 1/α) nothing is, and MAML lets that direction be decided by the other tasks. It ends where the picture on the right is lowest."],
  fomaml: ["Hᵢ (φᵢ − cᵢ)", "The gradient at φᵢ, used as if it were at θ: the factor is left out. Wherever curvatures are all alike the factor is one number, and only the length changes. Where they differ, FOMAML keeps pulling along directions that the step would have solved. Beyond curvature 1/α it pulls the wrong way, and when that prevails it runs away."],
  reptile: ["(θ − φᵢ) / (α · steps)", "The way back from where several inner steps lead, here five: no gradient is taken at φᵢ. With one step it is joint pretraining. With many, each task pulls less along the directions it has already solved, so Reptile usually ends between pretraining and MAML."],
  pretrained: ["Hᵢ (θ − cᵢ)", "The gradient of the loss before any step. It ends where the picture on the left is lowest, drawn to the tasks of steep curvature, and knows nothing of the step to come."],
};
