// The link to what is drawn, to be copied.

import { copied } from "../shared/copy.js";
import { el } from "../shared/el.js";
import { keyed } from "../shared/pointer.js";

/**
 * `address()` is the link to this picture.
 * @param {Element} parent
 * @param {{ address: () => string }} host
 */
export function linkDialog(parent, { address }) {
  const dialog = el("dialog", { class: "share", "aria-labelledby": "share-title" }, parent);
  const head = el("div", { class: "share-head" }, dialog);
  el("h2", { id: "share-title" }, head, "Share");
  const close = el("button", { type: "button", "aria-label": "Close", title: keyed("Close", "Escape") }, head, "×");
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // the backdrop
  el("label", { for: "share-link", class: "label" }, dialog, "Link to exactly these drawings");
  const row = el("div", { class: "copy" }, dialog);
  const link = el("input", { id: "share-link", readonly: "", type: "text" }, row);
  const button = el("button", { type: "button" }, row, "Copy");
  button.addEventListener("click", async () => (said.textContent = await copied(link)));
  const said = el("p", { class: "about", role: "status" }, dialog);
  return {
    open() {
      link.value = address();
      said.textContent = "";
      dialog.showModal();
      link.select();
    },
  };
}
