"""The illustrated host before another background, or cut out with the matte of its own layers."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from models.avatar.geometry import smoothstep
from models.avatar.host import IllustratedHost
from models.avatar.layers import Layers
from models.avatar.mesh import Sprite
from models.avatar.paint import Rgba
from models.avatar.projection import PICTURE_PX, View
from models.avatar.spec import AvatarSpec
from models.staging.scenery import scenery
from realtime.core.backdrop import Backdrop
from realtime.core.composite import crop, planes
from realtime.core.facs import Controls
from realtime.core.matte import NO_COLOUR, OPAQUE_LUMA, pack, to_alpha, to_luma
from realtime.core.values import I420, BaseKey, Patch, Region

FACE: Final = ("upper", "lower")
"""Regions that are painted over what lies below; others, the arm aside, bend it."""
SHADOW_ENDS: Final = (0.22, 0.6)
"""Coverage up to which the body's layer is nothing but shadow, and from which on it is body."""
_GREY: Final = np.full((PICTURE_PX // 2, PICTURE_PX), NO_COLOUR, np.uint8)


def staged_host(spec: AvatarSpec, layers: Layers, wish: Backdrop, picture: Rgba | None = None) -> IllustratedHost:
    """The host before what a wish names. Its base frames are drawn as they are met: a pack has the host's own room."""
    behind = scenery(wish, layers["backdrop"].pixels, picture)
    sprites = {**layers.sprites, "backdrop": Sprite(behind, 0.0, 0.0, 1.0)}
    if wish.kind in ("transparent", "colour"):
        sprites["body"] = _without_shadow(sprites["body"])
    kind = CutoutHost if wish.packed else IllustratedHost
    return kind(spec, Layers(sprites))


class CutoutHost(IllustratedHost):
    """A host without anything behind it. Pictures are packed (`realtime.core.matte`): colours above, matte below.

    Over black everything is linear: regions and arms are laid over premultiplied colours as over any others, and the
    matte they leave behind is drawn in the same stroke."""

    @property
    def height(self) -> int:
        return 2 * PICTURE_PX

    def render_base(self, key: BaseKey) -> I420:
        """Draw a packed base frame with the face at rest."""
        return _packed(self._rig.picture(View.of(key)))

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        """Draw one region over a packed base frame, matte included."""
        if region.name == "arm":
            patch = super().draw(base, key, controls, region)
            opaque = np.full((patch.roi.height, patch.roi.width), OPAQUE_LUMA, np.uint8)
            return replace(patch, matte=opaque)
        roi = region.roi
        below = base[PICTURE_PX + roi.y : PICTURE_PX + roi.y + roi.height, roi.x : roi.x + roi.width]
        if int(below.min()) == OPAQUE_LUMA:
            return super().draw(base, key, controls, region)
        if region.name not in FACE:
            bent = super().draw(base, key, controls, region)
            return replace(bent, matte=planes(super().draw(_matte_of(base), key, controls, region).pixels)[0])
        pixels = np.asarray(cv2.cvtColor(crop(base, roi), cv2.COLOR_YUV2RGBA_I420), np.uint8)
        pixels[..., 3] = to_alpha(below)
        self._paint_face(pixels, key, controls, region)
        colours = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2YUV_I420), np.uint8)
        return Patch(roi, colours, matte=to_luma(pixels[..., 3]))


def _without_shadow(sprite: Sprite) -> Sprite:
    """What hangs casts a soft shadow past the shoulders too: right on a wall, a grey glow where there is none."""
    cover = sprite.pixels[..., 3:].astype(np.float32) / 255
    kept = smoothstep(cover, *SHADOW_ENDS)
    return Sprite(np.rint(sprite.pixels * kept).astype(np.uint8), sprite.x, sprite.y, sprite.density)


def _matte_of(base: I420) -> I420:
    """A packed picture's matte as a picture: regions that only bend what lies below bend it alike."""
    return np.concatenate([base[PICTURE_PX : 2 * PICTURE_PX], _GREY])


def _packed(pixels: Rgba) -> I420:
    """Premultiplied RGBA as a packed picture."""
    return pack(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2YUV_I420), np.uint8), pixels[..., 3])
