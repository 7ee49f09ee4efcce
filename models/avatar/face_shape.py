"""The face as a surface: its outline, its depth, and how its skin follows the controls."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.avatar.face_morph import morphed
from models.avatar.geometry import Points, bump, mirrored, smoothstep, spline, within
from models.avatar.spec import FaceShape
from realtime.core.facs import Controls

CHIN_Y: Final = 106.0
JAW_DROP: Final = 29.0
"""Head units the chin falls at AU26 = 1."""

HALF_OUTLINE: Final = (
    (0.0, -128.0), (34.0, -125.0), (60.0, -112.0), (76.0, -88.0), (82.0, -58.0), (82.0, -26.0), (79.6, 4.0),
    (75.2, 30.0), (67.0, 53.0), (53.5, 74.5), (36.0, 92.5), (18.0, 103.5), (0.0, CHIN_Y),
)  # fmt: skip

_EDGE_Y: Final = (-170.0, -20.0, 20.0, 40.0, 58.0, 78.0, 95.0, 107.0)
_EDGE_Z: Final = (0.0, 4.0, 12.0, 20.0, 28.0, 42.0, 56.0, 62.0)


def outline(count: int = 120) -> Points:
    """The closed contour of the face, (count, 2)."""
    return spline(mirrored(HALF_OUTLINE), count, closed=True)


def depth(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """How far the skin lies in front of the ears' plane, in head units."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    skull = (
        84 * np.sqrt(np.clip(1 - (x / 94) ** 2 * 0.96, 0.02, 1)) * np.sqrt(np.clip(1 - ((y + 5) / 190) ** 2, 0.05, 1))
    )
    nose = 25 * np.exp(-((x / 13.0) ** 2)) * smoothstep(y, -30, 27) * (1 - smoothstep(y, 31, 46))
    sockets = -8 * np.exp(-(((np.abs(x) - 37) / 20) ** 2) - ((y + 7) / 15) ** 2)
    muzzle = 6 * bump(x, y, (0, 69), (28, 18)) + 5 * bump(x, y, (0, 101), (22, 14))
    return np.asarray(skull - 6 + nose + sockets + muzzle)


def edge_depth(y: ArrayLike) -> NDArray[np.float64]:
    """Depth of the contour: where the cheek turns away from the viewer."""
    return np.asarray(np.interp(np.asarray(y, np.float64), _EDGE_Y, _EDGE_Z))


def surface(xy: Points) -> Points:
    """Points of the face with their depth, (N, 2) -> (N, 3); near the contour the depth falls to the contour's."""
    centre = np.array([0.0, 5.0])
    ring = outline(240) - centre
    angle = np.arctan2(ring[:, 1], ring[:, 0])
    order = np.argsort(angle)
    radius = np.hypot(ring[:, 0], ring[:, 1])[order]
    at = xy - centre
    limit = np.interp(np.arctan2(at[:, 1], at[:, 0]), angle[order], radius, period=2 * np.pi)
    inside = np.hypot(at[:, 0], at[:, 1]) / limit
    rim = smoothstep(inside, 0.66, 1.0)
    z = depth(xy[:, 0], np.clip(xy[:, 1], -150, 118)) * (1 - rim) + edge_depth(xy[:, 1]) * rim
    return np.column_stack([xy, z])


@dataclass(frozen=True, slots=True)
class Pull:
    """A hill of skin that a muscle moves by (dx, dy); mirrored hills pull outwards alike on both sides."""

    center: tuple[float, float]
    sigma: tuple[float, float]
    move: tuple[float, float]
    mirror: bool = True


PULLS: Final[dict[str, tuple[Pull, ...]]] = {
    "AU1": (Pull((12, -47), (15, 17), (0, -4.5)),),
    "AU2": (Pull((50, -46), (20, 17), (0, -4.5)),),
    "AU4": (Pull((11, -40), (14, 12), (-2.4, 3.6)),),
    "AU6": (Pull((47, 20), (20, 13), (0.6, -3.4)),),
    "AU9": (Pull((0, 33), (17, 15), (0, -3.4), False), Pull((16, 34), (8, 10), (1.4, -1.0))),
    "AU10": (Pull((0, 54), (17, 9), (0, -2.2), False), Pull((22, 44), (9, 9), (1.0, -1.6))),
    "AU14": (Pull((37, 66), (9, 10), (-1.2, 0)),),
    "AU15": (Pull((31, 75), (12, 13), (0.6, 4.2)),),
    "AU17": (Pull((0, 93), (20, 12), (0, -3.2), False),),
    "AU18": (Pull((34, 67), (16, 15), (-4.5, 0)),),
    "AU20": (Pull((38, 70), (15, 15), (4.0, 1.2)),),
    "smile_left": (Pull((-45, 38), (20, 18), (-1.8, -5.0), False), Pull((-36, 64), (13, 13), (-3.4, -5.0), False),
                   Pull((-74, 46), (14, 20), (-1.6, 0), False)),
    "smile_right": (Pull((45, 38), (20, 18), (1.8, -5.0), False), Pull((36, 64), (13, 13), (3.4, -5.0), False),
                    Pull((74, 46), (14, 20), (1.6, 0), False)),
}  # fmt: skip

