// What Python sent, unpacked; and the true curve, which the browser needs to put shots on it.

import { floats, rows } from "../shared/arrays.js";

/** @import { Look } from "../shared/looks.js" */

/**
 * What `payload` in ui/lab/component.py sends, unpacked.
 * @typedef {object} View
 * @property {string} epoch
 * @property {number} rev
 * @property {string} step_epoch
 * @property {string} visit
 * @property {Record<string, string>} query
 * @property {string[]} names
 * @property {boolean} remember
 * @property {boolean} fresh
 * @property {number} step
 * @property {number} default_step
 * @property {number} K
 * @property {number} updates
 * @property {number} alpha
 * @property {number} amplitude
 * @property {number} phase
 * @property {number} noise
 * @property {"anywhere" | "left" | "cluster" | "even"} placement
 * @property {"none" | "head" | "body"} freeze
 * @property {boolean} free
 * @property {boolean} truth_hidden
 * @property {boolean} blind
 * @property {Record<string, string> | null} verdict
 * @property {"before" | "previous" | "all" | "none"} ghosts
 * @property {boolean} panels
 * @property {boolean} present
 * @property {boolean} by_hand
 * @property {Shot[]} shots
 * @property {Learner[]} learners
 * @property {Record<string, Look>} looks By role.
 * @property {{ x: [number, number], y: [number, number], shots: number, diverged: number }} limits
 * @property {boolean} [unfold] A host's own wish: Python sends none.
 */

/** @typedef {[x: number, y: number]} Shot */

/**
 * What a learner makes of the shots, each array by inner step; diverged: the first step at which it has, or -1.
 * @typedef {object} Adapted
 * @property {string} name Its role.
 * @property {string} label
 * @property {number} trained_steps
 * @property {number} own_alpha
 * @property {Record<string, Record<string, Mean>>} results By the number of shots, then by the step.
 * @property {number} layers
 * @property {Float32Array[]} curves
 * @property {Float32Array[]} gradient
 * @property {Float32Array[]} moved
 * @property {Float32Array} support
 * @property {Float32Array} query
 * @property {Float32Array} query_own
 * @property {number} diverged
 */

/** @typedef {{ mean: number, ci95: number, tasks: number }} Mean */
/** @typedef {{ key: string, algorithm: string, trained: boolean }} Known */
/** @typedef {{ key?: undefined, algorithm?: undefined, trained?: undefined }} Hidden A learner behind a letter. */
/** @typedef {Adapted & (Known | Hidden)} Learner */

/**
 * The losses of one learner over fresh tasks: at each step, as many as there are levels.
 * @typedef {{ levels: number[], quantiles: number[][] }} Fresh
 */

/**
 * @param {string} json
 * @returns {View}
 */
export function unpack(json) {
  const view = JSON.parse(json);
  for (const learner of view.learners) {
    for (const name of ["curves", "gradient", "moved"]) learner[name] = rows(floats(learner[name]), view.updates + 1);
    for (const name of ["support", "query", "query_own"]) learner[name] = floats(learner[name]);
    learner.label = view.looks[learner.name].label;
    // -1: never; NaN compares false
    learner.diverged = learner.query.findIndex((/** @type {number} */ loss) => !(loss <= view.limits.diverged));
  }
  return view;
}

/**
 * @param {View} view
 * @param {number} x
 */
export const curve = (view, x) => view.amplitude * Math.sin(x - view.phase);

/**
 * The numbers of steps that learners were trained for, each with the labels of those learners: [[1, ["MAML", "FOMAML"]], ...].
 * @param {View} view
 * @returns {[number, string[]][]}
 */
export function trainedFor(view) {
  const counts = [...new Set(view.learners.map((l) => l.trained_steps))].filter(Boolean).sort((a, b) => a - b);
  return counts.map((n) => [n, view.learners.filter((l) => l.trained_steps === n).map((l) => l.label)]);
}

/**
 * Whether what comes later is not shown before its step is taken: it would tell hidden names, or what a card asks to look for.
 * @param {View} view
 */
export const unfolds = (view) => view.blind || view.unfold;

/**
 * The last step whose loss may be shown.
 * @param {View} view
 * @param {number} step
 */
export const lastShown = (view, step) => (unfolds(view) ? step : view.updates);

/**
 * @param {View} view
 * @param {number} loss
 */
export function isDiverged(view, loss) {
  return !(loss <= view.limits.diverged);
}

/**
 * The loss that a share `level` of the fresh tasks stay under at a step.
 * @param {Fresh} found
 * @param {number} step
 * @param {number} level
 */
export const quantile = (found, step, level) => found.quantiles[step][found.levels.findIndex((p) => p >= level - 1e-9)];

/** @param {number} count */
export const layerNames = (count) => Array.from({ length: count }, (_, i) => (i === count - 1 ? "head" : `layer ${i + 1}`));

/**
 * Whether a layer stays where it is: frozen here, or never moved by the algorithm.
 * @param {View} view
 * @param {Learner} learner
 * @param {number} layer
 */
export function isFrozen(view, learner, layer) {
  const head = layer === learner.layers - 1;
  return (view.freeze === "head" && head) || (!head && (view.freeze === "body" || learner.algorithm === "anil"));
}

/**
 * The lab's address parameters of what is on show, local shots included.
 * @param {View} view
 * @param {number} step
 */
export function queryOf(view, step) {
  const query = { ...view.query };
  if (view.by_hand) query.shots = view.shots.map(([x, y]) => `${x},${y}`).join(";") || "none";
  else delete query.shots;
  if (step === view.default_step) delete query.step;
  else query.step = String(step);
  return query;
}
