// The picture as one SVG file that looks the same anywhere: what CSS says is written into each element, the font goes along, and each
// text keeps the width that it was measured with, where a viewer has no use for the font.

import { plain } from "./colours.js";
import { download } from "../shared/download.js";
import { el } from "../shared/el.js";

const STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "paint-order",
  "opacity",
  "fill-opacity",
  "stroke-opacity",
  "font-size",
  "font-weight",
  "font-style",
  "letter-spacing",
];
const MARGIN = 20;

const PNG_SCALE = 2;
export const DRAWN = ".chart > svg, .chart .main-svg"; // what is under, in and over a chart
const CHARTS = `${DRAWN}, .panel-title svg`;
const TEXTS = "h1, .setting, .panel-title, .area-loss h2, .area-loss .key";

/** @typedef {{ words: string, from: number, right: number, at: number, y: number, look: Record<string, string> }} TextLine */

/**
 * Charts and texts of `root` (selectors; those of the lab if none are given) in a file of this name.
 * @param {Element} root
 * @param {string} name
 * @param {string} [charts]
 * @param {string} [texts]
 */
export async function saveSvg(root, name, charts, texts) {
  const { text } = await pictureOf(root, charts, texts);
  download(new Blob([text], { type: "image/svg+xml" }), name);
}

/**
 * The same as an image.
 * @param {Element} root
 * @param {string} name
 * @param {string} [charts]
 * @param {string} [texts]
 */
export async function savePng(root, name, charts, texts) {
  const { text, width, height } = await pictureOf(root, charts, texts);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = el("canvas", { width: width * PNG_SCALE, height: height * PNG_SCALE });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(PNG_SCALE, PNG_SCALE);
  context.drawImage(image, 0, 0);
  /** @type {Blob | null} */
  const made = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (made) download(made, name);
}

/**
 * Charts and texts where they stand on the page, without what stands between them.
 * @param {Element} root
 */
async function pictureOf(root, chartsOf = CHARTS, textsOf = TEXTS) {
  const family = getComputedStyle(root).fontFamily;
  const rule = await fontRule(family);
  const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  /** @param {string} selector */
  const shown = (selector) =>
    [...(selector ? root.querySelectorAll(selector) : [])].filter((node) => node.getClientRects().length);
  const charts = shown(chartsOf);
  const texts = shown(textsOf);
  const boxes = [...charts, ...texts].map((node) => node.getBoundingClientRect());
  const labels = charts.flatMap((chart) => [...chart.querySelectorAll("text")].map((label) => label.getBoundingClientRect()));
  const left = Math.min(...boxes.map((b) => b.left)) - MARGIN;
  const tops = closedUp(boxes);
  const width = Math.ceil(Math.max(...[...boxes, ...labels].map((b) => b.right)) - left + MARGIN);
  const height = Math.ceil(Math.max(...boxes.map((b, i) => tops[i] + b.height)) + MARGIN);
  const out = el("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "font-family": family });
  if (rule) el("style", {}, out, rule);
  el("rect", { width, height, fill: paper }, out);
  charts.forEach((chart, i) => {
    const box = boxes[i];
    const copy = /** @type {Element} */ (chart.cloneNode(true));
    inline(chart, copy);
    const size = { x: box.left - left, y: tops[i], width: box.width, height: box.height, overflow: "visible" }; // labels may stand out
    for (const [name, value] of Object.entries(size)) copy.setAttribute(name, String(value));
    for (const gone of copy.querySelectorAll(".preview, .halo")) gone.remove();
    for (const node of [copy, ...copy.querySelectorAll("*")]) {
      for (const name of ["class", "tabindex", "role", "aria-label", "aria-hidden", "aria-roledescription"])
        node.removeAttribute(name);
    }
    out.append(copy);
  });
  texts.forEach((text, i) => write(text, out, left, boxes[charts.length + i].top - tops[charts.length + i]));
  await Promise.all([...out.querySelectorAll("image")].map(mosaic));
  return { text: new XMLSerializer().serializeToString(out), width, height };
}

/**
 * A map's colours, a pixel of an image for each cell, as drawn cells: many a program would blur what it enlarges.
 * @param {Element} image
 */
async function mosaic(image) {
  const src = image.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? image.getAttribute("href");
  const pixels = el("img", { src });
  await pixels.decode();
  const [columns, rows] = [pixels.naturalWidth, pixels.naturalHeight];
  if (Number(image.getAttribute("width")) < 2 * columns) return; // smooth colours
  const canvas = el("canvas", { width: columns, height: rows });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(pixels, 0, 0);
  const { data } = context.getImageData(0, 0, columns, rows);
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(image.getAttribute(name)));
  const [wide, high] = [width / columns, height / rows];
  const cells = el("g", {}, image.parentElement);
  for (let i = 0; i < columns * rows; i++) {
    const [red, green, blue, alpha] = data.subarray(4 * i, 4 * i + 4);
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const place = { x: x + column * wide, y: y + row * high, width: wide + 0.5, height: high + 0.5 }; // no seams between them
    if (alpha) el("rect", { ...place, fill: `rgb(${red}, ${green}, ${blue})` }, cells);
  }
  image.replaceWith(cells);
}

