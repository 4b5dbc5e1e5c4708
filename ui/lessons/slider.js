// An answer that is a number, by a slider whose scale is linear or logarithmic.

import { el } from "../shared/el.js";

const POSITIONS = 200;

// The scale of a slider's answer: position(value) and value(position) between 0 and 1, ticks, and numbers as it writes them.
export function scaleOf({ low, high, log, unit = "" }) {
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const digits = Math.max(0, 2 - Math.floor(Math.log10(high - low))); // for a hundredth of the range or so
  const short = (value) => (log ? Number(value.toPrecision(2)) : Number(value.toFixed(digits)));
  const inside = (value) => Math.min(Math.max(value, low), high); // last: rounding may lead out
  const powers = () => Array.from({ length: 40 }, (_, i) => 10 ** (i - 20)).flatMap((power) => [1, 3].map((n) => n * power));
  return {
    position: (value) => ((log ? Math.log(value) : value) - from) / (to - from),
    value: (position) => inside(short(log ? Math.exp(from + position * (to - from)) : from + position * (to - from))),
    words: (value) => `${String(Number(value.toPrecision(log ? 2 : 3))).replace("-", "−")}${unit && `\u00a0${unit}`}`,
    ticks: log
      ? [low, ...powers().filter((tick) => tick > low * 1.6 && tick < high / 1.6), high].map((tick) =>
          Number(tick.toPrecision(2)),
        )
      : [0, 1, 2, 3, 4].map((i) => short(low + ((high - low) * i) / 4)),
  };
}

export function sliderAnswer(parent, { answer, changed }) {
  const scale = scaleOf(answer);
  const box = el("div", { class: "slide" }, parent);
  const label = el("label", { class: "slide-label" }, box, answer.label);
  const value = el("output", { class: "slide-value" }, box, "?");
  const track = el("div", { class: "slide-track" }, box);
  const input = el(
    "input",
    { type: "range", min: 0, max: POSITIONS, step: 1, value: POSITIONS / 2, "aria-valuetext": "not chosen yet" },
    track,
  );
  const ticks = el("div", { class: "slide-ticks", "aria-hidden": "true" }, track);
  const place = (node, at) => node.style.setProperty("--at", at);
  for (const tick of scale.ticks) place(el("span", {}, ticks, scale.words(tick)), scale.position(tick));
  const id = `slide-${Math.random().toString(36).slice(2)}`;
  input.id = id;
  label.htmlFor = id;
  input.style.setProperty("--done", "50%");
  let chosen = null;

  function choose(newValue, at = scale.position(newValue)) {
    chosen = newValue;
    value.textContent = scale.words(chosen);
    input.setAttribute("aria-valuetext", scale.words(chosen));
    input.style.setProperty("--done", `${100 * at}%`);
    box.classList.add("chosen");
  }
  const read = () => {
    const at = Number(input.value) / POSITIONS;
    choose(scale.value(at), at);
    changed();
  };
  input.addEventListener("input", read);
  input.addEventListener("pointerup", () => input.disabled || read()); // the middle can be meant too

  return {
    value: () => (chosen === null ? null : String(chosen)),
    missing: "Move the slider to your prediction first.",
    lock(text) {
      const given = Number(text);
      input.value = Math.round(POSITIONS * scale.position(given));
      choose(given);
      input.disabled = true;
    },
    show(truth) {
      const at = Math.min(Math.max(scale.position(truth), 0), 1);
      const mark = el("div", { class: at > 0.6 ? "slide-truth before" : "slide-truth" }, track);
      place(mark, at);
      el("span", {}, mark, `measured: ${scale.words(truth)}`);
    },
    remove() {},
  };
}
