// Charts, drawn by Plotly: nothing else says how it is told. Axes, lines, bands, maps, values under the pointer, zoom.
//
// What a person places or drags, labels at the ends of lines and all that moves alone is drawn by others, on `over`, an SVG by the same
// scales on top of it, which is there before Plotly has come. Measured (Plotly.js 4.1, two slow cores): four lines of 201 points drawn
// again take 8 ms, nine 10 ms.

import { el, set, unitOf } from "../shared/el.js";
import { byTouch } from "../shared/pointer.js";
import { colours } from "./colours.js";
import { tools } from "./tools.js";
import { plotly } from "./plotly.js";
import { linear, log, path } from "./scale.js";
import { lineOf } from "../shared/looks.js";

/** @import { Look } from "../shared/looks.js" */

/**
 * One axis: the range on show, in numbers of the data, and what is written at which of them.
 * @typedef {{ range: [number, number], log?: boolean, ticks: [number, string][], grid?: boolean }} Axis
 */

/**
 * One line in the look of its role. values: what is said of each point under the pointer; a line without them says nothing.
 * area: the way around a surface, filled faintly, not a line. dots: a dot at each point, and nothing else where the look is 0 wide.
 * bars: how far an interval goes up and down.
 * @typedef {object} Line
 * @property {string} id
 * @property {string} role
 * @property {ArrayLike<number>} x
 * @property {ArrayLike<number>} y
 * @property {Partial<Look>} [look]
 * @property {string} [label]
 * @property {string[]} [values]
 * @property {number} [opacity]
 * @property {boolean} [area]
 * @property {number | number[]} [dots] Their radius, or that of each.
 * @property {boolean} [hollow] Rings instead of dots.
 * @property {{ up: number[], down: number[] }} [bars]
 */

/**
 * A map: z[row][column], the logarithms, at x[column], y[row], as colours (as in CSS) from the first (at `low`) to the last (at `high`).
 * @typedef {object} Heat
 * @property {number[]} x
 * @property {number[]} y
 * @property {(number | null)[][]} z
 * @property {number} low
 * @property {number} high
 * @property {string[]} colours
 * @property {string[][]} [values]
 * @property {boolean} [smooth] Colours go over into each other between the places.
 */

/**
 * What is drawn. heading: what stands above the values of all lines under the pointer; nearest: only those of the nearest point stand
 * there.
 * @typedef {{ x: Axis, y: Axis, lines?: Line[], heat?: Heat, heading?: string, nearest?: boolean }} Picture
 */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Sides */
/** @typedef {ReturnType<typeof linear>} Scale */
/** @typedef {[number, number]} Range */
/**
 * Where things are: from a number to a pixel and back, the pixels of the axes' box, and the ranges of the part that is on show.
 * @typedef {{ x: Scale, y: Scale, shown: { x: Range, y: Range }, box: Sides, unit: number, width: number, height: number }} At
 */

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false, showAxisDragHandles: false };
const FAINT = 0.14; // of a surface, over the page
const CLEAR = "rgba(0, 0, 0, 0)";
const NEAR = 16; // pixels to the nearest point

// Plotly takes tags for its own, and names come from files and people.
/** @param {string} value */
const text = (value) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// Plotly makes a class of it.
/** @param {string} id */
const uidOf = (id) => id.replaceAll(/\s/g, "-");

/**
 * Arrays of numbers as lists, for JSON.
 * @param {string} _
 * @param {unknown} value
 */
const plainly = (_, value) => (ArrayBuffer.isView(value) ? Array.from(/** @type {Float32Array} */ (value)) : value);

/**
 * A chart in `parent`; `over` has this class and these attributes. pointer: whether values stand under it, or it is left to what is drawn
 * over the chart. zoom: whether a mouse may enlarge a part, and move that about with Shift; on touch none does. keep: the name of the
 * file by which it can be saved, without an ending; title: the selector, in `parent`, of what is saved above it. light: for small charts
 * that move together, whose lines are drawn plainly on Plotly's axes: eight of them by Plotly took 97 ms a step (p95). `laid` is called
 * when the scales have changed by a zoom.
 * @param {Element} parent
 * @param {{ kind: string, attributes?: Record<string, string | number | null>, pointer?: boolean, zoom?: boolean, keep?: string,
 *   title?: string, light?: boolean, laid?: () => void }} options
 */
