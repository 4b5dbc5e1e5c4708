// A picture of the parameter plane: contours of a bowl, the tasks' optima, theta, arrows and paths. Theta and the optima can be moved.

import { HIGH, tintOf } from "../chart/heat.js";
import { byTouch } from "../shared/pointer.js";
import { el, set, unitOf } from "../shared/el.js";
import { linear, path } from "../chart/scale.js";
import { lineOf } from "../shared/looks.js";
import { spread } from "../chart/labels.js";
import { X, Y } from "./address.js";
import { axes, matrix } from "./toy.js";

const LEVELS = [16, 12, 10, 8, 7, 6, 5, 4, 3.5, 3, 2.5, 2, 1.6, 1.3, 1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1]; // of the mean loss, the same in both pictures
const SHADES = LEVELS.map((level, i) => `fill: ${tintOf(Math.sqrt(level * (LEVELS[i + 1] ?? level)))}`); // of what lies between a level and the next
const BEYOND = `fill: ${tintOf(HIGH)}`;
const OWN_LEVEL = 0.08; // of a task's own loss: the ring that shows its curvatures
const NEAR = { mouse: 16, pen: 18, touch: 26 }; // pixels within which a press means this handle

// `move(handle, next)` is called all through a drag, with "theta" or a task's number, and what makes its next place of its present
// one, which may be ahead of what is drawn. `rest()` is called when it ends.
// reachable: whether the keyboard gets to the handles here.
export function planePlot(parent, { move, rest, reachable }) {
  const svg = el("svg", { class: "plane", role: "group", "aria-roledescription": "plot" }, parent);
  const title = el("desc", {}, svg);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const clipRect = el("rect", {}, el("clipPath", { id: clip }, el("defs", {}, svg)));
  const layer = (attributes = {}) => el("g", { "aria-hidden": "true", ...attributes }, svg);
  const grid = layer({ class: "grid" });
  const contours = layer({ class: "contours", "clip-path": `url(#${clip})` });
  const rings = layer({ class: "rings", "clip-path": `url(#${clip})` });
  const lines = layer({ class: "lines", "clip-path": `url(#${clip})` });
  const labels = layer({ class: "labels" });
  const handles = el("g", { class: "handles" }, svg);
  let view;
  let unit;
  let size;
  let sx;
  let sy;
  let held = null;

  function resize() {
    const width = svg.clientWidth;
    if (!width) return;
    unit = unitOf(svg);
    const left = 26 * unit;
    const right = width - 4;
    const top = 4;
    const bottom = top + ((right - left) * (Y[1] - Y[0])) / (X[1] - X[0]); // one scale for both axes
    size = { left, right, top, bottom };
    sx = linear(X, [left, right]);
    sy = linear(Y, [bottom, top]);
    set(svg, { viewBox: `0 0 ${width} ${bottom + 20 * unit}`, height: bottom + 20 * unit });
    set(clipRect, { x: left, y: top, width: right - left, height: bottom - top });
    grid.replaceChildren();
    for (let x = -3; x <= 3; x++) {
      el("line", { x1: sx(x), x2: sx(x), y1: top, y2: bottom }, grid);
      el("text", { x: sx(x), y: bottom + 15 * unit, "text-anchor": "middle" }, grid, String(x).replace("-", "−"));
    }
    for (let y = -2; y <= 2; y++) {
      el("line", { x1: left, x2: right, y1: sy(y), y2: sy(y) }, grid);
      el("text", { x: left - 6 * unit, y: sy(y) + 4 * unit, "text-anchor": "end" }, grid, String(y).replace("-", "−"));
    }
  }

  const scale = () => sx(1) - sx(0);

  // The ellipse around a point on which 1/2 d' M d has this value.
  function ellipse(centre, { values, angle }, value, attributes, parent) {
    const [rx, ry] = values.map((l) => Math.min(1e4, Math.sqrt((2 * value) / Math.max(l, 1e-9)) * scale()));
    const [x, y] = [sx(centre[0]), sy(centre[1])];
    return el(
      "ellipse",
      { cx: x, cy: y, rx, ry, transform: `rotate(${(-angle * 180) / Math.PI} ${x} ${y})`, ...attributes },
      parent,
    );
  }

  function drawContours() {
    contours.replaceChildren();
    const {
      bowl: { matrix, lowest },
      least,
    } = view;
    const shape = axes(matrix);
    const drawn = LEVELS.filter((level) => level > least);
    el(
      "rect",
      { x: size.left, y: size.top, width: size.right - size.left, height: size.bottom - size.top, style: BEYOND },
      contours,
    );
    drawn.forEach((level, i) => ellipse(lowest, shape, level - least, { style: SHADES[i] }, contours));
    let last = -Infinity;
    for (const level of drawn.reverse()) {
      const below = sy(lowest[1]) + Math.sqrt((2 * (level - least)) / matrix[2]) * scale();
      if (below - last < 16 * unit || below > size.bottom - 2) continue;
      last = below;
      el("text", { x: sx(lowest[0]), y: below - 2 * unit, "text-anchor": "middle" }, contours, String(level));
    }
  }

  function drawRings() {
    rings.replaceChildren();
    view.world.tasks.forEach((task, i) =>
      ellipse(task.centre, axes(matrix(task)), OWN_LEVEL, { style: `stroke: var(--${view.letters[i]})` }, rings),
    );
  }

  // A line from one point to another, with a head.
  function arrow({ from, to, role, look, tip }) {
    const [x0, y0, x1, y1] = [sx(from[0]), sy(from[1]), sx(to[0]), sy(to[1])];
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (!(length > 1)) return;
    const head = Math.min(8 * unit, length);
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
    const [bx, by] = [x1 - ux * head, y1 - uy * head];
    const half = head * 0.45;
    const group = el("g", { "data-arrow": role }, lines);
    const shaft = path([x0, bx], [y0, by]);
    el("path", { class: "casing", d: shaft }, group);
    el("path", { class: "curve", d: shaft, ...lineOf(look, role, unit) }, group);
    el(
      "path",
      {
        d: `M${x1},${y1}L${bx - uy * half},${by + ux * half}L${bx + uy * half},${by - ux * half}Z`,
        style: `fill: var(--${role})`,
      },
      group,
    );
    if (tip)
      el(
        "text",
        {
          class: "tip",
          x: x1 + 9 * ux * unit,
          y: y1 + (9 * uy + 4) * unit,
          "text-anchor": "middle",
          style: `fill: var(--${role}-text)`,
        },
        group,
        tip,
      );
  }

  // Names beside points, in one column on the side where they point, apart from each other: [{at, role, text}].
  function drawNames(names) {
    labels.replaceChildren();
    const shown = names.filter(({ at }) => at[0] > X[0] && at[0] < X[1] && at[1] > Y[0] && at[1] < Y[1]);
    if (!shown.length) return;
    const xs = shown.map(({ at }) => sx(at[0]));
    const room = 66 * unit;
    const onRight = Math.max(...xs) + room < size.right;
    const x = onRight ? Math.max(...xs) + 12 * unit : Math.min(...xs) - 12 * unit;
    spread(
      shown.map(({ at }) => sy(at[1])),
      15 * unit,
      size.top + 8 * unit,
      size.bottom - 6,
    ).forEach((y, i) => {
      const { at, role, text } = shown[i];
      const edge = onRight ? x - 3 : x + 3;
      el("path", { class: "leader", style: `stroke: var(--${role})`, d: `M${sx(at[0])},${sy(at[1])}L${edge},${y}` }, labels);
      el(
        "text",
        { x, y: y + 4 * unit, "text-anchor": onRight ? "start" : "end", style: `fill: var(--${role}-text)` },
        labels,
        text,
      );
    });
  }

  function drawLines() {
    lines.replaceChildren();
    view.arrows.forEach(arrow);
    for (const { points, role, look, end } of view.paths) {
      const way = path(
        points.map((p) => sx(p[0])),
        points.map((p) => sy(p[1])),
      );
      el("path", { class: "casing", d: way }, lines);
      el("path", { class: "curve", "data-path": role, d: way, ...lineOf(look, role, unit) }, lines);
      if (end)
        el(
          "circle",
          {
            class: "end",
            "data-end": role,
            cx: sx(end[0]),
            cy: sy(end[1]),
            r: 7 * unit,
            ...lineOf({ ...look, width: 2, dash: look.dash.map((length) => length * 0.6) }, role, unit),
          },
          lines,
        );
      el(
        "circle",
        { class: "dot", cx: sx(points.at(-1)[0]), cy: sy(points.at(-1)[1]), r: 4 * unit, style: `fill: var(--${role})` },
        lines,
      );
    }
    drawNames(view.names);
  }

  const round = (value) => Math.round(value * 100) / 100;
  const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);
  const places = () => [...view.world.tasks.map((task, i) => [i, task.centre]), ["theta", view.theta]];
  const go = (handle, next) =>
    move(handle, (at) => {
      const [x, y] = next(at);
      return [round(inside(x, X)), round(inside(y, Y))];
    });

  function drawHandles() {
    const all = places();
    while (handles.children.length > all.length) handles.firstChild.remove();
    while (handles.children.length < all.length) {
      const mark = el(
        "g",
        reachable ? { class: "handle", tabindex: 0, role: "button" } : { class: "handle", "aria-hidden": "true" },
        handles,
      );
      el("circle", { class: "halo", r: 15 }, mark);
      el("circle", { class: "body", r: 9 }, mark);
      el("text", { "text-anchor": "middle", y: 4.5 }, mark);
      mark.addEventListener("keydown", (event) => key(event, places()[[...handles.children].indexOf(mark)]));
    }
    all.forEach(([handle, [x, y]], i) => {
      const mark = handles.children[i];
      const isTheta = handle === "theta";
      const name = isTheta ? "θ" : view.letters[handle];
      set(mark, {
        transform: `translate(${sx(x)},${sy(y)}) scale(${unit})`,
        style: `--of: var(${isTheta ? "--ink" : `--${name}`})`,
        "data-handle": handle,
      });
      mark.lastChild.textContent = name;
      const what = isTheta ? "θ, where the learners start" : `Optimum of task ${name}`;
      if (reachable)
        mark.setAttribute(
          "aria-label",
          `${what}, at ${x.toFixed(2)}, ${y.toFixed(2)}.${byTouch() ? "" : " Arrow keys move it."}`,
        );
    });
  }

  function key(event, [handle]) {
    const by = event.shiftKey ? 0.5 : 0.1;
    const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
    if (!(event.key in moves)) return;
    const [dx, dy] = moves[event.key];
    go(handle, ([x, y]) => [x + dx, y + dy]);
    rest();
    event.preventDefault();
    event.stopPropagation();
  }

  function here(event) {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function nearest([px, py], reach) {
    let best = null;
    let distance = reach;
    for (const [handle, [x, y]] of places()) {
      const d = Math.hypot(sx(x) - px, sy(y) - py);
      if (d <= distance) [best, distance] = [{ handle, dx: sx(x) - px, dy: sy(y) - py }, d]; // theta is last: it wins a tie
    }
    return best;
  }

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || !view) return;
    held = nearest(here(event), NEAR[event.pointerType] ?? NEAR.mouse);
    if (!held) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    svg.classList.add("holding");
    if (reachable) svg.querySelector(`[data-handle="${held.handle}"]`).focus({ preventScroll: true });
  });
  // A finger on a handle drags it; anywhere else it scrolls the page.
  svg.addEventListener("touchstart", (event) => view && nearest(here(event.touches[0]), NEAR.touch) && event.preventDefault(), {
    passive: false,
  });
  svg.addEventListener("pointermove", (event) => {
    if (!view) return;
    const [px, py] = here(event);
    if (held) {
      go(held.handle, () => [sx.invert(px + held.dx), sy.invert(py + held.dy)]);
    } else svg.classList.toggle("near", nearest([px, py], NEAR.mouse) !== null);
  });
  const release = () => {
    if (!held) return;
    held = null;
    svg.classList.remove("holding");
    rest();
  };
  svg.addEventListener("pointerup", release);
  svg.addEventListener("pointercancel", release);

  return {
    resize, // before the first update, and when the room for it has changed
    // view: {world, letters, theta, bowl, least, arrows: [{from, to, role, look, tip}], paths: [{points, role, look, end}],
    // names: [{at, role, text}], label, said}; least: the bowl's value at its lowest point.
    update(newView) {
      view = newView;
      if (!size) return;
      drawContours();
      drawRings();
      drawLines();
      drawHandles();
      svg.setAttribute("aria-label", view.label);
      title.textContent = view.said;
    },
  };
}
