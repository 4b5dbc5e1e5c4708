// A task plot: the true curve, one line a learner, earlier steps as ghosts, and shots that can be placed, moved and removed.

import { gesture } from "../shared/history.js";
import { byTouch } from "../shared/pointer.js";
import { chart } from "../chart/chart.js";
import { beyond, labelled } from "../chart/labels.js";
import { path } from "../chart/scale.js";
import { el, set, unitOf } from "../shared/el.js";
import { lineOf } from "../shared/looks.js";
import { curve } from "./view.js";
import { describeTask } from "./words.js";

const DIAMOND = "M0,-8L8,0L0,8L-8,0Z";
const NEAR = { mouse: 13, pen: 16, touch: 24 }; // pixels within which a press means this shot
const MOVED = 4; // pixels after which a press is a drag
const DOUBLE = 400; // milliseconds between the two presses of a double click
const ticks = (from, to) =>
  Array.from({ length: (to - from) / 2 + 1 }, (_, i) => [from + 2 * i, String(from + 2 * i).replace("-", "−")]);
const CROWD = 3; // with more learners than this in one plot, only one of them has ghosts

// `edit(shots, gesture)` is called with the new list on every change, all through a drag; a gesture's edits are undone as one. Without
// it the plot is a still picture. only: the name of the one learner drawn here, where there is a plot for each.
// What is to be laid over a plot hears of its scales by the event "laid": {x, y, unit}, from a number to a pixel.
export function taskPlot(parent, { edit = null, only = null } = {}) {
  const still = edit === null;
  const way = still ? { role: "img" } : { tabindex: 0, role: "group", "aria-roledescription": "plot" };
  const drawn = chart(parent, { kind: still ? "task still" : "task", attributes: way, pointer: false, light: only !== null });
  const svg = drawn.over;
  const title = el("desc", {}, svg);
  const names = el("g", { class: "grid", "aria-hidden": "true" }, svg);
  const labels = el("g", { class: "labels", "aria-hidden": "true" }, svg);
  const preview = el("path", { d: DIAMOND, class: "preview", "aria-hidden": "true", visibility: "hidden" }, svg);
  const marks = el("g", { class: "shots", "aria-hidden": still ? "true" : null }, svg);
  let view;
  let step;
  let unit;
  let shown;
  let sx;
  let sy;
  let size = null;
  let axes;
  let press = null;
  let lastPress = null;

  function layout() {
    const [width, height] = [svg.clientWidth, svg.clientHeight];
    if (!width) return false;
    unit = unitOf(svg);
    shown = view.learners.filter((l) => only === null || l.name === only);
    const aside = only !== null ? 8 : width < 500 * unit ? 88 : 102;
    const low = height < 230 * unit;
    axes = {
      x: { range: view.limits.x, ticks: ticks(-4, 4) },
      y: { range: view.limits.y, ticks: ticks(-6, 6).map(([y, text]) => [y, low && y % 4 ? "" : text]) },
    };
    const sides = { left: width < 500 * unit ? 26 : 34, right: aside, top: 8, bottom: 24 };
    ({ x: sx, y: sy, box: size } = drawn.lay({ ...axes, sides }));
    names.replaceChildren();
    el("text", { class: "axis", x: size.right, y: size.bottom + 17 * unit, "text-anchor": "end" }, names, "x");
    el("text", { class: "axis", x: size.left + 6 * unit, y: size.top + 12 * unit }, names, "y");
    svg.dispatchEvent(new CustomEvent("laid", { bubbles: true, detail: { x: sx, y: sy, unit } }));
    return true;
  }

  // Where curves have their values, at equal distances over the plot.
  const places = () => {
    const n = view.learners[0]?.curves[0].length ?? 201;
    const [low, high] = view.limits.x;
    return Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
  };

  // Each line: its role (how it looks), its values, and the label at its end.
  function strokes(curveOf) {
    const all = [];
    if (view.ghosts === "before" && step > 0) {
      const who = ghostly();
      const name =
        who.length === 2
          ? "both before"
          : who.length > 2
            ? "all before"
            : shown.length > 1
              ? `${who[0]?.label} before`
              : "before";
      who.forEach((l, i) =>
        all.push({ role: "before", id: i ? `before-${l.name}` : "before", label: i ? "" : name, y: l.curves[0] }),
      );
    }
    const truth = places().map((x) => curve(view, x));
    if (!view.truth_hidden) all.push({ role: "true", id: "true", label: view.looks.true.label, y: truth });
    for (const l of shown.toReversed()) all.push({ role: l.name, id: l.name, label: l.label, y: curveOf(l) });
    return all;
  }

  // The learners whose earlier steps are drawn.
  const ghostly = () => (shown.length <= CROWD ? shown : [shown.find((l) => l.name === "maml") ?? shown[0]]);

  // The steps before this one, the older the fainter. There may be a hundred of them, each a line of its own to Plotly, which would
  // take 100 ms: they lie under what it draws.
  function drawGhosts() {
    drawn.under.replaceChildren();
    const first = { all: 0, previous: step - 1 }[view.ghosts] ?? step;
    if (first >= step) return;
    const x = places().map(sx);
    const inside = (values) => Array.from(values, (y) => (sy(y) < size.top || sy(y) > size.bottom ? NaN : sy(y)));
    for (const l of ghostly()) {
      for (let s = Math.max(first, 0); s < step; s++) {
        const opacity = 0.15 + 0.4 * 0.8 ** (step - 1 - s);
        const look = { ...lineOf(view.looks[l.name], l.name, unit), "stroke-width": 1.3 * unit };
        const ghost = { d: path(x, inside(l.curves[s])), class: "curve", opacity, "data-ghost": `${l.name}-${s}`, ...look };
        el("path", ghost, drawn.under);
      }
    }
  }

  function draw(curveOf = (l) => l.curves[step]) {
    const all = strokes(curveOf);
    const x = places();
    drawn.draw({ ...axes, lines: all.map((stroke) => ({ ...stroke, x, look: view.looks[stroke.role] })) });
    labels.replaceChildren();
    if (only !== null) return;
    const named = all.filter((stroke) => stroke.label);
    const ends = named.map((stroke) => (Number.isFinite(stroke.y.at(-1)) ? sy(stroke.y.at(-1)) : -Infinity));
    const words = named.map(({ role, label }, i) => ({
      role,
      y: ends[i],
      text: label + beyond(ends[i], size),
    }));
    const where = { x: size.right + 10 * unit, gap: 16 * unit, low: size.top + 6 * unit, high: size.bottom - 4, unit };
    labelled(labels, words, where).forEach((y, i) => {
      const away = Math.min(Math.max(ends[i], size.top), size.bottom);
      const leader = `M${size.right + 1},${away}L${size.right + 7 * unit},${y}`;
      el("path", { class: "leader", style: `stroke: var(--${named[i].role})`, d: leader }, labels);
    });
  }

  function describe() {
    svg.setAttribute("aria-label", only === null ? "The task" : `The task, ${shown[0]?.label ?? ""}`);
    title.textContent = `${describeTask({ ...view, learners: shown }, step)}${still || byTouch() ? "" : " Enter goes to the shots."}`;
  }

  function drawShots() {
    const focused = [...marks.children].indexOf(document.activeElement);
    while (marks.children.length > view.shots.length) marks.lastChild.remove();
    while (marks.children.length < view.shots.length) {
      const mark = el("g", still ? { class: "shot" } : { class: "shot", tabindex: -1, role: "button" }, marks);
      el("circle", { r: 16, class: "halo" }, mark);
      el("path", { d: DIAMOND }, mark);
      mark.addEventListener("keydown", (event) => key(event, [...marks.children].indexOf(mark)));
    }
    view.shots.forEach(([x, y], i) => {
      const help = byTouch() ? "Drag it to move it, tap it twice to remove it." : "Arrow keys move it, Delete removes it.";
      set(marks.children[i], {
        transform: `translate(${sx(x)},${sy(y)}) scale(${only === null ? unit : 0.75 * unit})`,
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
    let best = -1;
    let distance = reach;
    view.shots.forEach(([x, y], i) => {
      const d = Math.hypot(sx(x) - px, sy(y) - py);
      if (d <= distance) [best, distance] = [i, d];
    });
    return best;
  }

  const onPlot = ({ px, py }) => px >= size.left - 4 && px <= size.right + 4 && py >= size.top - 4 && py <= size.bottom + 4;
  const far = (a, b, by) => Math.hypot(a.px - b.px, a.py - b.py) > (by === "touch" ? NEAR.touch : MOVED); // two taps are never in one place

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || !view) return;
    const place = here(event);
    const shot = shotNear(place, NEAR[event.pointerType] ?? NEAR.mouse);
    const again = lastPress && event.timeStamp - lastPress.time < DOUBLE && !far(place, lastPress, event.pointerType);
    if (again && shot >= 0 && lastPress.shot === shot) {
      event.preventDefault();
      remove(shot);
      return;
    }
    if (again && lastPress.placed) return; // the second half of a double click on an empty place
    lastPress = { ...place, shot, time: event.timeStamp };
    press = { ...place, shot, moved: false, before: view.shots, off: shot >= 0 ? away(shot) : 0, gesture: gesture("drag") };
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
      const hovering = event.pointerType === "mouse" && !near && onPlot(place);
      const [x, y] = at(place);
      const transform = `translate(${sx(x)},${sy(y)}) scale(${unit})`;
      set(preview, { visibility: hovering && (view.free || !view.truth_hidden) ? "visible" : "hidden", transform }); // it runs along the curve
      return;
    }
    if (far(place, press)) {
      press.moved = true;
      lastPress = null;
    }
    if (press.moved && press.shot >= 0) edit(replaced(press.shot, at(place, press.off)), press.gesture);
  });
  svg.addEventListener("pointerleave", () => preview.setAttribute("visibility", "hidden"));

  svg.addEventListener("pointerup", (event) => {
    if (!press) return;
    const { shot, moved } = press;
    const place = here(event);
    press = null;
    if (shot >= 0 || moved || !onPlot(place)) return;
    if (edit([...view.shots, at(place)])) lastPress = { ...place, shot: -1, placed: true, time: event.timeStamp };
    preview.setAttribute("visibility", "hidden");
  });

  svg.addEventListener("pointercancel", () => (press = null));

  // One stop for the Tab key, however many shots there are; once among them, Tab goes from one to the next.
  svg.addEventListener("keydown", (event) => {
    if (event.target !== svg || event.key !== "Enter" || !marks.firstChild) return;
    marks.firstChild.focus({ preventScroll: true });
    event.preventDefault();
  });
  const reachable = (yes) => [...marks.children].forEach((mark) => mark.setAttribute("tabindex", yes ? 0 : -1));
  // Listened for on the whole plot: a listener would make the group itself a stop.
  if (!still) {
    svg.addEventListener("focusin", (event) => reachable(marks.contains(event.target)));
    svg.addEventListener("focusout", (event) => marks.contains(event.relatedTarget) || reachable(false));
  }

  function key(event, i) {
    const by = event.shiftKey ? 0.5 : 0.1;
    const [x] = view.shots[i];
    const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      // Sideways a shot keeps its distance from the curve, so that one placed off it stays off.
      const nx = inside(x + dx, view.limits.x);
      const ny = curve(view, nx) + away(i) + (view.free ? dy : 0);
      edit(replaced(i, [round(nx), round(inside(ny, view.limits.y))]), gesture(`nudge ${i}`));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      remove(i);
    } else if (event.key === "Escape") {
      if (press?.moved) edit(press.before, press.gesture);
      press = null;
      svg.focus({ preventScroll: true });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    svg,
    remove: drawn.remove,
    update(newView, newStep) {
      view = newView;
      step = newStep;
      if (!layout()) return;
      drawGhosts();
      draw();
      drawShots();
      describe();
    },
    move(newStep, curveOf) {
      if (!size) return;
      if (newStep !== step) {
        step = newStep;
        drawGhosts();
        describe();
      }
      draw(curveOf);
    },
  };
}
