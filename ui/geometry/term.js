// The second-order term: how long alpha H g is beside g, layer by layer, through a run's snapshots or for the shipped checkpoints.

import { current, write } from "../shared/address.js";
import { onResize } from "../shared/resized.js";
import { json, sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { capital } from "../shared/words.js";
import { whenSeen } from "./seen.js";
import { partsOf, termBars, termLines } from "./termcharts.js";
import { degrees } from "./words.js";

/** @import { Look } from "../shared/looks.js" */
/** @import { TermPoint } from "./termcharts.js" */

const PARAMETER = "run";

/**
 * @param {Element} parent
 * @param {{ looks: Record<string, Look> }} known
 */
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
  /** @type {{ lay: () => void, remove: () => void } | null} */
  let picture = null;
  let problem = "";
  let asking = new AbortController();

  async function show() {
    said.textContent ||= "Measuring …";
    asking.abort();
    const { signal } = (asking = new AbortController());
    try {
      const news = await json("geometry/term.json", { query: run ? { run } : {}, signal });
      if (!signal.aborted) draw(news);
    } catch (error) {
      if (signal.aborted) return;
      if (!run) return void (said.textContent = `The term cannot be shown: ${sentence(error)}`);
      problem = `${sentence(error)} Showing the shipped checkpoints instead. `;
      run = "";
      show();
    }
  }

  /** @param {{ runs: { name: string, title: string }[], points: TermPoint[] }} answer */
  function draw({ runs, points }) {
    chooser.hidden = !runs.length;
    choice.replaceChildren();
    el("option", { value: "" }, choice, "no run: the shipped checkpoints");
    for (const { name, title } of runs) el("option", { value: name }, choice, title);
    choice.value = run;
    said.textContent = problem + finding(points, run);
    picture?.remove();
    shown.replaceChildren();
    const keep = `second-order-term${run && `-${run}`}`;
    if (!points.length) picture = null;
    else if (run) picture = termLines(shown, { points, looks, said: said.textContent, keep });
    else picture = termBars(shown, { points, said: said.textContent, keep });
    fill(points);
  }

  /** @param {TermPoint[]} points */
  function fill(points) {
    table.replaceChildren();
    const head = el("tr", {}, el("thead", {}, table));
    const body = el("tbody", {}, table);
    const parts = partsOf(points);
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
      for (const { of } of parts) {
        const [ratio, angle] = of(point) ?? [null, null];
        el("td", {}, row, ratio === null ? "–" : `${ratio.toFixed(2)}, ${degrees(angle)}`);
      }
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
  const resized = onResize(() => picture?.lay());
  resized.observe(parent);
  const unsee = whenSeen(parent, show);
  return {
    remove() {
      asking.abort();
      unsee();
      resized.disconnect();
      picture?.remove();
    },
  };
}

/**
 * What FOMAML leaves out, in numbers.
 * @param {TermPoint[]} points
 * @param {string} run
 */
function finding(points, run) {
  const told = (/** @type {TermPoint} */ { whole: [ratio, angle] }) =>
    ratio === null ? "nothing" : `a term ${percent(ratio)} as long as the one it keeps, at an angle of ${degrees(angle)} to it`;
  if (!points.length) return "There are no snapshots yet.";
  if (run) {
    const [first, last] = [points[0], points[points.length - 1]];
    const when = (/** @type {TermPoint} */ point) => `at iteration ${point.iteration.toLocaleString("en")}`;
    return first === last
      ? `${capital(when(first))} FOMAML would ignore ${told(first)}.`
      : `FOMAML would ignore ${told(first)}, ${when(first)}; ${told(last)}, ${when(last)}.`;
  }
  const found = points.filter(({ role }) => role === "random" || role === "maml");
  const where = { random: "before any training", maml: "at MAML’s trained initialisation" };
  return `FOMAML ignores ${found.map((point) => `${told(point)}, ${where[/** @type {"random" | "maml"} */ (point.role)]}`).join("; ")}.`;
}

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)}%`;
