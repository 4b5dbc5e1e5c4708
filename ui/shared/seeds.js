// Seeds of tasks, as `_other_seed` in ui/lab/state.py draws them.

const SEEDS = 9999; // 1 to so many

/**
 * Any but this one.
 * @param {number} seed
 */
export function otherSeed(seed) {
  const drawn = 1 + Math.floor(Math.random() * (SEEDS - 1));
  return drawn === seed ? SEEDS : drawn;
}
