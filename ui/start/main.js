// The start page: one task before any step, one button that takes a step, and the ways on.

import { paint } from "../shared/looks.js";
import { glide } from "../shared/motion.js";
import { onResize } from "../shared/resized.js";
import { otherSeed } from "../shared/seeds.js";
import { AWAY, text } from "../shared/server.js";
import { mounted } from "../shared/mounted.js";
import { el } from "../shared/el.js";
import { swatch } from "../shared/looks.js";
import { taskPlot } from "../lab/task.js";
import { queryOf, unpack } from "../lab/view.js";
import { finding, lossWords, numbers, setting } from "../lab/words.js";
import { shots, when } from "../shared/words.js";

const GLIDE_MS = 700;
const WAYS = [
  [
    "lessons",
    "Ten minutes of lessons",
    "Short cards: predict, observe, explain. From this picture to why it works, and when it fails.",
  ],
  ["lab", "The lab", "The same task with every control: drag the shots, remove half of them, raise α until adaptation diverges."],
  ["train", "Train your own", "Meta-train an initialisation from scratch, watch its error fall, then adapt it to this task."],
];
const WHAT =
  "MAML (model-agnostic meta-learning) trains the initial weights of a network on many tasks, so that a few gradient steps on a few points are enough to learn a new one. " +
  "This helps where each task has little data: a network trained on that alone overfits, and one trained on all tasks at once knows only their average.";
const FAR = 2;
const TRIES = 6; // a wave that both draw already, more or less, would show little

export const { render, remove } = mounted(["lab/lab.css", "start/start.css"], (parent, { data }) => makeView(parent, data));

function makeView(parent, data) {
  const server = new URL("lab/", document.baseURI).href;
  const root = el("section", { class: "maml-lab start", "aria-label": "Start" }, parent);
  const head = el("div", { class: "start-head" }, root);
  const heading = el("h1", {}, head);
  const subheading = el("p", { class: "setting" }, head);
  const picture = el("div", { class: "start-picture" }, root);
  el("p", { class: "what" }, root, WHAT);
  const side = el("div", { class: "start-side" }, root);
  el("h2", {}, side, "error against the true curve");
  const figures = el("div", { class: "figures" }, side);
  const press = el("button", { type: "button", class: "primary press" }, side);
  press.addEventListener("click", () => (step === 0 ? go(1) : another()));
  const after = el("div", { class: "after" }, side);
  const hint = el("p", {}, after);
  const more = el("button", { type: "button" }, after, "One more step");
  more.addEventListener("click", () => step < view.updates && go(step + 1));
  const status = el("p", { class: "hidden", role: "status" }, root);
  const ways = el("nav", { class: "ways", "aria-label": "Where to go next" }, root);
  const links = Object.fromEntries(
    WAYS.map(([page, title, about]) => {
      const way = el("a", { href: page }, ways);
      el("strong", {}, way, title);
      el("span", {}, way, about);
      return [page, way];
    }),
  );
  const teaching = el("p", { class: "teaching" }, root, "Teaching a class? ");
  el("a", { href: "classroom" }, teaching, "Open a room");
  el("span", {}, teaching, " where everyone predicts on their own screen.");

  const paints = paint(root);
  const plot = taskPlot(picture, { edit });
  let view = unpack(data);
  let step = 0;
  let stop = () => {};
  let asking = false;
  let changing = false;
  let edits = 0;
  let drawn = 0;
  let problem = "";
  let gone = false;

  function go(to) {
    const from = step;
    step = to;
    say();
    stop();
    stop = glide(GLIDE_MS, (between) => plot.move(step, between && ((l) => between(l.curves[from], l.curves[to]))));
  }

  async function another() {
    if (changing) return;
    changing = true;
    try {
      let next = view;
      for (let tries = 0; tries < TRIES; tries++) {
        next = unpack(await text(`${server}picture.json`, { query: { seed: otherSeed(Number(next.query.seed)) } }));
        if (gone) return;
        if (next.learners.every((l) => l.query[0] > FAR)) break;
      }
      [view, step, problem] = [next, 0, ""];
      drawn = edits;
    } catch (error) {
      problem = error.refused ? error.message : `${AWAY} Try again in a moment.`;
    } finally {
      changing = false;
    }
    if (!gone) draw();
  }

  // A shot shows at once; the curves follow, one request at a time, the latest winning.
  function edit(placed) {
    if (placed.length > view.limits.shots) return false;
    view = { ...view, shots: placed, by_hand: true };
    edits += 1;
    draw();
    adapt();
    return true;
  }

  async function adapt() {
    if (asking) return;
    asking = true;
    try {
      while (drawn !== edits && !gone) {
        const mine = edits;
        const { seed } = view.query;
        const next = unpack(await text(`${server}picture.json`, { query: queryOf(view, step) }));
        if (seed !== view.query.seed) continue; // of a task that has gone since
        view = { ...view, learners: next.learners };
        [drawn, problem] = [mine, ""];
        draw();
      }
    } catch (error) {
      problem = error.refused ? error.message : `${AWAY} Move a shot again in a moment.`;
      if (!gone) draw();
    } finally {
      asking = false;
    }
  }

  function draw() {
    stop();
    paints.apply(view.looks);
    plot.update(view, step);
    say();
  }

  function say() {
    heading.textContent = finding(view, step);
    subheading.textContent = step
      ? setting(view)
      : `Neither network has seen this task, a sine wave. Both get the same ${shots(view.shots.length)} and the same step size.`;
    figures.replaceChildren();
    for (const l of view.learners) {
      const figure = el("div", { class: "figure" }, figures);
      const name = el("span", { class: "card-label" }, figure);
      swatch(view.looks[l.name], l.name, name);
      name.append(l.label);
      el("strong", { style: `color: var(--${l.name}-text)`, "data-loss": l.name }, figure, lossWords(view, l.query[step]));
      el("span", { class: "from" }, figure, step ? `from ${lossWords(view, l.query[0])}` : when(0));
    }
    press.textContent = step ? "Again, with another task" : "Take one gradient step";
    hint.textContent = problem || (step ? numbers(view, step) : "Guess first: which of the two will match the true curve?");
    hint.classList.toggle("sentence", step > 0);
    more.style.visibility = step ? "" : "hidden"; // its place is kept: nothing moves but the curves
    more.setAttribute("aria-disabled", step === view.updates);
    status.textContent = problem || numbers(view, step);
    links.lab.href = `lab?${new URLSearchParams(queryOf(view, step))}`;
  }

  say(); // at once, or what is below would move when the words come
  const resized = onResize(draw);
  resized.observe(plot.svg);

  return {
    remove() {
      gone = true;
      stop();
      resized.disconnect();
      plot.remove();
      paints.remove();
      root.remove();
    },
  };
}
