// The page's settings in its address: what it says, and what it is to say. Pure functions.

import { readAll, writeAll } from "./drawings.js";

/** @import { Drawing } from "./drawings.js" */

/**
 * drawings: one a character, then the one that is asked about; null while the seed says them.
 * @typedef {{ seed: number, drawings: Drawing[] | null, names: string[], learners: string[], step: number, freeze: string,
 *   present: boolean }} Settings
 */
/**
 * What there is: characters, their usual names, learners, inner steps, the longest name, what may stay where it is.
 * @typedef {{ names: string[], learners: string[], updates: number, name: number, seed: number, freezes: string[] }} Bounds
 */

const APART = ","; // between names

/**
 * As a person counts them, where the browser can tell.
 * @param {string} text
 */
const letters = (text) =>
  Intl.Segmenter ? Array.from(new Intl.Segmenter("en").segment(text), ({ segment }) => segment) : [...text];

/**
 * A name as it may stand: on one line, not too long, without what is between names.
 * @param {string} text
 * @param {number} most
 */
export const named = (text, most) => {
  const plain = text.replaceAll(APART, " ").replaceAll(/[\p{C}\s]+/gu, (found) => (found === "\u200d" ? found : " "));
  return letters(plain.trim())
    .slice(0, most)
    .join("")
    .slice(0, 8 * most);
};

/** @param {Bounds} bounds @returns {Settings} */
export const defaults = ({ seed, names, learners, freezes }) => ({
  seed,
  drawings: null,
  names,
  learners,
  step: 0,
  freeze: freezes[0],
  present: false,
});

/**
 * The settings of an address, and one sentence for each parameter that could not be used.
 * @param {URLSearchParams} query
 * @param {Bounds} bounds
 */
export function fromQuery(query, bounds) {
  const { names, learners, updates, freezes } = bounds;
  /** @param {string} text @param {number} most */
  const whole = (text, most) => {
    if (!/^\d{1,9}$/.test(text) || Number(text) > most) throw new Error(`it must be a whole number from 0 to ${most}`);
    return Number(text);
  };
  /** @param {string} text @param {string[]} all @returns {string} */
  const oneOf = (text, all) => {
    if (!all.includes(text)) throw new Error(`it must be one of ${all.join(", ")}`);
    return text;
  };
  /** @type {Record<string, (text: string) => any>} */
  const readers = {
    seed: (text) => whole(text, 999_999),
    support: (text) => readAll(text, names.length),
    query: (text) => readAll(text, 1)[0],
    names: (text) =>
      text
        .split(APART)
        .slice(0, names.length)
        .map((name) => named(name, bounds.name)),
    learners: (text) => (text === "none" ? [] : text.split(APART).map((name) => oneOf(name, learners))),
    step: (text) => whole(text, updates),
    freeze: (text) => oneOf(text, freezes),
    present: (text) => text === "1",
  };
  /** @type {string[]} */
  const problems = [];
  /** @type {Record<string, any>} */
  const found = {};
  for (const [name, read] of Object.entries(readers)) {
    const text = query.get(name);
    if (text === null) continue;
    try {
      found[name] = read(text);
    } catch (error) {
      problems.push(`${name}=${text.slice(0, 40)} in the address: ${error.message}. It is ignored.`);
    }
  }
  const { support, query: asked, names: given, learners: chosen, ...others } = found;
  const settings = { ...defaults(bounds), ...others };
  if (support || asked) settings.drawings = [...names.map((_, i) => support?.[i] ?? []), asked ?? []];
  if (given) settings.names = names.map((name, i) => given[i] || name);
  if (chosen) settings.learners = learners.filter((name) => chosen.includes(name));
  return { settings, problems };
}

/**
 * The address parameters of these settings; null for what need not be said.
 * @param {Settings} settings
 * @param {Bounds} bounds
 * @returns {Record<string, string | null>}
 */
export function toQuery({ seed, drawings, names, learners, step, freeze, present }, bounds) {
  const usual = defaults(bounds);
  const said = (/** @type {string[]} */ some, /** @type {string[]} */ all) =>
    some.join() === all.join() ? null : some.join(APART);
  return {
    seed: drawings || seed === usual.seed ? null : String(seed),
    support: drawings && writeAll(drawings.slice(0, -1)),
    query: drawings && writeAll(drawings.slice(-1)),
    names: said(names, usual.names),
    learners: learners.length ? said(learners, usual.learners) : "none",
    step: step === usual.step ? null : String(step),
    freeze: freeze === usual.freeze ? null : freeze,
    present: present ? "1" : null,
  };
}
