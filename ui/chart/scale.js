// Scales from numbers to pixels, and paths that survive values that are not finite.

/** @typedef {[number, number] | number[]} Range */

/**
 * From a domain to a range, and back by `invert`.
 * @param {Range} domain
 * @param {Range} range
 */
export function linear([d0, d1], [r0, r1]) {
  /** @param {number} value */
  const scale = (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
  scale.invert = (/** @type {number} */ pixel) => d0 + ((pixel - r0) / (r1 - r0)) * (d1 - d0);
  return scale;
}

/**
 * @param {Range} domain
 * @param {Range} range
 */
export function log([d0, d1], range) {
  const scale = linear([Math.log(d0), Math.log(d1)], range);
  /** @param {number} value */
  const logged = (value) => scale(Math.log(Math.max(value, d0 / 1e6)));
  logged.invert = (/** @type {number} */ pixel) => Math.exp(scale.invert(pixel));
  return logged;
}

/**
 * The line through (x[i], y[i]), broken where y is not finite. Far-away values are cut, or browsers drop the whole path.
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 */
export function path(x, y) {
  let d = "";
  let pen = "M";
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(y[i])) {
      pen = "M";
      continue;
    }
    d += `${pen}${x[i].toFixed(1)},${Math.max(-9999, Math.min(9999, y[i])).toFixed(1)}`;
    pen = "L";
  }
  return d;
}
