// Undo and redo: the pictures before and after this one, each as its address parameters.

const SAME_NUDGE_MS = 1000; // arrow keys pressed within this belong together

export function timeline() {
  let past = [], future = [], last = { gesture: null, at: 0 };
  return {
    // A change is about to be made to the picture `before`. Those of one gesture are undone as one.
    note(before, gesture = null) {
      const now = performance.now();
      const goesOn = gesture !== null && gesture === last.gesture && (gesture.startsWith("drag") || now - last.at < SAME_NUDGE_MS);
      last = { gesture, at: now };
      if (goesOn) return;
      past.push(before);
      future = [];
    },
    // The picture to go back to from `now`, or null.
    undo: (now) => travel(past, future, now),
    redo: (now) => travel(future, past, now),
    get canUndo() { return past.length > 0; },
    get canRedo() { return future.length > 0; },
  };

  function travel(from, to, now) {
    if (!from.length) return null;
    to.push(now);
    last = { gesture: null, at: 0 };
    return from.pop();
  }
}
