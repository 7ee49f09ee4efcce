"""Whole sets of colours from one: what an illustrator would mix for skin, hair, lips, eyes and cloth of that colour."""

import colorsys
from collections.abc import Callable, Mapping
from typing import Final

from models.avatar.spec import ClothColors, HairColors, IrisColors, LipColors, SkinColors

Rgb = tuple[float, float, float]


def _parse(code: str) -> Rgb:
    value = int(code.lstrip("#"), 16)
    return (value >> 16) / 255, (value >> 8 & 255) / 255, (value & 255) / 255


def _code(color: Rgb) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, v))):02x}" for v in color)


def _times(color: Rgb, *gains: float) -> Rgb:
    factors = gains if len(gains) == 3 else (gains[0],) * 3
    red, green, blue = (v * g for v, g in zip(color, factors, strict=True))
    return red, green, blue


def _towards(color: Rgb, code: str, share: float) -> Rgb:
    red, green, blue = (a + (b - a) * share for a, b in zip(color, _parse(code), strict=True))
    return red, green, blue


def _luma(color: Rgb) -> float:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def skin(base: str) -> SkinColors:
    """Darker skin takes less white in its lights and a redder, deeper blush."""
    mid = _parse(base)
    fair = min(1.0, max(0.0, (_luma(mid) - 0.25) / 0.55))
    return SkinColors(
        deep=_code(_times(mid, 0.70 + 0.06 * fair, 0.54, 0.47)),
        shadow=_code(_times(mid, 0.88 + 0.02 * fair, 0.775, 0.72)),
        mid=base,
        light=_code(_towards(_times(mid, 1.05), "#ffe6d2", 0.16 + 0.26 * fair)),
        high=_code(_towards(_times(mid, 1.08), "#fff2e2", 0.30 + 0.44 * fair)),
        line=_code(_times(mid, 0.50 + 0.06 * fair, 0.36, 0.33)),
        blush=_code(_towards(mid, "#e8504a" if fair > 0.6 else "#b23a34", 0.34 + 0.14 * fair)),
    )


def hair(base: str) -> HairColors:
    """The base is the hair's own colour in even light; the lights keep its hue."""
    mid = _parse(base)
    hue, light, vivid = colorsys.rgb_to_hls(*mid)
    top = colorsys.hls_to_rgb(hue, min(0.93, 0.52 + 0.55 * light), min(1.0, vivid * 0.9))
    glow = _code(top)
    return HairColors(
        gap=_code(_times(mid, 0.35 + 0.02 * vivid, 0.34 - 0.05 * vivid, 0.34 - 0.10 * vivid)),
        dark=_code(_times(mid, 0.63 + 0.05 * vivid, 0.62 - 0.06 * vivid, 0.62 - 0.14 * vivid)),
        mid=base,
        warm=_code(_towards(mid, glow, 0.24)),
        light=_code(_towards(mid, glow, 0.52)),
        sheen=_code(_towards(mid, glow, 0.86)),
    )


def lips(base: str) -> LipColors:
    """The base is the upper lip; the lower one turns to the light."""
    upper = _parse(base)
    return LipColors(
        upper=base,
        lower=_code(_towards(_times(upper, 1.10), "#ffc8bc", 0.12)),
        dark=_code(_times(upper, 0.71, 0.58, 0.62)),
        line=_code(_times(upper, 0.45, 0.34, 0.38)),
        gloss=_code(_towards(upper, "#fff4ee", 0.62 + 0.30 * _luma(upper))),
    )


def iris(base: str) -> IrisColors:
    """The base is the ring between pupil and rim."""
    inner = _parse(base)
    return IrisColors(
        rim=_code(_times(inner, 0.24)),
        outer=_code(_times(inner, 0.62)),
        inner=base,
        glow=_code(_towards(_times(inner, 1.25), "#ffe9c8", 0.36)),
    )


def cloth(base: str) -> ClothColors:
    """The base is the outer garment in even light; blouse and accent keep their defaults."""
    plain = _parse(base)
    return ClothColors(
        deep=_code(_times(plain, 0.42)),
        dark=_code(_times(plain, 0.70)),
        base=base,
        light=_code(_towards(_times(plain, 1.14), "#ffffff", 0.12)),
        edge=_code(_towards(plain, "#ffffff", 0.50)),
    )


Palette = SkinColors | HairColors | LipColors | IrisColors | ClothColors
PALETTES: Final[Mapping[str, Callable[[str], Palette]]] = {
    "skin": skin, "hair": hair, "lips": lips, "iris": iris, "cloth": cloth,
}  # fmt: skip
