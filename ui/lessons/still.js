// The still picture that a question is asked about: a task as the lab would show it, or the two-parameter world.

import { taskPlot } from "../lab/task.js";
import { unpack } from "../lab/view.js";
import { onResize } from "../shared/resized.js";
import { alphaWords, capital, when } from "../shared/words.js";
import { shotCount } from "../lab/words.js";
import { el } from "../shared/el.js";
import { insist } from "./server.js";

// query: the address parameters of what is shown.
export function stillTask(parent, { query }) {
  const plot = taskPlot(parent);
  const caption = el("p", { class: "hint", role: "status" }, parent);
  const stop = new AbortController();
  let view = null;

  async function load() {
    try {
      view = await insist("lab/picture.json", new URLSearchParams(query), {
        signal: stop.signal,
        say: (words) => (caption.textContent = words),
        read: unpack,
      });
      draw();
      caption.removeAttribute("role");
      caption.textContent = view.learners.length
        ? `${capital(when(view.step))} · ${shotCount(view)} · α = ${alphaWords(view.alpha)}`
        : capital(shotCount(view));
    } catch (error) {
      caption.textContent = error.message;
    }
  }

  const draw = () => view && plot.update(view, view.step);
  const resized = onResize(draw);
  resized.observe(plot.svg);
  load();

  return {
    remove() {
      stop.abort();
      resized.disconnect();
      plot.remove();
    },
  };
}

export function stillWorld(parent, { query, looks }) {
  let world = null;
  let gone = false;
  const box = el("div", { class: "geometry still-world" }, parent);
  import("../geometry/world.js").then(({ twoParameterWorld }) => {
    if (!gone) world = twoParameterWorld(box, { looks, query, still: true });
  });
  return {
    remove() {
      gone = true;
      world?.remove();
    },
  };
}
