// Arrays of numbers as Python sends them.

/** @param {string} base64 */
export function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/**
 * A flat array of `count` rows as an array of rows.
 * @param {Float32Array} flat
 * @param {number} count
 */
export function rows(flat, count) {
  const width = flat.length / count;
  return Array.from({ length: count }, (_, i) => flat.subarray(i * width, (i + 1) * width));
}
