// What Python sent, unpacked; and the true curve, which the browser needs to put shots on it.

export function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

// A flat array of `count` rows as an array of rows.
export function rows(flat, count) {
  const width = flat.length / count;
  return Array.from({ length: count }, (_, i) => flat.subarray(i * width, (i + 1) * width));
}

export function unpack(json) {
  const view = JSON.parse(json);
  for (const learner of view.learners) {
    for (const name of ["curves", "gradient", "moved"]) learner[name] = rows(floats(learner[name]), view.updates + 1);
    for (const name of ["support", "query", "query_own"]) learner[name] = floats(learner[name]);
    learner.label = view.looks[learner.name].label;
    learner.diverged = learner.query.findIndex((loss) => !(loss <= view.limits.diverged)); // -1: never; NaN compares false
  }
  return view;
}

export const curve = (view, x) => view.amplitude * Math.sin(x - view.phase);

// The numbers of steps that learners were trained for, each with the labels of those learners: [[1, ["MAML", "FOMAML"]], ...].
export function trainedFor(view) {
  const counts = [...new Set(view.learners.map((l) => l.trained_steps))].filter(Boolean).sort((a, b) => a - b);
  return counts.map((n) => [n, view.learners.filter((l) => l.trained_steps === n).map((l) => l.label)]);
}

// Whether what comes later is not shown before its step is taken: it would tell hidden names, or what a card asks to look for.
export const unfolds = (view) => view.blind || view.unfold;
// The last step whose loss may be shown.
export const lastShown = (view, step) => (unfolds(view) ? step : view.updates);

export function isDiverged(view, loss) {
  return !(loss <= view.limits.diverged);
}

// The loss that a share `level` of the fresh tasks stay under at a step.
export const quantile = (found, step, level) => found.quantiles[step][found.levels.findIndex((p) => p >= level - 1e-9)];

export const layerNames = (count) => Array.from({ length: count }, (_, i) => (i === count - 1 ? "head" : `layer ${i + 1}`));

// Whether a layer stays where it is: frozen here, or never moved by the algorithm.
export function isFrozen(view, learner, layer) {
  const head = layer === learner.layers - 1;
  return (view.freeze === "head" && head) || (!head && (view.freeze === "body" || learner.algorithm === "anil"));
}

// The lab's address parameters of what is on show, local shots included.
export function queryOf(view, step) {
  const query = { ...view.query };
  if (view.by_hand) query.shots = view.shots.map(([x, y]) => `${x},${y}`).join(";") || "none";
  else delete query.shots;
  if (step === view.default_step) delete query.step;
  else query.step = String(step);
  return query;
}
