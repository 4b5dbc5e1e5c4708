// Elements, in HTML and in SVG.

const NS = "http://www.w3.org/2000/svg";

/** @typedef {string | number | boolean} Value */

/**
 * An element in `parent`, in SVG where that is; an attribute that is null is left out.
 * @template {string} Tag
 * @param {Tag} tag
 * @param {Record<string, Value | null>} [attributes]
 * @param {Element | null} [parent]
 * @param {string | null} [text]
 * @returns {Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag]
 *   : Tag extends keyof SVGElementTagNameMap ? SVGElementTagNameMap[Tag] : Element}
 */
export function el(tag, attributes = {}, parent = null, text = null) {
  const isDrawn = tag === "svg" || parent?.namespaceURI === NS;
  /** @type {any} The tag says which; the few names that both have are taken for HTML's. */
  const node = isDrawn ? document.createElementNS(NS, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

/**
 * @param {Element} node
 * @param {Record<string, Value>} attributes
 */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
}

/**
 * How large things are drawn: 1, and more for a projector. It follows the size of the type.
 * @param {Element} node
 */
export const unitOf = (node) => parseFloat(getComputedStyle(node).fontSize) / 14 || 1;
