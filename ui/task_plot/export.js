// The picture as one SVG file that looks the same anywhere: what CSS says is written into each element.

import { el } from "./svg.js";

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-weight", "font-style"];
const MARGIN = 20;
const FONT = "'Source Sans 3', 'Source Sans Pro', system-ui, sans-serif";

const PNG_SCALE = 2;
const CHARTS = "svg.task, svg.loss", TEXTS = "h1, .setting, .panel-title, .area-loss h2, .area-loss .key";

export function saveSvg(root, name, charts, texts) {
  save(new Blob([pictureOf(root, charts, texts).text], { type: "image/svg+xml" }), name);
}

export async function savePng(root, name, charts, texts) {
  const { text, width, height } = pictureOf(root, charts, texts), image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = el("canvas", { width: width * PNG_SCALE, height: height * PNG_SCALE });
  const context = canvas.getContext("2d");
  context.scale(PNG_SCALE, PNG_SCALE);
  context.drawImage(image, 0, 0);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), name);
}

function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Charts and texts (selectors; those of the lab if none are given), where they stand on the page.
export function pictureOf(root, chartsOf = CHARTS, textsOf = TEXTS) {
  const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  const shown = (selector) => [...root.querySelectorAll(selector)].filter((node) => node.getClientRects().length);
  const charts = shown(chartsOf), texts = shown(textsOf);
  const boxes = [...charts, ...texts].map((node) => node.getBoundingClientRect());
  const left = Math.min(...boxes.map((b) => b.left)) - MARGIN, top = Math.min(...boxes.map((b) => b.top)) - MARGIN;
  const width = Math.ceil(Math.max(...boxes.map((b) => b.right)) - left + MARGIN);
  const height = Math.ceil(Math.max(...boxes.map((b) => b.bottom)) - top + MARGIN);
  const out = el("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "font-family": FONT });
  el("rect", { width, height, fill: paper }, out);
  for (const chart of charts) {
    const box = chart.getBoundingClientRect(), copy = chart.cloneNode(true);
    inline(chart, copy);
    const size = { x: box.left - left, y: box.top - top, width: box.width, height: box.height };
    for (const [name, value] of Object.entries(size)) copy.setAttribute(name, value);
    for (const gone of copy.querySelectorAll(".preview, .halo")) gone.remove();
    for (const name of ["class", "tabindex", "role", "aria-label", "aria-roledescription"]) copy.removeAttribute(name);
    out.append(copy);
  }
  for (const text of texts) write(text, out, left, top);
  return { text: new XMLSerializer().serializeToString(out), width, height };
}

function inline(from, to) {
  const style = getComputedStyle(from);
  to.removeAttribute("style");
  for (const name of STYLES) to.setAttribute(name, style.getPropertyValue(name));
  to.removeAttribute("class");
  [...from.children].forEach((child, i) => inline(child, to.children[i]));
}

// A paragraph, line by line as the browser broke it.
function write(node, out, left, top) {
  const style = getComputedStyle(node), range = document.createRange();
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let part = walker.nextNode(); part; part = walker.nextNode()) {
    let line = null;
    for (const word of part.data.matchAll(/\S+\s*/g)) {
      range.setStart(part, word.index);
      range.setEnd(part, word.index + word[0].length);
      const box = range.getBoundingClientRect();
      if (!line || Math.abs(box.top - line.top) > 2) {
        const y = box.bottom - top - 0.25 * box.height;
        const look = { fill: style.color, "font-size": style.fontSize, "font-weight": style.fontWeight };
        line = { top: box.top, text: el("text", { x: box.left - left, y, ...look }, out, "") };
      }
      line.text.textContent += word[0];
    }
  }
}
