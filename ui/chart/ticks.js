// What is written along an axis that can be enlarged: few round numbers, however small a part is on show.

const FEWEST = 3;
const MOST = 8;
const PARTS = [
  [1, 2, 5],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
]; // of a power of ten, the coarsest first

/** @param {number} value */
const tick = (value) => /** @type {[number, string]} */ ([value, String(value)]);
/** @param {number} value Without what is left of it by counting in tenths. */
const round = (value) => Number(value.toPrecision(9));

/**
 * @param {[number, number]} range
 * @returns {[number, string][]}
 */
export function linearTicks([low, high]) {
  const power = 10 ** Math.floor(Math.log10((high - low) / MOST));
  const step = power * /** @type {number} */ ([1, 2, 5, 10].find((part) => (high - low) / (part * power) <= MOST));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => tick(round((first + i) * step)));
}

/**
 * Of a log axis; one that shows less than a power of ten has its numbers at equal distances.
 * @param {[number, number]} range
 * @returns {[number, string][]}
 */
export function logTicks([low, high]) {
  const powers = Array.from({ length: Math.ceil(Math.log10(high / low)) + 2 }, (_, i) => Math.floor(Math.log10(low)) + i);
  for (const parts of PARTS) {
    const all = powers.flatMap((power) => parts.map((part) => round(part * 10 ** power)));
    const inside = all.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
    if (inside.length >= FEWEST) return inside.map(tick);
  }
  return linearTicks([low, high]);
}
