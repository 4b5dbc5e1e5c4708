// Undo and redo: the pictures before and after this one, each as its address parameters.

const MOST = 200; // pictures that are kept

let presses = 0;
addEventListener("pointerdown", () => (presses += 1), true);
addEventListener("keydown", (event) => event.repeat || (presses += 1), true);

// The name of what is being done: the same one until the pointer or the key that does it is pressed anew.
export const gesture = (what) => `${what} ${presses}`;

export function timeline() {
  const past = [];
  let future = [];
  let last = null;
  return {
    // A change is about to be made to the picture `before`. Those of one gesture are undone as one.
    note(before, gesture = null) {
      const goesOn = gesture !== null && gesture === last;
      last = gesture;
      if (goesOn) return;
      past.push(before);
      if (past.length > MOST) past.shift();
      future = [];
    },
    // The picture to go back to from `now`, or null.
    undo: (now) => travel(past, future, now),
    redo: (now) => travel(future, past, now),
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
  };

  function travel(from, to, now) {
    if (!from.length) return null;
    to.push(now);
    last = null;
    return from.pop();
  }
}
