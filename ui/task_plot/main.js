// The lab page: the lab picture with Streamlit behind it; or without any server, where it was saved as a page.

import { pageAddress } from "./address.js";
import { makeLab } from "./lab.js";
import { styled } from "./styles.js";

const labs = new WeakMap();

// Streamlit calls this at every rerun; the lab is made once for each parent and then updated.
export function render(component, base) {
  styled(base, ["style.css", "task_plot/lab.css"]).then(() => {
    const parent = component.parentElement;
    if (!parent.isConnected) return; // the page was left meanwhile
    if (!labs.has(parent)) {
      for (const stale of parent.querySelectorAll(".maml-lab")) stale.remove();
      labs.set(parent, component.saved === undefined ? streamlitLab(parent) : savedLab(parent));
    }
    labs.get(parent).update(component);
  });
}

export function remove(parent) {
  labs.get(parent)?.remove();
  labs.delete(parent);
}

function streamlitLab(parent) {
  let component, raw = null, told = 0;
  const address = pageAddress((query) => component?.setTriggerValue("address", query));
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
