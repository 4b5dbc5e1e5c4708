// Copying what stands in a field to the clipboard.

import { byTouch } from "./pointer.js";

/**
 * What there is to say of it afterwards: copied, or how to do so by hand, for the text is selected.
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 */
export async function copied(field) {
  field.focus();
  field.select();
  if (await copy(field.value)) return "Copied.";
  return `This browser does not allow copying here. The text is selected: ${byTouch() ? "copy it from there" : "press Ctrl+C"}.`;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy"); // plain http in a local network has no clipboard, but copies a selection
  }
}
