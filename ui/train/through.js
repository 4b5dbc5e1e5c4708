// One task, through training: its shots adapted from the initialisation of each snapshot, with a scrubber over them.

import { glide } from "../shared/motion.js";
import { shotHelp } from "../shared/pointer.js";
import { onResize } from "../shared/resized.js";
import { otherSeed } from "../shared/seeds.js";
import { el } from "../shared/el.js";
import { taskPlot } from "../lab/task.js";
import { floats, rows } from "../shared/arrays.js";
import { number, steps } from "../shared/words.js";
import { shotCount } from "../lab/words.js";
import { count } from "./words.js";

const TWEEN_MS = 220;
const PLAY_MS = 500;

// `fetchTask(parameters, signal)` promises what ui/train/watching.py's task() says. `moved(iteration, newest)` hears of the snapshot on show.
export function throughPanel(parent, { looks, limits, fetchTask, moved }) {
  el("h2", {}, parent, "your task through training");
  const said = el("p", { class: "key" }, parent);
  const plot = taskPlot(parent, { edit });
  const hint = el("p", { class: "hint" }, parent);
  const bar = el("div", { class: "through-bar", role: "group", "aria-label": "Training time" }, parent);
  const playButton = el("button", { type: "button" }, bar, "Play");
  const scrubber = el("input", { type: "range", min: 0, step: 1, "aria-label": "snapshot shown" }, bar);
  const other = el("button", { type: "button", title: "Another sine wave, with its own shots" }, bar, "New task");
  playButton.addEventListener("click", () => (playing ? pause() : play()));
  scrubber.addEventListener("input", () => {
    pause();
    go(Number(scrubber.value), false);
  });
  other.addEventListener("click", () => {
    query = { seed: otherSeed(task?.seed) };
    ask();
  });
  let run = "";
  let known = "";
  let query = {};
  let task = null;
  let at = 0;
  let follows = true;
  let playing = null;
  let stopGlide = () => {};
  let asking = new AbortController();
  let view = null;

  async function ask() {
    asking.abort();
    const { signal } = (asking = new AbortController());
    try {
      const found = await fetchTask({ run, ...query }, signal);
      if (signal.aborted) return; // a later question has been asked
      const flat = floats(found.curves);
      const losses = floats(found.query);
      const n = found.iterations.length;
      const ends = (pair) => Object.assign([], { 0: pair[0], [found.steps]: pair[1] }); // the steps between are not asked for
      const before = task?.iterations[at];
      task = {
        ...found,
        curves: n ? rows(flat, n).map((all) => ends(rows(all, 2))) : [],
        losses: n ? rows(losses, n).map(ends) : [],
      };
      at = follows
        ? n - 1
        : Math.max(
            0,
            task.iterations.findLastIndex((i) => i <= before),
          );
      draw();
    } catch {
      if (!signal.aborted) known = ""; // asked again at the next news
    }
  }

  function edit(shots) {
    if (!task || shots.length > limits.shots) return false;
    query = {
      ...query,
      seed: task.seed,
      amplitude: task.amplitude,
      phase: task.phase,
      shots: shots.map(([x, y]) => `${x},${y}`).join(";") || "none",
    };
    task = { ...task, shots, by_hand: true };
    draw();
    ask();
    return true;
  }

  const viewOf = (learners) => ({
    ...task,
    learners,
    updates: task.steps,
    looks,
    limits,
    ghosts: "before",
    truth_hidden: false,
    free: false,
    alpha: 0,
    placement: "anywhere",
  });

  // The task alone, and why there is nothing beside it.
  function bare(why) {
    said.textContent = why;
    view = viewOf([]);
    plot.update(view, 0);
  }

  function draw() {
    if (!task) return;
    if (!task.iterations.length) return bare(task.why || "no snapshot yet");
    const role = task.role;
    const label = looks[role].label;
    const learner = {
      name: role,
      label,
      curves: task.curves[at],
      query: task.losses[at],
      diverged: -1,
      trained_steps: task.steps,
      own_alpha: 0,
      results: {},
    };
    view = viewOf([learner]);
    plot.update(view, task.steps);
    say();
  }

  function say() {
    const { iterations, losses, steps: last } = task;
    scrubber.max = iterations.length - 1;
    scrubber.value = at;
    scrubber.setAttribute("aria-valuetext", `after ${count(iterations[at])} iterations`);
    scrubber.style.setProperty("--done", `${(100 * at) / Math.max(iterations.length - 1, 1)}%`);
    const error = losses[at][last];
    const where = iterations[at] ? `after ${count(iterations[at])} iterations` : "untrained";
    said.textContent = `${where}: error ${number(losses[at][0])} before, ${error <= limits.diverged ? number(error) : "diverged"} after ${steps(last)} on ${shotCount(view)}`;
    hint.textContent = shotHelp();
    playButton.disabled = scrubber.disabled = iterations.length < 2;
    moved(run ? iterations[at] : null, at === iterations.length - 1);
  }

  function go(to, smooth) {
    if (!task || to === at) return;
    const from = task.curves[at];
    const then = task.curves[to];
    const last = task.steps;
    at = to;
    follows = at === task.iterations.length - 1;
    stopGlide();
    draw();
    if (smooth) stopGlide = glide(TWEEN_MS, (between) => plot.move(last, between && (() => between(from[last], then[last]))));
  }

  function play() {
    playButton.textContent = "Pause";
    if (at >= task.iterations.length - 1) go(0, false);
    playing = setInterval(() => (at < task.iterations.length - 1 ? go(at + 1, true) : pause()), PLAY_MS);
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    playButton.textContent = "Play";
  }

  const resized = onResize(() => draw());
  resized.observe(plot.svg);

  return {
    // The run on show and the iterations of its snapshots.
    update(newRun, snapshots) {
      if (newRun !== run) {
        follows = true;
        pause();
        if (task) bare("");
        task = null;
      }
      const wanted = `${newRun} ${snapshots.join()}`;
      run = newRun;
      if (wanted === known) return;
      known = wanted;
      ask();
    },
    // The snapshot nearest to an iteration.
    point(iteration) {
      if (!task) return;
      pause();
      const distance = task.iterations.map((i) => Math.abs(i - iteration));
      go(distance.indexOf(Math.min(...distance)), false);
    },
    remove() {
      asking.abort();
      pause();
      stopGlide();
      resized.disconnect();
      plot.remove();
    },
  };
}
