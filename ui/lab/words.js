// The findings in words: what the numbers say at this step. Functions of the view alone, but for what a person points with.

import { click } from "../shared/pointer.js";
import { alphaWords, capital, interval, list, number, shots, steps, when } from "../shared/words.js";
import { isDiverged, lastShown, trainedFor } from "./view.js";

/** @import { Learner, View } from "./view.js" */

/**
 * @param {View} view
 * @param {number} loss
 */
export const lossWords = (view, loss) => (isDiverged(view, loss) ? "diverged" : number(loss));

/**
 * What a learner is that was not trained to adapt: by what it is, not by the place that it takes.
 * @type {Record<string, string>}
 */
const ORIGINS = { pretrained: "was fitted to all tasks at once", oracle: "is told the amplitude and phase" };

/** @param {Learner} l */
const origin = (l) => (l.trained ? ORIGINS[l.algorithm] : "is untrained");

/**
 * One sentence: "After 1 step: MAML 0.38, pretrained 2.12."
 * @param {View} view
 * @param {number} step
 */
export function numbers(view, step) {
  if (!view.learners.length) return "No learner is chosen.";
  return capital(`${when(step)}: ${view.learners.map((l) => `${l.label} ${lossWords(view, l.query[step])}`).join(", ")}.`);
}

/**
 * What the picture shows, as a heading.
 * @param {View} view
 * @param {number} step
 */
export function finding(view, step) {
  if (!view.learners.length) return "Choose a learner below to see it adapt";
  if (view.verdict) return verdict(view);
  if (view.blind) return step ? `${capital(when(step))}: which of them is MAML?` : "One of these networks is MAML. Which one?";
  if (view.truth_hidden && view.shots.length) return `${capital(shots(view.shots.length))} of a sine wave: which one?`;
  /** @param {Learner[]} learners */
  const names = (learners) =>
    learners.length === view.learners.length && learners.length === 2 ? "both" : list(learners.map((l) => l.label));
  /** @param {Learner[]} learners */
  const verb = (learners) => (learners.length === 1 ? "is" : "are");
  const gone = view.learners.filter((l) => isDiverged(view, l.query[step]));
  if (gone.length) {
    const why = !view.blind && gone.every((l) => l.diverged && view.alpha > l.own_alpha) ? ": α is too large" : "";
    return `${capital(when(step))}, ${names(gone)} ${gone.length === 1 ? "has" : "have"} diverged${why}`;
  }
  if (!view.shots.length) return "No shots yet: nothing to adapt to";
  const worse = view.learners.filter((l) => l.query[step] > 1.05 * l.query[0] + 0.05);
  if (worse.length) return `${capital(when(step))}, ${names(worse)} ${verb(worse)} worse than before`;
  const [maml, other] = ["maml", "pretrained"].map((name) => view.learners.find((l) => l.name === name));
  if (!maml || !other) {
    const l = view.learners[0];
    if (step === 0) return `Before any step, ${l.label} has an error of ${number(l.query[0])}`;
    return `${capital(when(step))}, ${l.label} has an error of ${number(l.query[step])} (${number(l.query[0])} before)`;
  }
  const ratio = other.query[step] / maml.query[step];
  if (step === 0)
    return ratio > 0.7 && ratio < 1.4 ? `Before any step, ${names([maml, other])} are about equally wrong` : "Before any step";
  if (ratio >= 1.5)
    return `${capital(when(step))}, pretrained’s error is ${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times MAML’s`;
  if (ratio <= 1 / 1.5) return `${capital(when(step))}, pretrained is ahead on this task`;
  return `${capital(when(step))}, the two are about equally close`;
}

/** @param {View} view */
function verdict(view) {
  const { guess, ...key } = /** @type {Record<string, string>} */ (view.verdict);
  const maml = Object.keys(key).find((letter) => key[letter] === view.looks.maml.label);
  const others = Object.keys(key)
    .filter((letter) => letter !== maml)
    .map((letter) => `${letter} is ${key[letter]}`);
  const said = guess === maml ? "Right: " : guess ? `You said ${guess}, but ` : "";
  return capital(`${said}${maml} is MAML, ${list(others)}`);
}

/**
 * What is compared, under the heading.
 * @param {View} view
 */
export function setting(view) {
  if (view.blind)
    return `All get the same ${shots(view.shots.length)} and the same step size α\u00a0=\u00a0${alphaWords(view.alpha)}.`;
  const trained = trainedFor(view).map(
    ([n, who]) => `${list(who)} ${who.length > 1 ? "were" : "was"} trained to adapt in ${steps(n)}`,
  );
  const about = [...trained, ...view.learners.filter((l) => !l.trained_steps).map((l) => `${l.label} ${origin(l)}`)];
  if (!about.length) return "";
  const scaled = view.learners.filter((l) => l.algorithm === "meta_sgd").map((l) => l.label);
  const alpha = `α\u00a0=\u00a0${alphaWords(view.alpha)}`;
  const size = scaled.length ? `${alpha}, which scales the step sizes that ${list(scaled)} learned` : `step size ${alpha}`;
  return `${capital(about.length > 2 ? about.join("; ") : list(about))}. ${view.learners.length > 1 ? `Same shots, same ${size}` : `Shown with ${size}`}.`;
}

