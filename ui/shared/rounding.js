// How errors are rounded, everywhere and once, from the value as it was measured: the same rule as ui/shared/rounding.py. Pure functions.

const MOST = 5; // decimals
const HUGE = 1e6; // from here on, as of a network that diverges, with an exponent
export const EXACT = 3; // digits in tables, where an interval stands beside the mean; elsewhere 2

/**
 * How many decimals show about `digits` significant ones, and two at least of what is read at a glance.
 * @param {number} value
 * @param {number} digits
 */
const decimals = (value, digits) =>
  value >= 10 ? digits - 1 : value >= 0.095 ? digits : value >= 0.01 ? digits + 1 : value >= 0.001 ? digits + 2 : MOST;

/** @param {number} value */
export function number(value, digits = 2) {
  if (value >= HUGE) return value.toExponential(1).replace("e+", "e");
  return value < 0.001 ? "under 0.001" : value.toFixed(Math.min(MOST, decimals(value, digits)));
}

/**
 * A mean and the half-width of its interval, with equally many decimals: enough to show the interval, where there is one.
 * @param {number} mean
 * @param {number} ci95
 */
export function interval(mean, ci95, digits = 2) {
  let places = Math.min(MOST, decimals(Math.abs(mean), digits));
  while (places < MOST && ci95 > 0 && Number(ci95.toFixed(places)) === 0) places += 1;
  return `${mean.toFixed(places)} ± ${ci95.toFixed(places)}`;
}
