// Undo and redo: the pictures before and after this one, each as its address parameters.

const MOST = 200; // pictures that are kept

let presses = 0;
addEventListener("pointerdown", () => (presses += 1), true);
addEventListener("keydown", (event) => event.repeat || (presses += 1), true);
addEventListener("click", (event) => event.detail || (presses += 1), true); // of a screen reader, which presses nothing

/**
 * The name of what is being done: the same one until the pointer or the key that does it is pressed anew.
 * @param {string} what
 */
export const gesture = (what) => `${what} ${presses}`;

/**
 * Which way these keys go, if they go one.
 * @param {KeyboardEvent} event
 * @returns {"undo" | "redo" | undefined}
 */
export function wayOf(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return undefined;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" ? "redo" : undefined;
}

/** @typedef {Record<string, string>} Picture */

export function timeline() {
  /** @type {Picture[]} */
  const past = [];
  /** @type {Picture[]} */
  let future = [];
  /** @type {string | null} */
  let last = null;
  return {
    /**
     * A change is about to be made to the picture `before`. Those of one gesture are undone as one.
     * @param {Picture} before
     * @param {string | null} gesture
     */
    note(before, gesture = null) {
      const goesOn = gesture !== null && gesture === last;
      last = gesture;
      if (goesOn) return;
      past.push(before);
      if (past.length > MOST) past.shift();
      future = [];
    },
    // The picture to go back to from `now`, or null.
    undo: (/** @type {Picture} */ now) => travel(past, future, now),
    redo: (/** @type {Picture} */ now) => travel(future, past, now),
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
  };

  /**
   * @param {Picture[]} from
   * @param {Picture[]} to
   * @param {Picture} now
   */
  function travel(from, to, now) {
    const found = from.pop();
    if (!found) return null;
    to.push(now);
    last = null;
    return found;
  }
}
