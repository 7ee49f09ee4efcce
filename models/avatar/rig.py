"""The rig: layers on meshes that follow pose and controls, drawn in full or only the face inside a rectangle."""

from typing import Final

import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import face_shape
from models.avatar.eyes import Eyes
from models.avatar.geometry import Points, smoothstep
from models.avatar.layers import Layers
from models.avatar.mesh import Mesh, Sprite, sprite_mesh
from models.avatar.mouth import Mouth
from models.avatar.paint import ATOP, Rgba, blank, canvas_on, image_of
from models.avatar.projection import PICTURE_PX, View
from models.avatar.spec import AvatarSpec
from realtime.core.facs import REST, Controls

FACE_STEP: Final = 9.0
HAIR_STEP: Final = 26.0
BODY_STEP: Final = 24.0
RESTING_SMILE: Final = 0.16


def settled(c: Controls) -> Controls:
    """Controls with the friendly mouth of this host at rest under them; a frown takes it away."""
    keep = RESTING_SMILE * max(0.0, 1.0 - c["AU15"] - 0.7 * c["AU9"] - 0.7 * c["AU23"] - 0.5 * c["AU20"])
    return c.with_(AU12=keep + (1 - keep) * c["AU12"])


def skull_depth(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth of hair that lies on the head and hangs beside it."""
    dome = np.sqrt(np.clip(1 - (x / 112) ** 2, 0, 1)) * np.sqrt(np.clip(1 - ((y + 14) / 142) ** 2, 0, 1))
    return np.asarray(6 + 74 * dome * smoothstep(y, 120, 10) + 16 * smoothstep(y, 20, 120))


class Rig:
    """Draws one avatar from its layers."""

    def __init__(self, spec: AvatarSpec, layers: Layers) -> None:
        self._backdrop = image_of(layers["backdrop"].pixels)
        self._hair_back, back = sprite_mesh(layers["hair_back"], HAIR_STEP)
        edge = smoothstep(np.abs(back[:, 0]), 60, 120)
        self._back_points = np.column_stack([back, -58 + 34 * edge])
        self._back_on_head = 1 - 0.9 * smoothstep(back[:, 1], 60, 190)
        self._body, body = sprite_mesh(layers["body"], BODY_STEP)
        self._body_points = np.column_stack([body, np.full(len(body), -4.0)])
        self._body_on_head = smoothstep(body[:, 1], 142, 92) * smoothstep(np.abs(body[:, 0]), 90, 56)
        self._ears = [_ear(layers["ear"], side) for side in (-1, 1)]
        self._face, face = sprite_mesh(layers["face"], FACE_STEP)
        self._face_points = face_shape.surface(face)
        self._face_basis = face_shape.skin_basis(face)
        self._face_jaw = face_shape.jaw_share(face[:, 1])
        self._hair_front, front = sprite_mesh(layers["hair_front"], HAIR_STEP)
        self._front_points = np.column_stack([front, skull_depth(front[:, 0], front[:, 1])])
        self._front_on_head = 1 - 0.9 * smoothstep(front[:, 1], 70, 190)
        depth = face_shape.DepthTable()
        self._eyes = Eyes(spec, depth)
        self._mouth = Mouth(spec, depth)

    def picture(self, view: View, controls: Controls = REST) -> Rgba:
        """The whole picture without the arm, (PICTURE_PX, PICTURE_PX, 4)."""
        pixels = blank(PICTURE_PX, PICTURE_PX)
        canvas = canvas_on(pixels)
        canvas.drawImage(self._backdrop, 0, 0)
        self._hair_back.draw(canvas, view.blend(self._back_points, self._back_on_head))
        self._body.draw(canvas, view.blend(self._body_points, self._body_on_head))
        for mesh, xyz in self._ears:
            mesh.draw(canvas, view.head(xyz))
        self._draw_face(canvas, view, settled(controls), eyes=True, mouth=True)
        self._hair_front.draw(canvas, view.blend(self._front_points, self._front_on_head))
        return pixels

    def draw_face(self, canvas: skia.Canvas, view: View, controls: Controls, eyes: bool, mouth: bool) -> None:
        """Draw the face with the hair that lies on it, and nothing outside the face."""
        self._draw_face(canvas, view, settled(controls), eyes, mouth)
        if eyes:
            self._hair_front.draw(canvas, view.blend(self._front_points, self._front_on_head), 1.0, ATOP)

    def _draw_face(self, canvas: skia.Canvas, view: View, c: Controls, eyes: bool, mouth: bool) -> None:
        self._face.draw(canvas, view.head(self._skin(c)))
        if mouth:
            self._mouth.draw(canvas, view, c)
        if eyes:
            self._eyes.draw(canvas, view, c)

    def _skin(self, c: Controls) -> Points:
        xyz = self._face_points.copy()
        xyz[:, :2] += np.tensordot(face_shape.skin_weights(c), self._face_basis, 1)
        drop = face_shape.jaw_drop(c) * self._face_jaw
        xyz[:, 0] *= 1 - 0.0022 * drop
        xyz[:, 1] += drop
        return xyz


def _ear(sprite: Sprite, side: int) -> tuple[Mesh, Points]:
    mesh, points = sprite_mesh(sprite, 18.0)
    return mesh, np.column_stack([points[:, 0] * side, points[:, 1], np.full(len(points), -8.0)])
