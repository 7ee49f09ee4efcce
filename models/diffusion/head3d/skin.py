"""The face's skin: pores, freckles, blood, wrinkles, stubble, lips, brows and lashes, painted on the map."""

from typing import Any, Final

import cv2
import numpy as np

from models.diffusion.head3d import parts
from models.diffusion.head3d.parts import MAP_CORNER, PX_PER_UNIT
from models.diffusion.head3d.person import Person
from models.diffusion.head3d.raster import F32
from models.diffusion.head3d.surface import lid_distance
from models.diffusion.head3d.template import (
    LINE,
    MOUTH_HALF,
    SLIT,
    Floats,
    lower_height,
    lower_lid,
    upper_height,
    upper_lid,
)

_cv: Final[Any] = cv2
"""OpenCV seen without its type stubs, which refuse calls that its documentation allows."""


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float, stretch: tuple[float, float] = (1, 1)) -> F32:
    """Smooth noise of unit variance; drawn small and enlarged where it is coarse."""
    shrink = max(1, int(sigma / 2.5))
    small = (shape[0] // shrink + 2, shape[1] // shrink + 2)
    raw = rng.standard_normal(small).astype(np.float32)
    s = sigma / shrink
    soft = cv2.GaussianBlur(raw, (0, 0), sigmaX=max(0.3, s * stretch[0]), sigmaY=max(0.3, s * stretch[1]))
    soft = soft / max(float(soft.std()), 1e-6)
    return np.asarray(cv2.resize(soft, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


class Skin:
    """The face's part of the atlas."""

    def __init__(self, person: Person, x: Floats, y: Floats) -> None:
        self._p = person
        self._x, self._y = x, y
        self._shape = (x.shape[0], x.shape[1])
        self._flat = np.stack([x.ravel(), y.ravel()], 1)
        self._rng = person.stream(2)

    def _spot(self, cx: float, cy: float, rx: float, ry: float) -> Floats:
        return np.asarray(np.exp(-(((np.abs(self._x) - cx) / rx) ** 2) - ((self._y - cy) / ry) ** 2))

    def _noise(self, sigma: float, stretch: tuple[float, float] = (1, 1)) -> F32:
        return noise(self._rng, self._shape, sigma, stretch)

    def paint(self) -> tuple[F32, F32, F32, F32]:
        """Albedo, height, gloss and sharpness of the skin."""
        p = self._p
        blood = (
            0.24 * self._spot(0.60, 0.60, 0.30, 0.24)
            + 0.26 * self._spot(0, 0.66, 0.20, 0.14)
            + 0.10 * self._spot(0.3, 0.8, 0.1, 0.12)
        )
        blood += (
            0.10 * self._spot(0, 1.62, 0.25, 0.18)
            + 0.08 * self._spot(0, -0.6, 0.6, 0.3)
            + 0.12 * self._spot(0.26, 0.01, 0.08, 0.08)
        )
        blood = blood * p.redness + 0.030 * self._noise(14) + 0.040 * self._noise(4) + 0.030 * self._noise(40)
        under = self._spot(0.46, 0.17, 0.20, 0.07)
        melanin = (
            0.022 * self._noise(30) + 0.020 * self._noise(7) + 0.022 * self._noise(2) + 0.10 * (0.4 + p.age) * under
        )
        melanin += p.freckles * self._freckles() + self._moles() + p.age * 0.25 * np.clip(self._noise(9) - 1.5, 0, 1)
        lid = np.exp(-((lid_distance(self._flat).reshape(self._shape) / 0.10) ** 2))
        blood += 0.12 * lid
        melanin += 0.06 * lid
        log = -blood[..., None] * np.array([0.10, 0.80, 0.70]) - melanin[..., None] * np.array([0.74, 0.93, 1.05])
        albedo = np.asarray(p.skin * np.exp(log), np.float32)
        pores = np.clip(-self._noise(0.9), 0, 3) * (
            0.35 + self._spot(0.45, 0.55, 0.4, 0.35) + self._spot(0, 0.6, 0.3, 0.25)
        )
        height = p.roughness * (0.30 * self._noise(1.6) - 0.30 * pores + 0.35 * self._noise(4)) * 1.0
        height += 2.2 * p.age * self._lines()
        gloss = (
            0.30
            + 0.25 * self._spot(0, 0.5, 0.22, 0.35)
            + 0.18 * self._spot(0, -0.65, 0.6, 0.3)
            + 0.12 * self._spot(0.62, 0.4, 0.25, 0.2)
        )
        gloss = np.asarray(np.clip(gloss * (1 + 0.12 * self._noise(3)), 0.05, 1), np.float32)
        sharp = np.zeros(self._shape, np.float32)
        for step in (self._nostrils, self._stubble, self._scalp, self._lips, self._brows, self._lash_lines):
            step(albedo, height, gloss, sharp)
        return albedo, np.asarray(height, np.float32), gloss, sharp

    def wrinkles(self) -> tuple[F32, F32, F32]:
        """Relief of raised brows, of a frown, of a smile."""
        x, y, age = self._x, self._y, 0.6 + 1.4 * self._p.age
        wave = 0.5 * self._noise(30)
        forehead = np.cos((y + 0.03 * wave + 0.05 * np.cos(2.5 * x)) * 2 * np.pi / 0.16) * self._spot(
            0, -0.68, 0.62, 0.24
        )
        frown = np.cos((np.abs(x) - 0.11 + 0.01 * wave) * 2 * np.pi / 0.17) * self._spot(0, -0.28, 0.17, 0.16)
        frown += 0.6 * np.cos((y + 0.02 * wave) * 2 * np.pi / 0.09) * self._spot(0, -0.02, 0.10, 0.13)
        radius, angle = np.hypot(np.abs(x) - 0.60, y - 0.03), np.arctan2(y - 0.03, np.abs(x) - 0.60)
        crow = np.cos(angle * 13 + wave) * np.exp(-(((radius - 0.30) / 0.09) ** 2)) * np.exp(-((angle / 0.75) ** 2))
        crow += 0.6 * np.cos((y - 0.10 * x + 0.015 * wave) * 2 * np.pi / 0.065) * self._spot(0.48, 0.20, 0.22, 0.07)
        fold = (
            np.exp(-(((np.abs(x) - (0.29 + 0.36 * (y - 0.70))) / 0.035) ** 2))
            * np.clip((y - 0.62) / 0.15, 0, 1)
            * np.clip((1.22 - y) / 0.2, 0, 1)
        )
        return tuple(
            np.asarray(age * k * h, np.float32) for k, h in ((2.4, forehead), (2.4, frown), (2.0, crow - 2.2 * fold))
        )  # type: ignore[return-value]

    def _lines(self) -> Floats:
        y, x = self._y, self._x
        wave = self._noise(25)
        lines = 0.6 * np.cos((y + 0.02 * wave) * 2 * np.pi / 0.15) * self._spot(0, -0.68, 0.6, 0.25)
        radius, angle = np.hypot(np.abs(x) - 0.60, y - 0.03), np.arctan2(y - 0.03, np.abs(x) - 0.60)
        lines += np.cos(angle * 13 + wave) * np.exp(-(((radius - 0.28) / 0.08) ** 2)) * np.exp(-((angle / 0.7) ** 2))
        return np.asarray(lines + 0.5 * np.clip(self._noise(3, (1, 0.4)) - 1, 0, 2))

    def _freckles(self) -> Floats:
        dots = np.clip(self._noise(1.6) - 1.5, 0, 1.2) + np.clip(self._noise(2.6) - 1.9, 0, 1)
        return np.asarray(0.55 * dots * (self._spot(0.45, 0.42, 0.45, 0.32) + self._spot(0, 0.4, 0.4, 0.3) + 0.15))

    def _moles(self) -> Floats:
        out = np.zeros(self._shape, np.float32)
        for _ in range(int(self._rng.integers(0, 5))):
            at = (int(self._rng.uniform(150, 550)), int(self._rng.uniform(200, 760)))
            _cv.circle(out, at, int(self._rng.integers(1, 3)), float(self._rng.uniform(0.4, 1.2)), -1, cv2.LINE_AA)
        return np.asarray(cv2.GaussianBlur(out, (0, 0), 0.8), np.float64)

    def _nostrils(self, albedo: F32, height: F32, gloss: F32, sharp: F32) -> None:
        tilt = self._y - 0.757 + 0.35 * (np.abs(self._x) - 0.1)
        hole = np.clip(1.2 * np.exp(-((((np.abs(self._x) - 0.112) / 0.050) ** 2 + (tilt / 0.021) ** 2) ** 1.3)), 0, 1)
        shade = 0.30 * self._spot(0, 0.79, 0.16, 0.035) + 0.22 * np.exp(
            -(((np.hypot((np.abs(self._x) - 0.19) / 1.1, self._y - 0.68) - 0.105) / 0.02) ** 2)
        ) * (np.abs(self._x) > 0.2)
        albedo *= np.asarray(
            np.exp(-hole[..., None] * np.array([1.9, 2.6, 2.7]) - shade[..., None] * np.array([0.55, 0.8, 0.85])),
            np.float32,
        )
        gloss *= np.asarray(1 - hole, np.float32)

    def _stubble(self, albedo: F32, height: F32, gloss: F32, sharp: F32) -> None:
        p, x, y = self._p, np.abs(self._x), self._y
        if p.stubble <= 0:
            return
        zone = np.clip((y - 1.02 - 0.25 * np.clip(x - 0.5, -1, 0) + 0.9 * np.clip(x - 0.75, 0, 1)) / 0.22, 0, 1)
        upper = np.clip((y - 0.83) / 0.05, 0, 1) * np.clip((0.50 - x) / 0.1, 0, 1)
        side = np.clip((x - 0.92) / 0.12, 0, 1) * np.clip((y - 0.25) / 0.4, 0, 1)
        zone = np.clip(np.maximum(np.maximum(zone, upper), side), 0, 1) * np.clip((2.3 - y) / 0.3, 0, 1)
        zone *= np.where((x < 0.14) & (y > 1.24) & (y < 1.40), 0.55, 1)
        hairs = np.clip(self._noise(0.7, (0.8, 1.2)) - 0.1, 0, 2)
        cover = np.clip(zone * (p.stubble * (0.18 + 0.40 * hairs) + p.beard * (0.45 + 0.4 * hairs)), 0, 0.95)[..., None]
        albedo += (np.asarray(p.hair * 0.8 + 0.12 * p.skin, np.float32) - albedo) * cover.astype(np.float32)
        height += (zone * (1.0 + 2.0 * p.beard) * 0.6 * hairs).astype(np.float32)
        gloss *= (1 - 0.5 * cover[..., 0]).astype(np.float32)

    def _scalp(self, albedo: F32, height: F32, gloss: F32, sharp: F32) -> None:
        p = self._p
        if p.hair_length <= 0.03:
            return
        line = parts.hair_line(np.abs(self._x), p.hair_line, p.fringe)
        strands = self._noise(0.9, (0.6, 12.0))
        cover = np.clip((line - self._y + 0.05 + 0.05 * strands) / 0.09, 0, 1)[..., None]
        albedo += ((p.hair * np.exp(0.3 * strands)[..., None] - albedo) * cover).astype(np.float32)
        gloss *= (1 - 0.6 * cover[..., 0]).astype(np.float32)

    def _lips(self, albedo: F32, height: F32, gloss: F32, sharp: F32) -> None:
        p, t, low = self._p, self._x / MOUTH_HALF, self._y > LINE
        inside = np.clip(np.abs(t), 0, 1)
        full = np.maximum(np.where(low, lower_height(inside), upper_height(inside)), 0.004)
        q = (np.abs(self._y - LINE) - SLIT * (1 - inside**2)) / full
        edge = 0.05 + 0.10 * (1 - p.make_up)
        cover = np.clip((1.02 - q) / edge + 0.02 * self._noise(2), 0, 1) * np.clip((1.015 - np.abs(t)) / 0.03, 0, 1)
        streaks = self._noise(1.3, (0.8, 5.0))
        tone = (
            1 + 0.022 * streaks + 0.04 * self._noise(8) - 0.28 * np.exp(-((q / 0.14) ** 2)) + np.where(low, 0.05, -0.08)
        )
        colour = p.lips * tone[..., None]
        cover = cover[..., None] * (0.80 + 0.18 * p.make_up)
        albedo += ((colour - albedo) * cover).astype(np.float32)
        c = cover[..., 0]
        height += (c * (0.35 * streaks + 0.2 * self._noise(2.5)) - 0.5 * c * height).astype(np.float32)
        gloss += (c * (0.65 + 0.35 * p.make_up - gloss)).astype(np.float32)
        sharp += (0.45 * c).astype(np.float32)
        corner = np.exp(-(((np.abs(self._x) - MOUTH_HALF - 0.005) / 0.035) ** 2) - ((self._y - LINE) / 0.035) ** 2)
        albedo *= np.asarray(1 - 0.40 * corner[..., None] * np.array([0.75, 1, 1]), np.float32)

    def _brows(self, albedo: F32, height: F32, gloss: F32, sharp: F32) -> None:
        p, rng = self._p, self._rng
        mask = np.zeros(self._shape, np.float32)
        thick = 0.060 * (1.15 if p.male else 0.82) * float(rng.uniform(0.75, 1.3))
        count = int(240 + 330 * p.brow_density)
        lift, bend = float(rng.uniform(-0.02, 0.02)), float(rng.uniform(0.05, 0.12))
        for side in (-1, 1):
            for f in rng.uniform(0, 1, count):
                spread = thick * (0.75 + 0.5 * np.sin(np.pi * min(1, f * 1.3))) * (1 - 0.75 * max(0, f - 0.55) / 0.45)
                bx = 0.19 + 0.63 * f
                by = (
                    -0.295
                    + lift
                    - bend * np.sin(np.pi * min(f * 0.72, 1))
                    + 0.10 * max(0, f - 0.6)
                    + spread * float(rng.uniform(-0.8, 0.8))
                )
                lean = np.radians(70 * (1 - f) ** 1.3 + float(rng.normal(0, 9)) - 18 * f)
                length = 0.055 * float(rng.uniform(0.7, 1.3))
                a = (np.array([side * bx, by]) - MAP_CORNER) * PX_PER_UNIT
                b = (
                    np.array([side * (bx + length * np.cos(lean)), by - length * np.sin(lean)]) - MAP_CORNER
                ) * PX_PER_UNIT
                _cv.line(mask, _fixed(a), _fixed(b), 0.55, 1, cv2.LINE_AA, 4)
        wide = cv2.GaussianBlur(mask, (0, 0), 3.0)
        cover = np.clip(mask * 0.85 + wide * 0.9, 0, 0.95)[..., None] * (0.55 + 0.42 * p.brow_density)
        hair = np.minimum(p.hair, 0.15) * 0.6 + 0.012 * p.skin
        albedo += ((hair - albedo) * cover).astype(np.float32)
        gloss *= (1 - 0.6 * cover[..., 0]).astype(np.float32)

    def _lash_lines(self, albedo: F32, height: F32, gloss: F32, sharp: F32) -> None:
        p = self._p
        s = (np.abs(self._x) - 0.5) / 0.25
        inside = np.clip(s, -1, 1)
        away = np.hypot(np.maximum(0, np.abs(s) - 1) * 0.25, 0)
        above, below = upper_lid(inside) - self._y, self._y - lower_lid(inside)
        strength = 0.78 + 0.18 * p.make_up
        upper = (
            np.exp(-((np.maximum(above, 0) / (0.036 + 0.014 * p.make_up)) ** 2))
            * np.exp(-((away / 0.02) ** 2))
            * (self._y < 0.02)
        )
        upper *= 0.55 + 0.45 * np.clip((s + 0.9) / 1.2, 0, 1)
        lower = (
            0.42
            * np.exp(-((np.maximum(below, 0) / 0.014) ** 2))
            * np.exp(-((away / 0.02) ** 2))
            * (self._y > 0)
            * np.clip((s + 0.8) / 1.0, 0, 1)
        )
        crease = (
            np.exp(-(((above - 0.075 - 0.012 * (1 - inside**2)) / 0.015) ** 2))
            * np.exp(-((np.maximum(np.abs(s) - 0.85, 0) / 0.2) ** 2))
            * 0.55
        )
        shadow = (
            p.make_up
            * 0.35
            * np.exp(-(((above - 0.04) / 0.06) ** 2))
            * np.exp(-((np.maximum(np.abs(s) - 0.8, 0) / 0.3) ** 2))
            * (above > 0)
        )
        dark = (strength * np.clip(upper + lower, 0, 1))[..., None]
        albedo += ((np.array([0.012, 0.009, 0.008]) - albedo) * dark).astype(np.float32)
        albedo *= np.asarray(np.exp(-(crease + shadow)[..., None] * np.array([0.7, 0.95, 0.95])), np.float32)
        wet = np.exp(-((np.hypot(self._x.__abs__() - 0.262, self._y - 0.005) / 0.03) ** 2))[..., None]
        albedo += ((np.array([0.42, 0.16, 0.14]) - albedo) * 0.6 * wet).astype(np.float32)


def _fixed(at: Floats) -> tuple[int, int]:
    return round(float(at[0]) * 16), round(float(at[1]) * 16)
