"""Light and shadow that expressions bring: folds, furrows, the shine of a pout. Log-gain maps on the resting face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.fields import BAND, region_border
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX
from models.avatar.portrait.numerics import Floats, Image, blur, closed_mask, curve, polyline, smoothstep
from models.avatar.portrait.topology import LEFT_CORNER, NOSE_BASE, RIGHT_CORNER
from realtime.core.facs import Controls

MAP_PX: Final = PICTURE_PX // 2
UPPER_SHADES: Final = ("furrow", "forehead", "bag", "nose")
LOWER_SHADES: Final = ("fold", "corner", "chin", "pout", "pit", "press")


def upper_weights(c: Controls) -> NDArray[np.float32]:
    """How strongly each of UPPER_SHADES shows."""
    knit, raised = c["AU4"], 0.7 * c["AU1"] + 0.5 * c["AU2"]
    return np.array([
        min(1.0, knit + 0.4 * c["AU9"]),
        min(1.0, raised) * (1 - 0.5 * knit),
        min(1.0, 0.8 * c["AU6"] + 0.5 * c["AU7"] + 0.3 * c["AU9"]),
        c["AU9"],
    ], np.float32)  # fmt: skip


def lower_weights(c: Controls) -> NDArray[np.float32]:
    """How strongly each of LOWER_SHADES shows."""
    round_ = min(1.0, 0.75 * c["AU18"] + 0.65 * c["AU22"] + 0.20 * c["lip_round"])
    return np.array([
        min(1.0, 0.9 * c["AU12"] + 0.6 * c["AU10"] + 0.7 * c["AU9"] + 0.25 * c["AU20"]),
        min(1.0, 0.8 * c["AU12"] + c["AU14"] + 0.5 * c["AU15"]),
        c["AU17"],
        round_,
        round_,
        min(1.0, c["AU24"] + 0.5 * c["AU23"] + 0.6 * c["lip_tuck"]),
    ], np.float32)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Shades:
    """Log-gain maps, float32 (shades, MAP_PX, MAP_PX); 0 leaves the picture as it is, and at the regions' edges."""

    upper: NDArray[np.float32]
    lower: NDArray[np.float32]


def paint_shades(face: Floats, frame: FaceFrame, plate: Image, folds: Image) -> Shades:
    """Maps of a face at rest. `frame` is in plate pixels, `folds` what neutralising took away (log gain)."""
    brush = _Brush(face, frame, *_skin(face, frame, plate))
    naso = brush.nasolabial()
    taken = cv2.resize(folds, (MAP_PX, MAP_PX), interpolation=cv2.INTER_AREA)
    # where the photo had folds of its own they come back with the smile, elsewhere drawn ones do
    fold = (
        np.where(np.abs(taken) > 0.02, np.clip(-0.8 * taken, -0.30, 0.2), 0.35 * naso)
        if float(np.abs(folds).max()) > 0.05
        else naso
    )
    upper = [brush.furrow(), brush.forehead(), brush.bags(), brush.nose()]
    lower = [
        blur(fold.astype(np.float32), 0.6),
        brush.corners(),
        brush.chin(),
        brush.pout(),
        brush.pits(),
        brush.press(),
    ]
    _, v = brush.grid()
    border = region_border(face)
    # a turned head slants the line between the regions: both sides keep clear of the whole band
    above = 1 - smoothstep(border - BAND - 0.12, border - BAND, v)
    below = smoothstep(border + BAND, border + BAND + 0.12, v)
    return Shades((np.stack(upper) * above).astype(np.float32), (np.stack(lower) * below).astype(np.float32))


