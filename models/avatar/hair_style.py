"""How hair falls: sheets of guide curves from root to tip, in head units; and the long cut with a parting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Guide = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Neighbouring guide curves that hair runs along, from root to tip, and how it is cut into locks."""

    guides: tuple[Guide, ...]
    locks: int
    width: float
    """Half width of a lock as a share of the sheet."""
    sheen: tuple[float, float]
    """Where along the hair the light lies: centre and spread."""
    tone: float = 0.0
    """Brightness -1..1 of the whole sheet."""
    wave: float = 0.0
    ragged: float = 0.10
    """How unevenly the tips end, as a share of the length."""
    root: float = 0.0
    """How unevenly the roots begin."""
    strands: int = 9
    bend: float | None = None
    """Where a wave turns towards the light a second time."""
    seed: int = 0
    bed: bool = True
    """Whether the sheet is filled below its locks."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A haircut that is painted in sheets."""

    back: tuple[Sheet, ...]
    """Behind head and neck."""
    front: tuple[tuple[Sheet, ...], ...]
    """On the head, groups that lie over each other."""
    crown: Guide
    """The scalp's hair below the locks: closes gaps between them."""
    parting_x: float | None = None
    """Where the hair parts at the crown, if it shows."""
    flyaways: int = 10
    """Single hairs beside each sheet of the first group."""


_BACK: Final = (
    Sheet((
        ((-20, -142), (-76, -124), (-109, -60), (-112, 20), (-117, 90), (-128, 150), (-122, 244)),
        ((-10, -136), (-56, -96), (-80, -30), (-82, 40), (-92, 100), (-98, 150), (-92, 244)),
        ((0, -136), (-20, -86), (-36, -20), (-42, 40), (-52, 90), (-56, 140), (-54, 244)),
        ((6, -136), (20, -86), (30, -20), (36, 40), (46, 90), (50, 140), (50, 244)),
        ((12, -136), (58, -96), (80, -30), (82, 40), (90, 100), (96, 150), (90, 244)),
        ((22, -142), (76, -124), (109, -60), (111, 20), (116, 90), (124, 150), (116, 244)),
    ), locks=26, width=0.045, sheen=(0.30, 0.10), tone=-0.5, wave=0.02, strands=7, seed=4),
)  # fmt: skip

CROWN: Final = (
    (12.0, -151.5), (-20.0, -150.5), (-62.0, -134.0), (-94.0, -96.0), (-104.0, -46.0), (-100.0, 0.0), (-86.0, 0.0),
    (-66.0, -44.0), (-30.0, -78.0), (14.0, -97.0), (52.0, -80.0), (78.0, -40.0), (90.0, 0.0), (100.0, 0.0),
    (104.0, -46.0), (96.0, -94.0), (72.0, -130.0), (40.0, -146.0),
)  # fmt: skip
"""The scalp's hair below the locks of the crown: closes the parting."""

_LENGTHS: Final = (
    Sheet((
        ((15, -151), (-24, -151), (-67, -133), (-99, -95), (-111, -46), (-110, 14),
         (-111, 62), (-127, 116), (-131, 164), (-118, 244)),
        ((15, -146), (-20, -145), (-59, -125), (-90, -87), (-104, -39), (-103, 16),
         (-102, 64), (-117, 117), (-119, 166), (-108, 244)),
        ((15, -136), (-15, -132), (-50, -112), (-81, -74), (-96, -28), (-95, 22),
         (-91, 68), (-104, 118), (-107, 167), (-97, 244)),
        ((15, -122), (-10, -115), (-41, -96), (-73, -61), (-90, -18),
         (-90, 30), (-84, 74), (-93, 120), (-94, 168), (-86, 244)),
        ((15, -101), (-5, -96), (-34, -79), (-66, -47), (-85, -8), (-86, 36),
         (-78, 80), (-82, 122), (-81, 168), (-74, 244)),
    ), locks=26, width=0.075, sheen=(0.185, 0.042), wave=0.05, root=0.02, ragged=0.06, strands=13, bend=0.64, seed=11),
    Sheet((
        ((17, -151), (46, -149), (80, -128), (102, -89), (110, -44), (109, 16),
         (109, 62), (125, 116), (128, 164), (116, 244)),
        ((17, -146), (44, -142), (73, -119), (95, -81), (103, -37), (104, 18),
         (102, 66), (116, 118), (119, 166), (108, 244)),
        ((17, -136), (40, -131), (65, -107), (88, -69), (97, -26),
         (98, 24), (94, 70), (106, 120), (108, 168), (98, 244)),
        ((17, -122), (36, -116), (58, -92), (81, -56), (91, -17),
         (96, 30), (89, 76), (96, 122), (97, 170), (88, 244)),
        ((17, -101), (32, -96), (53, -75), (75, -42), (88, -8), (95, 36),
         (85, 82), (88, 124), (87, 170), (79, 244)),
    ), locks=20, width=0.085, sheen=(0.20, 0.045), tone=-0.05, wave=0.05, root=0.02, ragged=0.06, strands=12,
       bend=0.64, seed=5),
)  # fmt: skip

FRINGE: Final = (
    Sheet((
        ((14, -118), (-18, -108), (-50, -80), (-74, -40), (-90, 6), (-97, 54), (-90, 104)),
        ((13, -112), (-14, -100), (-42, -72), (-66, -36), (-83, 8), (-90, 50), (-80, 92)),
        ((12, -106), (-9, -93), (-33, -66), (-57, -34), (-76, 4), (-85, 40), (-78, 74)),
    ), locks=9, width=0.17, sheen=(0.25, 0.07), tone=0.10, wave=0.03, ragged=0.22, strands=13, seed=21, bed=False),
    Sheet((
        ((19, -118), (44, -106), (67, -78), (82, -42), (92, 0), (98, 44), (92, 86)),
        ((20, -112), (41, -98), (61, -70), (76, -36), (87, 2), (93, 40), (86, 76)),
        ((21, -106), (37, -91), (54, -63), (70, -31), (82, 0), (88, 32), (84, 60)),
    ), locks=7, width=0.19, sheen=(0.26, 0.07), tone=0.05, wave=0.03, ragged=0.22, strands=12, seed=23, bed=False),
)  # fmt: skip

WISPS: Final = (
    Sheet((
        ((7, -100), (-14, -91), (-34, -76), (-50, -58), (-62, -40)),
        ((10, -101), (-7, -92), (-23, -80), (-36, -66), (-45, -54)),
        ((13, -101), (2, -94), (-9, -85), (-18, -74), (-23, -66)),
    ), locks=6, width=0.075, sheen=(0.35, 0.12), tone=0.05, wave=0.06, ragged=0.22, strands=3, seed=41, bed=False),
    Sheet((
        ((19, -101), (28, -94), (37, -84), (43, -74), (47, -66)),
        ((21, -101), (34, -92), (47, -78), (57, -64), (63, -52)),
        ((23, -100), (39, -89), (55, -70), (68, -50), (76, -32)),
    ), locks=5, width=0.075, sheen=(0.35, 0.12), tone=0.05, wave=0.06, ragged=0.22, strands=3, seed=43, bed=False),
)  # fmt: skip
"""A few thin locks over the forehead; they stay clear of raised brows, which have to be read."""

LONG: Final = Cut(_BACK, (_LENGTHS, FRINGE, WISPS), CROWN, parting_x=16.0)
