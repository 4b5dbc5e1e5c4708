// The lab page: the lab picture with Streamlit behind it; or without any server, where it was saved as a page.

import { makeLab } from "./lab.js";
import { labAddress } from "./address.js";
import { mounted } from "../shared/mounted.js";

export const { render, remove } = mounted(["lab/lab.css"], (parent, { saved }) => {
  for (const stale of parent.querySelectorAll(".maml-lab")) stale.remove();
  return saved === undefined ? streamlitLab(parent) : savedLab(parent);
});

function streamlitLab(parent) {
  let component;
  let raw = null;
  let told = 0;
  const address = labAddress((query) => component?.setTriggerValue("address", query));
  // A state and not a trigger: it goes with every later message too, so that none on its way at this moment can swallow it. n says
  // in which order messages were made that arrive together, and makes the same one twice news twice.
  const tell = (name, message) => component.setStateValue(name, { ...message, n: ++told });
  const lab = makeLab(parent, { server: new URL("lab/", document.baseURI).href, address, tell });
  return {
    update(newComponent) {
      component = newComponent;
      if (component.data === raw) return;
      raw = component.data;
      lab.update(raw);
      parent.closest(".st-key-picture")?.setAttribute("data-drawn", ""); // its place need not be kept for it any more
    },
    remove() {
      address.remove();
      lab.remove();
    },
  };
}

// Its shots stay, and nobody listens.
function savedLab(parent) {
  const lab = makeLab(parent, { server: null, address: null, tell: () => {} });
  return { update: ({ data }) => lab.update(data), remove: lab.remove };
}
