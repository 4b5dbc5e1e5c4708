// The two-parameter world's settings: their defaults and ranges, and their form in the address. Pure functions.

import { LEARNERS, OUTER_STEPS } from "./toy.js";

/** @import { Point } from "./toy.js" */
/** @typedef {{ theta: Point, tasks: Point[], alpha: number, difference: number, learners: string[], step: number }} State */

/** @type {Point} */
export const X = [-3.5, 3.5];
/** @type {Point} */
export const Y = [-2.5, 2.5]; // the plane on show
export const TASKS = [3, 6]; // fewest and most
export const ALPHA = [0, 0.6]; // no step that it allows makes a task's own loss grow
/** @type {Point[]} */
export const PLACES = [
  [-2.4, 1.2],
  [1.4, 1.7],
  [2.6, -1],
  [-0.9, -1.6],
  [-0.2, 0.9],
  [0.7, -1.9],
]; // where tasks appear

/** @type {State} */
export const DEFAULTS = {
  theta: [-3.1, -0.4],
  tasks: PLACES.slice(0, 4),
  alpha: 0.3,
  difference: 1,
  learners: LEARNERS,
  step: 0,
};

const NAMES = /** @type {(keyof State)[]} */ (Object.keys(DEFAULTS));

/** @param {number} value */
const short = (value) => String(Number(value.toFixed(3)));
/** @param {Point} point */
const pair = (point) => point.map(short).join(",");
/** @param {Point[]} points */
const pairs = (points) => points.map(pair).join(";");
/** @type {Record<string, (value: any) => string>} */
const WRITE = {
  theta: pair,
  tasks: pairs,
  alpha: short,
  difference: short,
  learners: (/** @type {string[]} */ names) => names.join(",") || "none",
  step: String,
};

/**
 * The parameters of a state; what is at its default is left out.
 * @param {State} state
 */
export function toQuery(state) {
  /** @type {Record<string, string>} */
  const query = {};
  for (const name of NAMES) {
    const text = WRITE[name](state[name]);
    if (text !== WRITE[name](DEFAULTS[name])) query[name] = text;
  }
  return query;
}

/** @param {string} text */
const isNumber = (text) => text.trim() !== "" && Number.isFinite(Number(text));

/** @param {string} text @returns {Point} */
function readPoint(text) {
  const parts = text.split(",");
  if (parts.length !== 2 || !parts.every(isNumber))
    throw new Error("a point is two numbers separated by a comma, such as 1.5,-0.4");
  const [x, y] = parts.map(Number);
  if (x < X[0] || x > X[1] || y < Y[0] || y > Y[1])
    throw new Error(`the first number of a point is from ${X[0]} to ${X[1]}, the second from ${Y[0]} to ${Y[1]}`);
  return [x, y];
}

/** @param {string} text */
function readTasks(text) {
  const points = text.split(";").filter(Boolean).map(readPoint);
  if (points.length < TASKS[0] || points.length > TASKS[1]) throw new Error(`there must be ${TASKS[0]} to ${TASKS[1]} tasks`);
  return points;
}

/** @param {number[]} range */
const readNumber =
  ([low, high], whole = false) =>
  (/** @type {string} */ text) => {
    const value = Number(text);
    if (!isNumber(text) || value < low || value > high || (whole && !Number.isInteger(value)))
      throw new Error(`it must be a ${whole ? "whole " : ""}number from ${low} to ${high}`);
    return value;
  };

/** @param {string} text */
function readLearners(text) {
  const names = text === "none" ? [] : text.split(",");
  const unknown = names.find((name) => !LEARNERS.includes(name));
  if (unknown !== undefined) throw new Error(`there is no learner ${unknown.slice(0, 40)}; choose from ${LEARNERS.join(", ")}`);
  return LEARNERS.filter((name) => names.includes(name));
}

/** @type {Record<string, (text: string) => any>} */
const READ = {
  theta: readPoint,
  tasks: readTasks,
  alpha: readNumber(ALPHA),
  difference: readNumber([0, 1]),
  learners: readLearners,
  step: readNumber([0, OUTER_STEPS], true),
};

/**
 * The state of an address, and one sentence for each parameter that could not be used.
 * @param {URLSearchParams} query
 */
export function fromQuery(query) {
  /** @type {Record<string, any>} */
  const read = {};
  /** @type {string[]} */
  const problems = [];
  for (const name of NAMES) {
    const text = query.get(name);
    if (text === null) continue;
    try {
      read[name] = READ[name](text);
    } catch (error) {
      problems.push(
        `${name}=${text.slice(0, 40)} in the address: ${error.message}. Using ${WRITE[name](DEFAULTS[name])} instead.`,
      );
    }
  }
  return { state: { ...DEFAULTS, ...read }, problems };
}
