// The geometry page: a world of two parameters, and what of it is found in the real network.

import { paint } from "../shared/looks.js";
import { mounted } from "../shared/mounted.js";
import { el } from "../shared/el.js";
import { realNetwork } from "./network.js";
import { secondOrderTerm } from "./term.js";
import { twoParameterWorld } from "./world.js";

export const { render, remove } = mounted(["geometry/geometry.css"], (parent, { data }) => makeView(parent, JSON.parse(data)));

function makeView(parent, { looks }) {
  const root = el("section", { class: "maml-lab geometry", "aria-label": "Geometry" }, parent);
  const paints = paint(root);
  paints.apply(looks);
  const parts = [twoParameterWorld, realNetwork, secondOrderTerm].map((part) =>
    part(el("div", { class: "part" }, root), { looks }),
  );
  return {
    remove() {
      for (const part of [...parts, paints]) part.remove();
      root.remove();
    },
  };
}
