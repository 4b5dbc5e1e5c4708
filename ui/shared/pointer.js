// What a person points with: words about a mouse and keys mean nothing where there is only a finger.

export const byTouch = () => matchMedia("(pointer: coarse)").matches;

// As in "click the chart".
export const click = () => (byTouch() ? "tap" : "click");

/**
 * A control's name, and the keys that do the same.
 * @param {string} name
 * @param {string} keys
 */
export const keyed = (name, keys) => (byTouch() ? name : `${name} (${keys})`);

// How shots are edited.
export const shotHelp = () =>
  byTouch()
    ? "tap to place one, drag to move it, tap it twice to remove it"
    : "click to place one, drag to move it, double-click or Delete to remove it";
