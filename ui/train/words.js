// How a run is doing, in words. Pure functions of its row (ui/train/watching.py) and of its metrics.

import { number, steps } from "../shared/words.js";

export const count = (n) => n.toLocaleString("en");
export const isLive = (row) => row.state === "running" || row.state === "queued";

export function duration(seconds) {
  if (seconds < 1.5) return "1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

// The lines with a validation: [{iteration, steps: [{step, mean, ci95, median, diverged}]}].
export const validations = (lines) =>
  lines.filter((line) => line.validation).map((line) => ({ iteration: line.iteration, steps: line.validation }));

// When a run first came below each of its marks: [{label, value, iteration}], those it has beaten.
export function beaten(row, lines) {
  const found = [];
  for (const mark of row.marks) {
    const first = validations(lines).find((v) => v.steps.at(-1).mean < mark.value);
    if (first) found.push({ ...mark, iteration: first.iteration });
  }
  return found;
}

const shots = (row) => `${row.K}-shot`;
const after = (row) => (row.steps ? `after ${steps(row.steps)}` : "before any step");

// The finding, as a heading.
export function finding(row, lines) {
  if (!row) return "Press Train, and watch an initialisation learn to learn";
  const last = validations(lines).at(-1);
  const error = last && `${shots(row)} error ${number(last.steps.at(-1).mean)} ${after(row)}`;
  if (row.state === "queued" && !row.iteration)
    return row.starts_in > 1 || row.position > 1 ? "Waiting for a free place" : "Starting";
  if (row.state === "diverged") return "Training diverged";
  if (row.state === "failed") return "Training failed";
  if (!last) return "Starting";
  if (last.iteration === 0) return `Untrained: ${error}`;
  if (last.steps.at(-1).mean > 1.05 * last.steps[0].mean && row.steps)
    return `After ${count(last.iteration)} iterations: adapting makes the error larger`;
  const best = beaten(row, lines).at(-1);
  const than = best ? `, below ${best.label}’s ${number(best.value)}` : "";
  return `After ${count(last.iteration)} iterations: ${error}${than}`;
}

export const DIFFERS = "its numbers will then differ in their last digits from those of a run that was never moved";

// What to change about a run that went wrong, or nothing.
export function advice(row, lines) {
  const last = validations(lines).at(-1);
  if (row.state === "diverged")
    return `The loss was no longer a number. Duplicate the run with a smaller β (now ${row.beta})${row.steps ? ` or α (now ${row.alpha})` : ""}. The last good checkpoint is kept.`;
  if (row.elsewhere)
    return `${row.message ? `${row.message}. ` : ""}This machine lacks something that the run was trained with. “Resume here” continues without it from iteration ${count(row.iteration)}: ${DIFFERS}.`;
  if (row.state === "failed") return `${row.message}.`.replace(/\.\.$/, ".");
  if (last?.iteration && row.steps && last.steps.at(-1).mean > 1.05 * last.steps[0].mean)
    return `The error after adapting is larger than before. Try a smaller α (now ${row.alpha}).`;
  return "";
}

const PHASES = {
  starting: "starting",
  compiling: "compiling this recipe for the first time, about 20 s",
};

// How far a run is, and what is next.
export function progress(row) {
  const place = `iteration ${count(row.iteration)} of ${count(row.max_steps)}`;
  if (row.state === "queued") {
    const wait = row.starts_in > 1 ? `, starts in about ${duration(row.starts_in)}` : ", starts right away";
    return `queued, number ${row.position ?? 1} in line${row.position ? wait : ""}`;
  }
  if (row.asked) return `${row.asked === "pause" ? "pausing" : "stopping"} … · ${place}`;
  if (row.state === "running") {
    if (row.phase === "measuring") return `measuring the result on ${count(row.fresh)} fresh tasks · ${place}`;
    if (PHASES[row.phase]) return `${PHASES[row.phase]} · ${place}`;
    const rate = row.rate ? ` · ${count(Math.round(row.rate))} iterations/s` : "";
    return `${place}${rate}${row.left ? ` · ${duration(row.left)} left` : ""}`;
  }
  const said = {
    paused: "paused",
    interrupted: "interrupted (its process ended)",
    finished: "finished",
    stopped: "stopped",
    failed: "failed",
    diverged: "diverged",
  };
  return `${said[row.state]} at ${place}`;
}

// The text alternative of the chart.
export function describe(row, lines) {
  const found = validations(lines);
  if (!row || !found.length) return "No run has been measured yet.";
  const [first, last] = [found[0], found.at(-1)];
  const marks = row.marks.map((mark) => `${mark.label} is at ${number(mark.value)}`).join(", ");
  const won = beaten(row, lines)
    .map((mark) => `${mark.label} was beaten at iteration ${count(mark.iteration)}`)
    .join(", ");
  return (
    `Error over 1,000 validation tasks ${after(row)}: ${number(first.steps.at(-1).mean)} at iteration ${count(first.iteration)}, ` +
    `${number(last.steps.at(-1).mean)} at iteration ${count(last.iteration)}. ${[marks, won].filter(Boolean).join(". ")}.`
  );
}
