"""All avatars of a server, of either kind, by name: opened before any background, drawn for their posters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.avatar.gallery import Gallery
from models.avatar.layers import Layers, load_layers
from models.avatar.pack import LAYERS, Progress, is_ready, open_pack
from models.avatar.paint import Rgba
from models.avatar.portrait import assets
from models.avatar.portrait.assets import Assets
from models.avatar.portrait.pack import Progress as StagedProgress
from models.avatar.portrait.shelf import Portraits
from models.avatar.spec import AvatarSpec
from models.staging.host import staged_host
from models.staging.late import Painter
from models.staging.person import cut_body
from models.staging.pictures import Pictures
from models.staging.portrait import staged_portrait
from realtime.core.backdrop import Backdrop
from realtime.core.composite import compose
from realtime.core.errors import Conflict, PackError
from realtime.core.expressions import expression
from realtime.core.facs import Controls, Emotion
from realtime.core.primitives import Primitive
from realtime.core.values import I420, BaseKey
from realtime.ports import Avatar

POSTER_SMILE: Final = 0.45
POSTER_QUALITY: Final = 88


class Collection:
    """Illustrated hosts and portraits. Methods that open or draw block; call them in a thread while others stream."""

    def __init__(self, directory: Path, keys: Sequence[BaseKey], clips: Sequence[Primitive]) -> None:
        """`directory` holds packs and presets; `keys` and `clips` say what belongs into a new pack. Raises
        `ConfigError` if a preset is wrong."""
        self.hosts = Gallery(directory, keys)
        self.portraits = Portraits(directory)
        self.pictures = Pictures(directory / "backgrounds")
        self._clips = clips
        self._keys = list(keys)
        self._painter = Painter(self._keys)
        self._posters: dict[str, bytes] = {}

    def open(self, name: str, progress: Progress | None = None) -> Avatar:
        """An avatar in its own room; a host that was never drawn is drawn now. Raises `NotFound` or `PackError`."""
        if name not in self.hosts.specs and name in self.portraits.manifests():
            return self.portraits.open(name)
        return self.hosts.open(name, progress)

    def open_aside(self, name: str, wish: Backdrop) -> Avatar:
        """An avatar before any background while others stream; what takes long is done in a process of its own."""
        picture = self.picture(wish)
        if name in self.hosts.specs:
            return self._host_aside(name, wish, picture)
        portrait = self.portraits.open(name)
        return portrait if wish.kind == "default" else self._staged_portrait(name, wish, picture)

    def poster(self, name: str) -> bytes | None:
        """An avatar with a friendly face, as JPEG; None for an unknown one."""
        if name in self.hosts.specs:
            return self.hosts.poster(name)
        if name not in self.portraits.manifests():
            return None
        if name not in self._posters:
            smiling = expression(Emotion.HAPPY, POSTER_SMILE)
            self._posters[name] = _jpeg(whole_picture(self.portraits.open(name), smiling))
        return self._posters[name]

    def bake_portrait(
        self, photo: Path, name: str, consent: str, title: str, progress: StagedProgress, licence: str = ""
    ) -> Path:
        """Make a portrait of one photo; returns where its pack lies. Raises `InvalidField` if it cannot, `Conflict`."""
        if name in self.hosts.specs:
            raise Conflict(f"{name!r} is an avatar that comes with Anima; choose another name", field="name")
        return self.portraits.bake(photo, name, consent, title, self._clips, progress, licence)

    def remove_portrait(self, name: str) -> None:
        """Delete a portrait. Raises `NotFound` or `PackError`."""
        self.portraits.remove(name)
        self._posters.pop(name, None)

    def inspect(self, name: str) -> dict[str, Any]:
        """What an avatar's pack says of itself, every byte of a portrait checked. Raises `NotFound` or `PackError`."""
        if name in self.hosts.specs:
            spec = self.hosts.specs[name]
            return {"name": name, "title": spec.title, "kind": "illustrated", "licence": spec.licence,
                    "directory": str(self.hosts.pack(name))}  # fmt: skip
        return self.portraits.inspect(name)

    def host_layers(self, name: str) -> tuple[AvatarSpec, Layers] | None:
        """A host's description and painted layers; None for a portrait. Raises `PackError`."""
        if name not in self.hosts.specs:
            return None
        spec, place = self.hosts.specs[name], self.hosts.pack(name)
        try:
            ready = is_ready(spec, self._keys, place)
            return spec, load_layers(place / LAYERS) if ready else self._painter.layers(spec)
        except (KeyError, ValueError, OSError) as error:
            raise PackError(f"the layers of {name!r} cannot be read: {error}") from error

    def portrait_assets(self, name: str) -> Assets:
        """What a portrait is made of. Raises `PackError`."""
        place = self.portraits.place(name)
        try:
            return assets.load(place)
        except (KeyError, ValueError, OSError) as error:
            raise PackError(f"the portrait {place} cannot be used: {error}") from error

    def picture(self, wish: Backdrop) -> Rgba | None:
        """The picture that a background names, if it names one. Raises `NotFound`."""
        return self.pictures.open(wish.value) if wish.kind == "image" else None

    def pack(self, name: str) -> Path:
        """Where an avatar's pack lies. Raises `NotFound`."""
        return self.hosts.pack(name) if name in self.hosts.specs else self.portraits.place(name)

    def titles(self) -> Mapping[str, str]:
        """The hosts' titles by name."""
        return {name: spec.title for name, spec in self.hosts.specs.items()}

    def close(self) -> None:
        """End the process that draws."""
        self.hosts.close()
        self._painter.close()

    def _host_aside(self, name: str, wish: Backdrop, picture: Rgba | None) -> Avatar:
        spec, place = self.hosts.specs[name], self.hosts.pack(name)
        ready = is_ready(spec, self._keys, place)
        if wish.kind == "default":
            return open_pack(place) if ready else self._painter.host(spec, place)
        found = self.host_layers(name)
        assert found is not None
        return staged_host(*found, wish, picture)

    def _staged_portrait(self, name: str, wish: Backdrop, picture: Rgba | None) -> Avatar:
        found = self.portrait_assets(name)
        return staged_portrait(name, found, cut_body(found), wish, picture)


def whole_picture(avatar: Avatar, controls: Controls) -> I420:
    """One whole frame, drawn outside of any session."""
    key = avatar.base_key(controls)
    base = avatar.base(key)
    if base is None:
        base = avatar.render_base(key)
    patches = [avatar.draw(base, key, controls, region) for region in avatar.regions(key, controls)]
    return compose(base, patches, np.empty_like(base))


def _jpeg(picture: I420) -> bytes:
    quality = [cv2.IMWRITE_JPEG_QUALITY, POSTER_QUALITY]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_I420), quality)
    assert done
    return bytes(data)
