"""What a painter may paint of an avatar: the picture behind it and its clothes."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import cv2
import numpy as np

from models.avatar.layers import Layers
from models.avatar.paint import Rgba
from models.avatar.portrait.assets import Assets
from models.avatar.spec import AvatarSpec
from models.staging import outfit
from models.staging.person import cut_body
from models.staging.scenery import scenery
from realtime.core.backdrop import Backdrop
from realtime.core.errors import InvalidField
from realtime.core.painting import PLACES, Place, Rgb, Tiles
from realtime.ports import Avatar


class Wardrobe(Protocol):
    """Where avatars' parts are found; `Collection` is one. All block."""

    def titles(self) -> Mapping[str, str]: ...

    def host_layers(self, name: str) -> tuple[AvatarSpec, Layers] | None: ...

    def portrait_assets(self, name: str) -> Assets: ...

    def picture(self, wish: Backdrop) -> Rgba | None: ...


class Paintable:
    """The avatars of one collection. Methods block; call them in a thread while others stream."""

    def __init__(self, avatars: Wardrobe) -> None:
        self._avatars = avatars

    def places(self, name: str) -> Sequence[Place]:
        """The regions that can be painted: a portrait's clothes are one with its photo."""
        return tuple(place for place in PLACES if place != "outfit" or name in self._avatars.titles())

    def behind(self, name: str, wish: Backdrop) -> Rgb:
        """The picture behind an avatar, (512, 512, 3). Raises `NotFound` or `PackError`."""
        found = self._avatars.host_layers(name)
        if found is not None:
            own = found[1]["backdrop"].pixels
        else:
            room = cut_body(self._avatars.portrait_assets(name)).room
            own = np.asarray(cv2.cvtColor(room, cv2.COLOR_BGR2RGBA), np.uint8)
        return np.ascontiguousarray(scenery(wish, own, self._avatars.picture(wish))[..., :3])

    def outfit(self, name: str) -> tuple[Rgb, Tiles]:
        """A host's clothes as a sheet. Raises `InvalidField` for a portrait, whose clothes are one with its photo."""
        spec, layers = self._host(name)
        return outfit.sheet(spec, layers)

    def dressed(self, name: str, sheet: Rgb) -> Avatar:
        """The host in the clothes of a painted sheet, cut out."""
        spec, layers = self._host(name)
        return outfit.dressed(spec, layers, sheet)

    def _host(self, name: str) -> tuple[AvatarSpec, Layers]:
        found = self._avatars.host_layers(name)
        if found is None:
            message = "a portrait's outfit cannot be painted"
            raise InvalidField(message, field="paint.region", limit="background, product")
        return found