SKIN_WEIGHTS: Final = tuple(PULLS)


RESTING_SMILE: Final = 0.32


def settled(c: Controls) -> Controls:
    """Controls with the friendly mouth of this host at rest under them; a frown takes it away."""
    keep = RESTING_SMILE * max(0.0, 1.0 - c["AU15"] - 0.7 * c["AU9"] - 0.7 * c["AU23"] - c["AU20"])
    return c.with_(AU12=keep + (1 - keep) * c["AU12"])


def smile_sides(controls: Controls) -> tuple[float, float]:
    """Pull of the mouth corner on the picture's left and right."""
    smile, smirk = controls["AU12"], controls["smirk"]
    return max(0.0, smile - 0.55 * smirk), max(0.0, smile + 0.55 * smirk)


def skin_weights(controls: Controls) -> NDArray[np.float64]:
    """How strongly each entry of `PULLS` pulls, in its order."""
    left, right = smile_sides(controls)
    given = {"smile_left": left, "smile_right": right, "AU18": max(controls["AU18"], 0.8 * controls["lip_round"])}
    return np.array([given[name] if name in given else controls[name] for name in SKIN_WEIGHTS])


def skin_basis(xy: Points) -> NDArray[np.float64]:
    """Displacement of each point per unit of each weight, (len(PULLS), N, 2)."""
    basis = np.zeros((len(PULLS), len(xy), 2))
    for row, pulls in zip(basis, PULLS.values(), strict=True):
        for pull in pulls:
            for side in (1.0, -1.0) if pull.mirror else (1.0,):
                hill = bump(xy[:, 0], xy[:, 1], (pull.center[0] * side, pull.center[1]), pull.sigma)
                row[:, 0] += hill * pull.move[0] * side
                row[:, 1] += hill * pull.move[1]
    return basis


def jaw_drop(controls: Controls) -> float:
    """Head units the chin falls."""
    return JAW_DROP * controls["AU26"]


def contour_shift(felt: Controls) -> float:
    """About how far the face's contour lies from where it rests, in head units, for settled controls."""
    return jaw_drop(felt) + 2.0 * abs(felt["AU12"] - RESTING_SMILE) + 2.0 * felt["AU17"] + abs(felt["smirk"])


def jaw_share(y: ArrayLike) -> NDArray[np.float64]:
    """How much of the jaw's fall skin at this height takes part in."""
    return smoothstep(y, 44.0, 98.0)


class Surface:
    """One host's face on a half-unit grid, for points that move: depth, and how its shape differs from the rig's."""

    def __init__(self, shape: FaceShape) -> None:
        self.shape = shape
        x, y = np.meshgrid(np.arange(-120, 120.01, 0.5), np.arange(-150, 150.01, 0.5))
        flat = np.stack([x.ravel(), y.ravel()], 1)
        z = surface(flat)[:, 2:]
        self._table = np.hstack([morphed(flat, shape) - flat, z]).reshape(*x.shape, 3)

    def points(self, xy: Points) -> Points:
        """Points of the rig's face at rest, (N, 2), on this host's, (N, 3)."""
        on_rig = surface(xy)
        return np.column_stack([morphed(xy, self.shape), on_rig[:, 2]])

    def lift(self, xy: Points, forward: float | NDArray[np.float64] = 0.0) -> Points:
        """Points of the rig's face (N, 2), put on this host's and moved `forward`: (N, 3)."""
        return self.carry(xy, xy, forward)

    def carry(self, xy: Points, rest: Points, forward: float | NDArray[np.float64] = 0.0) -> Points:
        """Points (N, 2) that have moved with the jaw, put on this host's face where they were at rest: (N, 3)."""
        rows, columns, _ = self._table.shape
        i = within(np.rint((rest[:, 1] + 150) * 2).astype(int), 0, rows - 1)
        j = within(np.rint((rest[:, 0] + 120) * 2).astype(int), 0, columns - 1)
        out = self._table[i, j]
        out[:, :2] += xy
        out[:, 2] += forward
        return np.asarray(out, np.float64)
