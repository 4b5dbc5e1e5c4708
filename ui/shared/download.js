// Files that a page makes itself, given to the person as downloads.

import { el } from "./el.js";

const KEPT_MS = 60_000; // a browser that first asks where to save it reads it only then

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
