// How an error becomes a colour, on every map and in both themes: bright where it is low, dark where it is high, all on one scale.

import { el } from "../shared/el.js";
import { log } from "./scale.js";

const LOW = 0.03;
export const HIGH = 10; // the ends of the scale
const TICKS = [0.03, 0.1, 0.3, 1, 3, 10];
const WIDTH = 340;
const PIECES = 64;
// From high to low error, at equal distances on a log scale: cividis (Nunez, Anderton & Renslow 2018), whose lightness rises evenly, for
// people with and without colour-vision deficiency alike.
const HEAT = [
  "#00224e",
  "#083370",
  "#35456c",
  "#4f576c",
  "#666970",
  "#7d7c78",
  "#948e77",
  "#aea371",
  "#c8b866",
  "#e5cf52",
  "#fee838",
];
/** The same to a chart, of errors' logarithms. */
export const SCALE = { low: LOW, high: HIGH, colours: HEAT.toReversed() };
const placeOf = log([HIGH, LOW], [0, HEAT.length - 1]);
const CHANNELS = HEAT.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));

/**
 * An error's colour as [red, green, blue], each from 0 to 255.
 * @param {number} error
 */
function channelsOf(error) {
  const part = placeOf(Math.min(Math.max(error, LOW), HIGH));
  const i = Math.min(Math.floor(part), HEAT.length - 2);
  return CHANNELS[i].map((from, k) => from + (part - i) * (CHANNELS[i + 1][k] - from));
}

/** @param {number} error */
export const colourOf = (error) => `rgb(${channelsOf(error).map(Math.round).join(" ")})`;
/**
 * The same as a tint of the page, on which lines in any role's colour keep their contrast.
 * @param {number} error
 */
export const tintOf = (error) => `color-mix(in srgb, ${colourOf(error)} var(--tint), var(--paper))`;

/** Tints to a chart, of errors' logarithms. */
export const TINTS = {
  ...SCALE,
  colours: HEAT.map((_, i) => tintOf(LOW * (HIGH / LOW) ** (i / (HEAT.length - 1)))),
};

/**
 * What the colours mean; `colour` is one of the two above.
 * @param {Element} parent
 * @param {(error: number) => string} colour
 */
export function colourBar(parent, colour) {
  const svg = el(
    "svg",
    {
      class: "colour-bar",
      viewBox: `0 0 ${WIDTH} 34`,
      role: "img",
      "aria-label": `Colour scale: from dark, an error of ${HIGH} or more, to bright, ${LOW} or less`,
    },
    parent,
  );
  const long = WIDTH - 20;
  const x = log([LOW, HIGH], [10, 10 + long]);
  for (let i = 0; i < PIECES; i++)
    el(
      "rect",
      {
        x: 10 + (long * i) / PIECES,
        y: 2,
        width: long / PIECES + 0.5,
        height: 12,
        style: `fill: ${colour(LOW * (HIGH / LOW) ** ((i + 0.5) / PIECES))}`,
      },
      svg,
    );
  for (const tick of TICKS) el("text", { x: x(tick), y: 29, "text-anchor": "middle" }, svg, String(tick));
  return svg;
}
