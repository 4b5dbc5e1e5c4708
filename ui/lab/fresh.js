// This task against 1,000 fresh ones under the same settings, measured by the server when one looks: one task is an anecdote.

import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { isDiverged, quantile } from "./view.js";
import { alphaWords, interval, number, shots } from "../shared/words.js";
import { lossWords } from "./words.js";

const WAIT_MS = 150; // while one looks, settings may still be on the move

// `fetchFresh(parameters, signal)` promises the server's answer. `show(found)` draws it: a map from a learner's name to its losses.
export function freshPanel(parent, { fetchFresh, show }) {
  const lead = el("p", { class: "lead", role: "status" }, parent);
  const scroller = el(
    "div",
    { class: "scroller", tabindex: 0, role: "group", "aria-label": "This task among fresh ones" },
    parent,
  );
  const table = el("table", {}, scroller);
  const foot = el("p", { class: "about" }, parent);
  const answers = new Map(); // the parameters -> what the server said
  let view;
  let step;
  let on = false;
  let timer = null;
  let asking = null;
  let asked = "";
  let failed = "";
  let rounds = 0;

  const parameters = (l) =>
    new URLSearchParams({
      learners: l.key,
      K: view.shots.length,
      alpha: view.alpha,
      num_updates: view.updates,
      noise: view.noise,
      placement: view.placement,
      freeze: view.freeze,
    }).toString();
  const answer = (l) => answers.get(parameters(l));
  const askable = () => on && !view.blind && view.shots.length > 0;

  function ask(wait = WAIT_MS) {
    const wanted = askable()
      ? view.learners
          .filter((l) => !answer(l))
          .map(parameters)
          .join()
      : "";
    if (wanted === asked) return;
    asked = wanted;
    clearTimeout(timer);
    asking?.abort();
    asking = null;
    if (!wanted) return;
    timer = setTimeout(async () => {
      const { signal } = (asking = new AbortController());
      failed = "";
      await Promise.all(
        view.learners
          .filter((l) => !answer(l))
          .map(async (l) => {
            const wanted = parameters(l);
            try {
              answers.set(wanted, await fetchFresh(wanted, signal));
            } catch (error) {
              if (!signal.aborted) failed = `${l.label} could not be measured: ${error.message}`;
            }
            if (!signal.aborted) draw();
          }),
      );
      if (!signal.aborted) asked = "";
    }, wait);
  }

  function draw() {
    const found = new Map(askable() ? view.learners.filter(answer).map((l) => [l.name, answer(l)]) : []);
    show(found);
    table.replaceChildren();
    foot.textContent = "";
    if (!on) return;
    if (view.blind) return void (lead.textContent = "These figures would give the names away. They appear after the vote.");
    if (!view.shots.length) return void (lead.textContent = "Place a shot, or sample some, to do the same on 1,000 tasks.");
    const settings = `${shots(view.shots.length)} each, α = ${alphaWords(view.alpha)}${view.noise ? `, noise ${view.noise}` : ""}`;
    const waiting = view.learners.length - found.size;
    lead.dataset.done = waiting ? "" : String(++rounds); // for whoever measures
    lead.textContent =
      failed || (waiting ? `Adapting to 1,000 fresh tasks, ${settings} …` : `This task among 1,000 fresh ones, ${settings}`);
    const head = el("tr", {}, el("thead", {}, table));
    for (const name of ["error", "this task", "median", "95% of tasks", "mean ± 95%"]) el("th", { scope: "col" }, head, name);
    const body = el("tbody", {}, table);
    for (const l of view.learners) {
      const f = found.get(l.name);
      const row = el("tr", {}, body);
      const name = el("th", { scope: "row" }, row);
      swatch(view.looks[l.name], l.name, name);
      name.append(l.label);
      el("td", {}, row, lossWords(view, l.query[step]));
      const at = (level) => quantile(f, step, level);
      const cells = f
        ? [
            short(view, f.median[step]),
            `${short(view, at(0.025))} to ${short(view, at(0.975))}`,
            interval(f.mean[step], f.ci95[step]),
          ]
        : ["…", "", ""];
      for (const text of cells) el("td", {}, row, text);
    }
    const said = view.learners.filter((l) => found.has(l.name)).map((l) => rank(view, l, found.get(l.name), step));
    foot.textContent = said.join(" ");
  }

  return {
    update(newView, newStep) {
      view = newView;
      step = newStep;
      draw();
      ask();
    },
    // Whether anyone is looking.
    turn(newOn) {
      on = newOn;
      if (!view) return;
      draw();
      ask(0);
    },
    remove() {
      clearTimeout(timer);
      asking?.abort();
    },
  };
}

const short = (view, loss) => (loss >= view.limits.diverged ? "diverged" : number(loss));

// Where this one task stands among the fresh ones.
function rank(view, l, found, step) {
  const mine = l.query[step];
  const row = found.quantiles[step];
  const gone = found.diverged[step] ? ` ${share(found.diverged[step])} of the tasks have diverged.` : "";
  if (isDiverged(view, mine)) return `${l.label} has diverged here.${gone}`;
  const above = row.findIndex((loss) => loss > mine);
  const below = above < 0 ? row.length - 1 : Math.max(above - 1, 0);
  const part =
    above <= 0
      ? found.levels[below]
      : found.levels[below] + ((found.levels[above] - found.levels[below]) * (mine - row[below])) / (row[above] - row[below]);
  return `For ${l.label} this task is harder than ${Math.round(100 * part)}% of them.${gone}`;
}

const share = (part) => (part < 0.1 ? `${(100 * part).toFixed(1)}%` : `${Math.round(100 * part)}%`);
