"""The visible label that says a picture was generated: its letters are drawn by strokes, so no font is needed."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import skia
from numpy.typing import NDArray

from realtime.core.values import I420, Roi

Place = Literal["top-left", "top", "top-right", "bottom-left", "bottom", "bottom-right"]

_TEXTS: Final = {"en": "AI generated", "zh": "AI 生成", "de": "KI generiert"}
HEIGHT_SHARE: Final = 0.045
"""Of the picture's height; never below 18 px, where the letters still stand apart after encoding."""
_MIN_HEIGHT_PX: Final = 18
_MARGIN_SHARE: Final = 0.018
_BACK_ALPHA: Final = 0.5
_INK_ALPHA: Final = 0.95

Point = tuple[float, float]
_Strokes = tuple[tuple[Point | tuple[float, float, float, float, float, float], ...], ...]

# Strokes on a grid where the baseline is y = 0, small letters are 5 and capitals 7 high, y downwards. A pair is a
# corner, six numbers are a cubic curve from the point before.
_BOWL: Final = ((3.6, -4.0), (2.9, -5.0, 0.0, -5.6, 0.0, -2.5), (0.0, 0.6, 2.9, 0.0, 3.6, -1.0))
_ARCH: Final = ((0.0, -3.2), (0.4, -5.4, 3.4, -5.6, 3.4, -3.0), (3.4, 0.0))
_GLYPHS: Final[dict[str, tuple[float, _Strokes]]] = {
    "A": (5.4, (((0.0, 0.0), (2.7, -7.0), (5.4, 0.0)), ((1.0, -2.5), (4.4, -2.5)))),
    "I": (0.0, (((0.0, 0.0), (0.0, -7.0)),)),
    "K": (4.8, (((0.0, 0.0), (0.0, -7.0)), ((4.6, -7.0), (0.0, -2.6)), ((1.7, -4.2), (4.8, 0.0)))),
    "a": (3.6, (_BOWL, ((3.6, -5.0), (3.6, 0.0)))),
    "d": (3.6, (_BOWL, ((3.6, -7.2), (3.6, 0.0)))),
    "e": (3.6, (((0.1, -2.6), (3.6, -2.6), (3.6, -5.9, 0.0, -5.9, 0.0, -2.5), (0.0, 0.6, 2.9, 0.5, 3.5, -0.9)),)),
    "g": (3.6, (_BOWL, ((3.6, -5.0), (3.6, 0.8), (3.6, 2.6, 0.9, 2.7, 0.3, 1.6)))),
    "i": (0.0, (((0.0, 0.0), (0.0, -5.0)), ((0.0, -7.0), (0.0, -7.05)))),
    "n": (3.4, (((0.0, 0.0), (0.0, -5.0)), _ARCH)),
    "r": (2.0, (((0.0, 0.0), (0.0, -5.0)), ((0.0, -3.0), (0.2, -4.6, 1.0, -5.1, 2.1, -4.9)))),
    "t": (2.2, (((0.9, -6.6), (0.9, -1.2), (0.9, 0.0, 1.6, 0.2, 2.4, -0.1)), ((0.0, -4.8), (2.3, -4.8)))),
    "生": (
        8.4,
        (
            ((2.2, -7.6), (1.8, -6.0, 1.2, -5.0, 0.2, -4.1)),
            ((1.7, -5.9), (7.6, -5.9)),
            ((1.2, -3.2), (7.4, -3.2)),
            ((0.0, 0.2), (8.4, 0.2)),
            ((4.5, -7.9), (4.5, 0.2)),
        ),
    ),
    "成": (
        8.4,
        (
            ((1.2, -6.1), (8.2, -6.1)),
            ((1.2, -6.1), (1.3, -3.0, 1.1, -1.0, 0.0, 0.6)),
            ((1.3, -3.8), (3.8, -3.8), (3.8, -2.0, 3.7, -0.6, 3.3, -0.3), (3.0, -0.1, 2.6, -0.3, 2.2, -0.6)),
            ((5.0, -7.9), (5.1, -4.0, 6.0, -0.6, 8.0, 0.4), (8.3, 0.2, 8.4, -0.6, 8.4, -1.3)),
            ((7.6, -4.6), (7.0, -2.4, 5.8, -0.8, 4.3, 0.4)),
            ((6.3, -7.8), (7.2, -7.1)),
        ),
    ),
}
_SPACE: Final = 2.6
_GAP: Final = 1.9
_STROKE: Final = 1.05


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A label for pictures of one size: where it lies, and what is blended there."""

    roi: Roi
    luma: NDArray[np.uint16]
    """Shape (height, width): the label's own luma times its alpha."""
    keep: NDArray[np.uint16]
    """Shape (height, width): 256 minus alpha."""
    grey: NDArray[np.uint16]
    """Shape (height / 2, width / 2): 256 minus alpha for chroma, which the label draws towards grey."""

    def draw(self, picture: I420, width: int, height: int) -> None:
        """Lay the label over a picture in place. A picture of twice the height carries a matte below, which the label
        makes opaque where it lies."""
        roi = self.roi
        rows, columns = slice(roi.y, roi.y + roi.height), slice(roi.x, roi.x + roi.width)
        area = picture[rows, columns]
        area[...] = (area * self.keep + self.luma) >> 8
        coded_height = picture.shape[0] * 2 // 3
        chroma = picture[coded_height:].reshape(2, coded_height // 2, width // 2)
        half = (slice(None), slice(roi.y // 2, (roi.y + roi.height) // 2), slice(roi.x // 2, (roi.x + roi.width) // 2))
        part = chroma[half].astype(np.uint16)
        chroma[half] = (part * self.grey + 128 * (256 - self.grey)) >> 8
        if coded_height == 2 * height:
            matte = picture[roi.y + height : roi.y + height + roi.height, columns]
            np.maximum(matte, (235 - (235 * self.keep >> 8)).astype(np.uint8), out=matte)


def label_text(language: str) -> str:
    """What the label says in a language (BCP 47); English where there are no words of its own."""
    return _TEXTS.get(language.split("-")[0].lower(), _TEXTS["en"])


def label(language: str, place: Place, width: int, height: int) -> Label:
    """The label for pictures of `width` x `height` pixels."""
    text = label_text(language)
    tall = max(_MIN_HEIGHT_PX, round(height * HEIGHT_SHARE)) // 2 * 2
    unit = tall / 15.0
    wide = round((_width(text) + 9.0) * unit) // 2 * 2
    margin = round(height * _MARGIN_SHARE) // 2 * 2
    side, _, edge = place.partition("-")
    x = {"left": margin, "right": width - wide - margin}.get(edge, (width - wide) // 2)
    y = margin if side == "top" else height - tall - margin
    back, ink = _painted(text, wide, tall, unit)
    back_alpha = _BACK_ALPHA * back
    ink_alpha = _INK_ALPHA * ink
    alpha = ink_alpha + back_alpha * (1 - ink_alpha)
    luma = 235.0 * ink_alpha + 24.0 * back_alpha * (1 - ink_alpha)
    quarter = alpha.reshape(tall // 2, 2, wide // 2, 2).mean(axis=(1, 3))
    return Label(
        Roi(x - x % 2, y - y % 2, wide, tall),
        np.rint(256 * luma).astype(np.uint16),
        np.rint(256 * (1 - alpha)).astype(np.uint16),
        np.rint(256 * (1 - quarter)).astype(np.uint16),
    )


def _width(text: str) -> float:
    widths = [_SPACE if letter == " " else _GLYPHS[letter][0] for letter in text]
    return sum(widths) + _GAP * (len(text) - 1)


def _painted(text: str, wide: int, tall: int, unit: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Coverage 0..1 of the pill and of the letters, each of shape (tall, wide)."""
    pill = np.zeros((tall, wide), np.uint8)
    canvas = skia.Canvas.MakeRasterDirect(skia.ImageInfo.MakeA8(wide, tall), pill)
    canvas.drawRoundRect(skia.Rect.MakeWH(wide, tall), tall * 0.3, tall * 0.3, skia.Paint(AntiAlias=True))
    letters = np.zeros((tall, wide), np.uint8)
    canvas = skia.Canvas.MakeRasterDirect(skia.ImageInfo.MakeA8(wide, tall), letters)
    canvas.translate((wide - _width(text) * unit) / 2, tall / 2 + 3.4 * unit)
    canvas.scale(unit, unit)
    pen = skia.Paint(
        AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=_STROKE,
        StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join,
    )  # fmt: skip
    for letter in text:
        advance, strokes = (_SPACE, ()) if letter == " " else _GLYPHS[letter]
        for stroke in strokes:
            canvas.drawPath(_path(stroke), pen)
        canvas.translate(advance + _GAP, 0)
    return np.float32(1 / 255) * pill, np.float32(1 / 255) * letters


def _path(stroke: tuple[tuple[float, ...], ...]) -> skia.Path:
    path = skia.Path()
    path.moveTo(*stroke[0])
    for step in stroke[1:]:
        if len(step) == 2:
            path.lineTo(*step)
        else:
            path.cubicTo(*step)
    return path
