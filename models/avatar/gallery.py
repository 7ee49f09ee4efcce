"""The illustrated hosts that can be served: those of this version and of a directory, their packs and posters."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from shutil import copyfile
from typing import Final

import cv2

from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.pack import Progress, bake, ensure_pack, is_ready, open_pack
from models.avatar.preset_file import load_preset
from models.avatar.presets import all_presets, presets
from models.avatar.sheet import draw
from models.avatar.spec import AvatarSpec
from models.orphans import begin_work
from realtime.core.errors import ConfigError, NotFound
from realtime.core.expressions import expression
from realtime.core.facs import Emotion
from realtime.core.values import BaseKey

log = logging.getLogger(__name__)

POSTER_SMILE: Final = 0.45
POSTER_QUALITY: Final = 88
_POLITENESS: Final = 10
"""Niceness of the process that draws while others stream."""


class Gallery:
    """Illustrated hosts by name. What has to be drawn while the server runs is drawn in a process of its own."""

    def __init__(self, directory: Path, keys: Sequence[BaseKey]) -> None:
        """`directory` holds packs, posters and the user's own `*.yaml`; `keys` are the poses that belong into a pack.
        Raises `ConfigError` if one of these files is wrong."""
        self._directory = directory
        self._keys = list(keys)
        self.specs: Mapping[str, AvatarSpec] = all_presets(directory)
        self._aside: ProcessPoolExecutor | None = None

    def pack(self, name: str) -> Path:
        """Where the host's pack lies, whether or not it has been baked. Raises `NotFound`."""
        spec = self._spec(name)
        return self._directory / f"{spec.name}-{spec.digest()}"

    def open(self, name: str, progress: Progress | None = None) -> IllustratedHost:
        """The host with its pack, which is baked first if there is none."""
        return ensure_pack(self._spec(name), self._keys, self.pack(name), progress)

    def open_aside(self, name: str) -> IllustratedHost:
        """The same while others stream: blocks the caller for seconds if there is no pack, but not the interpreter."""
        spec, place = self._spec(name), self.pack(name)
        if not is_ready(spec, self._keys, place):
            begun_s = time.monotonic()
            log.info("drawing %s for the first time", spec.title)
            self._pool().submit(bake, spec, place, self._keys, None, 1).result()
            log.info("%s was drawn in %.1f s", spec.title, time.monotonic() - begun_s)
        return open_pack(place)

    def bake(self, name: str, progress: Progress | None = None) -> Path:
        """Make the host's pack anew; returns where it lies."""
        bake(self._spec(name), self.pack(name), self._keys, progress)
        return self.pack(name)

    def poster(self, name: str) -> bytes:
        """The host with a friendly face, as JPEG; drawn once for each version of the host."""
        path = self.pack(name).with_suffix(".jpg")
        if not path.is_file():
            data = self._pool().submit(draw_poster, self._spec(name)).result()
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(data)
            part.replace(path)
        return path.read_bytes()

    def close(self) -> None:
        """End the process that draws."""
        if self._aside is not None:
            self._aside.shutdown(cancel_futures=True)

    def _spec(self, name: str) -> AvatarSpec:
        if name not in self.specs:
            raise NotFound(f"no avatar {name!r}; there are {', '.join(self.specs)}", field="avatar")
        return self.specs[name]

    def _pool(self) -> ProcessPoolExecutor:
        if self._aside is None:
            self._aside = ProcessPoolExecutor(1, get_context("spawn"), _be_polite)
        return self._aside


def adopt(file: Path, directory: Path) -> str:
    """Take a preset file over into a directory; returns the host's name. Raises `ConfigError` if it cannot be used."""
    spec = load_preset(file)
    if spec.name in presets():
        raise ConfigError(f"{file}: name: {spec.name!r} is an avatar that comes with Anima; choose another name")
    place = directory / f"{spec.name}.yaml"
    directory.mkdir(parents=True, exist_ok=True)
    if not (place.exists() and place.samefile(file)):
        copyfile(file, place)
    return spec.name


def draw_poster(spec: AvatarSpec) -> bytes:
    """A still picture of a host, as JPEG."""
    picture = draw(IllustratedHost(spec, paint_layers(spec)), expression(Emotion.HAPPY, POSTER_SMILE))
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, POSTER_QUALITY])
    return bytes(data)


def _be_polite() -> None:
    begin_work(_POLITENESS)
    cv2.setNumThreads(1)
