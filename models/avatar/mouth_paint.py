"""Paints lips, teeth and tongue once, each in the space of its own band."""

import numpy as np
from numpy.typing import NDArray

from models.avatar.eye_paint import premultiplied
from models.avatar.geometry import smoothstep
from models.avatar.paint import Rgba, rgb
from models.avatar.spec import LipColors, SkinColors

_WIDTH, _HEIGHT = 256, 72
MARGIN = 0.16
"""Share of a lip band that lies outside the lip and fades into the skin."""


def _space(width: int = _WIDTH, height: int = _HEIGHT) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    u, v = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    return u, v


def _rgb(code: str) -> NDArray[np.float64]:
    return np.array(rgb(code), np.float64)


def _over(color: NDArray[np.float64], code: str, alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    a = np.clip(alpha, 0, 1)[..., None]
    return np.asarray(color * (1 - a) + _rgb(code) * a)


def _hill(value: NDArray[np.float64], center: float, sigma: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-(((value - center) / sigma) ** 2)))


def _creases(u: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Fine upright lines of the lips, 0..1."""
    rng = np.random.default_rng(seed)
    lines = np.zeros_like(u)
    for at in np.linspace(0.08, 0.92, 23):
        lines += rng.uniform(0.2, 1.0) * _hill(u, at + rng.uniform(-0.012, 0.012), rng.uniform(0.004, 0.009))
    return np.clip(lines, 0, 1)


def lip_bands(lips: LipColors, seed: int) -> tuple[Rgba, Rgba]:
    """Upper lip (top: outer edge) and lower lip (top: inner edge). The outer `MARGIN` is a soft fade."""
    u, v = _space()
    side = np.abs(u - 0.5) * 2
    t = np.clip((v - MARGIN) / (1 - MARGIN), 0, 1)
    color = np.ones((*u.shape, 3)) * _rgb(lips.upper)
    color = _over(color, lips.dark, 0.85 * smoothstep(t, 0.45, 1.05))
    color = _over(color, lips.gloss, 0.34 * _hill(t, 0.26, 0.20) * (_hill(u, 0.36, 0.11) + 0.8 * _hill(u, 0.63, 0.10)))
    color = _over(color, lips.dark, 0.20 * _creases(u, seed) * smoothstep(t, 0.2, 0.6))
    color = _over(color, lips.dark, 0.55 * smoothstep(side, 0.66, 1.0))
    upper = premultiplied(color, smoothstep(v, MARGIN * 0.15, MARGIN * 1.9) * smoothstep(side, 1.02, 0.95))
    t = np.clip(v / (1 - MARGIN), 0, 1)
    color = np.ones((*u.shape, 3)) * _rgb(lips.lower)
    color = _over(color, lips.dark, 0.62 * smoothstep(t, 0.22, -0.05))
    color = _over(color, lips.dark, 0.42 * smoothstep(t, 0.62, 1.05))
    color = _over(color, lips.dark, 0.20 * _creases(u, seed + 1) * _hill(t, 0.45, 0.35))
    shine = _hill(t, 0.38, 0.15) * (0.60 * _hill(u, 0.46, 0.17) + 0.32 * _hill(u, 0.68, 0.07))
    color = _over(color, lips.gloss, shine)
    color = _over(color, "#ffffff", 0.75 * _hill(t, 0.34, 0.055) * _hill(u, 0.43, 0.065))
    color = _over(color, lips.dark, 0.50 * smoothstep(side, 0.64, 1.0))
    lower = premultiplied(color, smoothstep(v, 1.0 - MARGIN * 0.15, 1 - MARGIN * 1.7) * smoothstep(side, 1.02, 0.95))
    return upper, lower


def lip_shadow(skin: SkinColors) -> Rgba:
    """The hollow below the lower lip."""
    u, v = _space(96, 48)
    return premultiplied(
        _rgb(skin.shadow) * 0.90, 0.62 * _hill(u, 0.5, 0.24) * _hill(v, 0.36, 0.26) * smoothstep(v, 1.0, 0.8)
    )


def inner_shadow(lips: LipColors) -> Rgba:
    """Shadow inside the mouth: below the upper lip and in the corners."""
    u, v = _space(144, 72)
    side = np.abs(u - 0.5) * 2
    cover = 1 - (1 - 0.72 * smoothstep(v, 0.34, 0.0)) * (1 - 0.75 * smoothstep(side, 0.62, 0.98))
    return premultiplied(_rgb(lips.cavity) * 0.8, np.asarray(cover, np.float64))


def dimple(skin: SkinColors) -> Rgba:
    """The soft dark of a mouth corner, in picture pixels."""
    u, v = _space(20, 20)
    return premultiplied(_rgb(skin.line), 0.42 * np.exp(-((u - 0.5) ** 2 + (v - 0.5) ** 2) / 0.045))


def teeth_band(upper: bool) -> Rgba:
    """A row of teeth from side to side; the edge is at the bottom for the upper row, at the top for the lower."""
    u, v = _space(288, 64)
    x = (u - 0.5) * 2
    widths = (0.205, 0.165, 0.165, 0.150, 0.140, 0.12, 0.10) if upper else (0.125, 0.125, 0.14, 0.15, 0.15, 0.15, 0.14)
    edges = np.concatenate([[0.0], np.cumsum(widths)])
    color = np.ones((*u.shape, 3)) * np.array([253.0, 249.0, 243.0])
    color = _over(color, "#c9a79c", smoothstep(v, 0.45, -0.1) * 0.8)
    index = np.searchsorted(edges, np.abs(x)) - 1
    index = np.clip(index, 0, len(widths) - 1)
    within = (np.abs(x) - edges[index]) / np.array(widths)[index]
    color = _over(
        color, "#b99c92", 0.34 * (_hill(within, 0.0, 0.06) + _hill(within, 1.0, 0.06)) * smoothstep(v, 0.1, 0.6)
    )
    color = _over(color, "#ffffff", 0.5 * _hill(within, 0.42, 0.2) * _hill(v, 0.6, 0.22))
    round_edge = 1 - 0.07 * np.abs(within * 2 - 1) ** 4 - (0.035 if upper else 0.01) * (index == 1)
    color = _over(color, "#a98b86", 0.5 * smoothstep(v, 0.84, 1.0))
    color = _over(color, "#5b2f30", 0.78 * smoothstep(np.abs(x), 0.50, 1.0))
    alpha = smoothstep(v, round_edge, round_edge - 0.07)
    band = premultiplied(color, alpha)
    return band if upper else np.ascontiguousarray(band[::-1])


def tongue_bands(lips: LipColors) -> tuple[Rgba, Rgba]:
    """The tongue's back as it lies, and its underside as it is raised; tip or ridge on top."""
    u, v = _space(128, 64)
    side = np.abs(u - 0.5) * 2
    body = smoothstep(side**2.2 + np.clip((0.34 - v) / 0.34, 0, 1) ** 2.4, 1.0, 0.86)
    color = np.ones((*u.shape, 3)) * _rgb(lips.tongue)
    color = _over(color, lips.gloss, 0.42 * _hill(v, 0.20, 0.10) * _hill(side, 0.42, 0.30))
    color = _over(color, lips.dark, 0.65 * _hill(u, 0.5, 0.045) * smoothstep(v, 0.12, 0.4))
    color = _over(color, lips.dark, 0.8 * smoothstep(v, 0.35, 1.0) + 0.4 * smoothstep(side, 0.6, 1.0))
    under = np.ones((*u.shape, 3)) * (_rgb(lips.tongue) * 0.94 + _rgb(lips.gloss) * 0.06)
    under = _over(under, lips.dark, 0.5 * smoothstep(v, 0.25, 0.9) + 0.3 * smoothstep(side, 0.5, 1.0))
    under = _over(under, lips.gloss, 0.55 * _hill(v, 0.12, 0.08) * _hill(side, 0.0, 0.6))
    under = _over(under, lips.dark, 0.55 * _hill(u, 0.5, 0.03) * smoothstep(v, 0.3, 0.5))
    return premultiplied(color, body), premultiplied(under, body)


def tongue_tip(lips: LipColors) -> Rgba:
    """The tip between the teeth, seen from the front."""
    u, v = _space(128, 64)
    side = np.abs(u - 0.5) * 2
    round_tip = smoothstep(side**2.2 + np.clip((v - 0.30) / 0.70, 0, 1) ** 2.2, 1.0, 0.84)
    round_tip = round_tip * smoothstep(v, 0.0, 0.14)
    color = np.ones((*u.shape, 3)) * (_rgb(lips.tongue) * 0.88 + _rgb(lips.gloss) * 0.12)
    color = _over(color, "#ffc2ba", 0.8 * _hill(v, 0.55, 0.25) * _hill(side, 0.0, 0.7))
    color = _over(color, lips.dark, 0.6 * smoothstep(v, 0.28, 0.0) + 0.9 * smoothstep(v, 0.70, 0.95))
    color = _over(color, "#ffffff", 0.55 * _hill(v, 0.52, 0.08) * _hill(u, 0.44, 0.14))
    return premultiplied(color, round_tip)
