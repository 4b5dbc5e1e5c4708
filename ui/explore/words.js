// What the maps say: names, colours and findings. Pure functions of the answers of ui/explore/maps.py.

import { alphaWords, capital, interval, list, number, shots, steps, when } from "../shared/words.js";

/** @typedef {"K" | "alpha"} Along */
/** @typedef {[Along, number, number]} Place Of a cell: the kind of map, its row, its step. */
/** @typedef {{ mean: number[][], ci95: number[][], median: number[][], diverged: number[][], tasks: number }} ErrorMap By row and step. */
/** @typedef {{ key: string, role: string, label: string, K: number, steps: number, alpha: number }} Learner */

/** @param {Along} along @param {number} value */
export const rowName = (along, value) => (along === "K" ? String(value) : alphaWords(value));
/** @param {Along} along @param {number} value */
export const rowWords = (along, value) => (along === "K" ? shots(value) : `α = ${alphaWords(value)}`);
/** @param {number} share */
export const percent = (share) =>
  share === 0 ? "none" : share < 0.0995 ? `${(100 * share).toPrecision(2)}%` : `${Math.round(100 * share)}%`;
/** @param {number} n */
export const count = (n) => n.toLocaleString("en");

/**
 * Where the learner is below the baseline's mean with the upper end of its interval, cell by cell; null while one of them is not known.
 * baseline: of each row, the baseline's means by step.
 * @param {ErrorMap | undefined} map
 * @param {number[][] | null} baseline
 */
export const beats = (map, baseline) =>
  map && baseline ? map.mean.map((row, r) => row.map((mean, step) => mean + map.ci95[r][step] < baseline[r][step])) : null;

/**
 * Where in a list of ascending values one lies: an index, with its fraction on a log scale between two; null outside.
 * @param {number} value
 * @param {number[]} rows
 */
export function placeOf(value, rows) {
  const after = rows.findIndex((row) => row >= value * (1 - 1e-9));
  if (after < 0 || (after === 0 && rows[0] > value * (1 + 1e-9))) return null;
  if (Math.abs(rows[after] / value - 1) < 1e-6) return after;
  return after - 1 + Math.log(value / rows[after - 1]) / Math.log(rows[after] / rows[after - 1]);
}

/** @param {number} share Of the tasks. */
const divergedWords = (share) => (share ? `${percent(share)} diverged` : "none diverged");

/**
 * What one cell holds, as a sentence.
 * @param {string} label
 * @param {ErrorMap | undefined} map
 * @param {number} row
 * @param {number} step
 */
export function cellWords(label, map, row, step) {
  if (!map) return `${label}: not measured yet`;
  return `${label}: ${interval(map.mean[row][step], map.ci95[row][step])}, median ${number(map.median[row][step])}, ${divergedWords(map.diverged[row][step])}`;
}

/**
 * The same as it stands under the pointer on a map.
 * @param {ErrorMap} map
 * @param {number} row
 * @param {number} step
 */
export const cellValue = (map, row, step) =>
  `${interval(map.mean[row][step], map.ci95[row][step])} · ${divergedWords(map.diverged[row][step])}`;

/**
 * And there beside other learners.
 * @param {string} label
 * @param {ErrorMap} map
 * @param {number} row
 * @param {number} step
 */
export function lineValue(label, map, row, step) {
  const gone = map.diverged[row][step];
  return `${label} ${interval(map.mean[row][step], map.ci95[row][step])}${gone ? ` · ${divergedWords(gone)}` : ""}`;
}

/** @param {Along} along @param {number} value @param {number} step */
export const cellName = (along, value, step) => capital(`${when(step)}, ${rowWords(along, value)}`);

/**
 * The row and the step of a map's lowest error.
 * @param {ErrorMap} map
 */
function lowest({ mean }) {
  let best = [0, 0];
  mean.forEach((line, r) =>
    line.forEach((error, s) => {
      if (error < mean[best[0]][best[1]]) best = [r, s];
    }),
  );
  return best;
}

/**
 * What a map says in a sentence or two: where it is lowest, where it beats the baseline, where it diverges.
 * @param {Learner} learner
 * @param {Along} along
 * @param {number[]} rows
 * @param {ErrorMap | undefined} map
 * @param {boolean[][] | null} beaten
 * @param {string} fixed What the map keeps fixed, in words.
 */
export function mapFinding(learner, along, rows, map, beaten, fixed) {
  if (!map) return `${learner.label}, ${fixed}: not measured yet.`;
  const [r, s] = lowest(map);
  const said = [
    `${learner.label}, ${fixed}: lowest error ${interval(map.mean[r][s], map.ci95[r][s])}, ${when(s)} with ${rowWords(along, rows[r])}`,
  ];
  const cells = map.mean.length * map.mean[0].length;
  if (beaten)
    said.push(
      `its 95% interval lies below the pretrained baseline’s mean in ${beaten.flat().filter(Boolean).length} of ${cells} cells`,
    );
  const gone = rows
    .map((value, row) => [value, map.diverged[row].findIndex((share) => share >= 0.01)])
    .filter(([, step]) => step >= 0);
  if (gone.length) {
    const [value, step] = gone.reduce((a, b) => (b[1] < a[1] ? b : a));
    const from =
      along === "alpha"
        ? `from α = ${alphaWords(gone[0][0])} upwards`
        : `with ${rowWords(along, value)}, from step ${step} onwards`;
    said.push(`1% of the tasks or more diverge ${from}`);
  }
  return `${said.join("; ")}.`;
}

/**
 * The finding over all, as a heading.
 * @param {Learner[]} learners
 * @param {(ErrorMap | undefined)[]} maps Of each, by shots.
 * @param {number[]} rows
 */
export function heading(learners, maps, rows) {
  const [learner, map] = [learners[0], maps[0]];
  if (!learner) return "Choose a learner";
  if (!map) return `Measuring ${list(learners.map((l) => l.label))} on fresh tasks`;
  const known = maps.flatMap((m) => (m ? [m] : []));
  if (learners.length > 1 && known.length === maps.length) {
    const row = rows.indexOf(10) < 0 ? 0 : rows.indexOf(10);
    const each = known.map((m) => m.mean[row][1]);
    const best = each.indexOf(Math.min(...each));
    return `After one step on ${shots(rows[row])}, ${learners[best].label} has the lowest error, ${number(each[best])}`;
  }
  const row = rows.indexOf(learner.K);
  const step = learner.steps;
  if (row < 0 || !step) {
    const last = rows.length - 1;
    const top = map.mean[last];
    return `${learner.label} with ${shots(rows[last])}: error ${number(top[0])} before any step, ${number(Math.min(...top))} at best`;
  }
  const [r, s] = lowest(map);
  const said = `${learner.label} is best with ${shots(rows[r])} and ${steps(s)} (${number(map.mean[r][s])})`;
  return `Trained for ${shots(learner.K)} and ${steps(step)} (error ${number(map.mean[row][step])}), ${said}`;
}
