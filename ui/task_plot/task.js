// The task plot: the true curve, one line a learner, their common start as ghosts, and shots that can be placed, moved and removed.

import { el, linear, path, set, spread } from "./svg.js";
import { curve } from "./view.js";
import { describeTask } from "./words.js";

const DIAMOND = "M0,-8L8,0L0,8L-8,0Z";
const NEAR = { mouse: 13, pen: 16, touch: 24 }; // pixels within which a press means this shot
const MOVED = 4; // pixels after which a press is a drag
const DOUBLE = 400; // milliseconds between the two presses of a double click

// `edit(shots)` is called with the new list on every change, all through a drag.
export function taskPlot(parent, { edit, focusPlot }) {
  const svg = el("svg", { class: "task", tabindex: 0, role: "group", "aria-roledescription": "plot" }, parent);
  const title = el("desc", {}, svg);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const clipRect = el("rect", {}, el("clipPath", { id: clip }, el("defs", {}, svg)));
  const grid = el("g", { class: "grid", "aria-hidden": "true" }, svg);
  const lines = el("g", { "clip-path": `url(#${clip})`, "aria-hidden": "true" }, svg);
  const labels = el("g", { class: "labels", "aria-hidden": "true" }, svg);
  const preview = el("path", { d: DIAMOND, class: "preview", "aria-hidden": "true", visibility: "hidden" }, svg);
  const marks = el("g", { class: "shots" }, svg);
  let view, step, sx, sy, size, xs, press = null, lastPress = null;

  function layout() {
    const width = svg.clientWidth, height = svg.clientHeight, narrow = width < 500;
    if (!width) return false;
    size = { left: narrow ? 26 : 34, right: width - (narrow ? 88 : 102), top: 8, bottom: height - 24, width, height };
    sx = linear(view.limits.x, [size.left, size.right]);
    sy = linear(view.limits.y, [size.bottom, size.top]);
    xs = null;
    set(svg, { viewBox: `0 0 ${width} ${height}` });
    set(clipRect, { x: size.left, y: size.top, width: size.right - size.left, height: size.bottom - size.top });
    grid.replaceChildren();
    for (let x = -4; x <= 4; x += 2) {
      el("line", { x1: sx(x), x2: sx(x), y1: size.top, y2: size.bottom }, grid);
      el("text", { x: sx(x), y: size.bottom + 17, "text-anchor": "middle" }, grid, String(x).replace("-", "−"));
    }
    for (let y = -6; y <= 6; y += 2) {
      el("line", { x1: size.left, x2: size.right, y1: sy(y), y2: sy(y) }, grid);
      el("text", { x: size.left - 7, y: sy(y) + 4, "text-anchor": "end" }, grid, String(y).replace("-", "−"));
    }
    el("text", { class: "axis", x: size.right, y: size.bottom + 17, "text-anchor": "end" }, grid, "x");
    el("text", { class: "axis", x: size.left + 6, y: size.top + 12 }, grid, "y");
    return true;
  }

  const pixels = () => {
    const n = view.learners[0]?.curves[0].length ?? 201, [low, high] = view.limits.x;
    return (xs ??= Float32Array.from({ length: n }, (_, i) => sx(low + ((high - low) * i) / (n - 1))));
  };
  const toY = (values) => Float32Array.from(values, sy);

  // Each line: its role (how it looks), its values, and the label at its end.
  function strokes(curveOf) {
    const x = pixels(), all = [];
    const ghost = view.learners.find((l) => l.name === "maml") ?? view.learners[0];
    if (ghost && step > 0) all.push({ role: "before", id: "before", label: `${ghost.label} before`, y: ghost.curves[0] });
    const [low, high] = view.limits.x;
    const truth = Float32Array.from(x, (_, i) => curve(view, low + ((high - low) * i) / (x.length - 1)));
    all.push({ role: "true", id: "true", label: view.looks.true.label, y: truth });
    for (const l of [...view.learners].reverse()) all.push({ role: l.name, id: l.name, label: l.label, y: curveOf(l) });
    return all;
  }

  function draw(curveOf = (l) => l.curves[step]) {
    const all = strokes(curveOf), x = pixels();
    lines.replaceChildren();
    labels.replaceChildren();
    for (const stroke of all) {
      const look = view.looks[stroke.role];
      el(
        "path",
        {
          d: path(x, toY(stroke.y)),
          class: "curve",
          style: `stroke: var(--${stroke.role})`,
          "data-curve": stroke.id,
          "stroke-width": look.width,
          "stroke-dasharray": look.dash.join(" ") || null,
        },
        lines,
      );
    }
    const ends = all.map((stroke) => (Number.isFinite(stroke.y.at(-1)) ? sy(stroke.y.at(-1)) : size.top - 1));
    spread(ends, 16, size.top + 6, size.bottom - 4).forEach((y, i) => {
      const stroke = all[i], away = Math.min(Math.max(ends[i], size.top), size.bottom);
      el("path", { class: "leader", style: `stroke: var(--${stroke.role})`, d: `M${size.right + 1},${away}L${size.right + 7},${y}` }, labels);
      const text = ends[i] < size.top || ends[i] > size.bottom ? `${stroke.label} ${ends[i] < size.top ? "↑" : "↓"}` : stroke.label;
      el("text", { x: size.right + 10, y: y + 4, style: `fill: var(--${stroke.role}-text)` }, labels, text);
    });
    svg.setAttribute("aria-label", "The task");
    title.textContent = describeTask(view, step);
  }

  function drawShots() {
    const focused = [...marks.children].indexOf(document.activeElement);
    while (marks.children.length > view.shots.length) marks.lastChild.remove();
    while (marks.children.length < view.shots.length) {
      const mark = el("g", { class: "shot", tabindex: 0, role: "button" }, marks);
      el("circle", { r: 16, class: "halo" }, mark);
      el("path", { d: DIAMOND }, mark);
      mark.addEventListener("keydown", (event) => key(event, [...marks.children].indexOf(mark)));
    }
    view.shots.forEach(([x, y], i) => {
      const help = `Arrow keys move it, Delete removes it.`;
      set(marks.children[i], {
        transform: `translate(${sx(x)},${sy(y)})`,
        "aria-label": `Shot ${i + 1} of ${view.shots.length} at x ${x.toFixed(2)}, y ${y.toFixed(2)}. ${help}`,
      });
    });
    if (focused >= view.shots.length) (marks.lastChild ?? svg).focus({ preventScroll: true });
  }

  const round = (value) => Math.round(value * 1000) / 1000;
  const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);
  // Where a shot goes: exactly there, or `off` the curve at that x.
  const point = (x, y, off = 0) => {
    x = round(inside(x, view.limits.x));
    return [x, round(inside(view.free ? y : curve(view, x) + off, view.limits.y))];
  };
  const at = ({ px, py }, off) => point(sx.invert(px), sy.invert(py), off);
  const replaced = (i, shot) => view.shots.map((other, j) => (j === i ? shot : other));
  const away = (i) => view.shots[i][1] - curve(view, view.shots[i][0]);

  function remove(i) {
    press = lastPress = null;
    edit(view.shots.filter((_, j) => j !== i));
  }

  function here(event) {
    const box = svg.getBoundingClientRect();
    return { px: event.clientX - box.left, py: event.clientY - box.top };
  }

  function shotNear({ px, py }, reach) {
    let best = -1, distance = reach;
    view.shots.forEach(([x, y], i) => {
      const d = Math.hypot(sx(x) - px, sy(y) - py);
      if (d <= distance) [best, distance] = [i, d];
    });
    return best;
  }

  const onPlot = ({ px, py }) => px >= size.left - 4 && px <= size.right + 4 && py >= size.top - 4 && py <= size.bottom + 4;
  const far = (a, b) => Math.hypot(a.px - b.px, a.py - b.py) > MOVED;

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || !view) return;
    const place = here(event), shot = shotNear(place, NEAR[event.pointerType] ?? NEAR.mouse);
    const again = lastPress && event.timeStamp - lastPress.time < DOUBLE && !far(place, lastPress);
    if (again && shot >= 0 && lastPress.shot === shot) {
      event.preventDefault();
      remove(shot);
      return;
    }
    if (again && lastPress.placed) return; // the second half of a double click on an empty place
    lastPress = { ...place, shot, time: event.timeStamp };
    press = { ...place, shot, moved: false, before: view.shots, off: shot >= 0 ? away(shot) : 0 };
    if (shot >= 0) {
      event.preventDefault(); // the browser would move the focus away from the shot
      svg.setPointerCapture(event.pointerId);
      marks.children[shot].focus({ preventScroll: true });
    }
  });

  // A finger on a shot drags it; anywhere else on the plot it scrolls the page.
  svg.addEventListener(
    "touchstart",
    (event) => {
      const touch = event.touches[0];
      if (view && shotNear(here(touch), NEAR.touch) >= 0) event.preventDefault();
    },
    { passive: false },
  );

  svg.addEventListener("pointermove", (event) => {
    if (!view) return;
    const place = here(event);
    if (!press) {
      const near = shotNear(place, NEAR.mouse) >= 0;
      svg.classList.toggle("on-shot", near);
      const shown = event.pointerType === "mouse" && !near && onPlot(place);
      const [x, y] = at(place);
      set(preview, { visibility: shown ? "visible" : "hidden", transform: `translate(${sx(x)},${sy(y)})` });
      return;
    }
    if (far(place, press)) {
      press.moved = true;
      lastPress = null;
    }
    if (press.moved && press.shot >= 0) edit(replaced(press.shot, at(place, press.off)));
  });
  svg.addEventListener("pointerleave", () => preview.setAttribute("visibility", "hidden"));

  svg.addEventListener("pointerup", (event) => {
    if (!press) return;
    const { shot, moved } = press, place = here(event);
    press = null;
    if (shot >= 0 || moved || !onPlot(place)) return;
    if (edit([...view.shots, at(place)])) lastPress = { ...place, shot: -1, placed: true, time: event.timeStamp };
    preview.setAttribute("visibility", "hidden");
  });

  svg.addEventListener("pointercancel", () => (press = null));

  function key(event, i) {
    const by = event.shiftKey ? 0.5 : 0.1, [x] = view.shots[i];
    const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      // Sideways a shot keeps its distance from the curve, so that one placed off it stays off.
      const nx = inside(x + dx, view.limits.x), ny = curve(view, nx) + away(i) + (view.free ? dy : 0);
      edit(replaced(i, [round(nx), round(inside(ny, view.limits.y))]));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      remove(i);
    } else if (event.key === "Escape") {
      if (press?.moved) edit(press.before);
      press = null;
      focusPlot();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    svg,
    update(newView, newStep) {
      view = newView;
      step = newStep;
      if (!layout()) return;
      draw();
      drawShots();
    },
    move(newStep, curveOf) {
      step = newStep;
      draw(curveOf);
    },
  };
}
