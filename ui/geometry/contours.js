// Contours of values on a square grid, by marching squares. Pure.

/**
 * Where an edge between two corners of a cell is cut.
 * @param {number} a
 * @param {number} b
 * @param {number} level
 */
const cut = (a, b, level) => (level - a) / (b - a);

/**
 * values: n x n, row by row. -> segments [x0, y0, x1, y1] in cells, from 0 to n - 1. Cells with a value that is not finite have none.
 * @param {ArrayLike<number>} values
 * @param {number} n
 * @param {number} level
 */
export function contour(values, n, level) {
  /** @type {[number, number, number, number][]} */
  const segments = [];
  for (let y = 0; y < n - 1; y++) {
    for (let x = 0; x < n - 1; x++) {
      const at = y * n + x;
      const [a, b, c, d] = [values[at], values[at + 1], values[at + n + 1], values[at + n]];
      if (!Number.isFinite(a + b + c + d)) continue;
      /** @type {[number, number][]} */
      const points = [];
      if (a < level !== b < level) points.push([x + cut(a, b, level), y]);
      if (b < level !== c < level) points.push([x + 1, y + cut(b, c, level)]);
      if (d < level !== c < level) points.push([x + cut(d, c, level), y + 1]);
      if (a < level !== d < level) points.push([x, y + cut(a, d, level)]);
      // A saddle has two, and the middle says which belong together: those around the corners a and c, or around b and d.
      if (points.length === 4 && a < level === (a + b + c + d) / 4 < level)
        segments.push([...points[0], ...points[1]], [...points[2], ...points[3]]);
      else if (points.length === 4) segments.push([...points[0], ...points[3]], [...points[1], ...points[2]]);
      else if (points.length === 2) segments.push([...points[0], ...points[1]]);
    }
  }
  return segments;
}

/**
 * Segments as few lines: ends that two of them share are the same to the last bit.
 * @param {number[][]} segments [x0, y0, x1, y1]
 * @returns {[number, number][][]}
 */
export function joined(segments) {
  /** @type {Map<string, number[]>} An end -> the segments that have it. */
  const meeting = new Map();
  const keyOf = (/** @type {[number, number]} */ end) => end.join();
  const endsOf = (/** @type {number} */ i) => {
    const [x0, y0, x1, y1] = segments[i];
    return /** @type {[[number, number], [number, number]]} */ ([
      [x0, y0],
      [x1, y1],
    ]);
  };
  segments.forEach((_, i) => {
    for (const end of endsOf(i)) meeting.set(keyOf(end), [...(meeting.get(keyOf(end)) ?? []), i]);
  });
  const taken = new Set();

  // On from the end of a line, as far as it goes.
  /** @param {[number, number][]} line */
  function follow(line) {
    for (;;) {
      const here = keyOf(line[line.length - 1]);
      const next = meeting.get(here)?.find((i) => !taken.has(i));
      if (next === undefined) return line;
      taken.add(next);
      const [one, other] = endsOf(next);
      line.push(keyOf(one) === here ? other : one);
    }
  }

  /** @type {[number, number][][]} */
  const lines = [];
  segments.forEach((_, i) => {
    if (taken.has(i)) return;
    taken.add(i);
    lines.push(follow(follow(endsOf(i)).reverse()));
  });
  return lines;
}
