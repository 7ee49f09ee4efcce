"""Textured triangle meshes on a Skia canvas."""

from dataclasses import dataclass

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar.geometry import Points
from models.avatar.paint import LINEAR, NEAREST, Rgba, image_of, points

TEXTURE_DENSITY = 2.0
"""Texture pixels per head unit: a third more than the picture shows, so bilinear sampling stays crisp."""

FINE = 4
"""A texture that is to be sampled between its pixels is made so many times finer first and then sampled at the nearest
pixel, to an eighth of its own: the same picture at a third of the cost."""

_TRIANGLES = skia.Vertices.VertexMode.kTriangles_VertexMode


@dataclass(frozen=True, slots=True)
class Sprite:
    """A painted texture and the rectangle of head units it covers."""

    pixels: Rgba
    x: float
    y: float
    density: float = TEXTURE_DENSITY

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in head units."""
        height, width = self.pixels.shape[:2]
        return self.x, self.y, self.x + width / self.density, self.y + height / self.density


class Mesh:
    """Triangles over a texture. Vertices are placed anew on every draw."""

    def __init__(
        self,
        image: skia.Image,
        texture_px: Points,
        triangles: NDArray[np.int64],
        sampling: skia.SamplingOptions = LINEAR,
    ) -> None:
        self._texture = points(texture_px)
        self._triangles = triangles.ravel().tolist()
        clamp = skia.TileMode.kClamp
        self._paint = skia.Paint(Shader=image.makeShader(clamp, clamp, sampling))

    def draw(self, canvas: skia.Canvas, px: Points, alpha: float = 1.0) -> None:
        """Draw with the vertices at these pixels, (V, 2)."""
        vertices = skia.Vertices(_TRIANGLES, points(px), self._texture, None, self._triangles)
        self._paint.setAlphaf(alpha)
        canvas.drawVertices(vertices, self._paint, skia.BlendMode.kSrcOver)


def grid(box: tuple[float, float, float, float], step: float) -> tuple[Points, NDArray[np.int64]]:
    """A regular grid over a rectangle: vertices (V, 2) and triangles (T, 3)."""
    x0, y0, x1, y1 = box
    columns, rows = max(2, round((x1 - x0) / step) + 1), max(2, round((y1 - y0) / step) + 1)
    return crossings(np.linspace(x0, x1, columns), np.linspace(y0, y1, rows))


def crossings(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Points, NDArray[np.int64]]:
    """The crossings of upright and level lines: vertices (V, 2) and triangles (T, 3)."""
    columns, rows = np.meshgrid(x, y)
    return np.stack([columns.ravel(), rows.ravel()], 1), lattice(len(y), len(x))


def lattice(rows: int, columns: int) -> NDArray[np.int64]:
    """Triangles (T, 3) over vertices that are stored row by row."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    a, b, c, d = corner, corner + 1, corner + columns, corner + columns + 1
    return np.asarray(np.stack([np.stack([a, b, c], 1), np.stack([b, d, c], 1)], 1).reshape(-1, 3), np.int64)


def covered(vertices: Points, triangles: NDArray[np.int64], sprite: Sprite) -> NDArray[np.int64]:
    """The triangles under which the sprite has anything painted."""
    alpha = sprite.pixels[..., 3]
    height, width = alpha.shape
    px = (vertices - [sprite.x, sprite.y]) * sprite.density
    low = np.floor(px[triangles].min(1)).astype(int) - 1
    high = np.ceil(px[triangles].max(1)).astype(int) + 1
    keep = [
        bool(alpha[max(0, y0) : min(height, y1), max(0, x0) : min(width, x1)].any())
        for (x0, y0), (x1, y1) in zip(low, high, strict=True)
    ]
    return np.asarray(triangles[np.array(keep, dtype=bool)], np.int64)


def sprite_mesh(sprite: Sprite, step: float) -> tuple[Mesh, Points]:
    """A mesh over a sprite's painted part, and its vertices at rest in head units."""
    vertices, triangles = grid(sprite.box, step)
    texture = (vertices - [sprite.x, sprite.y]) * sprite.density
    return Mesh(image_of(sprite.pixels), texture, covered(vertices, triangles, sprite)), vertices


class Strip:
    """A texture stretched over a band of `rows` x `columns` vertices: lips, lids, lashes, brows, teeth."""

    def __init__(
        self,
        pixels: Rgba,
        size_px: tuple[int, int],
        rows: int,
        across: NDArray[np.float64],
        down: NDArray[np.float64] | None = None,
        smooth: bool = False,
        copies: int = 1,
    ) -> None:
        """`size_px` is about the size at which the band is shown: the texture is reduced to it once, so that it
        does not alias. What is `smooth` is kept twice as large, what is not is made `FINE` times finer; both are
        sampled at the nearest pixel. `copies` bands are drawn at once, each with vertices of its own."""
        width, height = (2 * size_px[0], 2 * size_px[1]) if smooth else size_px
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        if not smooth:
            width, height = FINE * width, FINE * height
            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
        v = np.linspace(0.0, 1.0, rows) if down is None else down
        u, w = np.meshgrid(across * width, v * height)
        texture = np.tile(np.stack([u.ravel(), w.ravel()], 1), (copies, 1))
        one = lattice(rows, len(across))
        triangles = np.concatenate([one + n * rows * len(across) for n in range(copies)])
        self._mesh = Mesh(image_of(pixels), texture, triangles, NEAREST)

    def draw(self, canvas: skia.Canvas, px: Points, alpha: float = 1.0) -> None:
        """Draw with the vertices at these pixels, row by row, (copies * rows * columns, 2)."""
        self._mesh.draw(canvas, px, alpha)
