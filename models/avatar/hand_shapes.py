"""The shapes a hand can take, as chains of bones, each a tapered capsule; wrist at the origin, forearm below it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Bone = tuple[float, float, float, float]
"""x, y, height above the palm's plane, radius."""
Chain = tuple[Bone, ...]
Crease = tuple[tuple[tuple[float, float], ...], float]
"""Points of a line in the palm, and its strength."""


@dataclass(frozen=True, slots=True)
class HandShape:
    """What is melted together, and what is drawn on it."""

    palm: tuple[tuple[Chain, float, float, float], ...]
    """Chains with flatness, melt of the surface, melt of the silhouette."""
    fingers: tuple[Chain, ...]
    straight: tuple[int, ...]
    """Which fingers show the wrinkles of their joints."""
    thumb: Chain = ()
    creases: tuple[Crease, ...] = ()
    hills: tuple[tuple[tuple[float, float], tuple[float, float], float], ...] = ()
    """Swellings and hollows of the palm: centre, size, height."""


_FINGERS: Final[tuple[Chain, ...]] = (
    ((25, -70, 1, 11.0), (33, -110, 2, 9.4), (38, -143, 2, 6.8)),
    ((7, -76, 2, 11.2), (10, -121, 3, 9.6), (12, -158, 3, 7.0)),
    ((-12, -74, 1, 10.8), (-18, -116, 2, 9.0), (-22, -149, 2, 6.7)),
    ((-29, -64, 0, 9.6), (-41, -96, 1, 7.9), (-48, -121, 1, 5.9)),
)
_FOLDED: Final[tuple[Chain, ...]] = (
    ((25, -70, 3, 11.0), (27, -86, 10, 10.6), (22, -62, 17, 10.0), (18, -46, 12, 8.6)),
    ((7, -76, 4, 11.2), (7, -92, 11, 10.8), (5, -64, 18, 10.2), (3, -46, 13, 8.8)),
    ((-12, -74, 3, 10.8), (-14, -89, 10, 10.4), (-13, -63, 17, 9.8), (-12, -46, 12, 8.4)),
    ((-29, -64, 2, 9.6), (-32, -77, 8, 9.2), (-29, -56, 14, 8.8), (-26, -43, 10, 7.6)),
)
_THUMB: Final[Chain] = ((14, -14, 3, 19), (37, -41, 5, 14.2), (54, -66, 4, 10.8), (64, -90, 3, 8.0))
_TUCKED: Final[Chain] = ((16, -14, 3, 18), (34, -36, 9, 13.6), (20, -50, 20, 10.6), (-2, -56, 22, 8.6))
_PALM: Final = (
    (((0, 70, 0, 20), (0, 20, 0, 20), (0, -4, 0, 22.5)), 0.6, 3.0, 3.0),
    (((-6, -20, 0, 27), (-13, -57, 0, 23.5)), 0.55, 8.0, 14.0),
    (((8, -20, 0, 26), (13, -59, 0, 24.5)), 0.55, 8.0, 14.0),
    (((-26, -61, 0, 12.5), (-8, -69, 0, 13.5), (10, -71, 0, 13.5), (25, -65, 0, 13)), 0.8, 8.0, 10.0),
)
_LINES: Final[tuple[Crease, ...]] = (
    (((30, -58), (8, -46), (0, -16), (7, 8)), 0.50),
    (((31, -56), (8, -52), (-14, -42), (-29, -28)), 0.38),
    (((-36, -48), (-14, -50), (8, -60), (14, -73)), 0.45),
    (((-19, 13), (0, 17), (19, 12)), 0.32),
)
_HILLS: Final = (
    ((20.0, -22.0), (18.0, 26.0), 7.0), ((-20.0, -24.0), (14.0, 28.0), 5.0), ((0.0, -46.0), (16.0, 14.0), -7.0),
)  # fmt: skip

_FIST: Final = (
    (((0, 70, 0, 20), (0, 20, 0, 20), (-2, -4, 0, 21)), 0.6, 3.0, 3.0),
    (((-9, -16, 2, 23), (-11, -54, 2, 21)), 0.6, 8.0, 12.0),
)
"""Seen from the side of the thumb: the back of the hand left, the fingers curled to the right."""
_CURLED: Final[tuple[Chain, ...]] = (
    ((-6, -62, 8, 11.0), (20, -64, 13, 11.2), (25, -58, 10, 9.0)),
    ((-6, -45, 8, 10.8), (23, -46, 13, 11.0), (28, -41, 10, 8.8)),
    ((-6, -28, 8, 10.4), (21, -29, 12, 10.4), (25, -24, 9, 8.4)),
    ((-5, -13, 7, 9.6), (16, -13, 11, 9.4), (19, -9, 8, 7.8)),
)


def _counting(count: int) -> HandShape:
    fingers = _FINGERS[:count] + _FOLDED[count:]
    return HandShape(_PALM, fingers, tuple(range(count)), _TUCKED, _LINES[3:], _HILLS[:2])


SHAPES: Final[Mapping[str, HandShape]] = {
    "open": HandShape(_PALM, _FINGERS, (0, 1, 2, 3), _THUMB, _LINES, _HILLS),
    "one": _counting(1),
    "two": _counting(2),
    "three": _counting(3),
    "thumb": HandShape(_FIST, _CURLED, (),
                       ((-12, -46, 6, 15), (-9, -72, 9, 12.6), (-6, -92, 8, 10.4), (-9, -116, 6, 8.2)),
                       _LINES[3:]),
    "point": HandShape(_FIST, (((-6, -62, 8, 11.2), (30, -68, 10, 9.8), (58, -70, 9, 8.4), (82, -70, 8, 6.4)),
                               *_CURLED[1:]),
                       (0,), ((-13, -48, 8, 14), (-4, -70, 15, 11.0), (16, -76, 18, 9.2), (28, -74, 17, 7.6)),
                       _LINES[3:]),
    "chin": HandShape(_FIST, (((-6, -62, 8, 11.0), (18, -76, 12, 10.2), (34, -96, 11, 8.6), (40, -114, 9, 6.8)),
                              *_CURLED[1:]),
                      (), ((-14, -44, 6, 15), (-18, -72, 9, 12.2), (-15, -92, 8, 10.0), (-9, -108, 6, 7.8)),
                      _LINES[3:]),
    "grip": HandShape(_PALM, _FINGERS, (), (), _LINES[3:], _HILLS),
    "grip_thumb": HandShape((), (), (), ((20, -12, 0, 17), (22, -36, 6, 13.6), (16, -58, 8, 11.0), (10, -78, 7, 8.4))),
}  # fmt: skip
"""By name. `grip` and `grip_thumb` hold a card between them."""
