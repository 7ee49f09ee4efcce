"""The portrait before another background, or cut out: its body is taken out of the photo once, its head has a matte."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.paint import Rgba
from models.avatar.portrait.assets import Assets
from models.avatar.portrait.avatar import PortraitAvatar
from models.avatar.portrait.framing import PICTURE_PX
from models.avatar.portrait.rig import Rig
from models.staging.person import Person
from models.staging.scenery import scenery
from realtime.core.backdrop import Backdrop
from realtime.core.facs import Controls
from realtime.core.matte import Alpha, pack, to_luma
from realtime.core.values import I420, BaseKey, Patch, Region, Roi

Bytes = NDArray[np.uint8]

_OPAQUE: Final = 255


def staged_portrait(
    name: str, assets: Assets, person: Person, wish: Backdrop, picture: Rgba | None = None
) -> PortraitAvatar:
    """The portrait before what a wish names. Its base frames are drawn as they are met."""
    if wish.packed:
        return CutoutPortrait(name, replace(assets, back=person.body))
    own = np.asarray(cv2.cvtColor(person.room, cv2.COLOR_BGR2RGBA), np.uint8)
    behind = np.asarray(cv2.cvtColor(scenery(wish, own, picture), cv2.COLOR_RGBA2BGR), np.uint8)
    return PortraitAvatar(name, replace(assets, back=_over(person.body, behind)))


def _over(body: Bytes, behind: Bytes) -> Bytes:
    """A premultiplied BGRA body over a BGR picture."""
    rest = cv2.merge([255 - body[..., 3]] * 3)
    return np.asarray(cv2.add(body[..., :3], cv2.multiply(behind, rest, scale=1 / 255)), np.uint8)


class CutoutPortrait(PortraitAvatar):
    """A portrait without anything behind it, in packed pictures (`realtime.core.matte`): colours above, matte below."""

    def __init__(self, name: str, assets: Assets) -> None:
        """The back plate of `assets` is the body alone, premultiplied BGRA."""
        super().__init__(name, replace(assets, back=assets.back[..., :3]))
        self._cutting = _CuttingRig(assets)
        self._rig = self._cutting

    @property
    def height(self) -> int:
        return 2 * PICTURE_PX

    def render_base(self, key: BaseKey) -> I420:
        """Draw a packed base frame with the face at rest."""
        colours = self._rig.base(key)
        return pack(colours, self._cutting.matte)

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        """Draw one region over a packed base frame, matte included."""
        patch = super().draw(base, key, controls, region)
        return replace(patch, matte=to_luma(self._cutting.matte))


class _CuttingRig(Rig):
    """A rig whose back plate has alpha, and which keeps the matte of what it drew last."""

    matte: Alpha

    def _over_back(self, front: Bytes, alpha: Bytes, key: BaseKey, roi: Roi) -> Bytes:
        back = self._back_at(key, roi)
        head = cv2.merge([*cv2.split(front), np.full_like(alpha, _OPAQUE)])
        cover = cv2.merge([alpha] * 4)
        shown = cv2.multiply(head, cover, scale=1 / 255)
        both = cv2.add(shown, cv2.multiply(back, cv2.bitwise_not(cover), scale=1 / 255))
        self.matte = np.ascontiguousarray(both[..., 3])
        return np.asarray(cv2.cvtColor(np.asarray(both, np.uint8), cv2.COLOR_BGRA2BGR), np.uint8)
