"""What tasks the app shows, and between which values its settings lie. No streamlit here."""

import math
from typing import NamedTuple

from maml_core.config import MAX_UPDATES
from maml_core.tasks import FAMILIES, Sinusoids

FAMILY = Sinusoids()
FAMILY_NAME = next(name for name, family in FAMILIES.items() if family == FAMILY)
Y_LIMIT = 6.0
"""The plot shows y from -Y_LIMIT to Y_LIMIT; shots stay inside."""


class Range(NamedTuple):
    """Allowed values, both ends included."""

    low: float
    high: float

    def clip(self, value: float) -> float:
        """The nearest allowed value."""
        return min(max(value, self.low), self.high)


RANGES = {
    "seed": Range(0, 999_999),
    "amplitude": Range(*FAMILY.amplitude),
    "phase": Range(FAMILY.phase[0], math.floor(FAMILY.phase[1] * 1e6) / 1e6),
    "K": Range(1, 20),
    "alpha": Range(1e-4, 1.0),
    "num_updates": Range(1, MAX_UPDATES),
    "noise": Range(0.0, 2.0),
    "step": Range(0, MAX_UPDATES),
}
