// What the maps say: names, colours and findings. Pure functions of the answers of ui/explore/maps.py.

import { alphaWords, capital, interval, list, number, shots, steps, when } from "../shared/words.js";

export const rowName = (along, value) => (along === "K" ? String(value) : alphaWords(value));
export const rowWords = (along, value) => (along === "K" ? shots(value) : `α = ${alphaWords(value)}`);
export const percent = (share) =>
  share === 0 ? "none" : share < 0.0995 ? `${(100 * share).toPrecision(2)}%` : `${Math.round(100 * share)}%`;
export const count = (n) => n.toLocaleString("en");

// Where the learner is below the baseline's mean with the upper end of its interval, cell by cell; null while one of them is not known.
// baseline: of each row, the baseline's means by step.
export const beats = (map, baseline) =>
  map && baseline ? map.mean.map((row, r) => row.map((mean, step) => mean + map.ci95[r][step] < baseline[r][step])) : null;

// Where in a list of ascending values one lies: an index, with its fraction on a log scale between two; null outside.
export function placeOf(value, rows) {
  const after = rows.findIndex((row) => row >= value * (1 - 1e-9));
  if (after < 0 || (after === 0 && rows[0] > value * (1 + 1e-9))) return null;
  if (Math.abs(rows[after] / value - 1) < 1e-6) return after;
  return after - 1 + Math.log(value / rows[after - 1]) / Math.log(rows[after] / rows[after - 1]);
}

// Of a share of tasks: how many diverged.
const divergedWords = (share) => (share ? `${percent(share)} diverged` : "none diverged");

// What one cell holds, as a sentence.
export function cellWords(label, map, row, step) {
  if (!map) return `${label}: not measured yet`;
  return `${label}: ${interval(map.mean[row][step], map.ci95[row][step])}, median ${number(map.median[row][step])}, ${divergedWords(map.diverged[row][step])}`;
}

// The same as it stands under the pointer: on a map, and beside other learners.
export const cellValue = (map, row, step) =>
  `${interval(map.mean[row][step], map.ci95[row][step])} · ${divergedWords(map.diverged[row][step])}`;
export function lineValue(label, map, row, step) {
  const gone = map.diverged[row][step];
  return `${label} ${interval(map.mean[row][step], map.ci95[row][step])}${gone ? ` · ${divergedWords(gone)}` : ""}`;
}

export const cellName = (along, value, step) => capital(`${when(step)}, ${rowWords(along, value)}`);

// What a map says in a sentence or two: where it is lowest, how it does where it was trained, where it diverges.
export function mapFinding(learner, along, rows, map, beaten, fixed) {
  if (!map) return `${learner.label}, ${fixed}: not measured yet.`;
  let best = [0, 0];
  map.mean.forEach((line, r) =>
    line.forEach((mean, s) => {
      if (mean < map.mean[best[0]][best[1]]) best = [r, s];
    }),
  );
  const [r, s] = best;
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

// The finding over all, as a heading.
export function heading(learners, maps, rows) {
  const [learner, map] = [learners[0], maps[0]];
  if (!learner) return "Choose a learner";
  if (!map) return `Measuring ${list(learners.map((l) => l.label))} on fresh tasks`;
  if (learners.length > 1 && maps.every(Boolean)) {
    const row = rows.indexOf(10) < 0 ? 0 : rows.indexOf(10);
    const each = maps.map((m) => m.mean[row][1]);
    const best = each.indexOf(Math.min(...each));
    return `After one step on ${shots(rows[row])}, ${learners[best].label} has the lowest error, ${number(each[best])}`;
  }
  const top = map.mean.at(-1);
  const last = rows.at(-1);
  const row = rows.indexOf(learner.K);
  const step = learner.steps;
  if (row < 0 || !step)
    return `${learner.label} with ${shots(last)}: error ${number(top[0])} before any step, ${number(Math.min(...top))} at best`;
  const trained = map.mean[row][step];
  const most = Math.min(...map.mean.flat());
  const [r, s] = map.mean
    .flatMap((line, r) => line.map((mean, s) => [mean, r, s]))
    .find(([mean]) => mean === most)
    .slice(1);
  return `Trained for ${shots(learner.K)} and ${steps(step)} (error ${number(trained)}), ${learner.label} is best with ${shots(rows[r])} and ${steps(s)} (${number(most)})`;
}
