// What the two pictures of the two-parameter world show of a state, and what its words and tables say of it. Pure.

import {
  BETA,
  LEARNERS,
  adapted,
  angleBetween,
  bowl,
  gradient,
  loss,
  lossAfter,
  lossBefore,
  makeWorld,
  outerStep,
  path,
} from "./toy.js";
import { describeAfter, describeBefore } from "./words.js";

/** @import { Look } from "../shared/looks.js" */
/** @import { State } from "./address.js" */
/** @import { Bowl, Point, World } from "./toy.js" */
/** @import { About, Row } from "./words.js" */

/** @typedef {{ from: Point, to: Point, role: string, look: Look, tip?: string }} Arrow */
/** @typedef {{ points: Point[], role: string, look: Look, end: Point | null }} Path */
/** @typedef {{ at: Point, role: string, text: string }} Name */

/**
 * One plane. least: the bowl's value at its lowest point.
 * @typedef {object} Plane
 * @property {World} world
 * @property {string[]} letters
 * @property {Point} theta
 * @property {Bowl & { lowest: Point }} bowl
 * @property {number} least
 * @property {Arrow[]} arrows
 * @property {Path[]} paths
 * @property {Name[]} names
 * @property {string} label
 * @property {string} said
 */

const LETTERS = ["A", "B", "C", "D", "E", "F"];

/**
 * @param {State} state
 * @param {Record<string, Look>} looks
 */
export function sceneOf({ theta, tasks, difference, alpha, learners, step }, looks) {
  const world = makeWorld(tasks, difference, alpha);
  const bowls = Object.fromEntries(LEARNERS.map((name) => [name, bowl(world, name)]));
  const exact = gradient(bowls.maml, theta);
  /** @type {Row[]} */
  const rows = learners.map((name) => {
    const g = gradient(bowls[name], theta);
    return { name, label: looks[name].label, norm: Math.hypot(...g), angle: angleBetween(g, exact), end: bowls[name].lowest };
  });
  const phis = world.tasks.map((task) => adapted(world, task, theta));
  /** Both bowls have a lowest point: their curvatures are positive. */
  const [flat, curved] = [bowls.pretrained, bowls.maml].map((found) => /** @type {Bowl & { lowest: Point }} */ (found));
  /** @type {About} */
  const about = {
    theta,
    before: lossBefore(world, theta),
    after: lossAfter(world, theta),
    best: flat.lowest,
    bestAfter: curved.lowest,
    tasks: world.tasks.map((task, i) => ({
      letter: LETTERS[i],
      centre: task.centre,
      curvatures: task.curvatures,
      phi: phis[i],
      loss: loss(task, theta),
      lossAfter: loss(task, phis[i]),
    })),
  };
  const inner = phis.map((to, i) => ({
    from: theta,
    to,
    role: LETTERS[i],
    tip: LETTERS[i],
    look: { ...looks[LETTERS[i]], width: 2 },
  }));
  const tips = rows.map(({ name }) => ({ from: theta, to: outerStep(bowls[name], theta), role: name, look: looks[name] }));
  const paths = rows.map(({ name, end }) => ({ points: path(bowls[name], theta, step), role: name, look: looks[name], end }));
  const shared = { world, letters: LETTERS, theta, paths: step ? paths : [] };
  return {
    about,
    /** Of each learner, with the losses where it ends. */
    rows: rows.map((row) => ({
      ...row,
      losses: row.end && [lossBefore(world, row.end), lossAfter(world, row.end)],
    })),
    /** @type {Plane} */
    before: {
      ...shared,
      bowl: flat,
      least: lossBefore(world, flat.lowest),
      arrows: inner,
      names: [],
      label: "Before adaptation",
      said: describeBefore(about),
    },
    /** @type {Plane} */
    after: {
      ...shared,
      bowl: curved,
      least: lossAfter(world, curved.lowest),
      arrows: step ? [] : tips,
      names: rows.map(({ name }, i) => ({
        at: step ? paths[i].points[step] : tips[i].to,
        role: name,
        text: looks[name].label,
      })),
      label: "After one inner step",
      said: describeAfter(about, rows),
    },
    key: step
      ? "paths from θ · rings: where each learner ends"
      : `arrows: each learner’s first outer step, β = ${BETA} times its gradient`,
  };
}
