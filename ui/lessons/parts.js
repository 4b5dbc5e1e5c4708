// Small pieces that every part of a card is made of.

import { paint } from "../shared/looks.js";
import { el } from "../shared/el.js";

// The sheets to be there before a part is drawn, for styled().
export const SHEETS = ["lab/lab.css", "geometry/geometry.css", "lessons/lessons.css"];

export const YOURS = "A"; // whose look a person's own sketch has

// A section in the house style, with the roles' colours: {root, remove()}.
export function section(parent, looks, name, label) {
  const root = el("section", { class: `maml-lab lesson ${name}`, "aria-label": label }, parent);
  const paints = paint(root);
  paints.apply(looks);
  return {
    root,
    remove() {
      paints.remove();
      root.remove();
    },
  };
}

// HTML that the server made of a lesson's Markdown.
export function prose(parent, html, attributes = {}) {
  const made = el("div", { class: "prose", ...attributes }, parent);
  made.innerHTML = html;
  return made;
}

// The same where a paragraph of its own would be too much: the contents of its only one.
export function inline(parent, html) {
  const made = prose(parent, html, { class: "inline" });
  const only = made.children.length === 1 && made.firstElementChild;
  if (only && only.tagName === "P") only.replaceWith(...only.childNodes);
  return made;
}

export const heading = (parent, text, attributes = {}) => el("h2", { class: "part-name", ...attributes }, parent, text);
