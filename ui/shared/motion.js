// Curves that move from one step to another.

/** @typedef {(from: Float32Array, to: Float32Array) => Float32Array} Between */

/**
 * Calls `draw(between)` with every frame, where between gives a curve on its way from one to another, and at last without it; at once
 * for those who want no motion. Gives what stops it.
 * @param {number} ms
 * @param {(between?: Between) => void} draw
 */
export function glide(ms, draw) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    draw();
    return () => {};
  }
  /** @type {number} */
  let frame;
  const began = performance.now();
  /** @param {number} time */
  const tick = (time) => {
    const t = Math.min(Math.max((time - began) / ms, 0), 1);
    const ease = t * (2 - t);
    draw(t === 1 ? undefined : (from, to) => from.map((y, i) => y + ease * (to[i] - y)));
    if (t < 1) frame = requestAnimationFrame(tick);
  };
  tick(began);
  return () => cancelAnimationFrame(frame);
}
