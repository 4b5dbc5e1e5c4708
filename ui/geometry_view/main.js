// The geometry page: a world of two parameters, and what of it is found in the real network.

import { paint } from "../task_plot/looks.js";
import { styled } from "../task_plot/styles.js";
import { el } from "../task_plot/svg.js";
import { realNetwork } from "./network.js";
import { secondOrderTerm } from "./term.js";
import { twoParameterWorld } from "./world.js";

const views = new WeakMap();

export function render(component, base) {
  styled(base, ["style.css", "task_plot/lab.css", "geometry_view/geometry.css"]).then(() => {
    const parent = component.parentElement;
    if (!parent.isConnected) return; // the page was left meanwhile
    if (!views.has(parent)) views.set(parent, makeView(parent, JSON.parse(component.data)));
  });
}

export function remove(parent) {
  views.get(parent)?.remove();
  views.delete(parent);
}

function makeView(parent, { looks }) {
  const root = el("section", { class: "maml-lab geometry", "aria-label": "Geometry" }, parent);
  const paints = paint(root);
  paints.apply(looks);
  const parts = [twoParameterWorld, realNetwork, secondOrderTerm].map((part) => part(el("div", { class: "part" }, root), { looks }));
  return {
    remove() {
      for (const part of [...parts, paints]) part.remove();
      root.remove();
    },
  };
}