export function chart(
  parent,
  { kind, attributes = { role: "img" }, pointer = true, zoom = false, keep = "", title = "", light = false, laid = () => {} },
) {
  const node = el("div", { class: `chart ${kind.split(" ")[0]}-chart` }, parent);
  node.classList.toggle("deaf", !pointer);
  const under = el("svg", { class: "under", "aria-hidden": "true" }, node);
  const plot = /** @type {any} */ (el("div", { class: "plot", "aria-hidden": "true" }, node));
  const over = el("svg", { class: `over ${kind}`, ...attributes }, node);
  const colour = colours(node);
  const root = parent.closest(".maml-lab");
  /** @type {At | null} */
  let at = null;
  /** @type {Picture | null} */
  let picture = null;
  /** @type {any} */
  let drawer = null;
  /** @type {{ x: Range, y: Range } | null} */
  let zoomed = null;
  let moving = false; // by hand
  let due = false; // to be drawn afterwards
  let gone = false;
  let told = ""; // what Plotly drew last
  let drawing = Promise.resolve(); // until Plotly has done all that this asked for

  const repaint = () => {
    colour.forget();
    told = "";
    if (picture) show();
  };
  root?.addEventListener("painted", repaint);
  plotly().then(
    (found) => {
      if (gone) return;
      drawer = found;
      if (picture) show();
    },
    () => el("p", { class: "missing", role: "alert" }, node, "The axes did not load. Reload the page to try again."),
  );

  /** @param {Axis} axis @param {Range} range @param {Range} pixels */
  const scaleOf = (axis, range, pixels) => (axis.log ? log : linear)(range, pixels);

  /**
   * The scales for the room there is now; null where there is none. Sides are in units, which grow with the type.
   * @param {{ x: Axis, y: Axis, sides: Sides }} wanted
   */
  function lay({ x, y, sides }) {
    const [width, height] = [over.clientWidth, over.clientHeight];
    if (!width) return null;
    const unit = unitOf(over);
    const box = {
      left: sides.left * unit,
      right: width - sides.right * unit,
      top: sides.top * unit,
      bottom: height - sides.bottom * unit,
    };
    const shown = zoomed ?? { x: x.range, y: y.range };
    at = {
      x: scaleOf(x, shown.x, [box.left, box.right]),
      y: scaleOf(y, shown.y, [box.bottom, box.top]),
      shown,
      box,
      unit,
      width,
      height,
    };
    for (const svg of [under, over]) set(svg, { viewBox: `0 0 ${width} ${height}` });
    return at;
  }

  /** @param {Axis} axis @param {Range} shown */
  function axisOf({ log: isLog, ticks, grid = true }, shown) {
    return {
      type: isLog ? "log" : "linear",
      range: isLog ? shown.map(Math.log10) : [...shown], // Plotly writes into it
      tickvals: ticks.map(([value]) => value),
      ticktext: ticks.map(([, text]) => text),
      tickangle: 0,
      ticks: "",
      showgrid: grid,
      gridcolor: colour.of("var(--grid)"),
      zeroline: false,
      automargin: false,
      fixedrange: !zoom || byTouch(),
    };
  }

  // Plotly leaves out the lines of the grid at the ends of the other axis.
  /** @param {Axis} across */
  function edges({ range, ticks, grid = true }) {
    const [first, last] = range.map((end) => grid && !zoomed && ticks.some(([value]) => value === end));
    return { showline: first, mirror: first && last, linecolor: colour.of("var(--grid)"), linewidth: 1 };
  }

  /** @param {string} ink @param {number | number[]} radius */
  function markerOf(ink, radius, hollow = false) {
    const unit = at?.unit ?? 1;
    const line = hollow ? { width: 3 * unit } : { color: colour.of("var(--paper)"), width: 1.5 * unit };
    const size = typeof radius === "number" ? 2 * radius * unit : radius.map((one) => 2 * one * unit);
    return { symbol: hollow ? "circle-open" : "circle", color: ink, size, opacity: 1, line };
  }

  /** @param {Line} line */
  function traceOf(
    { id, role, x, y, look = {}, label = "", values, opacity = 1, area, dots, hollow, bars },
    /** @type {number} */ i,
  ) {
    const ink = colour.of(`var(--${role})`);
    const unit = at?.unit ?? 1;
    const dash = look.dash?.map((length) => `${length * unit}px`).join(",") || "solid";
    return {
      type: "scatter",
      uid: uidOf(id),
      name: label,
      mode: !dots ? "lines" : look.width === 0 ? "markers" : "lines+markers",
      x,
      y,
      opacity,
      legendrank: -i, // of the values under the pointer: what lies on top is named first
      ...(area ? { fill: "toself", fillcolor: ink.replace(/^rgb\((.*)\)$/, `rgba($1, ${FAINT})`) } : {}),
      line: { color: ink, width: area ? 0 : (look.width ?? 2) * unit, dash, simplify: false },
      ...(dots ? { marker: markerOf(ink, dots, hollow), cliponaxis: false } : {}),
      ...(bars
        ? { error_y: { array: bars.up, arrayminus: bars.down, color: ink, thickness: 1.5 * unit, width: 0, symmetric: false } }
        : {}),
      ...(values ? { customdata: values.map(text), hovertemplate: "%{customdata}<extra></extra>" } : { hoverinfo: "skip" }),
    };
  }

  /** @param {Heat} heat */
  function heatOf({ x, y, z, low, high, colours: scale, values, smooth }) {
    return {
      type: "heatmap",
      uid: "heat",
      x,
      y,
      z,
      zmin: Math.log(low),
      zmax: Math.log(high),
      colorscale: scale.map((one, i) => [i / (scale.length - 1), colour.of(one)]),
      zsmooth: smooth ? "best" : false,
      showscale: false,
      ...(values ? { customdata: values, hovertemplate: "%{customdata}<extra></extra>" } : { hoverinfo: "skip" }),
    };
  }

  // Lines as they will be, so that nobody waits for Plotly to see them.
  function sketch() {
    const ground = light ? over : under; // what stays lies over the grid
    ground.querySelector(".sketch")?.remove();
    if (!picture || !at) return;
    const layer = el("g", { class: "sketch", "aria-hidden": "true" }, ground);
    ground.prepend(layer);
    const { x: sx, y: sy, box, unit } = at;
    const inside = (/** @type {number} */ value) => (sy(value) < box.top || sy(value) > box.bottom ? NaN : sy(value));
    for (const { id, role, x, y, look, opacity = 1, area } of picture.lines ?? []) {
      if (area) continue;
      const line = { d: path(Array.from(x, sx), Array.from(y, inside)), fill: "none", opacity };
      const made = el("path", { ...line, ...lineOf(/** @type {Look} */ ({ width: 2, dash: [], ...look }), role, unit) }, layer);
      if (light) set(made, { class: "curve", "data-curve": id });
    }
  }

  function show() {
    if (!drawer || light) sketch();
    if (!drawer || !picture || !at || gone) return;
    due = false;
    const all = JSON.stringify([light ? { ...picture, lines: [] } : picture, at], plainly);
    if (all === told) return; // a shot that moves moves no line, until its curves have come
    told = all;
    const { x, y, heat, heading, nearest } = picture;
    const lines = light ? [] : (picture.lines ?? []);
    const { box, unit, width, height, shown } = at;
    const style = getComputedStyle(over);
    const ink = colour.of("var(--ink)");
    const font = { family: style.fontFamily, size: 12 * unit, color: colour.of("var(--soft)") };
    const together = pointer && !heat && !nearest; // the values of all lines stand under the pointer, and a line through them
    const spike = together ? { spikecolor: colour.of("var(--soft)"), spikethickness: unit } : {};
    const layout = {
      width,
      height,
      margin: { l: box.left, r: width - box.right, t: box.top, b: height - box.bottom, pad: 0 },
      xaxis: { ...axisOf(x, shown.x), ...edges(y), ...spike, ...(heading ? { unifiedhovertitle: { text: heading } } : {}) },
      yaxis: { ...axisOf(y, shown.y), ...edges(x), ticklabelstandoff: Math.round(3 * unit) },
      font,
      showlegend: false,
      paper_bgcolor: CLEAR,
      plot_bgcolor: CLEAR,
      dragmode: zoom && !byTouch() ? "zoom" : false,
      hovermode: together ? "x unified" : pointer ? "closest" : false,
      hoverdistance: heat ? 1 : nearest ? NEAR * unit : -1,
      hoverlabel: { bgcolor: colour.of("var(--paper)"), bordercolor: colour.of("var(--grid)"), font: { ...font, color: ink } },
    };
    const first = !plot.data;
    drawing = drawer.react(plot, [...(heat ? [heatOf(heat)] : []), ...lines.map(traceOf)], layout, CONFIG);
    if (first) {
      if (!light) under.querySelector(".sketch")?.remove();
      plot.on("plotly_relayout", moved);
      plot.on("plotly_relayouting", follow);
      plot.on("plotly_doubleclick", reset); // the browser's own does not come through what Plotly lays over the page meanwhile
    }
    // Plotly calls the places of lines by the uid of each; one without a point has none.
    for (const { id, area } of lines) {
      const trace = plot.querySelector(`.scatterlayer .trace${CSS.escape(uidOf(id))}`);
      const path = trace?.querySelector(area ? ".js-fill" : ".js-line") ?? trace; // of dots alone there is no path
      path?.classList.add(area ? "area" : "curve");
      path?.setAttribute("data-curve", id);
    }
    node.dataset.drawn = "";
  }

  /**
   * What Plotly says is on show: of a log axis by powers of ten.
   * @param {Picture} picture
   * @param {number[]} x
   * @param {number[]} y
   */
  function zoomTo(picture, x, y) {
    /** @param {Axis} axis @param {number[]} range @returns {Range} */
    const rangeOf = ({ log: isLog }, [low, high]) => (isLog ? [10 ** low, 10 ** high] : [low, high]);
    zoomed = { x: rangeOf(picture.x, x), y: rangeOf(picture.y, y) };
    laid();
  }

  // While a part is moved about, Plotly moves what it drew; what is ours follows.
  /** @param {Record<string, number>} changed */
  function follow(changed) {
    if (!picture || !moving) return;
    const [x, y] = ["xaxis", "yaxis"].map((name) => [changed[`${name}.range[0]`], changed[`${name}.range[1]`]]);
    zoomTo(picture, x, y);
  }

  function stay() {
    moving = false;
    if (due) show();
  }

  /** @param {Record<string, unknown>} changed */
  function moved(changed) {
    moving = false;
    if (!picture || !Object.keys(changed).some((name) => name.includes("range"))) return;
    bar?.zoomed(true);
    zoomTo(picture, plot.layout.xaxis.range, plot.layout.yaxis.range);
    if (due) show();
  }

  const reset = () => {
    if (!zoomed) return;
    zoomed = null;
    bar?.zoomed(false);
    laid();
  };
  if (zoom) {
    node.addEventListener("pointerdown", (event) => {
      moving = event.shiftKey;
      if (moving) addEventListener("pointerup", () => setTimeout(stay), { once: true }); // once Plotly has heard of it
    });
  }
  const bar = keep ? tools(node, { keep, title, reset }) : null;

  return {
    node,
    over,
    under,
    lay,
    get at() {
      return at;
    },
    get zoomed() {
      return zoomed !== null;
    },
    /**
     * Draw, by the scales of the last `lay`; at once, or when Plotly has come.
     * @param {Picture} next
     */
    draw(next) {
      picture = next;
      node.classList.toggle("mapped", Boolean(next.heat));
      due = moving;
      if (!moving) show();
    },
    reset,
    remove() {
      gone = true;
      root?.removeEventListener("painted", repaint);
      node.remove();
      const forget = () => drawer.purge(plot);
      if (plot.data) drawing.then(forget, forget); // what it still does with the chart is in what would be forgotten
    },
  };
}
