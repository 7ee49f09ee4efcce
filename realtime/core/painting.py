"""Painted regions as decisions: what is ordered, which 16 x 16 tiles are dirty, in which windows they are painted, and
the picture they are laid into.

    chosen = dirty_tiles(...)               # bool (rows, columns), one per tile
    for window in windows(chosen, ...):     # where a painter works, one after another
        canvas.put(tiles_of(...))           # what it made; `canvas.version` rises with every change
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from realtime.core.values import I420

Place = Literal["background", "outfit", "product"]
State = Literal["waiting", "painting", "done", "cancelled", "failed"]
Rgb = NDArray[np.uint8]
"""A picture of shape (height, width, 3); both sides are multiples of `TILE_PX`."""
Tiles = NDArray[np.bool_]
"""One flag per tile, shape (height // TILE_PX, width // TILE_PX)."""

TILE_PX: Final = 16
PLACES: Final[tuple[Place, ...]] = get_args(Place)
STRENGTHS: Final = {"background": 0.8, "outfit": 0.6, "product": 1.0}
"""How much of what was there is given up, where an order does not say."""
_SEEN: Final = 3
"""Differences up to so many levels of 255 in every pixel of a tile leave it as it is: nobody sees them."""


@dataclass(frozen=True, slots=True)
class PaintOrder:
    """What is to be painted where. `strength` is above 0 up to 1; a style's name is empty for none."""

    region: Place
    prompt: str
    negative_prompt: str = ""
    strength: float = 0.8
    seed: int = 0
    style: str = ""
    style_strength: float = 1.0

    @property
    def digest(self) -> str:
        """Equal for equal orders: what was painted for one need not be painted again."""
        return hashlib.sha256(repr(sorted(asdict(self).items())).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StyleInfo:
    """One style pack of the catalogue."""

    name: str
    title: str
    version: str
    author: str
    licence: str
    base_model: str
    keywords: tuple[str, ...]
    strength_range: tuple[float, float]
    usable: bool
    reason: str = ""
    """Why it cannot be used here, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """Finished tiles of one window: its pixels in both forms, its place, and which of its tiles count."""

    x: int
    y: int
    rgb: Rgb
    i420: I420
    chosen: Tiles


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """How far an order has come; `painted` are new pixels, `message` says what went wrong."""

    order: PaintOrder
    state: State
    done: int
    total: int
    painted: Painted | None = None
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        """For viewers. `order` is the same in all reports of one order: those of an order that was replaced may follow
        the first one of its successor."""
        about: dict[str, Any] = {"region": self.order.region, "state": self.state, "order": self.order.digest[:12]}
        about |= {"tiles_done": self.done, "tiles": self.total}
        return about | ({"style": self.order.style} if self.order.style else {}) | (
            {"message": self.message} if self.message else {}
        )  # fmt: skip


class Painting(Protocol):
    """One order that is being carried out."""

    def cancel(self) -> None:
        """Paint no further; what is painted stays. Callable from any thread."""
        ...


class Painter(Protocol):
    """Carries orders out on a thread of its own, politely."""

    @property
    def broken(self) -> str:
        """Why nothing can be painted, in words; empty if it can."""
        ...

    def check(self, order: PaintOrder) -> None:
        """Raises `InvalidField` or `NotFound` for what cannot be painted here, before anything is changed."""
        ...

    def styles(self) -> Sequence[StyleInfo]:
        """The style packs, usable ones and others. Blocks while files are checked."""
        ...

    def begin(
        self, order: PaintOrder, picture: Rgb, chosen: Tiles, told: Callable[[Progress], None],
        may_work: Callable[[], bool],
    ) -> Painting:
        """Paint the chosen tiles of a picture. `told` is called on the painter's thread; between two pieces of work
        `may_work` is asked there, and while it says no nothing is done."""
        ...

    def close(self) -> None:
        """End the thread."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A rectangle of a picture, in pixels on the tile grid, with the tiles in it that are painted there."""

    x: int
    y: int
    width: int
    height: int
    chosen: Tiles


def windows(chosen: Tiles, side: int, margin: int) -> Iterator[Window]:
    """Windows of `side` tiles that cover every chosen tile exactly once, each with at least `margin` tiles around them
    where the picture goes on, so that what is painted continues what is there. Rows first."""
    rows, columns = chosen.shape
    height, width = min(side, rows), min(side, columns)
    for top, bottom in _cells(rows, height, margin):
        for left, right in _cells(columns, width, margin):
            if not chosen[top:bottom, left:right].any():
                continue
            y = min(max(0, top - margin), rows - height)
            x = min(max(0, left - margin), columns - width)
            here = np.zeros((height, width), np.bool_)
            here[top - y : bottom - y, left - x : right - x] = chosen[top:bottom, left:right]
            yield Window(x * TILE_PX, y * TILE_PX, width * TILE_PX, height * TILE_PX, here)


def _cells(length: int, side: int, margin: int) -> Iterator[tuple[int, int]]:
    step = length if side >= length else max(1, side - 2 * margin)
    return ((start, min(start + step, length)) for start in range(0, length, step))


def visible_tiles(matte: NDArray[np.uint8], margin: int) -> Tiles:
    """Tiles that can be seen behind a matte (0 nothing, 255 opaque) which moves by up to `margin` tiles."""
    height, width = matte.shape
    open_here = matte.reshape(height // TILE_PX, TILE_PX, width // TILE_PX, TILE_PX).min((1, 3)) < 255
    padded = np.pad(open_here, margin)
    rows, columns = open_here.shape
    grown = np.zeros_like(open_here)
    for dy in range(2 * margin + 1):
        for dx in range(2 * margin + 1):
            grown |= padded[dy : dy + rows, dx : dx + columns]
    return np.asarray(grown, np.bool_)


def spread(chosen: Tiles) -> Tiles:
    """The flags of tiles as flags of pixels."""
    return np.asarray(np.repeat(np.repeat(chosen, TILE_PX, 0), TILE_PX, 1), np.bool_)


def to_i420(rgb: Rgb) -> I420:
    """Limited-range BT.601 with chroma as the mean of four pixels (ITU-R BT.601-7, table 3)."""
    height, width, _ = rgb.shape
    r, g, b = (rgb[..., i].astype(np.float32) for i in range(3))
    out = np.empty((height * 3 // 2, width), np.uint8)
    out[:height] = np.rint(16.0 + (65.481 * r + 128.553 * g + 24.966 * b) / 255.0)
    for index, (kr, kg, kb) in enumerate(((-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))):
        full = 128.0 + (kr * r + kg * g + kb * b) / 255.0
        mean = full.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
        out[height:].reshape(2, height // 2, width // 2)[index] = np.rint(mean)
    return out


def tiles_of(window: Window, before: Rgb, after: Rgb) -> Painted:
    """What a painter made of a window; tiles that came out as they were do not count."""
    apart = np.abs(after.astype(np.int16) - before).max(2) > _SEEN
    rows, columns = window.chosen.shape
    moved = apart.reshape(rows, TILE_PX, columns, TILE_PX).any((1, 3))
    return Painted(window.x, window.y, after, to_i420(after), window.chosen & moved)


class Canvas:
    """A picture that changes tile by tile. Written on one thread; readers on others see each tile old or new, and by
    `version`, which rises after the pixels are there, they learn that they have to look again."""

    def __init__(self, rgb: Rgb) -> None:
        height, width, _ = rgb.shape
        if height % TILE_PX or width % TILE_PX:
            raise ValueError(f"a canvas is made of whole tiles, got {width} x {height}")
        self.rgb = rgb.copy()
        self.i420 = to_i420(rgb)
        self.version = 0
        self.tiles = np.zeros((height // TILE_PX, width // TILE_PX), np.int64)
        """The version in which each tile was last changed."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def put(self, painted: Painted) -> int:
        """Lay finished tiles; how many changed."""
        count = int(painted.chosen.sum())
        if not count:
            return 0
        height, width, _ = painted.rgb.shape
        x, y, flags = painted.x, painted.y, spread(painted.chosen)
        np.copyto(self.rgb[y : y + height, x : x + width], painted.rgb, where=flags[..., None])
        whole_height, whole_width = self.rgb.shape[:2]
        np.copyto(self.i420[y : y + height, x : x + width], painted.i420[:height], where=flags)
        chroma = self.i420[whole_height:].reshape(2, whole_height // 2, whole_width // 2)
        parts = painted.i420[height:].reshape(2, height // 2, width // 2)
        target = chroma[:, y // 2 : (y + height) // 2, x // 2 : (x + width) // 2]
        np.copyto(target, parts, where=flags[None, ::2, ::2])
        rows, columns = painted.chosen.shape
        top, left = y // TILE_PX, x // TILE_PX
        self.tiles[top : top + rows, left : left + columns][painted.chosen] = self.version + 1
        self.version += 1
        return count

    def settle(self) -> None:
        """The picture is finished: tiles that came out as they were count as painted, too."""
        if not self.tiles.all():
            self.tiles[self.tiles == 0] = self.version + 1
            self.version += 1

    def newest_in(self, x: int, y: int, width: int, height: int) -> int:
        """The newest version of any tile that a rectangle touches."""
        part = self.tiles[y // TILE_PX : -(-(y + height) // TILE_PX), x // TILE_PX : -(-(x + width) // TILE_PX)]
        return int(part.max(initial=0))
