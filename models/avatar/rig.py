"""The rig: layers that follow pose and controls, drawn in full or only the face inside a rectangle."""

from collections.abc import Callable
from typing import Final

import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar.creases import Creases
from models.avatar.eyes import Eyes
from models.avatar.face import Face
from models.avatar.face_shape import Surface, contour_shift, settled, surface
from models.avatar.geometry import Points, smoothstep
from models.avatar.glasses import Glasses
from models.avatar.haircut import CLOSE_STYLES
from models.avatar.held import Held
from models.avatar.layers import Layers
from models.avatar.mesh import Sprite, crossings, sprite_mesh
from models.avatar.mouth import Mouth
from models.avatar.paint import ATOP, Rgba, blank, canvas_on, draw_pixels, image_of
from models.avatar.projection import PICTURE_PX, View
from models.avatar.quantise import coarse_smile
from models.avatar.spec import AvatarSpec
from models.avatar.warp import Warp, around, painted
from realtime.core.facs import REST, Controls
from realtime.core.values import Roi

HAIR_STEP: Final = 20.0
BODY_STEP: Final = 24.0
HAIR_BYTES: Final = 12 * 2**20
"""Pieces of hair before the face that are kept, about 0.1 MB each: in a loop of idle motion poses come again."""
WHOLE: Final = Roi(0, 0, PICTURE_PX, PICTURE_PX)
TURNED_DEG: Final = 6.0
"""From here on the front hair may hang before the lower face."""


FULL_EDGE: Final = 1.2
"""Head units by which the contour has to move until its edge is drawn in full."""
EDGE_ROWS: Final = 14
"""Rows below the upper face in which the contour's edge comes to be drawn in full."""


def _thin_edge(skin: Rgba, share: float) -> None:
    """Fade the half-covered pixels of the contour as far as the base frame shows them already: everywhere while the
    contour is at rest, and always beside the edge that the lower face shares with the upper."""
    faded = skin[:EDGE_ROWS] if share >= 1.0 else skin
    shares = np.full(len(faded), min(1.0, share))
    shares[:EDGE_ROWS] *= np.linspace(0.0, 1.0, EDGE_ROWS)
    # less one, what is clear wraps round to 255: it has nothing to fade
    rows, columns = np.nonzero(faded[..., 3] - np.uint8(1) < 254)
    faded[rows, columns] = (faded[rows, columns] * shares[rows, None]).astype(np.uint8)


def _inside(pixels: Rgba, roi: Roi) -> skia.Canvas:
    """A canvas in the picture's pixels that draws on a rectangle of it, which has to outlive the canvas."""
    canvas = canvas_on(pixels)
    canvas.translate(-roi.x, -roi.y)
    return canvas


class _Layer:
    """A sprite that hangs between head and body: each point has a depth, and a share of the head's movement."""

    def __init__(
        self,
        sprite: Sprite,
        step: float,
        depth: Callable[[Points], NDArray[np.float64]],
        on_head: Callable[[Points], NDArray[np.float64]],
    ) -> None:
        x0, y0, x1, y1 = sprite.box
        columns, rows = (np.linspace(a, b, max(2, round((b - a) / step) + 1)) for a, b in ((x0, x1), (y0, y1)))
        points, _ = crossings(columns, rows)
        self._warp = Warp(sprite, columns, rows, node_px=16)
        self._points = np.column_stack([points, depth(points)])
        self._on_head = on_head(points)
        self._shown = painted(sprite, points, step)
        self._held: Held[Rgba] = Held(HAIR_BYTES, lambda one: one.nbytes)

    @property
    def held_bytes(self) -> int:
        """What is kept of the layer."""
        return self._held.size_bytes

    def render(self, view: View, roi: Roi) -> Rgba:
        """The layer inside a rectangle of the picture."""
        return self._warp.render(view.blend(self._points, self._on_head), roi)

    def draw(self, canvas: skia.Canvas, view: View) -> None:
        """Draw all of the layer that lies in the picture."""
        px = view.blend(self._points, self._on_head)
        roi = around(px[self._shown])
        if roi is not None:
            draw_pixels(canvas, self._warp.render(px, roi), roi.x, roi.y)

    def held(self, view: View, roi: Roi) -> Rgba:
        """The same, kept for a while. Not to be written to."""
        return self._held.get((view, roi), lambda: self.render(view, roi))


class _Ear:
    """An ear: it slips behind the cheek when the head turns to its side, and under the hair when it turns away."""

    def __init__(self, sprite: Sprite, side: int) -> None:
        self._mesh, points = sprite_mesh(sprite, 18.0)
        self._side = side
        self._points = np.column_stack([points[:, 0] * side, points[:, 1], np.zeros(len(points))])

    def draw(self, canvas: skia.Canvas, view: View) -> None:
        """Draw it where the head's turn puts it."""
        towards = min(1.0, max(-1.0, view.yaw_deg * self._side / 8.0))
        self._mesh.draw(canvas, view.head(self._points + [0.0, 0.0, -19.0 - 11.0 * towards]))


def hair_on_head(at: Points) -> NDArray[np.float64]:
    """Share of the head's movement that hair at these places takes part in: what hangs low rests on the body."""
    return 1 - 0.9 * smoothstep(at[:, 1], 70, 190)


