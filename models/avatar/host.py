"""The illustrated host behind the `Avatar` port: base frames, face regions drawn over them, and the waving arm."""

from functools import lru_cache, partial
from typing import Final, Protocol

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import quantise
from models.avatar.arm import Arm
from models.avatar.card import card_sprite
from models.avatar.face_shape import Surface
from models.avatar.geometry import Points
from models.avatar.held import Held
from models.avatar.layers import Layers
from models.avatar.paint import NEAREST, Rgba, blank, canvas_on, draw_pixels, image_of
from models.avatar.projection import PICTURE_PX, View, base_key
from models.avatar.rig import Rig, hair_on_head
from models.avatar.spec import AvatarSpec
from models.avatar.sway import SWAYING, Sway
from realtime.core.composite import crop, planes, windows
from realtime.core.facs import REST, Controls
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import I420, BaseKey, Patch, Region, Roi

FEATHER_PX: Final = 8
"""Width of the ramp over which a drawn region fades into the base frame at its outer edges."""

FEATHERS_BYTES: Final = 8 * 2**20
"""Feathers that are kept, about 0.15 MB for each size of a region."""

_EYES_BOX: Final = np.array([(-78, -70), (78, -70), (-78, 14), (78, 14), (0, -74), (0, 16)], np.float64)
_EYES_LOW: Final = np.array([(-62, 9), (-38, 15), (38, 15), (62, 9)], np.float64)
_MOUTH_HIGH: Final = np.array([(-38, 48), (0, 48), (38, 48)], np.float64)
_MOUTH_BOX: Final = np.array([(-72, 24), (72, 24), (-64, 96), (64, 96), (-34, 140), (34, 140)], np.float64)
_RIMS: Final = (_EYES_LOW, _MOUTH_HIGH, _EYES_BOX, _MOUTH_BOX)


class BaseFrames(Protocol):
    """Base frames that were rendered before."""

    def frame(self, key: BaseKey) -> I420 | None:
        """A frame, read-only, or None."""
        ...


class IllustratedHost:
    """One illustrated avatar. Its constructor uploads the layers; it never touches the disk."""

    def __init__(self, spec: AvatarSpec, layers: Layers, frames: BaseFrames | None = None) -> None:
        self.spec = spec
        self._frames = frames
        self._rig = Rig(spec, layers)
        self._arm = Arm(layers)
        self._cards = 0
        rest = base_key(REST)
        self._sway = Sway(spec, self._rig.hair(View.of(rest)), hair_on_head, rest)
        self._feathers: Held[skia.Image] = Held(FEATHERS_BYTES, lambda one: one.width() * one.height() * 4)
        self._rois = lru_cache(maxsize=2048)(partial(_face_rois, _rims(self._rig.surface)))

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def held_bytes(self) -> int:
        """Bytes of what drawing keeps because it comes again, beside the pixels it gives away."""
        parts = self._sway, self._rig, self._arm
        return sum(part.held_bytes for part in parts) + self._feathers.size_bytes

    @property
    def width(self) -> int:
        return PICTURE_PX

    @property
    def height(self) -> int:
        return PICTURE_PX

    def base_key(self, controls: Controls) -> BaseKey:
        """The quantised pose, in the order of `projection.KEY_FIELDS`."""
        return base_key(controls)

    def base(self, key: BaseKey) -> I420 | None:
        """A base frame from the pack; None without a pack or for a pose that is not in it."""
        return self._frames.frame(key) if self._frames else None

    def render_base(self, key: BaseKey) -> I420:
        """Draw a base frame with the face at rest."""
        return _to_i420(self._rig.picture(View.of(key)))

    def render_full(self, key: BaseKey, controls: Controls) -> I420:
        """Draw the whole picture, face included, without a base frame: what every frame would cost without regions."""
        return _to_i420(self._rig.picture(View.of(key), quantise.stepped(controls)))

    def regions(self, key: BaseKey, controls: Controls) -> tuple[Region, ...]:
        """What swings, upper face, lower face and arm, as far as they differ from rest."""
        moved = quantise.moved_regions(quantise.steps(controls))
        found = []
        if not moved.keys().isdisjoint(SWAYING):
            found += self._sway.regions(key, moved, self._rois(key))
        for name in ("upper", "lower"):
            if name in moved:
                found.append(Region(name, self._rois(key)[name], (key, moved[name])))
        if "arm" in moved:
            roi = self._arm.roi(quantise.stepped(controls))
            if roi is not None:
                found.append(Region("arm", roi, (self._cards, moved["arm"])))
        return tuple(found)

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        """Draw one region over the base frame."""
        if region.name == "arm":
            return self._arm.patch(quantise.stepped(controls), region.roi)
        if region.name in SWAYING:
            return self._sway.draw(base, key, quantise.stepped(controls), region)
        return self._draw_face(base, key, controls, region)

    def show_on_card(self, picture: NDArray[np.uint8] | None) -> None:
        """Put an RGB picture (H, W, 3) onto the card that `show_product` holds up, or take it off; for all sessions."""
        self._arm.hold(card_sprite(self.spec.cloth, picture))
        self._cards += 1

    def displacement_px(self, region: str, before: Controls, after: Controls) -> float:
        """Predicted largest landmark movement inside a region."""
        return quantise.displacement_px(region, before, after)

    def _draw_face(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        pixels = np.asarray(cv2.cvtColor(crop(base, region.roi), cv2.COLOR_YUV2RGBA_I420), np.uint8)
        self._paint_face(pixels, key, controls, region)
        drawn = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2YUV_I420), np.uint8)
        _keep_edges(drawn, base, region.roi, top=region.name == "upper", bottom=region.name == "lower")
        return Patch(region.roi, drawn)

    def _paint_face(self, pixels: Rgba, key: BaseKey, controls: Controls, region: Region) -> None:
        """Draw a region of the face over the pixels below it, premultiplied."""
        roi = region.roi
        paint = self._rig.upper if region.name == "upper" else self._rig.lower
        layer = paint(View.of(key), quantise.stepped(controls), roi, self._rois(key)["face"])
        at = roi.width, roi.height, region.name
        feather = self._feathers.get(at, lambda: _feather(*at))
        canvas_on(layer).drawImage(feather, 0, 0, NEAREST, _KEEP)
        draw_pixels(canvas_on(pixels), layer, 0, 0)


