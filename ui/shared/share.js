// The dialog in which one shares what is on show: texts to copy, files to take along.

import { copied } from "./copy.js";
import { el } from "./el.js";
import { keyed } from "./pointer.js";

/**
 * @param {Element} parent
 * @param {string} title
 */
export function shareDialog(parent, title) {
  const dialog = el("dialog", { class: "share", "aria-labelledby": "share-title" }, parent);
  const head = el("div", { class: "share-head" }, dialog);
  el("h2", { id: "share-title" }, head, title);
  const close = el("button", { type: "button", "aria-label": "Close", title: keyed("Close", "Escape") }, head, "×");
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // the backdrop
  const said = el("p", { class: "about", role: "status" }, dialog);

  return {
    dialog,
    said,
    /**
     * A text to be copied, in this field.
     * @template {HTMLInputElement | HTMLTextAreaElement} Field
     * @param {string} label
     * @param {Field} field
     * @returns {Field}
     */
    copyable(label, field) {
      const id = `share-${Math.random().toString(36).slice(2)}`;
      said.before(el("label", { for: id, class: "label" }, null, label));
      const row = el("div", { class: "copy" });
      said.before(row);
      field.id = id;
      row.append(field);
      const button = el("button", { type: "button" }, row, "Copy");
      button.addEventListener("click", async () => (said.textContent = await copied(field)));
      return field;
    },
    /**
     * A place for files.
     * @param {string} label
     */
    files(label) {
      said.before(el("p", { class: "label" }, null, label));
      const place = el("div", { class: "files" });
      said.before(place);
      return place;
    },
    /**
     * One of them: its address, or what makes it.
     * @param {Element} place
     * @param {string} name
     * @param {string | (() => Promise<unknown>)} act
     */
    file(place, name, act) {
      const link = el("a", typeof act === "string" ? { href: act, download: "" } : { href: "#" }, place, name);
      if (typeof act === "string") return;
      link.setAttribute("role", "button");
      link.addEventListener("click", (event) => {
        event.preventDefault();
        act().catch((error) => (said.textContent = `That did not work: ${error.message}`));
      });
    },
    /**
     * Show it, with this text selected.
     * @param {HTMLInputElement} first
     */
    open(first) {
      said.textContent = "";
      dialog.showModal();
      first.select();
    },
  };
}
