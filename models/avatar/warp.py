"""Bends a texture over a grid: the inverse of the grid's map is solved coarsely and the picture is gathered by it.

Gathering costs a tenth of filling textured triangles; what it asks for is a map that never folds, which skin and hair
keep within the turns that the rigs are drawn for."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.geometry import Points, within
from models.avatar.mesh import Sprite
from models.avatar.paint import Rgba
from models.avatar.projection import PICTURE_PX
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import Roi

ITERATIONS: Final = 2

Floats = NDArray[np.float32]
_NO_SECOND_MAP: Final = np.empty(0, np.float32)
"""Both coordinates are in the first map."""


class Warp:
    """One sprite on a grid of level and upright lines, whose crossings are placed anew for every picture."""

    def __init__(
        self, sprite: Sprite, columns: NDArray[np.float64], rows: NDArray[np.float64], node_px: int = 8
    ) -> None:
        """`columns` and `rows` are the lines' places in head units, rising. The inverse is solved at every `node_px`th
        pixel and interpolated between; nodes lie on one lattice for all rectangles, so that these agree."""
        self._node_px = node_px
        self._pixels = sprite.pixels
        # OpenCV counts pixel centres, hence the half
        self._texture_x = ((columns - sprite.x) * sprite.density - 0.5).astype(np.float32)
        self._texture_y = ((rows - sprite.y) * sprite.density - 0.5).astype(np.float32)

    def render(self, px: Points, roi: Roi) -> Rgba:
        """The part of the picture inside `roi` with the crossings at these pixels, (rows * columns, 2)."""
        return self.gather(self.solve(px, roi), roi)

    def solve(self, px: Points, roi: Roi) -> "Solved":
        """Where the nodes of a rectangle lie on the texture, for all rectangles inside it."""
        rows, columns = len(self._texture_y), len(self._texture_x)
        place = px.reshape(rows, columns, 2).astype(np.float32)
        (left, right), (top, bottom) = self._nodes(roi.x, roi.width), self._nodes(roi.y, roi.height)
        node = np.float32(self._node_px)
        qx, qy = (np.arange(*span, dtype=np.float32) * node + node / 2 for span in ((left, right), (top, bottom)))
        across, down = _invert(place, qx, qy)
        return Solved(left, top, np.dstack([_along(self._texture_x, across), _along(self._texture_y, down)]))

    def gather(self, solved: "Solved", roi: Roi) -> Rgba:
        """The part of the picture inside `roi`, which lies inside the rectangle that was solved for."""
        node = self._node_px
        (left, right), (top, bottom) = self._nodes(roi.x, roi.width), self._nodes(roi.y, roi.height)
        coarse = solved.texture[top - solved.top : bottom - solved.top, left - solved.left : right - solved.left]
        fine = cv2.resize(coarse, ((right - left) * node, (bottom - top) * node), interpolation=cv2.INTER_LINEAR)
        x, y = roi.x - left * node, roi.y - top * node
        places = np.asarray(fine[y : y + roi.height, x : x + roi.width], np.float32)
        return np.asarray(cv2.remap(self._pixels, places, _NO_SECOND_MAP, cv2.INTER_LINEAR), np.uint8)

    def _nodes(self, start: int, length: int) -> tuple[int, int]:
        """The first node along one side and that behind the last: nodes are the centres of cells of `node_px`, one
        cell beyond either end, which is how `cv2.resize` sees the samples it interpolates between."""
        return start // self._node_px - 1, (start + length - 1) // self._node_px + 2


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """The inverse of a grid's map at the nodes of a rectangle."""

    left: int
    top: int
    """The first node's numbers on the lattice of all nodes."""
    texture: Floats
    """Texture places, (node rows, node columns, 2)."""


def painted(sprite: Sprite, crossings: Points, step: float) -> NDArray[np.bool_]:
    """Which crossings, (N, 2) in head units, lie on or within `step` of anything that is painted."""
    alpha = sprite.pixels[..., 3]
    reach = 2 * round(1.1 * step * sprite.density) + 1
    wide = cv2.dilate(alpha, np.ones((reach, reach), np.uint8))
    height, width = alpha.shape
    at = np.rint((crossings[:, :2] - (sprite.x, sprite.y)) * sprite.density).astype(int)
    return np.asarray(wide[at[:, 1].clip(0, height - 1), at[:, 0].clip(0, width - 1)] > 0, np.bool_)


def around(px: Points) -> Roi | None:
    """The part of the picture that pixels (N, 2) span; None if they lie outside of it."""
    if not len(px):
        return None
    x0, y0 = (max(0, even_floor(v)) for v in px.min(0).tolist())
    x1, y1 = (min(PICTURE_PX, even_ceil(v)) for v in px.max(0).tolist())
    return Roi(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def _invert(place: Floats, qx: Floats, qy: Floats) -> tuple[Floats, Floats]:
    """Where on the grid, in whole and broken lines, the nodes (qx, qy) lie: Newton's method on the bilinear patches.

    Outside the grid its outermost cells are continued."""
    rows, columns, _ = place.shape
    patches = _patches(place)
    i = np.interp(qx, place[rows // 2, :, 0], np.arange(columns)).astype(np.float32)
    j = np.interp(qy, place[:, columns // 2, 1], np.arange(rows)).astype(np.float32)
    i, j = np.tile(i, len(qy)), np.repeat(j, len(qx))
    wanted = np.stack([np.tile(qx, len(qy)), np.repeat(qy, len(qx))])
    for _ in range(ITERATIONS):
        i0, j0 = within(i.astype(np.int32), 0, columns - 2), within(j.astype(np.int32), 0, rows - 2)
        f, g = i - i0, j - j0
        at, across, down, twist = patches.take(j0 * (columns - 1) + i0, -1)
        down = down + twist * f
        ex, ey = wanted - at - across * f - down * g
        (xi, yi), (xj, yj) = across + twist * g, down
        scale = 1.0 / (xi * yj - xj * yi)
        i = within(i + (yj * ex - xj * ey) * scale, -2, columns + 1)
        j = within(j + (xi * ey - yi * ex) * scale, -2, rows + 1)
    return i.reshape(len(qy), -1), j.reshape(len(qy), -1)


def _patches(place: Floats) -> Floats:
    """What the bilinear patch of each cell adds up from: its first corner, its slopes along and across there, and how
    either changes along the other; (4, 2 for x and y, cells)."""
    corner = place.transpose(2, 0, 1)
    a, b, c, d = corner[:, :-1, :-1], corner[:, :-1, 1:], corner[:, 1:, :-1], corner[:, 1:, 1:]
    return np.asarray(np.stack([a, b - a, c - a, d - c - b + a]).reshape(4, 2, -1), np.float32)


def _along(lines: Floats, at: Floats) -> Floats:
    """Texture places of broken line numbers, continued outside."""
    first = within(at.astype(np.int32), 0, len(lines) - 2)
    start = lines[first]
    return np.asarray(start + (lines[first + 1] - start) * (at - first), np.float32)
