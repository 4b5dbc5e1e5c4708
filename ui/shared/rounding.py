"""How errors are rounded, everywhere and once, from the value as it was measured: the same rule as ui/shared/rounding.js."""

from decimal import ROUND_HALF_UP, Context, Decimal

MOST = 5
"""Decimals."""
HUGE = 1e6
"""From here on, as of a network that diverges, with an exponent."""
_TWO_DIGITS = Context(prec=2, rounding=ROUND_HALF_UP)
_ANY_LENGTH = Context(prec=400)
"""Of a network that diverges an error may have forty digits, and a float has no more than 309."""
EXACT = 3
"""Digits in tables, where an interval stands beside the mean; elsewhere 2."""


def number(value: float, digits: int = 2) -> str:
    """An error, to about `digits` significant digits."""
    if value >= HUGE:
        return f"{_TWO_DIGITS.create_decimal_from_float(float(value)):.1e}".replace("e+", "e")
    return "under 0.001" if value < 0.001 else fixed(value, min(MOST, _decimals(value, digits)))


def interval(mean: float, ci95: float, digits: int = EXACT) -> str:
    """A mean and the half-width of its interval, with equally many decimals: enough to show the interval, where there is one."""
    places = min(MOST, _decimals(abs(mean), digits))
    while places < MOST and ci95 > 0 and float(fixed(ci95, places)) == 0:
        places += 1
    return f"{fixed(mean, places)} ± {fixed(ci95, places)}"


def fixed(value: float, places: int) -> str:
    """With so many decimals. Halves go up, away from zero, as browsers have it; Python's own formats take the even neighbour."""
    return f"{Decimal(float(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _ANY_LENGTH):f}"


def _decimals(value: float, digits: int) -> int:
    if value >= 10:
        return digits - 1
    if value >= 0.095:
        return digits
    if value >= 0.01:
        return digits + 1
    return digits + 2 if value >= 0.001 else MOST
