"""The face's skin: a sheet that muscles and jaw move."""

from typing import Final

import numpy as np
import skia

from models.avatar import face_shape
from models.avatar.face_shape import Surface
from models.avatar.geometry import Points
from models.avatar.mesh import Sprite, crossings
from models.avatar.paint import Rgba, draw_pixels
from models.avatar.projection import View
from models.avatar.warp import Solved, Warp, around, painted
from realtime.core.facs import Controls
from realtime.core.values import Roi

_HALF: Final = (0.0, 6.0, 12.0, 19.0, 28.0, 37.0, 46.0, 56.0, 66.0, 76.0, 86.0, 96.0)
_COLUMNS: Final = np.array([-x for x in _HALF[:0:-1]] + list(_HALF))
_ROWS: Final = np.array(
    [-132, -108, -88, -74, -62, -50, -40, -29, -20, -11, -2, 7, 16, 25, 34, 42, 50, 58, 66, 74, 82, 90, 98, 106, 114,
     122],
    np.float64,
)  # fmt: skip


class Face:
    """The skin of one avatar's face."""

    def __init__(self, sprite: Sprite, surface: Surface) -> None:
        vertices, _ = crossings(_COLUMNS, _ROWS)
        self._warp = Warp(sprite, _COLUMNS, _ROWS, node_px=12)
        self._points = surface.points(vertices)
        basis = face_shape.skin_basis(vertices)
        self._basis = basis.reshape(len(basis), -1)
        self._shown = painted(sprite, vertices, float(np.diff(_ROWS).max()))
        self._jaw = face_shape.jaw_share(vertices[:, 1])

        self._last: tuple[View, bytes, Roi] | None = None
        self._solved: Solved | None = None

    def render(self, view: View, c: Controls, roi: Roi, within: Roi) -> Rgba:
        """The skin inside a rectangle of the picture, which lies `within` the one that is solved for: the regions of
        one frame share that work."""
        wanted = (view, c.vector.tobytes(), within)
        if self._solved is None or wanted != self._last:
            self._last, self._solved = wanted, self._warp.solve(view.head(self._moved(c)), within)
        return self._warp.gather(self._solved, roi)

    def draw(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """Draw all of the skin that lies in the picture."""
        px = view.head(self._moved(c))
        roi = around(px[self._shown])
        if roi is not None:
            draw_pixels(canvas, self._warp.render(px, roi), roi.x, roi.y)

    def _moved(self, c: Controls) -> Points:
        xyz = self._points.copy()
        # not a matrix product: BLAS would wake its threads for this little
        xyz[:, :2] += np.einsum("w,wn->n", face_shape.skin_weights(c), self._basis).reshape(-1, 2)
        drop = face_shape.jaw_drop(c) * self._jaw
        xyz[:, 0] *= 1 - 0.0022 * drop
        xyz[:, 1] += drop
        return xyz
