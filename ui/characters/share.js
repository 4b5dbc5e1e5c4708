// Sharing: the link to what is drawn, the numbers and how Python comes to them.

import { el } from "../shared/el.js";
import { text } from "../shared/server.js";
import { shareDialog } from "../shared/share.js";

/**
 * `address()` is the link to this picture, `query()` what the server is asked about it, null where there is nothing to ask.
 * @param {Element} parent
 * @param {{ server: string, address: () => string, query: () => Record<string, string> | null }} host
 */
export function charactersShare(parent, { server, address, query }) {
  const { copyable, files: place, file, open } = shareDialog(parent, "Share and export");
  const link = copyable("Link to exactly these drawings", el("input", { readonly: "", type: "text" }));
  const code = copyable("These numbers in Python", el("textarea", { readonly: "", rows: 9, spellcheck: "false" }));
  const files = place("Download");

  return {
    async open() {
      const asked = query();
      link.value = address();
      files.replaceChildren();
      if (asked) file(files, "probabilities.csv", `${server}probabilities.csv?${new URLSearchParams(asked)}`);
      code.value = asked ? "…" : "Draw two characters at least, then the numbers are here.";
      open(link);
      if (!asked) return;
      try {
        code.value = await text(`${server}code.py`, { query: asked });
      } catch (error) {
        code.value = error.message;
      }
    },
  };
}
