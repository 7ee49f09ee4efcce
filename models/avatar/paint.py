"""Skia in few words: colours, paints, gradients, paths, and canvases over numpy arrays."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import starmap
from typing import Final

import numpy as np
import skia
from numpy.typing import ArrayLike, NDArray

Rgba = NDArray[np.uint8]
"""Premultiplied RGBA, shape (height, width, 4)."""

_ORDER: Final = skia.kBGRA_8888_ColorType
"""What Skia is told about our pixels, of which the first is red: in this order it lays one picture over another in a
fifth of the time. Colours change places alike (`color`), and all blending treats the three channels alike."""

Stop = tuple[float, str] | tuple[float, str, float]
"""A gradient stop: position, colour, and opacity where it is not 1."""

LINEAR = skia.SamplingOptions(skia.FilterMode.kLinear)
NEAREST = skia.SamplingOptions(skia.FilterMode.kNearest)
"""A third of the cost of `LINEAR`; for what is smooth and finer than the picture."""
MULTIPLY = skia.BlendMode.kMultiply
SCREEN = skia.BlendMode.kScreen
ATOP = skia.BlendMode.kSrcATop


def rgb(code: str) -> tuple[int, int, int]:
    """`#rrggbb` as three bytes."""
    value = int(code.lstrip("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def color(code: str, alpha: float = 1.0) -> int:
    """`#rrggbb` with an opacity as the 32-bit colour that Skia paints it with on our surfaces (`_ORDER`)."""
    red, green, blue = rgb(code)
    return int(skia.Color(blue, green, red, round(255 * min(1.0, max(0.0, alpha)))))


def mix(first: str, second: str, t: float) -> str:
    """The colour a share `t` of the way from the first to the second."""
    t = min(1.0, max(0.0, t))
    a, b = rgb(first), rgb(second)
    return "#" + "".join(f"{round(x + (y - x) * t):02x}" for x, y in zip(a, b, strict=True))


@lru_cache(maxsize=256)
def _blur(sigma: float) -> skia.MaskFilter:
    return skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, sigma)


def fill(code: str, alpha: float = 1.0, blur: float = 0.0, blend: skia.BlendMode | None = None) -> skia.Paint:
    """A flat fill; `blur` is the sigma of a soft edge in local units."""
    paint = skia.Paint(AntiAlias=True, Color=color(code, alpha))
    if blur > 0:
        paint.setMaskFilter(_blur(round(blur, 2)))
    if blend is not None:
        paint.setBlendMode(blend)
    return paint


def shade(
    shader: skia.Shader, alpha: float = 1.0, blur: float = 0.0, blend: skia.BlendMode | None = None
) -> skia.Paint:
    """A fill with a gradient."""
    paint = fill("#000000", alpha, blur, blend)
    paint.setShader(shader)
    return paint


def _stops(stops: Sequence[Stop]) -> tuple[list[int], list[float]]:
    return [color(s[1], s[2] if len(s) > 2 else 1.0) for s in stops], [float(s[0]) for s in stops]


def linear(start: ArrayLike, end: ArrayLike, stops: Sequence[Stop]) -> skia.Shader:
    """A gradient along a line."""
    colors, positions = _stops(stops)
    return skia.GradientShader.MakeLinear(points=[point(start), point(end)], colors=colors, positions=positions)


def radial(center: ArrayLike, radius: float, stops: Sequence[Stop]) -> skia.Shader:
    """A gradient around a point."""
    colors, positions = _stops(stops)
    return skia.GradientShader.MakeRadial(
        center=point(center), radius=float(radius), colors=colors, positions=positions
    )


def point(xy: ArrayLike) -> skia.Point:
    """One point."""
    x, y = np.asarray(xy, np.float64).tolist()
    return skia.Point(x, y)


def points(xy: NDArray[np.float64]) -> list[skia.Point]:
    """Points of shape (N, 2) as Skia wants them."""
    return list(starmap(skia.Point, xy.tolist()))


def polygon(xy: NDArray[np.float64], closed: bool = True) -> skia.Path:
    """A path through points of shape (N, 2)."""
    return skia.Path.Polygon(points(xy), closed)


def polygons(outlines: NDArray[np.float64]) -> skia.Path:
    """One path of many closed outlines, shape (M, N, 2)."""
    path = skia.Path()
    for outline in outlines:
        path.addPoly(points(outline), True)
    return path


def glow(canvas: skia.Canvas, center: ArrayLike, radius: float, code: str, alpha: float) -> None:
    """A soft disc that fades to nothing at `radius`."""
    p = point(center)
    stops: list[Stop] = [(0, code, alpha), (0.5, code, alpha * 0.42), (1, code, 0.0)]
    canvas.drawCircle(p, radius, shade(radial((p.x(), p.y()), radius, stops)))


@contextmanager
def clipped(canvas: skia.Canvas, path: skia.Path) -> Iterator[None]:
    """Draw only inside a path."""
    canvas.save()
    canvas.clipPath(path, True)
    try:
        yield
    finally:
        canvas.restore()


def blank(width: int, height: int) -> Rgba:
    """A transparent picture."""
    return np.zeros((height, width, 4), np.uint8)


def canvas_on(pixels: Rgba) -> skia.Canvas:
    """A canvas that draws into an array, which has to outlive it."""
    return surface_on(pixels).getCanvas()


def surface_on(pixels: Rgba) -> skia.Surface:
    """A surface over an array, which has to outlive it."""
    return skia.Surface(pixels, colorType=_ORDER, alphaType=skia.kPremul_AlphaType)


def image_of(pixels: Rgba) -> skia.Image:
    """An image with a copy of the pixels."""
    return skia.Image.fromarray(
        np.ascontiguousarray(pixels), colorType=_ORDER, alphaType=skia.kPremul_AlphaType
    )


def draw_pixels(canvas: skia.Canvas, pixels: Rgba, x: int, y: int, blend: skia.BlendMode | None = None) -> None:
    """Draw an array at whole pixels without copying it."""
    image = skia.Image.fromarray(
        pixels, colorType=_ORDER, alphaType=skia.kPremul_AlphaType, copy=False
    )
    canvas.drawImage(image, x, y, NEAREST, None if blend is None else skia.Paint(BlendMode=blend))
