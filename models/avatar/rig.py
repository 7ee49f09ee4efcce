"""The rig: layers on meshes that follow pose and controls, drawn in full or only the face inside a rectangle."""

from typing import Final

import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar.creases import Creases
from models.avatar.eyes import Eyes
from models.avatar.face import Face, brows_move
from models.avatar.face_shape import DepthTable, settled
from models.avatar.geometry import Points, smoothstep
from models.avatar.layers import Layers
from models.avatar.mesh import Mesh, Sprite, covered, grid, mesh_over, sprite_mesh
from models.avatar.mouth import Mouth
from models.avatar.paint import ATOP, Rgba, blank, canvas_on, image_of
from models.avatar.projection import PICTURE_PX, View
from models.avatar.spec import AvatarSpec
from realtime.core.facs import REST, Controls

HAIR_STEP: Final = 19.0
BODY_STEP: Final = 24.0


def skull_depth(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth of hair that lies on the head and hangs beside it."""
    dome = np.sqrt(np.clip(1 - (x / 112) ** 2, 0, 1)) * np.sqrt(np.clip(1 - ((y + 14) / 142) ** 2, 0, 1))
    return np.asarray(6 + 74 * dome * smoothstep(y, 120, 10) + 16 * smoothstep(y, 20, 120))


class Rig:
    """Draws one avatar from its layers."""

    def __init__(self, spec: AvatarSpec, layers: Layers) -> None:
        self._backdrop = image_of(layers["backdrop"].pixels)
        self._hair_back, back = sprite_mesh(layers["hair_back"], HAIR_STEP)
        outer = np.maximum(
            np.abs(back[:, 0]) / 112, np.hypot(back[:, 0] / 112, (back[:, 1] + 16) / 130) * (back[:, 1] < -16)
        )
        edge = smoothstep(outer, 0.55, 1.0)
        self._back_points = np.column_stack([back, -58 + 50 * edge])
        self._back_on_head = 1 - 0.9 * smoothstep(back[:, 1], 60, 190)
        self._body, body = sprite_mesh(layers["body"], BODY_STEP)
        self._body_points = np.column_stack([body, np.full(len(body), -4.0)])
        self._body_on_head = smoothstep(body[:, 1], 142, 92) * smoothstep(np.abs(body[:, 0]), 90, 56)
        self._ears = [_ear(layers["ear"], side) for side in (-1, 1)]
        self._face = Face(layers["face"])
        front, triangles = grid(layers["hair_front"].box, HAIR_STEP)
        triangles = covered(front, triangles, layers["hair_front"])
        self._hair_front = mesh_over(layers["hair_front"], front, triangles)
        self._on_face = triangles[_touching(front[triangles], (-92, -86, 92, 34))]
        self._on_eyes = triangles[_touching(front[triangles], (-92, -33, 92, 18))]
        self._front_points = np.column_stack([front, skull_depth(front[:, 0], front[:, 1])])
        self._front_on_head = 1 - 0.9 * smoothstep(front[:, 1], 70, 190)
        depth = DepthTable()
        self._eyes = Eyes(spec, depth)
        self._mouth = Mouth(spec, depth)
        self._creases = Creases(spec.skin, depth)

    def picture(self, view: View, controls: Controls = REST) -> Rgba:
        """The whole picture without the arm, (PICTURE_PX, PICTURE_PX, 4)."""
        pixels = blank(PICTURE_PX, PICTURE_PX)
        canvas = canvas_on(pixels)
        canvas.drawImage(self._backdrop, 0, 0)
        self._hair_back.draw(canvas, view.blend(self._back_points, self._back_on_head))
        self._body.draw(canvas, view.blend(self._body_points, self._body_on_head))
        for mesh, xyz in self._ears:
            mesh.draw(canvas, view.head(xyz))
        felt = settled(controls)
        self._face.draw(canvas, view, felt)
        self._creases.draw_lower(canvas, view, felt)
        self._mouth.draw(canvas, view, felt)
        self._creases.draw_upper(canvas, view, felt)
        self._eyes.draw(canvas, view, felt, brows=True)
        self._hair_front.draw(canvas, self._front(view))
        return pixels

    def draw_upper(self, canvas: skia.Canvas, view: View, controls: Controls) -> None:
        """Draw what moves of the upper face, with the hair that lies on it, and nothing outside the face."""
        felt = settled(controls)
        only_eyes = self._face.draw_upper(canvas, view, felt)
        self._creases.draw_upper(canvas, view, felt)
        self._eyes.draw(canvas, view, felt, brows=brows_move(felt))
        hair = self._on_eyes if only_eyes else self._on_face
        self._hair_front.draw(canvas, self._front(view), blend=ATOP, triangles=hair)

    def draw_lower(self, canvas: skia.Canvas, view: View, controls: Controls) -> None:
        """Draw what moves of the lower face."""
        felt = settled(controls)
        self._face.draw_lower(canvas, view, felt)
        self._creases.draw_lower(canvas, view, felt)
        self._mouth.draw(canvas, view, felt)

    def _front(self, view: View) -> Points:
        return view.blend(self._front_points, self._front_on_head)


def _touching(corners: NDArray[np.float64], box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Which triangles, (T, 3, 2), may touch a box."""
    low, high = corners.min(1), corners.max(1)
    return np.asarray((low[:, 0] < box[2]) & (high[:, 0] > box[0]) & (low[:, 1] < box[3]) & (high[:, 1] > box[1]))


def _ear(sprite: Sprite, side: int) -> tuple[Mesh, Points]:
    mesh, points = sprite_mesh(sprite, 18.0)
    return mesh, np.column_stack([points[:, 0] * side, points[:, 1], np.full(len(points), -30.0)])
