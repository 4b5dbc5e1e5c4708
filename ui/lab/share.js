// Sharing and exporting: the link, the code, the numbers, the picture, the checkpoints, in one dialog.

import { savePng, saveSvg } from "../chart/save.js";
import { el } from "../shared/el.js";
import { shareDialog } from "../shared/share.js";

// `address()` is the link to this picture, `query()` its parameters; `lab` is where the server makes files; `text(url)` fetches one.
export function labShare(parent, { root, address, query, lab, text }) {
  const { said, copyable, files: place, file, open } = shareDialog(parent, "Share and export");
  const link = copyable("Link to exactly this picture", el("input", { readonly: "", type: "text" }));
  const local = el("p", { class: "about" });
  said.before(local);
  const code = copyable("These numbers in Python", el("textarea", { readonly: "", rows: 9, spellcheck: "false" }));
  const files = place("Download");
  const checkpoints = place("Checkpoints shown");

  return {
    async open(view) {
      const parameters = query();
      const from = (name) => `${lab}${name}?${parameters}`;
      link.value = address();
      local.textContent = /^(localhost|127\.)/.test(location.hostname)
        ? `For other devices, put this machine’s name or IP address in place of ${location.hostname}.`
        : "";
      files.replaceChildren();
      if (!view.blind) file(files, "Python, with everything it needs", from("code.zip"));
      file(files, "losses.csv", from("losses.csv"));
      file(files, "curves.csv", from("curves.csv"));
      file(files, "picture.svg", () => saveSvg(root, "maml-lab.svg"));
      file(files, "picture.png", () => savePng(root, "maml-lab.png"));
      file(files, "interactive page.html", from("picture.html"));
      checkpoints.replaceChildren();
      if (view.blind) el("span", { class: "about" }, checkpoints, "once the names are shown");
      else
        for (const l of view.learners) file(checkpoints, l.label, `${lab}checkpoint?${new URLSearchParams({ learner: l.key })}`);
      code.value = "…";
      open(link);
      try {
        code.value = await text(from("code.py"));
      } catch (error) {
        code.value = error.message;
      }
    },
  };
}
