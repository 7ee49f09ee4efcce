"""An avatar before a picture that changes while it is shown: the host cut out, laid over a canvas tile by tile.

The cut-out's pictures are packed (`realtime.core.matte`), so what shows is colours + (1 - alpha) * canvas. That is
linear: regions drawn over the cut-out are laid over the canvas in the same way. When tiles change, only they are
blended anew, in base frames as they are asked for; pose and canvas version together name a base frame."""

from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.core.cache import ByteLru
from realtime.core.composite import crop, planes, windows
from realtime.core.facs import Controls
from realtime.core.matte import CLEAR_LUMA, NO_COLOUR, OPAQUE_LUMA
from realtime.core.painting import TILE_PX, Canvas, Rgb, spread
from realtime.core.values import I420, BaseKey, Patch, Region, Roi
from realtime.ports import Avatar

PRODUCT: Final = "painted product"
"""The name of the region in front of the host."""
LAID_BUDGET_BYTES: Final = 24 * 2**20
_SPAN: Final = OPAQUE_LUMA - CLEAR_LUMA


class Pixels(Protocol):
    """Where the cut-out's base frames come from; a `Stock` is one."""

    @property
    def avatar(self) -> Avatar: ...

    def base(self, key: BaseKey) -> I420 | None: ...

    def make_base(self, key: BaseKey) -> I420: ...


