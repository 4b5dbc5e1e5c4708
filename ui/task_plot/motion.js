// Curves that move from one step to another.

/**
 * Calls `draw(curveOf)` with every frame, where curveOf gives a learner's curve on its way from step `from` to step `to`, and at last
 * without it; at once for those who want no motion. Gives what stops it.
 * @param {number} from
 * @param {number} to
 * @param {number} ms
 * @param {(curveOf?: (learner: { curves: Float32Array[] }) => Float32Array) => void} draw
 */
export function glide(from, to, ms, draw) {
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
    draw(t === 1 ? undefined : (l) => l.curves[from].map((y, i) => y + ease * (l.curves[to][i] - y)));
    if (t < 1) frame = requestAnimationFrame(tick);
  };
  tick(began);
  return () => cancelAnimationFrame(frame);
}
