// The findings in words. Functions of what is on show alone.

import { capital, list, number, steps, when } from "../shared/words.js";

/** @import { Look } from "../shared/looks.js" */

/**
 * What ui/characters/component.py sends.
 * @typedef {{ looks: Record<string, Look>, learners: Learner[], names: string[], updates: number, freezes: string[],
 *   longest_name: number, pen: number, sample: Sample }} Data
 */
/** @typedef {{ seed: number, support: string, query: string, answer: number }} Sample */

/** @typedef {{ name: string, adapts: boolean, alpha: number | null }} Learner */

/**
 * What a learner says: how likely each character is, at each step (one row where it takes none; null without a query), and its loss on
 * the drawings at each step (null where it takes none).
 * @typedef {{ likely: number[][] | null, loss: number[] | null }} Answer
 */

const SURE = 0.4; // below this all are about equally likely

/** @param {number} share */
export const percent = (share) => (share > 0.995 ? "> 99%" : share < 0.005 ? "< 1%" : `${Math.round(100 * share)}%`);

/** @param {number[]} shares */
export const best = (shares) => shares.indexOf(Math.max(...shares));

/**
 * What a learner says at a step, or null where nothing is asked or known yet.
 * @param {Answer | undefined} answer
 * @param {number} step
 */
export const likelyAt = (answer, step) => answer?.likely?.[Math.min(step, answer.likely.length - 1)] ?? null;

/**
 * What the picture shows, as a heading; null while the answer is on its way.
 * @param {{ learners: Learner[], looks: Record<string, Look>, answers: Record<string, Answer>, names: string[], drawn: boolean[],
 *   asked: boolean, truth: number | null }} view
 * @param {number} step
 */
export function finding({ learners, looks, answers, names, drawn, asked, truth }, step) {
  const missing = names.filter((_, i) => !drawn[i]);
  if (missing.length > names.length - 2) return "Draw characters of your own, one in each square";
  if (!asked) return "Now draw one of them again, in the large square";
  const first = learners.find((l) => likelyAt(answers[l.name], step));
  if (!first) return learners.length ? null : "Choose a learner below";
  const shares = /** @type {number[]} */ (likelyAt(answers[first.name], step));
  const { label } = looks[first.name];
  const at = best(shares);
  if (first.adapts && step === 0 && shares[at] < SURE) return `Before any step, ${label} cannot tell them apart`;
  const said = first.adapts ? `${capital(when(step))}, ${label} says ${names[at]}` : `${capital(label)} says ${names[at]}`;
  const right = truth === null ? "" : truth === at ? ", which is right" : `, but it is ${names[truth]}`;
  return `${said}: ${percent(shares[at])}${right}`;
}

/**
 * One sentence with what every learner says.
 * @param {{ learners: Learner[], looks: Record<string, Look>, answers: Record<string, Answer>, names: string[] }} view
 * @param {number} step
 */
export function numbers({ learners, looks, answers, names }, step) {
  const each = learners.flatMap(({ name }) => {
    const shares = likelyAt(answers[name], step);
    return shares ? [`${looks[name].label} says ${names[best(shares)]}, ${percent(Math.max(...shares))}`] : [];
  });
  return each.length ? capital(`${when(step)}: ${each.join("; ")}.`) : "";
}

/**
 * The text alternative of the loss chart.
 * @param {Learner[]} learners
 * @param {Record<string, Look>} looks
 * @param {Record<string, Answer>} answers
 * @param {number} step
 */
export function describeLoss(learners, looks, answers, step) {
  const each = learners.map(({ name }) => {
    const loss = /** @type {number[]} */ (answers[name].loss);
    return `${looks[name].label} from ${number(loss[0])} to ${number(loss[loss.length - 1])} after ${steps(loss.length - 1)}`;
  });
  return each.length ? `Loss on the drawings: ${each.join("; ")}. The marker is at step ${step}.` : "No loss yet.";
}

/**
 * What is compared, under the heading.
 * @param {{ learners: Learner[], looks: Record<string, Look>, freeze: string }} view
 */
export function setting({ learners, looks, freeze }) {
  const who = freeze === "body" ? "’s head alone" : "";
  const each = learners
    .filter(({ adapts }) => adapts)
    .map(({ name, alpha }) => `${looks[name].label}${who} takes gradient steps on one drawing of each, α\u00a0=\u00a0${alpha}.`);
  return ["No network has ever seen these characters.", ...each].join(" ");
}

/**
 * What to add, by what there is to be seen.
 * @param {{ learners: Learner[], looks: Record<string, Look>, answers: Record<string, Answer>, asked: boolean }} view
 * @param {number} step
 */
export function remarks({ learners, looks, answers, asked }, step) {
  /** @param {Learner} learner */
  const label = ({ name }) => looks[name].label;
  const [stepping, comparing] = [learners.filter((l) => l.adapts), learners.filter((l) => !l.adapts)];
  const said = [];
  if (comparing.length)
    said.push(
      `${capital(list(comparing.map(label)))} ${comparing.length > 1 ? "take" : "takes"} no steps: the question is compared with each drawing, and the bars stay.`,
    );
  if (stepping.length && comparing.length && step > 0)
    said.push("On this task comparing is often enough. Gradient steps are a way to learn that fits any loss, a regression too.");
  const first = stepping.find((l) => likelyAt(answers[l.name], step));
  if (asked && first && step > 0)
    said.push("Draw something else altogether: one of the five is named all the same. A softmax cannot say “none”.");
  return said;
}