def _skin(face: Floats, frame: FaceFrame, plate: Image) -> tuple[Image, float]:
    """Where skin is (0..1, map size), and how much drawn wrinkles it bears: smooth drawings get faint ones."""
    small = cv2.resize(plate, (MAP_PX, MAP_PX), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(np.asarray(small / 255, np.float32), cv2.COLOR_BGR2LAB)
    cheeks = frame.scaled(MAP_PX / PLATE_PX).to_px(face[[50, 280, 205, 425, 9], :2]).astype(int)
    tone = np.median([lab[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(0) for x, y in cheeks], axis=0)
    distance = np.sqrt(((lab - tone) ** 2 * (0.02, 1, 1)).sum(2))
    skin = blur(np.clip(1 - (distance - 14) / 10, 0, 1).astype(np.float32), 2.0)
    grey = cv2.resize(plate, (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA).mean(2)
    fine = np.abs(grey - blur(grey, 3))
    cheek = closed_mask(grey.shape, frame.scaled(0.5).to_px(face[[117, 50, 205, 36, 101], :2])) > 0.5
    return skin, float(np.clip((float(np.median(fine[cheek])) - 0.15) / 1.0, 0.25, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Brush:
    face: Floats
    frame: FaceFrame
    skin: Image
    strength: float

    def _place(self, units: Floats) -> Floats:
        return self.frame.scaled(MAP_PX / PLATE_PX).to_px(units)

    @property
    def _unit_px(self) -> float:
        return self.frame.scale_px * MAP_PX / PLATE_PX

    def grid(self) -> tuple[Floats, Floats]:
        """Face units u and v of every pixel of the maps."""
        pixels = np.stack(np.meshgrid(np.arange(MAP_PX), np.arange(MAP_PX)), -1).astype(np.float64)
        units = self.frame.scaled(MAP_PX / PLATE_PX).to_units(pixels)
        return units[..., 0], units[..., 1]

    def stroke(
        self, points: Sequence[Sequence[float]], width: float, depth: float, lit: float, off: tuple[float, float]
    ) -> Image:
        """A groove along a curve in face units: dark in its line, lighter on the side the light comes from."""
        line = self._place(curve(np.array(points, np.float64), 12))
        taper = np.clip(1 - np.linspace(-1, 1, len(line)) ** 2, 0, 1) ** 0.6
        mask = np.zeros((MAP_PX, MAP_PX), np.float32)
        thick = max(1, round(width * self._unit_px))
        for i in range(len(line) - 1):
            polyline(mask, line[i : i + 2], float(taper[i]), thick)
        dark = blur(mask, width * self._unit_px * 0.55)
        shift = np.array([[1, 0, off[0] * self._unit_px], [0, 1, off[1] * self._unit_px]], np.float32)
        light = cv2.warpAffine(blur(mask, width * self._unit_px * 1.3), shift, (MAP_PX, MAP_PX))
        return np.asarray(depth * (lit * light - dark) * self.skin * self.strength, np.float32)

    def furrow(self) -> Image:
        """Between knit brows."""
        top = float(self.face[[55, 285], 1].mean())
        return np.asarray(sum(
            self.stroke(
                [(s * 0.105, top - 0.14), (s * 0.085, top - 0.02), (s * 0.10, top + 0.10)],
                0.03, 0.34, 0.12, (-0.05 * s, 0),
            )
            for s in (-1, 1)
        ), np.float32)  # fmt: skip

    def forehead(self) -> Image:
        """Across the forehead, above raised brows."""
        top = float(self.face[[105, 334], 1].mean())
        return np.asarray(sum(
            self.stroke(
                [(-0.62, v + 0.05), (-0.3, v), (0, v + 0.02), (0.3, v), (0.62, v + 0.05)], 0.022, depth, 0.5, (0, 0.04)
            )
            for v, depth in ((top - 0.09, 0.16), (top - 0.17, 0.22), (top - 0.26, 0.18))
        ), np.float32)  # fmt: skip

    def bags(self) -> Image:
        """Under narrowed eyes."""
        eyes = (self.face[[33, 133], :2].mean(0), self.face[[362, 263], :2].mean(0))
        return np.asarray(sum(
            self.stroke(
                [(x - 0.26, y + 0.13), (x - 0.08, y + 0.205), (x + 0.10, y + 0.20), (x + 0.27, y + 0.11)],
                0.026, 0.2, 0.45, (0, 0.04),
            )
            for x, y in eyes
        ), np.float32)  # fmt: skip

    def nose(self) -> Image:
        """Across the bridge of a wrinkled nose."""
        return np.asarray(sum(
            self.stroke([(s * 0.10, v), (s * 0.16, v + 0.03), (s * 0.20, v + 0.09)], 0.02, 0.20, 0.5, (0, 0.03))
            for s in (-1, 1) for v in (0.10, 0.17)
        ), np.float32)  # fmt: skip

    def nasolabial(self) -> Image:
        """From the wings of the nose past the corners of a smile."""
        parts = []
        for s, wing, corner in ((-1, 129, RIGHT_CORNER), (1, 358, LEFT_CORNER)):
            a, c = self.face[wing, :2], self.face[corner, :2]
            line = [a + (s * 0.05, 0.02), a + (s * 0.12, 0.10), c + (s * 0.13, -0.13), c + (s * 0.15, 0.02)]
            parts.append(self.stroke([tuple(p) for p in line], 0.035, 0.30, 0.45, (0.05 * s, -0.02)))
        return np.asarray(sum(parts), np.float32)

    def corners(self) -> Image:
        """Beside the corners of the mouth."""
        parts = []
        for s, corner in ((-1, RIGHT_CORNER), (1, LEFT_CORNER)):
            c = self.face[corner, :2]
            line = [tuple(c + d) for d in ((s * 0.03, -0.05), (s * 0.055, 0.0), (s * 0.04, 0.06))]
            parts.append(self.stroke(line, 0.03, 0.28, 0.5, (0.04 * s, 0)))
        return np.asarray(sum(parts), np.float32)

    def chin(self) -> Image:
        """Over a pushed-up chin."""
        v = float(self.face[17, 1])
        return self.stroke([(-0.22, v + 0.07), (0, v + 0.045), (0.22, v + 0.07)], 0.05, 0.22, 0.4, (0, 0.07))

    def _spots(self, spots: Sequence[tuple[float, float, float, float, float]]) -> Image:
        """Gaussian spots (u, v, ru, rv, gain), without regard to what is skin: lips are meant, too."""
        u, v = self.grid()
        middle = float(self.face[[RIGHT_CORNER, LEFT_CORNER], 0].mean())
        out = np.zeros_like(u)
        for cu, cv_, ru, rv, gain in spots:
            out += gain * np.exp(-(((u - middle - cu) / ru) ** 2) - ((v - cv_) / rv) ** 2)
        return np.asarray(
            out * smoothstep(self.face[NOSE_BASE, 1] - 0.05, self.face[NOSE_BASE, 1] + 0.10, v), np.float32
        )

    def _lip_rows(self) -> tuple[float, float, float, float]:
        """v of the upper lip's top, the mouth line, the lower lip's foot, and half the mouth's width in units."""
        half = float(self.face[LEFT_CORNER, 0] - self.face[RIGHT_CORNER, 0]) / 2
        return float(self.face[0, 1]), float(self.face[13, 1]), float(self.face[17, 1]), half

    def pout(self) -> Image:
        """Lips that come forward catch the light in their middle and cast a shadow below."""
        top, line, foot, half = self._lip_rows()
        middle = line + 0.52 * (foot - line)
        return self._spots((
            (0, middle, 0.42 * half, 0.30 * (foot - line), 0.20), (0, (top + line) / 2, 0.5 * half, 0.045, 0.07),
            (0, foot + 0.055, 0.62 * half, 0.045, -0.13), (0, top - 0.045, 0.9 * half, 0.045, -0.06),
        ))  # fmt: skip

    def pits(self) -> Image:
        """Dark pits where the corners are drawn in."""
        _, line, _, half = self._lip_rows()
        return self._spots(tuple((s * half * 0.98, line + 0.005, 0.075, 0.060, -0.17) for s in (-1, 1)))

    def press(self) -> Image:
        """Pressed lips: a darker line, paler flesh, bulges above and below."""
        top, line, foot, half = self._lip_rows()
        return self._spots((
            (0, line, 0.85 * half, 0.016, -0.30), (0, foot + 0.03, 0.6 * half, 0.04, -0.10),
            (0, top - 0.04, 0.8 * half, 0.035, 0.05), (0, foot + 0.10, 0.55 * half, 0.05, 0.05),
        ))  # fmt: skip
