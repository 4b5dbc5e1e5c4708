// A run of one's own beside the figure that was predicted for it.

import { json, sentence } from "../shared/server.js";
import { el } from "../shared/el.js";
import { number, steps } from "../shared/words.js";
import { count } from "../train/words.js";
import { AWAY } from "./server.js";
import { scaleOf } from "./slider.js";

const LIVE_MS = 1500; // between two questions to the server
const NEWEST = 5; // runs that are shown

const beside = (ratio) =>
  ratio > 1.1
    ? `the error is ${ratio.toFixed(1)} times as large`
    : ratio < 1 / 1.1
      ? `the error is ${(1 / ratio).toFixed(1)} times smaller`
      : "the error is close to that";

// predicted: the figure. `news()` is called when an error of the visitor's own runs is another than before.
export function runPart(parent, { card, predicted, news }) {
  const bar = el("div", { class: "run-bar" }, parent);
  el("a", { class: "to-train", href: "train" }, bar, "Train one now");
  el(
    "p",
    { class: "setting" },
    bar,
    `Your prediction: ${scaleOf(card.answer).words(predicted)}. Your runs are listed here while they train. You can leave this page and come back.`,
  );
  const list = el("ul", { class: "own-runs" }, parent);
  const said = el("p", { class: "hint", role: "status" }, parent);
  const stop = new AbortController();
  let timer = null;
  let known = "";

  function row(run) {
    const item = el("li", {}, list);
    const { error } = run;
    const ended = run.state === "finished";
    const reached = ended && error && error.mean <= predicted;
    el("strong", { class: "run-error" }, item, error ? number(error.mean) : "–");
    el(
      "span",
      {},
      item,
      error
        ? `± ${error.ci95.toFixed(3)} after ${steps(run.steps)}, ${run.K} shots, iteration ${count(error.iteration)}`
        : "not measured yet",
    );
    const name = el("a", { href: `train?${new URLSearchParams({ run: run.name })}` }, item, run.title);
    name.after(` ${run.state}`);
    if (error && ended)
      el(
        "span",
        { class: "run-beside" },
        item,
        `you predicted ${scaleOf(card.answer).words(predicted)}: ${beside(error.mean / predicted)}`,
      );
    item.classList.toggle("reached", Boolean(reached));
  }

  async function poll() {
    const { signal } = stop;
    try {
      const mine = (await json("train/runs.json", { signal })).runs.filter((run) => run.mine).slice(0, NEWEST);
      const now = JSON.stringify(mine.map(({ name, state, error }) => [name, state, error]));
      said.textContent = mine.length ? "" : "You have no runs on this server yet.";
      if (now !== known) {
        known = now;
        list.replaceChildren();
        mine.forEach(row);
        if (mine.some((run) => run.error)) news();
      }
    } catch (error) {
      if (signal.aborted) return;
      said.textContent = error.refused ? sentence(error) : AWAY;
    }
    timer = setTimeout(poll, LIVE_MS);
  }
  poll();

  return {
    remove() {
      stop.abort();
      clearTimeout(timer);
    },
  };
}
