"""Does a figure grow? Its slope over time by least squares, with an interval that noise with memory does not fool."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

_Z_95: Final = 1.959964
"""Two-sided 95 % of the normal distribution."""
_LEAST_SAMPLES: Final = 8


@dataclass(frozen=True, slots=True)
class Slope:
    """Units per minute: the estimate and the ends of its 95 % interval."""

    per_min: float
    low: float
    high: float

    @property
    def verdict(self) -> Literal["within noise", "grows", "shrinks"]:
        """What the interval allows to say."""
        if self.low > 0:
            return "grows"
        return "shrinks" if self.high < 0 else "within noise"


def slope(at_s: Sequence[float], values: Sequence[float]) -> Slope | None:
    """The slope of values sampled at these times; None with too few of them.

    Neighbouring samples of memory resemble each other, which makes the usual interval too narrow. With the residuals'
    correlation r from one to the next, n samples count as n (1 - r) / (1 + r) (first-order autoregression: Santer et
    al. 2000, J. Geophys. Res. 105 D6, section 4)."""
    count = len(values)
    if count < _LEAST_SAMPLES:
        return None
    minutes = np.asarray(at_s, np.float64) / 60.0
    known = np.asarray(values, np.float64)
    centred = minutes - minutes.mean()
    spread = float(centred @ centred)
    rise = float(centred @ (known - known.mean())) / spread
    rest = known - known.mean() - rise * centred
    energy = float(rest @ rest)
    alike = max(0.0, float(rest[1:] @ rest[:-1]) / energy) if energy > 0 else 0.0
    free = max(1.0, count * (1 - alike) / (1 + alike) - 2)
    half = _student_95(free) * float(np.sqrt(energy / free / spread))
    return Slope(rise, rise - half, rise + half)


def _student_95(free: float) -> float:
    """Student's quantile by its expansion around the normal one (Abramowitz and Stegun 26.7.5), at least one degree."""
    z = _Z_95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / free ** (power + 1) for power, term in enumerate(terms))
