"""How well a mouth and a sound go together: correlation of two courses over time at the best lag."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_MS = 10.0
SMOOTHING_MS = 120.0


def on_grid(times_ms: Floats, values: Floats, begin_ms: float, end_ms: float) -> Floats:
    """A course on an even grid, smoothed over about a syllable."""
    known = ~np.isnan(values)
    grid = np.arange(begin_ms, end_ms, STEP_MS)
    course = np.interp(grid, times_ms[known], values[known])
    width = max(1, round(SMOOTHING_MS / STEP_MS))
    return np.convolve(course, np.hanning(width + 2)[1:-1] / np.hanning(width + 2)[1:-1].sum(), "same")


def best_lag(sound: Floats, mouth: Floats, max_lag_ms: float = 400.0) -> tuple[float, float]:
    """`(lag in ms, correlation)` where the correlation is highest; a positive lag means the sound comes after the
    mouth."""
    best = (0.0, -1.0)
    steps = round(max_lag_ms / STEP_MS)
    inner = slice(steps, len(mouth) - steps)
    for shift in range(-steps, steps + 1):
        moved = sound[inner.start + shift : inner.stop + shift]
        correlation = float(np.corrcoef(moved, mouth[inner])[0, 1])
        if correlation > best[1]:
            best = (shift * STEP_MS, correlation)
    return best