class PaintedAvatar:
    """Behind the port `Avatar`; belongs to one session."""

    def __init__(self, cutout: Pixels, canvas: Canvas) -> None:
        """`cutout` draws packed pictures of the canvas's width and twice its height."""
        width, height = canvas.size
        if (cutout.avatar.width, cutout.avatar.height) != (width, 2 * height):
            raise ValueError(f"a canvas of {width} x {height} does not fit the cut-out {cutout.avatar.name}")
        self._cutout = cutout
        self._canvas = canvas
        self._dressed = 0
        self.sheet: Rgb | None = None
        """The painted clothes that are worn."""
        self._product: tuple[Roi, Canvas] | None = None
        self._laid: ByteLru[BaseKey, tuple[int, I420]] = ByteLru(LAID_BUDGET_BYTES)
        self.tiles_blended = 0

    @property
    def name(self) -> str:
        return self._cutout.avatar.name

    @property
    def width(self) -> int:
        return self._canvas.size[0]

    @property
    def height(self) -> int:
        return self._canvas.size[1]

    @property
    def canvas(self) -> Canvas:
        """What is behind the host."""
        return self._canvas

    @property
    def product(self) -> tuple[Roi, Canvas] | None:
        """What is in front of it, and where."""
        return self._product

    @property
    def dressed(self) -> int:
        """How often it was dressed anew."""
        return self._dressed

    def dress(self, cutout: Pixels, sheet: Rgb | None = None) -> None:
        """Show another cut-out of the same host from now on, in the clothes of this sheet."""
        self._cutout, self.sheet = cutout, sheet
        self._dressed += 1

    def present(self, roi: Roi, canvas: Canvas) -> None:
        """Show a picture in front of the host; its tiles appear as they are painted."""
        if canvas.size != (roi.width, roi.height):
            raise ValueError(f"a picture of {canvas.size} does not fit {roi}")
        self._product = (roi, canvas)

    def base_key(self, controls: Controls) -> BaseKey:
        return (*self._cutout.avatar.base_key(controls), self._dressed, self._canvas.version)

    def base(self, key: BaseKey) -> I420 | None:
        """A base frame that was laid over the canvas before, brought up to date; None if this pose is new."""
        found = self._laid.get(key[:-1])
        if found is None or found[0] == key[-1]:
            return None if found is None else found[1]
        packed = self._cutout.base(key[:-2])
        return None if packed is None else self._update(key, packed, *found)

    def render_base(self, key: BaseKey) -> I420:
        """Lay a pose over the whole canvas; the cut-out is drawn if need be."""
        version = self._canvas.version
        out = _flat(self._packed(key[:-2]), self._canvas.i420, Roi(0, 0, self.width, self.height))
        self._keep(key, version, out)
        return out

    def regions(self, key: BaseKey, controls: Controls) -> tuple[Region, ...]:
        found = [self._behind(region) for region in self._cutout.avatar.regions(key[:-2], controls)]
        if self._product is not None and self._product[1].version:
            roi, canvas = self._product
            found.append(Region(PRODUCT, roi, (PRODUCT, roi, canvas.version)))
        return tuple(found)

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        if self._product is not None and region.name == PRODUCT:
            canvas = self._product[1]
            shown = np.where(spread(canvas.tiles > 0), 255, 0).astype(np.uint8)
            return Patch(region.roi, canvas.i420.copy(), shown)
        packed, roi = self._packed(key[:-2]), region.roi
        patch = self._cutout.avatar.draw(packed, key[:-2], controls, replace(region, key=region.key[0]))  # type: ignore[index]  # made by `_behind`
        matte = patch.matte
        if matte is None:
            matte = packed[self.height + roi.y : self.height + roi.y + roi.height, roi.x : roi.x + roi.width]
        if int(matte.min()) >= OPAQUE_LUMA:
            return replace(patch, matte=None)
        return replace(patch, pixels=_over(patch.pixels, matte, crop(self._canvas.i420, roi)), matte=None)

    def displacement_px(self, region: str, before: Controls, after: Controls) -> float:
        return 0.0 if region == PRODUCT else self._cutout.avatar.displacement_px(region, before, after)

    def _behind(self, region: Region) -> Region:
        """The region as it is before the canvas: other pixels whenever a tile behind it has changed."""
        roi = region.roi
        newest = self._canvas.newest_in(roi.x, roi.y, roi.width, roi.height)
        return replace(region, key=(region.key, self._dressed, newest))

    def _packed(self, key: BaseKey) -> I420:
        found = self._cutout.base(key)
        return self._cutout.make_base(key) if found is None else found

    def _update(self, key: BaseKey, packed: I420, since: int, laid: I420) -> I420:
        """A copy with the tiles blended anew that have changed: the picture before may still be on its way out."""
        version = self._canvas.version
        rows, columns = np.nonzero(self._canvas.tiles > since)
        out = laid.copy()
        if len(rows):
            left, top = int(columns.min()), int(rows.min())
            right, bottom = int(columns.max()) + 1, int(rows.max()) + 1
            roi = Roi(left * TILE_PX, top * TILE_PX, (right - left) * TILE_PX, (bottom - top) * TILE_PX)
            fresh = _flat(packed, self._canvas.i420, roi)
            for target, source in zip(windows(out, roi), planes(fresh), strict=True):
                target[...] = source
            self.tiles_blended += (right - left) * (bottom - top)
        self._keep(key, version, out)
        return out

    def _keep(self, key: BaseKey, version: int, out: I420) -> None:
        out.flags.writeable = False
        self._laid.put(key[:-1], (version, out), out.nbytes)


def _flat(packed: I420, canvas: I420, roi: Roi) -> I420:
    """A rectangle of a packed picture over the canvas."""
    height = packed.shape[0] // 3
    matte = packed[height + roi.y : height + roi.y + roi.height, roi.x : roi.x + roi.width]
    return _over(crop(packed, roi), matte, crop(canvas, roi))


def _over(colours: I420, matte: NDArray[np.uint8], behind: I420) -> I420:
    """Premultiplied colours over what is behind them; all of one size."""
    rest = OPAQUE_LUMA - np.clip(matte, CLEAR_LUMA, OPAQUE_LUMA).astype(np.int32)
    height, width = rest.shape
    half = (rest.reshape(height // 2, 2, width // 2, 2).sum((1, 3)) + 2) >> 2
    out = np.empty_like(colours)
    zeros = (CLEAR_LUMA, NO_COLOUR, NO_COLOUR)
    for target, front, back, weight, zero in zip(
        planes(out), planes(colours), planes(behind), (rest, half, half), zeros, strict=True
    ):
        shown = front + ((back.astype(np.int32) - zero) * weight + _SPAN // 2) // _SPAN
        target[...] = np.clip(shown, 0, 255)
    return out
