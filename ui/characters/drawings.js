// A drawing: strokes of points on a grid, its one text form, and how the line of a hand becomes a stroke. As ui/characters/drawings.py
// has it. Pure functions.

export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STROKE = ".";
const DRAWING = "..";
export const MOST_POINTS = 24; // of a stroke
export const MOST_STROKES = 12; // of a drawing
export const LAST = LETTERS.length - 1; // the last place on each axis
const SMOOTH = 0.35; // places of the grid that a stroke may leave the hand's line by

/** @typedef {[x: number, y: number]} Point */
/** @typedef {Point[]} Stroke */
/** @typedef {Stroke[]} Drawing */

/** @param {Drawing} drawing */
export const write = (drawing) => drawing.map((stroke) => stroke.map(([x, y]) => LETTERS[x] + LETTERS[y]).join("")).join(STROKE);

/** @param {Drawing[]} drawings */
export const writeAll = (drawings) => drawings.map(write).join(DRAWING);

/**
 * The drawing of this text; raises an Error, in a clause, for any other text.
 * @param {string} text
 * @returns {Drawing}
 */
export function read(text) {
  const strokes = text ? text.split(STROKE) : [];
  if (strokes.length > MOST_STROKES) throw new Error(`a drawing can have at most ${MOST_STROKES} strokes`);
  return strokes.map(readStroke);
}

/**
 * Several of them, at most so many.
 * @param {string} text
 * @param {number} most
 */
export function readAll(text, most) {
  const parts = text.split(DRAWING);
  if (parts.length > most) throw new Error(`there can be at most ${most} drawings`);
  return parts.map(read);
}

/**
 * @param {string} text
 * @returns {Stroke}
 */
function readStroke(text) {
  if (!text || text.length % 2 || [...text].some((letter) => !LETTERS.includes(letter)))
    throw new Error(`${text.slice(0, 40)} is no stroke, which is written in pairs of letters from A-Z, a-z, 0-9, - and _`);
  if (text.length > 2 * MOST_POINTS) throw new Error(`a stroke can have at most ${MOST_POINTS} points`);
  const places = [...text].map((letter) => LETTERS.indexOf(letter));
  return Array.from({ length: places.length / 2 }, (_, i) => [places[2 * i], places[2 * i + 1]]);
}

/**
 * The line of a hand as a stroke: as few points as follow it closely, and at most MOST_POINTS.
 * @param {Point[]} line
 * @returns {Stroke}
 */
export function simplified(line) {
  let near = SMOOTH;
  let kept = thinned(line, near);
  while (kept.length > MOST_POINTS) kept = thinned(line, (near *= 1.3));
  const stroke = kept.map(([x, y]) => /** @type {Point} */ ([onGrid(x), onGrid(y)]));
  return stroke.filter(([x, y], i) => !i || x !== stroke[i - 1][0] || y !== stroke[i - 1][1]);
}

/** @param {number} value */
const onGrid = (value) => Math.min(Math.max(Math.round(value), 0), LAST);

/**
 * Douglas and Peucker: the ends, and between them what lies farther than `near` from the line through what is kept.
 * @param {Point[]} line
 * @param {number} near
 * @returns {Point[]}
 */
function thinned(line, near) {
  const keep = new Set([0, line.length - 1]);
  const ahead = [[0, line.length - 1]];
  for (let part = ahead.pop(); part; part = ahead.pop()) {
    const [from, to] = part;
    let [farthest, far] = [-1, near];
    for (let i = from + 1; i < to; i++) {
      const away = distance(line[i], line[from], line[to]);
      if (away > far) [farthest, far] = [i, away];
    }
    if (farthest < 0) continue;
    keep.add(farthest);
    ahead.push([from, farthest], [farthest, to]);
  }
  return line.filter((_, i) => keep.has(i));
}

/**
 * From a point to the piece of a line between two others.
 * @param {Point} point
 * @param {Point} from
 * @param {Point} to
 */
function distance([x, y], [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = dx || dy ? Math.min(Math.max(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0), 1) : 0;
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
