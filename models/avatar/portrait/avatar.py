"""The portrait behind the `Avatar` port: base frames from the pack or drawn, and the face's regions over them."""

from typing import Protocol

import numpy as np

from models.avatar.portrait.assets import Assets
from models.avatar.portrait.framing import PICTURE_PX
from models.avatar.portrait.geometry import base_key
from models.avatar.portrait.rig import Rig
from models.avatar.portrait.steps import Steps
from realtime.core.composite import compose
from realtime.core.facs import Controls
from realtime.core.values import I420, BaseKey, Patch, Region


class BaseFrames(Protocol):
    """Base frames that were rendered before."""

    def frame(self, key: BaseKey) -> I420 | None:
        """A frame, read-only, or None."""
        ...


class PortraitAvatar:
    """One person's portrait. It has no arms: `arm_raise` and `arm_swing` move nothing, and nothing pretends to wave."""

    def __init__(self, name: str, assets: Assets, frames: BaseFrames | None = None) -> None:
        self._name = name
        self.assets = assets
        self._frames = frames
        self._rig = Rig(assets)
        self._steps = Steps(assets)

    @property
    def name(self) -> str:
        return self._name

    @property
    def held_bytes(self) -> int:
        """Bytes of what drawing keeps because it comes again, beside the pixels it gives away."""
        return self._rig.held_bytes

    @property
    def width(self) -> int:
        return PICTURE_PX

    @property
    def height(self) -> int:
        return PICTURE_PX

    def base_key(self, controls: Controls) -> BaseKey:
        """The quantised pose, in the order of `geometry.KEY_FIELDS`."""
        return base_key(controls)

    def base(self, key: BaseKey) -> I420 | None:
        """A base frame from the pack; None without a pack or for a pose that is not in it."""
        return self._frames.frame(key) if self._frames else None

    def render_base(self, key: BaseKey) -> I420:
        """Draw a base frame with the face at rest."""
        return self._rig.base(key)

    def render_full(self, key: BaseKey, controls: Controls) -> I420:
        """Draw the whole picture, face included, without a base frame: what every frame would cost without regions."""
        base = self._rig.base(key)
        patches = [self.draw(base, key, controls, region) for region in self.regions(key, controls)]
        return compose(base, patches, np.empty_like(base))

    def regions(self, key: BaseKey, controls: Controls) -> tuple[Region, ...]:
        """Upper and lower face, as far as they differ from rest; at strong turns both as one."""
        whole = self._steps.whole(controls)
        names = {"upper": ("upper",), "lower": ("lower",)}
        states = {name: self._steps.key(of, whole) for name, of in names.items()}
        if all(state is None for state in states.values()):
            return ()
        rois = self._rig.rois(key)
        if "upper" not in rois:
            return (Region("lower", rois["lower"], (key, self._steps.key(("upper", "lower"), whole))),)
        return tuple(Region(name, rois[name], (key, state)) for name, state in states.items() if state is not None)

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        """Draw one region; it replaces what lies below, and equals the base frame along its border."""
        pixels = self._rig.region(key, self._steps.stepped(controls), region.name, region.roi)
        return Patch(region.roi, pixels)

    def displacement_px(self, region: str, before: Controls, after: Controls) -> float:
        """Predicted largest landmark movement inside a region."""
        return self._steps.displacement_px(region, before, after)
