"""The face's skin as a mesh that muscles and jaw move, drawn in full or only where it differs from the face at rest."""

from typing import Final

import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import face_shape
from models.avatar.geometry import Points
from models.avatar.mesh import Sprite, covered, crossings, mesh_over
from models.avatar.paint import NEAREST
from models.avatar.projection import View
from realtime.core.facs import REST, Controls

_HALF: Final = (0.0, 6.0, 12.0, 19.0, 28.0, 37.0, 46.0, 56.0, 66.0, 76.0, 86.0, 96.0)
_COLUMNS: Final = np.array([-x for x in _HALF[:0:-1]] + list(_HALF))
_ROWS: Final = np.array(
    [
        -132,
        -108,
        -88,
        -74,
        -62,
        -50,
        -40,
        -29,
        -20,
        -11,
        -2,
        7,
        16,
        25,
        34,
        42,
        50,
        58,
        66,
        74,
        82,
        90,
        98,
        106,
        114,
        122,
    ],
    np.float64,
)
"""No row crosses a brow: the eyes can be redrawn without touching them."""

EYE_BOX: Final = (6.0, -29.0, 76.0, 16.0)
BROW_BOX: Final = (6.0, -62.0, 86.0, -29.0)
MOUTH_BOX: Final = (0.0, 42.0, 46.0, 98.0)
"""What features cover at rest, on either side: x from, y from, x to, y to."""
SPLIT_Y: Final = (34.0, 7.0)
"""The upper region needs no skin below the first height, the lower none above the second."""
STILL: Final = 0.02
"""Skin that moves less than this, in head units, is left as it is in the base frame."""
_BROW_CONTROLS: Final = ("AU1", "AU2", "AU4", "AU5", "AU6", "AU9", "brow_asym")


def brows_move(c: Controls) -> bool:
    """Whether the brows differ from rest."""
    return any(c[name] != 0.0 for name in _BROW_CONTROLS)


class Face:
    """The skin of one avatar's face."""

    def __init__(self, sprite: Sprite) -> None:
        vertices, triangles = crossings(_COLUMNS, _ROWS)
        self._triangles = covered(vertices, triangles, sprite)
        self._mesh = mesh_over(sprite, vertices, self._triangles)
        self._quick = mesh_over(sprite, vertices, self._triangles, NEAREST)
        self._points = face_shape.surface(vertices)
        basis = face_shape.skin_basis(vertices)
        self._basis = basis.reshape(len(basis), -1)
        self._jaw = face_shape.jaw_share(vertices[:, 1])
        self._at_rest = self._moves(face_shape.settled(REST))
        centre = vertices[self._triangles].mean(1)
        corners = np.round((vertices[self._triangles] - [sprite.x, sprite.y]) * sprite.density).astype(int)
        self._edge = np.array([_shows_edge(sprite, triangle) for triangle in corners])
        self._eyes, self._brows, self._mouth = (_inside(centre, box) for box in (EYE_BOX, BROW_BOX, MOUTH_BOX))
        self._upper, self._lower = centre[:, 1] < SPLIT_Y[0], centre[:, 1] > SPLIT_Y[1]

    def draw(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """Draw the whole face."""
        self._mesh.draw(canvas, view.head(self._points + self._moves(c)))

    def draw_upper(self, canvas: skia.Canvas, view: View, c: Controls) -> bool:
        """Draw the skin around the eyes, around brows that move, and whatever else moves above the mouth;
        whether it was only the skin around the eyes."""
        moves = self._moves(c)
        features = self._eyes | self._brows if brows_move(c) else self._eyes
        chosen = (self._moved(moves) | features) & self._upper
        self._draw_some(canvas, view, moves, chosen)
        return bool((chosen == self._eyes).all())

    def draw_lower(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """Draw the skin around the mouth and whatever else moves below the eyes."""
        moves = self._moves(c)
        self._draw_some(canvas, view, moves, (self._moved(moves) | self._mouth) & self._lower)

    def _draw_some(self, canvas: skia.Canvas, view: View, moves: Points, chosen: NDArray[np.bool_]) -> None:
        px = view.head(self._points + moves)
        self._quick.draw(canvas, px, triangles=self._triangles[chosen & ~self._edge])
        self._mesh.draw(canvas, px, triangles=self._triangles[chosen & self._edge])

    def _moved(self, moves: Points) -> NDArray[np.bool_]:
        far = np.abs(moves - self._at_rest).max(1) > STILL
        return np.asarray(far[self._triangles].any(1))

    def _moves(self, c: Controls) -> Points:
        """Displacement of every vertex, (V, 3)."""
        moves = np.zeros_like(self._points)
        moves[:, :2] = np.einsum("w,wn->n", face_shape.skin_weights(c), self._basis).reshape(-1, 2)
        drop = face_shape.jaw_drop(c) * self._jaw
        moves[:, 0] -= 0.0022 * drop * self._points[:, 0]
        moves[:, 1] += drop
        return moves


def _inside(xy: Points, box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Which points lie in a box or in its mirror image."""
    x, y = np.abs(xy[:, 0]), xy[:, 1]
    return np.asarray((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3]))


def _shows_edge(sprite: Sprite, corners: NDArray[np.int64]) -> bool:
    """Whether the contour of the face runs through a triangle, (3, 2) in texture pixels."""
    (x0, y0), (x1, y1) = np.maximum(corners.min(0) - 1, 0), corners.max(0) + 1
    return bool((sprite.pixels[y0:y1, x0:x1, 3] < 255).any())