_KEEP: Final = skia.Paint(BlendMode=skia.BlendMode.kDstIn)


def _to_i420(pixels: NDArray[np.uint8]) -> I420:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2YUV_I420), np.uint8)


def _keep_edges(drawn: I420, base: I420, roi: Roi, *, top: bool, bottom: bool) -> None:
    """Take the outermost pixels from the base frame: colours that RGB cannot hold do not survive the way there and
    back. The edge that the two regions of the face share is drawn."""
    for plane, source, width in zip(planes(drawn), windows(base, roi), (2, 1, 1), strict=True):
        plane[:, :width], plane[:, -width:] = source[:, :width], source[:, -width:]
        if top:
            plane[:width] = source[:width]
        if bottom:
            plane[-width:] = source[-width:]


def _rims(surface: Surface) -> Points:
    """What the rectangles of a face are placed by, at rest in head units, in the order of `_RIMS`, (N, 3)."""
    return surface.points(np.concatenate(_RIMS))


def _face_rois(rims: Points, key: BaseKey) -> dict[str, Roi]:
    """Rectangles of the upper and lower face at a pose, and of both together: they share one edge, an even row between
    eyes and mouth."""
    low, high, eyes, mouth = np.split(View.of(key).head(rims), np.cumsum([len(rim) for rim in _RIMS])[:-1])
    split = even_floor((float(low[:, 1].max()) + float(high[:, 1].min())) / 2)
    top, bottom = max(0, even_floor(eyes[:, 1].min())), min(PICTURE_PX, even_ceil(mouth[:, 1].max()))
    spans = [
        (max(0, even_floor(box[:, 0].min())), min(PICTURE_PX, even_ceil(box[:, 0].max()))) for box in (eyes, mouth)
    ]
    (x0, x1), (x2, x3) = spans
    left, right = min(x0, x2), max(x1, x3)
    return {
        "upper": Roi(x0, top, x1 - x0, split - top),
        "lower": Roi(x2, split, x3 - x2, bottom - split),
        "face": Roi(left, top, right - left, bottom - top),
    }


def _feather(width: int, height: int, region: str) -> skia.Image:
    """Opacity of a region: 1 inside, 0 on its outer edges; the edge that the two regions share stays opaque."""

    def ramp(length: int, first: bool, last: bool) -> NDArray[np.float64]:
        at = np.arange(length) + 0.5
        rise = np.clip((at - 1.0) / FEATHER_PX, 0, 1) if first else np.ones(length)
        fall = np.clip((length - 1.0 - at) / FEATHER_PX, 0, 1) if last else np.ones(length)
        edge = np.minimum(rise, fall)
        return np.asarray(edge * edge * (3 - 2 * edge))

    across = ramp(width, True, True)
    down = ramp(height, region == "upper", region == "lower")
    mask = blank(width, height)
    mask[...] = (down[:, None] * across * 255).round()[..., None]
    return image_of(mask)
