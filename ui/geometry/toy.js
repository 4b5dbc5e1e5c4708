// The two-parameter world's arithmetic, without a page around it: tasks with quadratic losses, what an inner step makes of them,
// and what each learner follows. It repeats maml_core/algorithms.py so that it can move under the finger, and is tested against it.
//
// L_i(theta) = 1/2 (theta - c_i)' H_i (theta - c_i). Along a direction of curvature l, one inner step leaves 1 - alpha l of the
// distance to c_i; so each learner's gradient is the mean of W_i (theta - c_i), where W_i has H_i's directions and the curvatures
// that `weight` gives.

/** @typedef {[number, number]} Point */
/** @typedef {[number, number, number]} Matrix Of [[a, b], [b, d]], symmetric. */
/** @typedef {{ centre: Point, angle: number, curvatures: Point }} Task */
/** @typedef {{ alpha: number, tasks: Task[] }} World */
/** @typedef {{ matrix: Matrix, pull: Point, lowest: Point | null }} Bowl */

export const REPTILE_STEPS = 5; // with one, Reptile is joint pretraining
export const BETA = 0.4; // outer step size
export const OUTER_STEPS = 100;

// What becomes of curvature l: W's, for each learner. That of pretrained makes the mean loss before, that of maml the mean after a step.
/** @type {Record<string, (l: number, alpha: number) => number>} */
export const weight = {
  maml: (l, alpha) => l * (1 - alpha * l) ** 2, // (I - alpha H) H (phi - c)
  fomaml: (l, alpha) => l * (1 - alpha * l), // H (phi - c)
  reptile: (l, alpha) => {
    // (theta - phi) / (alpha steps), as a sum that needs no division by alpha
    let left = 1;
    let sum = 0;
    for (let step = 0; step < REPTILE_STEPS; step++, left *= 1 - alpha * l) sum += left;
    return (l * sum) / REPTILE_STEPS;
  },
  pretrained: (l) => l, // H (theta - c)
};
export const LEARNERS = Object.keys(weight);

// Each task's shape where the curvatures differ fully: the angle of its first axis in degrees, the curvatures along both axes.
/** @type {Matrix[]} */
const SHAPES = [
  [20, 3, 0.3],
  [105, 2.6, 0.5],
  [62, 1.4, 0.25],
  [150, 3, 0.6],
  [5, 0.7, 0.2],
  [80, 2, 0.8],
];

/**
 * The task at `centre`, the i-th: from curvature 1 all around (difference 0) to its own shape (difference 1).
 * @param {Point} centre
 * @param {number} i
 * @param {number} difference
 * @returns {Task}
 */
export function task(centre, i, difference) {
  const [degrees, first, second] = SHAPES[i];
  return { centre, angle: (degrees * Math.PI) / 180, curvatures: [first ** difference, second ** difference] };
}

/**
 * @param {Point[]} centres
 * @param {number} difference
 * @param {number} alpha
 * @returns {World}
 */
export const makeWorld = (centres, difference, alpha) => ({
  alpha,
  tasks: centres.map((centre, i) => task(centre, i, difference)),
});

/**
 * The matrix with a task's directions and curvatures f(l).
 * @param {Task} task
 * @param {(l: number) => number} f
 * @returns {Matrix}
 */
export function matrix({ angle, curvatures }, f = (l) => l) {
  const [p, q] = curvatures.map((l) => f(l));
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  return [p * c * c + q * s * s, (p - q) * c * s, p * s * s + q * c * c];
}

/** @param {Matrix} matrix @param {Point} point @returns {Point} */
const times = ([a, b, d], [x, y]) => [a * x + b * y, b * x + d * y];
/** @param {Point} one @param {Point} other @returns {Point} */
const minus = ([a, b], [c, d]) => [a - c, b - d];
/** @param {Point} one @param {Point} other */
const dot = ([a, b], [c, d]) => a * c + b * d;
/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** @param {World} world @param {string} learner */
const matrices = (world, learner) => world.tasks.map((t) => matrix(t, (l) => weight[learner](l, world.alpha)));

/**
 * phi: where one inner step takes theta on a task.
 * @param {World} world
 * @param {Task} t
 * @param {Point} theta
 * @returns {Point}
 */
export function adapted(world, t, theta) {
  const step = times(matrix(t), minus(theta, t.centre));
  return [theta[0] - world.alpha * step[0], theta[1] - world.alpha * step[1]];
}

/** @param {Task} t @param {Point} theta */
export const loss = (t, theta) => dot(minus(theta, t.centre), times(matrix(t), minus(theta, t.centre))) / 2;
/** @param {World} world @param {Point} theta */
export const lossBefore = (world, theta) => mean(world.tasks.map((t) => loss(t, theta)));
/** @param {World} world @param {Point} theta */
export const lossAfter = (world, theta) => mean(world.tasks.map((t) => loss(t, adapted(world, t, theta))));

/**
 * The bowl that a learner descends: its gradient is matrix theta - pull; lowest is its lowest point, or null where it has none.
 * @param {World} world
 * @param {string} learner
 * @returns {Bowl}
 */
export function bowl(world, learner) {
  const each = matrices(world, learner);
  const pulls = each.map((w, i) => times(w, world.tasks[i].centre));
  const [x, y] = [mean(pulls.map((pull) => pull[0])), mean(pulls.map((pull) => pull[1]))];
  const [a, b, d] = [mean(each.map((w) => w[0])), mean(each.map((w) => w[1])), mean(each.map((w) => w[2]))];
  const det = a * d - b * b;
  const lowest = a + d > 0 && det > 1e-9 ? /** @type {Point} */ ([(d * x - b * y) / det, (a * y - b * x) / det]) : null;
  return { matrix: [a, b, d], pull: [x, y], lowest };
}

/**
 * What a learner follows at theta.
 * @param {Bowl} bowl
 * @param {Point} theta
 */
export const gradient = ({ matrix, pull }, theta) => minus(times(matrix, theta), pull);

/**
 * theta after one outer step.
 * @param {Bowl} bowl
 * @param {Point} theta
 * @returns {Point}
 */
export function outerStep(bowl, theta) {
  const [x, y] = gradient(bowl, theta);
  return [theta[0] - BETA * x, theta[1] - BETA * y];
}

/**
 * theta after 0, 1, ..., `steps` outer steps.
 * @param {Bowl} bowl
 * @param {Point} theta
 * @param {number} steps
 */
export function path(bowl, theta, steps) {
  const points = [theta];
  for (let step = 0; step < steps; step++) points.push(outerStep(bowl, points[step]));
  return points;
}

/**
 * The eigenvalues of a symmetric matrix, the larger first, and the angle of the first one's axis.
 * @param {Matrix} matrix
 */
export function axes([a, b, d]) {
  const middle = (a + d) / 2;
  const half = Math.hypot((a - d) / 2, b);
  return { values: [middle + half, middle - half], angle: Math.atan2(2 * b, a - d) / 2 };
}

/**
 * The angle between two directions in degrees; null where one is none.
 * @param {Point} u
 * @param {Point} v
 */
export function angleBetween(u, v) {
  const norms = Math.hypot(...u) * Math.hypot(...v);
  return norms < 1e-12 ? null : (Math.acos(Math.min(1, Math.max(-1, dot(u, v) / norms))) * 180) / Math.PI;
}
