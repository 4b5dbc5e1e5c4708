// Counts, settings and lists in words, the same on every page.

export { interval, number } from "./rounding.js";

/** @param {number} n */
export const steps = (n) => (n === 1 ? "1 step" : `${n} steps`);

/** @param {number} n */
export const when = (n) => (n === 0 ? "before any step" : `after ${steps(n)}`);

/** @param {number} alpha */
export const alphaWords = (alpha) => String(Number(alpha.toPrecision(6)));

/** @param {string} text */
export const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** @param {number} n */
export const shots = (n) => (n === 1 ? "1 shot" : `${n} shots`);

/** @param {string[]} parts */
export const list = (parts) => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`);
