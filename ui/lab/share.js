// Sharing and exporting: the link, the code, the numbers, the picture, the checkpoints, in one dialog.

import { copied } from "../shared/copy.js";
import { savePng, saveSvg } from "../chart/save.js";
import { keyed } from "../shared/pointer.js";
import { el } from "../shared/el.js";

// `address()` is the link to this picture, `query()` its parameters; `lab` is where the server makes files; `text(url)` fetches one.
export function shareDialog(parent, { root, address, query, lab, text }) {
  const dialog = el("dialog", { class: "share", "aria-labelledby": "share-title" }, parent);
  const head = el("div", { class: "share-head" }, dialog);
  el("h2", { id: "share-title" }, head, "Share and export");
  const close = el("button", { type: "button", "aria-label": "Close", title: keyed("Close", "Escape") }, head, "×");
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // the backdrop

  const link = copyable("Link to exactly this picture", el("input", { readonly: "", type: "text" }));
  const local = el("p", { class: "about" }, dialog);
  const code = copyable("These numbers in Python", el("textarea", { readonly: "", rows: 9, spellcheck: "false" }));
  el("p", { class: "label" }, dialog, "Download");
  const files = el("div", { class: "files" }, dialog);
  el("p", { class: "label" }, dialog, "Checkpoints shown");
  const checkpoints = el("div", { class: "files" }, dialog);
  const said = el("p", { class: "about", role: "status" }, dialog);

  function copyable(label, field) {
    const id = `share-${Math.random().toString(36).slice(2)}`;
    el("label", { for: id, class: "label" }, dialog, label);
    const row = el("div", { class: "copy" }, dialog);
    field.id = id;
    row.append(field);
    const button = el("button", { type: "button" }, row, "Copy");
    button.addEventListener("click", async () => (said.textContent = await copied(field)));
    return field;
  }

  function download(into, name, act) {
    const link = el("a", typeof act === "string" ? { href: act, download: "" } : { href: "#" }, into, name);
    if (typeof act !== "string") {
      link.setAttribute("role", "button");
      link.addEventListener("click", (event) => {
        event.preventDefault();
        act().catch((error) => (said.textContent = `That did not work: ${error.message}`));
      });
    }
  }

  return {
    async open(view) {
      const parameters = query();
      const from = (name) => `${lab}${name}?${parameters}`;
      link.value = address();
      local.textContent = /^(localhost|127\.)/.test(location.hostname)
        ? `For other devices, put this machine’s name or IP address in place of ${location.hostname}.`
        : "";
      said.textContent = "";
      files.replaceChildren();
      if (!view.blind) download(files, "Python, with everything it needs", from("code.zip"));
      download(files, "losses.csv", from("losses.csv"));
      download(files, "curves.csv", from("curves.csv"));
      download(files, "picture.svg", () => saveSvg(root, "maml-lab.svg"));
      download(files, "picture.png", () => savePng(root, "maml-lab.png"));
      download(files, "interactive page.html", from("picture.html"));
      checkpoints.replaceChildren();
      if (view.blind) el("span", { class: "about" }, checkpoints, "once the names are shown");
      else
        for (const l of view.learners)
          download(checkpoints, l.label, `${lab}checkpoint?${new URLSearchParams({ learner: l.key })}`);
      code.value = "…";
      dialog.showModal();
      link.select();
      try {
        code.value = await text(from("code.py"));
      } catch (error) {
        code.value = error.message;
      }
    },
  };
}