/**
 * What is usual: this one task is an anecdote. Known for the numbers of shots and steps in the checkpoints' own tables.
 * @param {View} view
 * @param {number} step
 */
export function usual(view, step) {
  if (view.freeze !== "none" || view.placement !== "anywhere" || view.noise) return ""; // the tables are of none of these
  const known = view.learners.map((l) => l.results[view.shots.length]?.[step]);
  if (!known.length || !known.every(Boolean)) return "";
  const each = view.learners.map(
    (l, i) => `${l.label} ${interval(known[i].mean, known[i].ci95)} (α = ${alphaWords(l.own_alpha)})`,
  );
  return `Mean error over ${known[0].tasks.toLocaleString("en")} tasks with ${view.shots.length} shots, each learner with its own α: ${each.join(", ")}.`;
}

/**
 * What to add: divergence and what to do about it, no shots, the step size that suits the baseline best.
 * @param {View} view
 * @param {number} step
 * @returns {{ text: string, alert?: boolean }[]}
 */
export function remarks(view, step) {
  const said = [];
  const gone = view.learners.filter((l) => l.diverged >= 0 && l.diverged <= lastShown(view, step));
  if (gone.length) {
    const each = list(
      gone.map((l) => (l.diverged ? `${l.label} diverges at step ${l.diverged}` : `${l.label} has diverged before any step`)),
    );
    const stepped = gone.filter((l) => l.diverged); // of the others no step size is to blame
    const [hot, cool] = [stepped.filter((l) => view.alpha > l.own_alpha), stepped.filter((l) => view.alpha <= l.own_alpha)];
    const own = list(hot.map((l) => `${l.label}’s own is ${alphaWords(l.own_alpha)}`));
    const parts = hot.length ? [`α = ${alphaWords(view.alpha)} is too large: ${own}.`] : [];
    if (cool.length)
      parts.push(`${hot.length ? `For ${list(cool.map((l) => l.label))}, take` : "Take"} fewer steps or a smaller α.`);
    if (stepped.length < gone.length)
      parts.push(`For ${list(gone.filter((l) => !l.diverged).map((l) => l.label))}, the cause is the weights, not α.`);
    const advice = parts.join(" ");
    said.push({ alert: true, text: `${each} (error over ${view.limits.diverged}). ${advice}` });
  }
  if (!view.shots.length) said.push({ text: `${capital(click())} the plot to place a shot, or sample some.` });
  for (const l of view.learners.filter(
    (l) => l.diverged < 0 && step > 0 && view.shots.length && Math.abs(l.own_alpha / view.alpha - 1) > 0.01,
  )) {
    said.push({
      text: `With its own α = ${alphaWords(l.own_alpha)}, ${l.label} would have ${isDiverged(view, l.query_own[step]) ? "diverged" : `an error of ${number(l.query_own[step])}`}.`,
    });
  }
  return said;
}

/** @type {Partial<Record<View["placement"], string>>} */
const PLACES = { left: " in the left half", cluster: " in one cluster", even: " at equal distances" };

/**
 * How many shots there are, and where they come from.
 * @param {Pick<View, "shots" | "placement" | "by_hand">} view
 */
export function shotCount(view) {
  const n = view.shots.length;
  if (!n) return "no shots";
  const sampled = `sampled${PLACES[view.placement] ?? ""}`;
  return `${shots(n)}, ${view.by_hand ? `placed by hand, so K = ${n}` : sampled}`;
}

/**
 * The text alternative of the task plot.
 * @param {View} view
 * @param {number} step
 */
export function describeTask(view, step) {
  const wave = view.truth_hidden
    ? "A hidden sine wave"
    : `A sine wave of amplitude ${view.amplitude.toFixed(2)} and phase ${view.phase.toFixed(2)}`;
  return (
    `${wave} with ${shotCount(view)}. ` + `${numbers(view, step)} The numbers are mean squared errors against the true curve.`
  );
}

/**
 * The text alternative of the loss chart.
 * @param {View} view
 * @param {number} step
 */
export function describeLoss(view, step) {
  const last = lastShown(view, step);
  const each = view.learners.map((l) => `${l.label} from ${lossWords(view, l.query[0])} to ${lossWords(view, l.query[last])}`);
  return `Error over ${steps(last)}: ${each.join("; ")}. The marker is at step ${step}.`;
}
