// The page around what is presented: as long as a view is, it shows nothing but that.

const presented = new Set();

/**
 * @param {Element} root
 * @param {boolean} on
 */
export function presenting(root, on) {
  if (on) presented.add(root);
  else presented.delete(root);
  document.documentElement.classList.toggle("presenting", presented.size > 0);
}
