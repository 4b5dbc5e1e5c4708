// What a browser remembers of a page, as one object; where it keeps nothing, for as long as the page is open.

/** @typedef {Record<string, any>} Kept */

/** @param {string} key */
export function stored(key) {
  /** @type {Kept} */
  let fallback = {};
  return {
    /** @returns {Kept} */
    read() {
      try {
        const found = JSON.parse(localStorage.getItem(key) ?? "{}");
        return found && typeof found === "object" && !Array.isArray(found) ? found : {};
      } catch {
        return fallback;
      }
    },
    /** @param {Kept} all */
    write(all) {
      fallback = all;
      try {
        localStorage.setItem(key, JSON.stringify(all));
      } catch {
        // A browser that keeps nothing.
      }
    },
  };
}
