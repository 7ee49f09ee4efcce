"""Paints what an opened mouth shows: the tooth rows and the tongue, as sprites in millimetres."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.numerics import Floats, Image, blur, smoothstep

PX_PER_MM: Final = 2.5
MM_PER_UNIT: Final = 63.0
"""Distance of adult eye centres, which is one face unit (Dodgson 2004)."""

_SIZE_MM: Final = (60.0, 26.0)


@dataclass(frozen=True, slots=True)
class _Row:
    """Widths, heights and how far the edge stands back, from the middle outwards, in mm; the arch as half axes."""

    widths: tuple[float, ...]
    heights: tuple[float, ...]
    recess: tuple[float, ...]
    arch: tuple[float, float]


_UPPER: Final = _Row(
    (8.6, 6.7, 7.6, 6.8, 6.5, 9.0), (10.2, 9.0, 9.8, 8.2, 7.4, 7.0), (0, 0.5, 0.2, 0.9, 1.4, 1.8), (25.5, 36.0)
)
_LOWER: Final = _Row(
    (5.4, 6.0, 6.9, 7.0, 7.0, 10.0), (8.6, 8.8, 9.2, 8.0, 7.4, 7.0), (0, 0.1, 0.1, 0.7, 1.2, 1.4), (22.0, 30.0)
)
ORIGIN_MM: Final = {True: (30.0, 14.0), False: (30.0, 8.0)}
"""Where the midline meets the biting edge in the sprite, for the upper and the lower row."""


def tooth_row(upper: bool, enamel: NDArray[np.floating[Any]]) -> Image:
    """BGRA 0..255, not multiplied by alpha; `enamel` is the lit colour of an incisor (3,)."""
    row = _UPPER if upper else _LOWER
    width, height = (round(side * PX_PER_MM) for side in _SIZE_MM)
    ox, oy = ORIGIN_MM[upper]
    x = ((np.arange(width) + 0.5) / PX_PER_MM - ox)[None]
    # y grows from the biting edge towards the gum
    y = ((np.arange(height) + 0.5) / PX_PER_MM - oy)[:, None] * (-1.0 if upper else 1.0)
    colour = np.zeros((height, width, 3))
    alpha = np.zeros((height, width))
    half, deep = row.arch
    phi = np.linspace(0, np.pi / 2, 800)
    length = np.cumsum(np.hypot(half * np.cos(phi), deep * np.sin(phi))) * (phi[1] - phi[0])
    start = 0.0
    for tooth, high, recess in zip(row.widths, row.heights, row.recess, strict=True):
        begin, end = np.interp([start, start + tooth], length, phi)
        start += tooth
        back = deep * (1 - np.cos((begin + end) / 2))
        for side in (-1, 1):
            centre, extent = side * half * (np.sin(begin) + np.sin(end)) / 2, half * (np.sin(end) - np.sin(begin)) / 2
            across, along = (x - centre) / max(extent, 0.4), (y - recess) / (high - recess)
            body, cover = _tooth(across, along, extent, high, back)
            colour = colour * (1 - cover[..., None]) + enamel * body[..., None] * cover[..., None]
            alpha = np.maximum(alpha, cover)
    return _with_gum(colour, alpha, x, y, row, enamel)


def _tooth(across: Floats, along: Floats, extent: float, high: float, back: float) -> tuple[Floats, Floats]:
    """Brightness and coverage of one tooth; `along` runs from its edge (0) to the gum (1)."""
    taper = 1 - 0.12 * np.clip(along, 0, 1)
    distance = (np.abs(across / taper) ** 5.5 + np.abs(along * 2 - 1) ** 5.5) ** (1 / 5.5)
    cover = np.clip((1 - distance) * min(extent, high / 2) / 0.60 + 0.5, 0, 1)
    rounding = 1 - 0.10 * np.clip(np.abs(across), 0, 1) ** 3
    edge = 1 - 0.09 * (1 - smoothstep(0.0, 0.22, along))
    shade = rounding * edge * (1 - 0.06 * np.clip(along, 0, 1)) * np.exp(-back / 27.0)
    return np.asarray(shade), np.asarray(cover)


def _with_gum(
    colour: Floats, alpha: Floats, x: Floats, y: Floats, row: _Row, enamel: NDArray[np.floating[Any]]
) -> Image:
    half, deep = row.arch
    bound = np.clip((1 - np.abs(x) / (half * 0.97)) * 6, 0, 1)
    depth = deep * (1 - np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1)))
    fade = np.exp(-depth / 34.0)[..., None]
    gum = np.array([122.0, 112.0, 184.0]) * float(np.mean(enamel)) / 232.0
    is_gum = smoothstep(row.heights[0] - 2.0, row.heights[0] - 0.6, y + 0.05 * depth)
    behind = (gum * is_gum[..., None] + 0.88 * enamel * (1 - is_gum[..., None])) * fade
    base = np.clip((y - 0.5 - 0.05 * depth) / 0.8, 0, 1) * bound
    painted = colour * alpha[..., None] + behind * (1 - alpha[..., None])
    image = np.dstack([painted, np.maximum(alpha, base) * 255]).astype(np.float32)
    return np.asarray(np.clip(blur(image, 0.30 * PX_PER_MM), 0, 255), np.float32)


TONGUE_MM: Final = (44.0, 30.0)


def tongue(colour: NDArray[np.floating[Any]]) -> Image:
    """BGRA 0..255 of the tongue seen from the front: its tip at the top edge's middle, its body below."""
    width, height = (round(side * PX_PER_MM) for side in TONGUE_MM)
    x = ((np.arange(width) + 0.5) / width * 2 - 1)[None]
    y = ((np.arange(height) + 0.5) / height)[:, None]
    top = 0.06 + 0.30 * np.abs(x) ** 2.4
    cover = smoothstep(-0.02, 0.05, y - top) * (1 - smoothstep(0.86, 1.0, np.abs(x)))
    rise = y - top
    light = 0.66 + 0.44 * smoothstep(0.0, 0.16, rise) - 0.34 * smoothstep(0.16, 0.95, rise)
    groove = 1 - 0.16 * np.exp(-((x / 0.07) ** 2)) * smoothstep(0.03, 0.30, rise)
    sides = 1 - 0.30 * np.abs(x) ** 2
    noise = np.random.default_rng(0).normal(0, 1, (height, width)).astype(np.float32)
    grain = 1 + 0.10 * blur(noise, 1.2)
    lit = np.asarray(colour, np.float64) * (light * groove * sides * grain)[..., None]
    shine = np.exp(-(((np.abs(x) - 0.30) / 0.12) ** 2) - ((rise - 0.13) / 0.05) ** 2)[..., None]
    image = np.dstack([lit + shine * np.array([44.0, 42.0, 50.0]), cover * 255])
    return np.asarray(np.clip(image, 0, 255), np.float32)
