// The real network: the plane that adaptation moves in most, for MAML and for a learner beside it; loss before and after a step.

import { HIGH, channelsOf, colourBar, tintOf } from "../chart/heat.js";
import { json, sentence } from "../shared/server.js";
import { el, set } from "../shared/el.js";
import { linear } from "../chart/scale.js";
import { swatch } from "../shared/looks.js";
import { floats } from "../shared/arrays.js";
import { list, number } from "../shared/words.js";
import { contour } from "./contours.js";
import { whenSeen } from "./seen.js";

const BESIDE = ["pretrained", "fomaml", "reptile"];
const LEVELS = [0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.1, 1.5, 2, 2.5, 3, 4, 5, 6.5, 8, 10, 13, 18, 25, 35, 50];
const STEPS = 10;

export function realNetwork(parent, { looks }) {
  parent.classList.add("network");
  el("h2", { class: "part-title" }, parent, "The real network: the plane in which it adapts");
  const setting = el("p", { class: "setting" }, parent, "The two directions along which adaptation moves it most.");
  const chooser = el("div", { class: "world-buttons", role: "group", "aria-label": "Compare MAML with" }, parent);
  el("span", { class: "key-words" }, chooser, "compare MAML with:");
  const buttons = Object.fromEntries(
    BESIDE.map((name) => {
      const made = el("button", { type: "button" }, chooser);
      swatch(looks[name], name, made);
      made.append(looks[name].label);
      made.addEventListener("click", () => show(name));
      return [name, made];
    }),
  );
  const pictures = el("div", { class: "planes" }, parent);
  colourBar(parent, tintOf);
  el("p", { class: "key" }, parent, "bright: low error · the same colours in all four pictures, and on Explore");
  const said = el("p", { class: "sentence", role: "status" }, parent, "");
  el(
    "p",
    { class: "about" },
    parent,
    "Lines: contours of the mean error over 32 tasks, at the same levels in all four pictures. Coloured paths: the inner steps of eight tasks from θ (the dot), projected onto the plane; long ones leave the picture. The plane is spanned by the two principal directions, about θ, of the displacements θ′ − θ after 10 steps on each of 64 tasks with 10 shots; every network has its own plane.",
  );
  const scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "The planes in numbers" }, parent);
  const table = el("table", {}, scroller);
  const known = new Map();
  let beside = BESIDE[0];
  let gone = false;

  const fetched = (name) =>
    known.get(name) ?? known.set(name, json("geometry/plane.json", { query: { learner: name } })).get(name);

  async function show(name) {
    beside = name;
    for (const other of BESIDE) buttons[other].setAttribute("aria-pressed", other === name);
    const planes = [];
    try {
      for (const [i, learner] of ["maml", name].entries()) {
        draw(planes, ["maml", name].slice(i));
        planes.push(await fetched(learner));
        if (gone || beside !== name) return;
      }
      draw(planes, []);
    } catch (error) {
      known.delete("maml");
      known.delete(name);
      if (gone) return;
      for (const each of pictures.querySelectorAll(".awaited")) each.textContent = "";
      said.textContent = `The planes cannot be shown: ${sentence(error)}`;
    }
  }

  // planes: those that are known; awaited: the names of the others.
  function draw(planes, awaited) {
    pictures.replaceChildren();
    for (const plane of planes) {
      picture(plane, "before", `${plane.label}, before any step`);
      picture(plane, "after", `${plane.label}, after one inner step`);
    }
    for (const name of awaited) {
      for (const when of ["before any step", "after one inner step"])
        el("p", { class: "awaited" }, frame(name, `${looks[name].label}, ${when}`), "measuring …");
    }
    if (!planes.length) return void (said.textContent = "Measuring …");
    const share = ({ explained }) => explained[0] + explained[1];
    said.textContent =
      `One step from θ takes the mean error of ${list(planes.map((plane) => `${plane.label} from ${number(centre(plane.before))} to ${number(centre(plane.after))}`))}. ` +
      `These planes hold ${list(planes.map((plane) => `${percent(share(plane))} of ${plane.label}’s`))} movement; the rest is in directions that the pictures do not show.`;
    setting.textContent =
      `Of ${planes[0].parameters.toLocaleString("en")} directions, the two along which adaptation moves it most. From θ, ` +
      `${list(planes.map(({ label, length: [one, all] }) => `${label} is ${one.toFixed(2)} away after one step, ${all.toFixed(2)} after ${STEPS}`))}.`;
    fill(planes);
  }

  function frame(learner, name) {
    const box = el("figure", {}, pictures);
    const head = el("figcaption", {}, box);
    swatch(looks[learner], learner, head);
    head.append(name);
    return el("div", { class: "frame" }, box);
  }

  function picture(plane, when, name) {
    const values = floats(plane[when]);
    const n = Math.sqrt(values.length);
    const into = frame(plane.learner, name);
    const shade = el("div", { class: "shade" }, into);
    shade.style.backgroundImage = `url(${shades(values, n)})`;
    const size = into.clientWidth || 300;
    const svg = el("svg", { viewBox: `0 0 ${size} ${size}`, role: "img" }, into);
    const scale = linear([0, n - 1], [0, size]);
    const place = linear([-plane.extent, plane.extent], [0, size]);
    const lines = el("g", { class: "levels" }, svg);
    const names = el("g", { class: "level-names" }, svg);
    const taken = [];
    for (const level of LEVELS) {
      const segments = contour(values, n, level);
      if (!segments.length) continue;
      el(
        "path",
        {
          d: segments
            .map(
              ([a, b, c, d]) =>
                `M${scale(a).toFixed(1)},${(size - scale(b)).toFixed(1)}L${scale(c).toFixed(1)},${(size - scale(d)).toFixed(1)}`,
            )
            .join(""),
        },
        lines,
      );
      // Its number, right of the middle where it is cut by the line through it.
      const here = segments
        .filter(([a, b, , d]) => (b - (n - 1) / 2) * (d - (n - 1) / 2) <= 0 && a > (n - 1) / 2)
        .map(([a]) => scale(a));
      const x = here.find((x) => x > size / 2 + 16 && x < size - 14 && taken.every((other) => Math.abs(other - x) > 24));
      if (x === undefined) continue;
      taken.push(x);
      el("text", { x, y: size / 2 + 4, "text-anchor": "middle" }, names, String(level));
    }
    if (when === "before") drawPaths(svg, plane, place, size);
    el("circle", { class: "theta", cx: size / 2, cy: size / 2, r: 4.5 }, svg);
    set(svg, {
      "aria-label": `${name}: mean error ${number(centre(plane[when]))} at θ, ${number(Math.min(...values))} at the lowest point of the plane, from ${-plane.extent} to ${plane.extent} along both directions.`,
    });
  }

  function drawPaths(svg, plane, place, size) {
    const points = floats(plane.paths);
    const each = 2 * (STEPS + 1);
    for (let from = 0; from < points.length; from += each) {
      const path = Array.from({ length: STEPS + 1 }, (_, step) => [
        place(points[from + 2 * step]),
        size - place(points[from + 2 * step + 1]),
      ]);
      const d = `M${path.map((at) => at.map((v) => v.toFixed(1)).join(",")).join("L")}`;
      el("path", { class: "casing", d }, svg);
      el("path", { class: "way", style: `stroke: var(--${plane.learner})`, d }, svg);
      path.forEach(
        ([cx, cy], step) =>
          step &&
          el(
            "circle",
            { class: "dot", cx, cy, r: step === 1 || step === STEPS ? 3.4 : 1.8, style: `fill: var(--${plane.learner})` },
            svg,
          ),
      );
    }
  }

  function fill(planes) {
    table.replaceChildren();
    const head = el("tr", {}, el("thead", {}, table));
    const body = el("tbody", {}, table);
    const columns = [
      "learner",
      "along the first direction",
      "along the second",
      "not shown",
      "distance after 1 step",
      `after ${STEPS} steps`,
      "half the picture’s width",
      "error at θ",
      "after 1 step",
    ];
    for (const column of columns) el("th", { scope: "col" }, head, column);
    for (const {
      learner,
      label,
      explained: [u, v],
      length,
      extent,
      before,
      after,
    } of planes) {
      const row = el("tr", {}, body);
      const first = el("th", { scope: "row" }, row);
      swatch(looks[learner], learner, first);
      first.append(label);
      for (const cell of [
        percent(u),
        percent(v),
        percent(1 - u - v),
        ...length.map((l) => l.toFixed(3)),
        String(extent),
        number(centre(before)),
        number(centre(after)),
      ])
        el("td", {}, row, cell);
    }
  }

  for (const name of BESIDE) buttons[name].setAttribute("aria-pressed", name === beside);
  const unsee = whenSeen(parent, () => show(beside));
  return {
    remove() {
      gone = true;
      unsee();
    },
  };
}

const percent = (share) => `${Math.round(100 * share)}%`;
const centre = (text) => ((values) => values[(values.length - 1) / 2])(floats(text));

// The losses as a picture, a pixel each.
function shades(values, n) {
  const canvas = el("canvas", { width: n, height: n });
  const context = canvas.getContext("2d");
  const image = context.createImageData(n, n);
  values.forEach((value, i) => {
    const row = n - 1 - Math.floor(i / n);
    image.data.set([...channelsOf(Number.isFinite(value) ? value : HIGH), 255], 4 * (row * n + (i % n)));
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
