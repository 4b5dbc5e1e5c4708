// The second-order term: how long alpha H g is beside g, layer by layer, through a run's snapshots or for the shipped checkpoints.

import { current, write } from "../shared/address.js";
import { json, sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { lineOf, swatch } from "../shared/looks.js";
import { linear, log, path } from "../chart/scale.js";
import { spread } from "../chart/labels.js";
import { whenSeen } from "./seen.js";
import { degrees } from "./words.js";

const LETTERS = ["A", "B", "C", "D", "E", "F", "G", "H", "I"]; // the looks of layers
const PARAMETER = "run";
const EARLY = 100; // iterations up to which the axis is nearly linear, and beyond which it is logarithmic

export function secondOrderTerm(parent, { looks }) {
  el("h2", { class: "part-title" }, parent, "What FOMAML leaves out: the second-order term αHg");
  const said = el("p", { class: "sentence", role: "status" }, parent, "");
  const chooser = el("label", { class: "choose" }, parent, "follow the training of ");
  const choice = el("select", { "aria-label": "the run shown" }, chooser);
  const shown = el("div", { class: "term" }, parent);
  const explained = el("div", { class: "follows two" }, parent);
  for (const [formula, text] of [
    [
      "∇F₁ = g − αHg",
      "For one task and one step: g is the gradient of the query loss at θ′, H the Hessian of the loss on the shots at θ. MAML follows the difference, FOMAML g alone. H is never formed: its product with g takes one forward-mode pass through a backward pass.",
    ],
    [
      "how to read it",
      "A ratio of 0 means that nothing is left out; 1, that what is left out is as long as what is kept. The angle is the one between the two: at 0° FOMAML gets only the length wrong, otherwise the direction too. Medians over 512 tasks (fewer for large networks) with 10 shots. Training makes the ratio grow: where one step is enough to solve a task, αH is near 1 along that step.",
    ],
  ]) {
    const box = el("div", {}, explained);
    el("p", { class: "formula" }, box, formula);
    el("p", { class: "about" }, box, text);
  }
  const scroller = el(
    "div",
    { class: "scroller", tabindex: 0, role: "group", "aria-label": "The second-order term in numbers" },
    parent,
  );
  const table = el("table", {}, scroller);
  let run = current().searchParams.get(PARAMETER) ?? "";
  let answer = null;
  let problem = "";
  let gone = false;

  async function show() {
    said.textContent ||= "Measuring …";
    const asked = run;
    try {
      const news = await json("geometry/term.json", { query: run ? { run } : {} });
      if (gone || run !== asked) return;
      answer = news;
      draw();
    } catch (error) {
      if (gone || run !== asked) return;
      if (!run) return void (said.textContent = `The term cannot be shown: ${sentence(error)}`);
      problem = `${sentence(error)} Showing the shipped checkpoints instead. `;
      run = "";
      show();
    }
  }

  function draw() {
    const { runs, points } = answer;
    chooser.hidden = !runs.length;
    choice.replaceChildren();
    el("option", { value: "" }, choice, "no run: the shipped checkpoints");
    for (const { name, title } of runs) el("option", { value: name }, choice, title);
    choice.value = run;
    said.textContent = problem + finding(points, run);
    shown.replaceChildren();
    if (run) {
      chart(points, "ratio", "length of αHg / length of g", (part) => part[0], [0, 1.5], [0, 0.5, 1, 1.5], String);
      chart(
        points,
        "angle",
        "angle between αHg and g",
        (part) => part[1],
        [0, 120],
        [0, 30, 60, 90, 120],
        (tick) => `${tick}°`,
      );
    } else bars(points);
    fill(points);
  }

  const layersOf = (points) =>
    points[0]?.layers.map((_, i, { length }) => ({
      role: LETTERS[i % LETTERS.length],
      label: i === length - 1 ? "head" : `layer ${i + 1}`,
      of: (point) => point.layers[i],
    })) ?? [];
  const everything = { role: "true", label: "all", of: (point) => point.whole };

  function chart(points, name, title, value, range, ticks, say) {
    const box = el("div", {}, shown);
    el("h3", {}, box, title);
    const width = box.clientWidth || 560;
    const height = 230;
    const left = 40;
    const right = width - 66;
    const top = 8;
    const bottom = height - 36;
    const svg = el(
      "svg",
      {
        class: "term-chart",
        viewBox: `0 0 ${width} ${height}`,
        role: "img",
        "data-chart": name,
        "aria-label": `${title} by iteration. ${said.textContent}`,
      },
      box,
    );
    const last = Math.max(points.at(-1).iteration, 10 * EARLY);
    const scale = log([EARLY, last + EARLY], [left, right]);
    const sx = (iteration) => scale(iteration + EARLY);
    const sy = linear(range, [bottom, top]);
    const grid = el("g", { class: "grid" }, svg);
    const ends = [];
    for (const tick of ticks) {
      el("line", { x1: left, x2: right, y1: sy(tick), y2: sy(tick) }, grid);
      el("text", { x: left - 6, y: sy(tick) + 4, "text-anchor": "end" }, grid, say(tick));
    }
    for (const at of [0, ...[1, 10, 100, 1000, 10_000].map((times) => times * EARLY)].filter((at) => at <= last))
      el("text", { x: sx(at), y: bottom + 16, "text-anchor": "middle" }, grid, at.toLocaleString("en"));
    el("text", { class: "axis", x: right, y: bottom + 31, "text-anchor": "end" }, grid, "iteration");
    for (const { role, label, of } of [...layersOf(points), everything]) {
      const known = points.filter((point) => value(of(point)) !== null);
      const ys = known.map((point) => sy(Math.min(value(of(point)), range[1])));
      const xs = known.map((point) => sx(point.iteration));
      el(
        "path",
        {
          class: "curve",
          "data-layer": label,
          d: path(xs, ys),
          ...lineOf({ ...looks[role], width: role === "true" ? 2.6 : 1.8 }, role),
        },
        svg,
      );
      if (ys.length) ends.push([ys.at(-1), label, role]);
    }
    const labels = el("g", { class: "labels" }, svg);
    spread(
      ends.map(([y]) => y),
      15,
      top + 4,
      bottom,
    ).forEach((y, i) => el("text", { x: right + 8, y: y + 4, style: `fill: var(--${ends[i][2]}-text)` }, labels, ends[i][1]));
  }

  function bars(points) {
    const box = el("div", { class: "term-bars", role: "img", "aria-label": finding(points, run) }, shown);
    const most = Math.max(1, ...points.map((point) => point.whole[0] ?? 0));
    for (const {
      label,
      role,
      whole: [ratio, angle],
    } of points) {
      el("span", {}, box, label);
      const bar = el("span", { class: "bar" }, box);
      bar.style.cssText = `width: ${(100 * (ratio ?? 0)) / most}%; background: var(--${role})`;
      el("span", { class: "value" }, box, ratio === null ? "–" : `${ratio.toFixed(2)} · ${degrees(angle)}`);
    }
    el(
      "p",
      { class: "about whole" },
      box,
      "length of αHg as a share of the length of g, and the angle between them; each network with its own α",
    );
  }

  function fill(points) {
    table.replaceChildren();
    const head = el("tr", {}, el("thead", {}, table));
    const body = el("tbody", {}, table);
    const parts = [everything, ...layersOf(points)];
    for (const column of [
      run ? "iteration" : "network",
      ...parts.map(({ label }) => `${label}: ratio, angle`),
      "angle between MAML’s and FOMAML’s mean gradients",
    ])
      el("th", { scope: "col" }, head, column);
    for (const point of points) {
      const row = el("tr", {}, body);
      const first = el("th", { scope: "row" }, row);
      if (!run) swatch(looks[point.role], point.role, first);
      first.append(run ? point.iteration.toLocaleString("en") : point.label);
      for (const { of } of parts)
        el("td", {}, row, of(point)?.[0] == null ? "–" : `${of(point)[0].toFixed(2)}, ${degrees(of(point)[1])}`);
      el("td", {}, row, degrees(point.apart));
    }
  }

  choice.addEventListener("change", () => {
    run = choice.value;
    problem = "";
    show();
    write({ [PARAMETER]: run || null });
  });
  chooser.hidden = true;
  const resized = new ResizeObserver(() => answer && run && draw());
  resized.observe(parent);
  const unsee = whenSeen(parent, show);
  return {
    remove() {
      gone = true;
      unsee();
      resized.disconnect();
    },
  };
}

// What FOMAML leaves out, in numbers.
function finding(points, run) {
  const told = ({ whole: [ratio, angle] }) =>
    ratio === null ? "nothing" : `a term ${percent(ratio)} as long as the one it keeps, at an angle of ${degrees(angle)} to it`;
  if (!points.length) return "There are no snapshots yet.";
  if (run) {
    const [first, last] = [points[0], points.at(-1)];
    const when = (point) => `at iteration ${point.iteration.toLocaleString("en")}`;
    return first === last
      ? `${when(first)[0].toUpperCase()}${when(first).slice(1)} FOMAML would ignore ${told(first)}.`
      : `FOMAML would ignore ${told(first)}, ${when(first)}; ${told(last)}, ${when(last)}.`;
  }
  const of = (role) => points.find((point) => point.role === role);
  return `FOMAML ignores ${["random", "maml"]
    .filter(of)
    .map((role) => `${told(of(role))}, ${role === "random" ? "before any training" : "at MAML’s trained initialisation"}`)
    .join("; ")}.`;
}

const percent = (share) => `${Math.round(100 * share)}%`;
