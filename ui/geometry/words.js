// The findings of the geometry page in words. Pure functions.

import { list } from "../shared/words.js";

const SAME = 0.01; // distances that are said to be none

export const coordinate = (value) => value.toFixed(2).replace("-", "−");
export const point = (at) => `(${at.map(coordinate).join(", ")})`;
export const degrees = (angle) => (angle === null ? "–" : `${angle.toFixed(angle < 9.95 ? 1 : 0)}°`);
const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

// Where the learners end, in a sentence. rows: [{name, label, end}], MAML among them or not.
export function finding(rows, difference) {
  const ends = rows.filter((row) => row.end);
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

export function describeBefore(view) {
  const { tasks, theta, before, best } = view;
  const each = tasks.map((task) => `${task.letter} from ${coordinate(task.loss)} to ${coordinate(task.lossAfter)}`);
  return `Mean loss before adaptation, lowest at ${point(best)}. At θ ${point(theta)} it is ${coordinate(before)}. One inner step changes the loss of task ${list(each)}.`;
}

export function describeAfter(view, rows) {
  const each = rows.map(
    (row) =>
      `${row.label}: ${row.norm.toFixed(2)} long${row.angle ? `, ${degrees(row.angle)} from MAML’s` : ""}${row.end ? `, ends at ${point(row.end)}` : ", diverges"}`,
  );
  return `Mean loss after one inner step, lowest at ${point(view.bestAfter)}. At θ it is ${coordinate(view.after)}.${each.length ? ` Gradients: ${each.join("; ")}.` : ""}`;
}

// What each learner follows: its formula, and what that means.
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
