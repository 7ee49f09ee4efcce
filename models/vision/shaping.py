"""From raw controls to a clip: smoothed without lag, closed into a loop or eased to zero at its ends, free of noise."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.vision.mimic import Tracks
from realtime.core.facs import CONTROL_HIGH, CONTROL_INDEX, CONTROL_LOW, DEGREE_CONTROLS
from realtime.core.primitives import BREATH_PERIOD_S
from realtime.core.units import FRAME_S

Floats = NDArray[np.float64]

WINDOW: Final = 9
"""Frames of the smoothing window: a cubic over 0.36 s keeps a nod of 3 Hz and takes the mesh's jitter."""
_QUICK_WINDOW: Final = 5
_QUICK: Final = ("blink_l", "blink_r", "gaze_x", "gaze_y")
"""What real people move within 100 ms."""
_LEAST_DEG: Final = 0.8
_LEAST: Final = 0.12
"""A control that never gets this far from zero was noise, and is left out."""
_EASE_S: Final = 0.20
_CLOSE_S: Final = 0.60
_BLINK_FLOOR: Final = 0.12
"""Open eyes flutter this much in the mesh."""


def savitzky_golay(values: Floats, window: int, order: int = 3) -> Floats:
    """Smoothed by a least-squares polynomial in a sliding window (Savitzky & Golay 1964); ends are mirrored."""
    reach = window // 2
    if len(values) <= reach:
        return values
    at = np.arange(-reach, reach + 1)
    weights = np.linalg.pinv(np.vander(at, order + 1, increasing=True))[0]
    padded = np.pad(values, reach, mode="reflect", reflect_type="odd")
    return np.convolve(padded, weights[::-1], "valid")


def smoothed(tracks: Tracks) -> tuple[Tracks, float]:
    """Smooth tracks, and the jitter taken from the head's pose, in degrees (root mean square)."""
    found = {name: savitzky_golay(v, _QUICK_WINDOW if name in _QUICK else WINDOW) for name, v in tracks.items()}
    jitter = [float(np.sqrt(np.mean((tracks[name] - found[name]) ** 2))) for name in ("yaw", "pitch", "roll")]
    for name in ("blink_l", "blink_r"):
        found[name] = np.clip((found[name] - _BLINK_FLOOR) / (1 - _BLINK_FLOOR), 0, 1)
    return found, max(jitter)


def eased(tracks: Tracks) -> Tracks:
    """A one-shot: zero at both ends, its own value from 0.2 s on."""
    count = len(next(iter(tracks.values())))
    at_s = np.minimum(np.arange(count), np.arange(count)[::-1]) * FRAME_S
    share = np.clip(at_s / _EASE_S, 0, 1)
    share = share * share * (3 - 2 * share)
    return {name: values * share for name, values in tracks.items()}


def looped(tracks: Tracks) -> tuple[Tracks, float]:
    """A loop, and by how many degrees its ends had been apart. Its length becomes whole breaths, as that of every loop,
    so that base frames come round; its last moments lead over into its first."""
    count = len(next(iter(tracks.values())))
    fade = min(round(_CLOSE_S / FRAME_S), count // 3)
    breaths = max(1, round((count - fade) * FRAME_S / BREATH_PERIOD_S))
    length = round(breaths * BREATH_PERIOD_S / FRAME_S)
    share = np.linspace(0, 1, fade)
    share = share * share * (3 - 2 * share)
    found, apart = {}, 0.0
    for name, values in tracks.items():
        body = values[: count - fade].copy()
        # what came after the end goes before the beginning, and fades into it
        body[:fade] = values[count - fade :] * (1 - share) + body[:fade] * share
        around = np.r_[body, body[0]]
        found[name] = np.interp(np.linspace(0, len(body), length + 1), np.arange(len(body) + 1), around)
        if name in DEGREE_CONTROLS:
            apart = max(apart, abs(float(values[-1] - values[0])))
    return found, apart


def kept(tracks: Tracks, without: tuple[str, ...]) -> Tracks:
    """The controls that move, inside their ranges, but for those that are not wanted."""
    found = {}
    for name, values in tracks.items():
        inside = np.clip(values, CONTROL_LOW[CONTROL_INDEX[name]], CONTROL_HIGH[CONTROL_INDEX[name]])
        least = _LEAST_DEG if name in DEGREE_CONTROLS else _LEAST
        if name not in without and float(np.abs(inside).max()) >= least:
            found[name] = inside
    return found