/**
 * The top of each box in the picture: a gap between what stands below each other is no wider than the margin.
 * @param {DOMRect[]} boxes
 */
function closedUp(boxes) {
  const order = boxes.map((_, i) => i).sort((a, b) => boxes[a].top - boxes[b].top);
  /** @type {number[]} */
  const tops = [];
  let bottom = boxes[order[0]].top;
  let cut = bottom - MARGIN;
  for (const i of order) {
    cut += Math.max(0, boxes[i].top - bottom - MARGIN);
    tops[i] = boxes[i].top - cut;
    bottom = Math.max(bottom, boxes[i].bottom);
  }
  return tops;
}

/** @param {Element} from @param {Element} to */
function inline(from, to) {
  const style = getComputedStyle(from);
  to.removeAttribute("style");
  for (const name of STYLES) to.setAttribute(name, known(style.getPropertyValue(name)));
  // Set letter by letter, each would cover the one before with its edge.
  if (from instanceof SVGTextElement && from.textContent && style.stroke === "none")
    to.setAttribute("textLength", String(from.getComputedTextLength()));
  [...from.children].forEach((child, i) => inline(child, to.children[i]));
}

/**
 * Colours that were mixed, as every viewer knows them.
 * @param {string} value
 */
const known = (value) => value.replace(/color\(srgb [^)]*\)/g, plain);

/**
 * A paragraph, line by line as the browser broke it: what looks the same and follows closely is one text, a term of the glossary too.
 * @param {Element} node
 * @param {Element} out
 * @param {number} left
 * @param {number} top
 */
function write(node, out, left, top) {
  const range = document.createRange();
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  /** @type {TextLine[]} */
  const lines = [];
  let space = "";
  while (walker.nextNode()) {
    const part = /** @type {Text} */ (walker.currentNode);
    const around = /** @type {Element} */ (part.parentElement);
    if (around.closest("svg")) continue;
    const style = getComputedStyle(around);
    const size = style.fontSize;
    const look = {
      fill: known(style.color),
      "font-size": size,
      "font-weight": style.fontWeight,
      "letter-spacing": style.letterSpacing,
    };
    for (const { 0: word, index } of part.data.matchAll(/\s+|\S+/g)) {
      if (!word.trim()) {
        space = " ";
        continue;
      }
      range.setStart(part, index);
      range.setEnd(part, index + word.length);
      const { left: from, right, top: at, bottom, height } = range.getBoundingClientRect();
      const line = lines.at(-1);
      const follows =
        line &&
        Math.abs(at - line.at) <= 2 &&
        from - line.right < parseFloat(size) / 2 &&
        JSON.stringify(look) === JSON.stringify(line.look);
      if (follows) Object.assign(line, { words: line.words + space + word, right });
      else lines.push({ words: word, from, right, at, y: bottom - 0.25 * height, look });
      space = "";
    }
  }
  for (const { words, from, right, y, look } of lines)
    el("text", { x: from - left, y: y - top, textLength: right - from, ...look }, out, words);
}

/**
 * The rule of the page's font, with the file inside; none where the font is the machine's own.
 * @param {string} family
 */
async function fontRule(family) {
  const name = bare(family.split(",")[0]);
  const rules = [...document.styleSheets].flatMap(rulesOf).filter((rule) => rule instanceof CSSFontFaceRule);
  const face = rules.find(
    ({ style }) => bare(style.getPropertyValue("font-family")) === name && style.getPropertyValue("font-style") !== "italic",
  );
  const address = face?.style.getPropertyValue("src").match(/url\("?([^")]+)"?\)/)?.[1];
  if (!face || !address) return null;
  try {
    const answer = await fetch(new URL(address, face.parentStyleSheet?.href ?? document.baseURI));
    const weight = face.style.getPropertyValue("font-weight") || "normal";
    return `@font-face { font-family: "${name}"; font-weight: ${weight}; src: url(${await asData(await answer.blob())}) format("woff2"); }`;
  } catch {
    return null;
  }
}

/** @param {string} name */
const bare = (name) => name.trim().replace(/^["']|["']$/g, "");

/** @param {CSSStyleSheet} sheet */
function rulesOf(sheet) {
  try {
    return [...sheet.cssRules];
  } catch {
    return []; // from elsewhere, by a browser's extension
  }
}

/** @param {Blob} blob */
function asData(blob) {
  return new Promise((done, failed) => {
    const reader = Object.assign(new FileReader(), { onload: () => done(reader.result), onerror: () => failed(reader.error) });
    reader.readAsDataURL(blob);
  });
}