def _close_depth(at: Points) -> NDArray[np.float64]:
    """Depth of short hair, which lies on the skull and may not part from the face when the head turns."""
    return surface(at)[:, 2] + 2.0


def _skull_depth(at: Points) -> NDArray[np.float64]:
    """Depth of hair that lies on the head and hangs beside it."""
    x, y = at[:, 0], at[:, 1]
    dome = np.sqrt(np.clip(1 - (x / 112) ** 2, 0, 1)) * np.sqrt(np.clip(1 - ((y + 14) / 142) ** 2, 0, 1))
    return np.asarray(6 + 74 * dome * smoothstep(y, 120, 10) + 16 * smoothstep(y, 20, 120))


def _back_depth(at: Points) -> NDArray[np.float64]:
    """Depth of the hair behind the head: at its edge it meets the front hair."""
    x, y = at[:, 0], at[:, 1]
    outer = np.maximum(np.abs(x) / 112, np.hypot(x / 112, (y + 16) / 130) * (y < -16))
    return np.asarray(-58 + 66 * smoothstep(outer, 0.6, 1.0))


class Rig:
    """Draws one avatar from its layers."""

    def __init__(self, spec: AvatarSpec, layers: Layers) -> None:
        self._backdrop = image_of(layers["backdrop"].pixels)
        self._hair_back = _Layer(
            layers["hair_back"], HAIR_STEP, _back_depth, lambda at: 1 - 0.9 * smoothstep(at[:, 1], 60, 190)
        )
        self._body = _Layer(
            layers["body"],
            BODY_STEP,
            lambda at: np.full(len(at), -4.0),
            lambda at: smoothstep(at[:, 1], 142, 92) * smoothstep(np.abs(at[:, 0]), 90, 56),
        )
        self._hair_front = _Layer(
            layers["hair_front"],
            HAIR_STEP,
            _close_depth if spec.hair_style in CLOSE_STYLES else _skull_depth,
            hair_on_head,
        )
        self._ears = [_Ear(layers["ear"], side) for side in (-1, 1)]
        self.surface = Surface(spec.shape)
        self._face = Face(layers["face"], self.surface)
        self._eyes = Eyes(spec, self.surface)
        self._mouth = Mouth(spec, self.surface)
        self._glasses = Glasses(spec.wears) if spec.wears.glasses != "none" else None
        self._creases = Creases(spec.skin, self.surface)

    def hair(self, view: View) -> Rgba:
        """All hair without what it hangs on, (PICTURE_PX, PICTURE_PX, 4)."""
        pixels = self._hair_back.render(view, WHOLE)
        draw_pixels(canvas_on(pixels), self._hair_front.render(view, WHOLE), 0, 0)
        return pixels

    def picture(self, view: View, controls: Controls = REST) -> Rgba:
        """The whole picture without the arm, (PICTURE_PX, PICTURE_PX, 4)."""
        felt = settled(controls)
        pixels = blank(PICTURE_PX, PICTURE_PX)
        canvas = canvas_on(pixels)
        canvas.drawImage(self._backdrop, 0, 0)
        self._hair_back.draw(canvas, view)
        self._body.draw(canvas, view)
        for ear in self._ears:
            ear.draw(canvas, view)
        self._face.draw(canvas, view, felt)
        self._draw_lower_features(canvas, view, felt)
        self._draw_upper_features(canvas, view, felt)
        self._hair_front.draw(canvas, view)
        return pixels

    @property
    def held_bytes(self) -> int:
        """What is kept of the hair before the face."""
        return self._hair_front.held_bytes

    def upper(self, view: View, controls: Controls, roi: Roi, face: Roi) -> Rgba:
        """The upper face inside `roi`, a part of the rectangle `face`, with the hair that lies on it, and nothing
        outside the face."""
        felt = coarse_smile(settled(controls))
        pixels = self._face.render(view, felt, roi, face)
        canvas = _inside(pixels, roi)
        self._draw_upper_features(canvas, view, felt)
        draw_pixels(canvas, self._hair_front.held(view, roi), roi.x, roi.y, ATOP)
        return pixels

    def lower(self, view: View, controls: Controls, roi: Roi, face: Roi) -> Rgba:
        """The lower face inside `roi`, a part of the rectangle `face`, and nothing outside the face."""
        felt = settled(controls)
        pixels = self._face.render(view, coarse_smile(felt), roi, face)
        _thin_edge(pixels, contour_shift(felt) / FULL_EDGE)
        canvas = _inside(pixels, roi)
        self._draw_lower_features(canvas, view, felt)
        if abs(view.yaw_deg) > TURNED_DEG:
            draw_pixels(canvas, self._hair_front.held(view, roi), roi.x, roi.y, ATOP)
        return pixels

    def _draw_upper_features(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        self._creases.draw_upper(canvas, view, c)
        self._eyes.draw(canvas, view, c)
        if self._glasses is not None:
            self._glasses.draw(canvas, view)

    def _draw_lower_features(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        self._creases.draw_lower(canvas, view, c)
        self._mouth.draw(canvas, view, c)
