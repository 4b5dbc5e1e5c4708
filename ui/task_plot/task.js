// The task plot: the true curve, one line a learner, their common start as ghosts, and shots that can be placed, moved and removed.

import { el, linear, path, set, spread } from "./svg.js";
import { curve } from "./view.js";
import { describeTask } from "./words.js";

const DIAMOND = "M0,-8L8,0L0,8L-8,0Z";
const NEAR = { mouse: 13, pen: 16, touch: 24 }; // pixels within which a press means this shot
const MOVED = 4; // pixels after which a press is a drag
const DOUBLE = 400; // milliseconds between the two presses that remove a shot

// `edit(shots, final)` is called with the new list on every change; final is false in the middle of a drag.
export function taskPlot(parent, { edit, focusPlot }) {
  const svg = el("svg", { class: "task", tabindex: 0, role: "group", "aria-roledescription": "plot" }, parent);
  const title = el("desc", {}, svg);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const clipRect = el("rect", {}, el("clipPath", { id: clip }, el("defs", {}, svg)));
  const grid = el("g", { class: "grid", "aria-hidden": "true" }, svg);
  const lines = el("g", { "clip-path": `url(#${clip})`, "aria-hidden": "true" }, svg);
  const labels = el("g", { class: "labels", "aria-hidden": "true" }, svg);
  const marks = el("g", { class: "shots" }, svg);
  let view, step, sx, sy, size, xs, press = null, lastPress = null;

  function layout() {
    const width = svg.clientWidth, height = svg.clientHeight, narrow = width < 500;
    if (!width) return false;
    size = { left: narrow ? 26 : 34, right: width - (narrow ? 78 : 96), top: 8, bottom: height - 24, width, height };
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
    return true;
  }

  const pixels = () => {
    const n = view.learners[0]?.curves[0].length ?? 201, [low, high] = view.limits.x;
    return (xs ??= Float32Array.from({ length: n }, (_, i) => sx(low + ((high - low) * i) / (n - 1))));
  };
  const toY = (values) => Float32Array.from(values, sy);

  // Each line: its role (how it looks), its values, and the label at its end.
  function strokes(at) {
    const x = pixels(), all = [];
    const ghost = view.learners.find((l) => l.name === "maml") ?? view.learners[0];
    if (ghost && step > 0) all.push({ role: "before", id: "before", label: `${ghost.label} before`, y: ghost.curves[0] });
    const [low, high] = view.limits.x;
    const truth = Float32Array.from(x, (_, i) => curve(view, low + ((high - low) * i) / (x.length - 1)));
    all.push({ role: "true", id: "true", label: view.looks.true.label, y: truth });
    for (const l of [...view.learners].reverse()) all.push({ role: l.name, id: l.name, label: l.label, y: at(l) });
    return all;
  }

  function draw(at = (l) => l.curves[step]) {
    const all = strokes(at), x = pixels();
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
    const ends = all.map((stroke) => (Number.isFinite(stroke.y.at(-1)) ? sy(stroke.y.at(-1)) : size.top));
    spread(ends, 16, size.top + 6, size.bottom - 4).forEach((y, i) => {
      const stroke = all[i], look = view.looks[stroke.role], away = Math.min(Math.max(ends[i], size.top), size.bottom);
      el("path", { class: "leader", style: `stroke: var(--${stroke.role})`, d: `M${size.right + 1},${away}L${size.right + 7},${y}` }, labels);
      const text = stroke.role === "before" && size.width < 500 ? look.label : stroke.label;
      el("text", { x: size.right + 10, y: y + 4, style: `fill: var(--${stroke.role})` }, labels, text);
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
  const point = (x, y) => {
    x = round(inside(x, view.limits.x));
    return [x, round(inside(view.free ? y : curve(view, x), view.limits.y))];
  };
  const replaced = (i, shot) => view.shots.map((other, j) => (j === i ? shot : other));
  const without = (i) => view.shots.filter((_, j) => j !== i);

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

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    const at = here(event), shot = shotNear(at, NEAR[event.pointerType] ?? NEAR.mouse);
    const twice = shot >= 0 && lastPress?.shot === shot && event.timeStamp - lastPress.time < DOUBLE;
    lastPress = { shot, time: event.timeStamp };
    if (twice) {
      event.preventDefault();
      lastPress = press = null;
      edit(without(shot), true);
      return;
    }
    press = { ...at, shot, moved: false };
    if (shot >= 0) {
      event.preventDefault(); // the browser would move the focus away from the shot
      svg.setPointerCapture(event.pointerId);
      marks.children[shot].focus({ preventScroll: true });
    }
  });

  svg.addEventListener("pointermove", (event) => {
    const at = here(event);
    if (!press) {
      svg.classList.toggle("on-shot", shotNear(at, NEAR.mouse) >= 0);
      return;
    }
    if (Math.hypot(at.px - press.px, at.py - press.py) > MOVED) press.moved = true;
    if (press.moved && press.shot >= 0) edit(replaced(press.shot, point(sx.invert(at.px), sy.invert(at.py))), false);
  });

  svg.addEventListener("pointerup", (event) => {
    if (!press) return;
    const { shot, moved } = press, at = here(event);
    press = null;
    if (shot >= 0) {
      if (moved) edit(replaced(shot, point(sx.invert(at.px), sy.invert(at.py))), true);
      return;
    }
    const onPlot = at.px >= size.left - 4 && at.px <= size.right + 4 && at.py >= size.top - 4 && at.py <= size.bottom + 4;
    if (!moved && onPlot && edit([...view.shots, point(sx.invert(at.px), sy.invert(at.py))], true)) lastPress = null;
  });

  svg.addEventListener("pointercancel", () => {
    if (press?.moved && press.shot >= 0) edit(view.shots, true);
    press = null;
  });

  function key(event, i) {
    const by = event.shiftKey ? 0.5 : 0.1, [x, y] = view.shots[i];
    const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      // Sideways a shot keeps its distance from the curve, so that one placed off it stays off.
      const nx = inside(x + dx, view.limits.x), ny = y - curve(view, x) + curve(view, nx) + (view.free ? dy : 0);
      edit(replaced(i, [round(nx), round(inside(ny, view.limits.y))]), true);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      edit(without(i), true);
    } else if (event.key === "Escape") {
      focusPlot();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    svg,
    get dragging() { return Boolean(press?.moved && press.shot >= 0); },
    update(newView, newStep, at) {
      view = newView;
      step = newStep;
      if (!layout()) return;
      draw(at);
      drawShots();
    },
    tween(newStep, at) {
      step = newStep;
      draw(at);
    },
  };
}
