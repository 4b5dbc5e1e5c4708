// The maps a page shows, by what it is told and what has been measured: whose they are, what they keep fixed, what they say.

import { alphaWords, shots } from "../shared/words.js";
import { beats, mapFinding, placeOf } from "./words.js";

/** @import { Look } from "../shared/looks.js" */
/** @import { Along, ErrorMap, Learner } from "./words.js" */

/**
 * What ui/explore/component.py tells.
 * @typedef {object} State
 * @property {Learner[]} learners
 * @property {Learner} baseline
 * @property {number} K
 * @property {number | null} alpha
 * @property {string[]} conditions
 * @property {string[]} condition_names
 * @property {number} tasks
 * @property {"maps" | "curves" | "published"} view
 * @property {Record<Along, number[]>} rows
 * @property {number} steps
 * @property {number} points
 * @property {Record<string, Look>} looks
 * @property {number} diverged
 * @property {unknown} published
 */

/** @type {Along[]} */
export const ALONG = ["K", "alpha"];

/** @typedef {ReturnType<typeof mapsOf>} Maps */

/**
 * known: the maps measured so far, by the parameters of their question.
 * @param {State} state
 * @param {Map<string, ErrorMap>} known
 */
export function mapsOf(state, known) {
  const { learners, baseline, rows } = state;

  /** The question for a map, as a query. @param {Learner} learner @param {Along} along */
  function parameters(learner, along) {
    /** @type {Record<string, string>} */
    const own = { learners: learner.key, along };
    if (state.conditions.length) own.conditions = state.conditions.join();
    if (along === "alpha") own.K = String(state.K);
    else if (state.alpha !== null && learner !== baseline) own.alpha = String(state.alpha);
    return new URLSearchParams(own).toString();
  }

  /** @param {Learner} learner @param {Along} along */
  const mapOf = (learner, along) => known.get(parameters(learner, along));
  const isNeeded = learners.some((l) => l.key !== baseline.key); // the baseline, to compare with
  const isAdded = isNeeded && !learners.some((l) => l.key === baseline.key);
  const all = isAdded ? [...learners, baseline] : learners;

  /** Each question once. @returns {string[]} */
  const wanted = () => [
    ...new Set([
      ...learners.flatMap((l) => ALONG.map((along) => parameters(l, along))),
      ...(isNeeded ? [parameters(baseline, "K")] : []),
    ]),
  ];

  // The baseline's means for the rows of a map: at the same shots, with its own step size.
  /** @param {Along} along */
  function baselineRows(along) {
    const map = mapOf(baseline, "K");
    if (!map) return null;
    return along === "K" ? map.mean : rows.alpha.map(() => map.mean[rows.K.indexOf(state.K)]);
  }

  /** @param {Learner} learner @param {Along} along @returns {[number, number] | null} */
  function trainedCell(learner, along) {
    if (!learner.steps) return null;
    const row = placeOf(along === "K" ? learner.K : learner.alpha, rows[along]);
    return row === null || learner.steps > state.steps ? null : [row, learner.steps];
  }

  /** @param {Learner} learner @param {Along} along */
  const fixedWords = (learner, along) =>
    along === "K" ? `α = ${alphaWords(state.alpha ?? learner.alpha)}${state.alpha === null ? " (its own)" : ""}` : shots(state.K);
  /** @param {Learner} learner @param {Along} along @returns {boolean[][] | null} */
  const beaten = (learner, along) => (learner.key === baseline.key ? null : beats(mapOf(learner, along), baselineRows(along)));
  /** @param {Learner} learner @param {Along} along */
  const finding = (learner, along) =>
    mapFinding(learner, along, rows[along], mapOf(learner, along), beaten(learner, along), fixedWords(learner, along));
  /** @param {string} name Of a question. */
  const tasksOf = (name) => known.get(name)?.tasks ?? 0;

  return { ...state, all, isAdded, wanted, parameters, mapOf, tasksOf, trainedCell, fixedWords, beaten, finding };
}
