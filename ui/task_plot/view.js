// What Python sent, unpacked; and the true curve, which the browser needs to put shots on it.

function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

export function unpack(json) {
  const view = JSON.parse(json);
  for (const learner of view.learners) {
    const all = floats(learner.curves), points = all.length / (view.updates + 1);
    learner.curves = Array.from({ length: view.updates + 1 }, (_, s) => all.subarray(s * points, (s + 1) * points));
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

export function isDiverged(view, loss) {
  return !(loss <= view.limits.diverged);
}
