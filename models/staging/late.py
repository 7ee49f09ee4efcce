"""A host that was never drawn, at once: its layers are painted now, its pack follows while it is shown already."""

import logging
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from models.avatar.host import IllustratedHost
from models.avatar.layers import Layers, paint_layers
from models.avatar.pack import bake, open_pack
from models.avatar.spec import AvatarSpec
from models.orphans import begin_work, deafen
from realtime.core.errors import AnimaError
from realtime.core.values import I420, BaseKey

log = logging.getLogger(__name__)

_POLITENESS: Final = 10
"""Niceness of the process that bakes while others stream; somebody waits for the one that paints."""


class LateFrames:
    """The base frames of a pack that is being baked: none of them until it is complete, then all."""

    def __init__(self) -> None:
        self._pack: IllustratedHost | None = None

    def frame(self, key: BaseKey) -> I420 | None:
        """A frame, read-only, or None."""
        return self._pack.base(key) if self._pack else None

    def arrive(self, place: Path) -> None:
        """The pack is complete. Without it the host goes on drawing its base frames as they are met."""
        try:
            self._pack = open_pack(place)
        except AnimaError:
            log.exception("the pack that was just drawn cannot be opened")


class Painter:
    """Paints in one process and bakes in another; each starts with its first work."""

    def __init__(self, keys: list[BaseKey]) -> None:
        """`keys` are the poses that belong into a pack."""
        self._keys = keys
        self._painting: ProcessPoolExecutor | None = None
        self._baking: ProcessPoolExecutor | None = None
        self._worker: Future[int] | None = None
        self._layers: dict[str, Layers] = {}

    def layers(self, spec: AvatarSpec) -> Layers:
        """A host's layers; blocks for the seconds that painting takes."""
        if spec.digest() not in self._layers:
            if self._painting is None:
                self._painting = ProcessPoolExecutor(1, get_context("spawn"), begin_work)
            self._layers[spec.digest()] = self._painting.submit(paint_layers, spec).result()
        return self._layers[spec.digest()]

    def host(self, spec: AvatarSpec, place: Path) -> IllustratedHost:
        """The host, whose pack is baked to `place` meanwhile."""
        layers, frames = self.layers(spec), LateFrames()
        log.info("drawing %s for the first time", spec.title)

        def done(baked: "Future[None]") -> None:
            if not baked.cancelled() and baked.exception() is None:
                frames.arrive(place)
                self._layers.pop(spec.digest(), None)
                log.info("%s was drawn", spec.title)

        self._baker().submit(_bake, spec, place, self._keys).add_done_callback(done)
        return IllustratedHost(spec, layers, frames)

    def close(self) -> None:
        """End the processes."""
        if self._painting is not None:
            self._painting.shutdown(cancel_futures=True)
        if self._baking is not None:
            self._baking.shutdown(wait=False, cancel_futures=True)
            if self._worker is not None and self._worker.done() and self._worker.exception() is None:
                # a bake takes up to a minute; interrupted, it takes its half-finished directory away
                os.kill(self._worker.result(), signal.SIGINT)
            self._baking.shutdown()

    def _baker(self) -> ProcessPoolExecutor:
        if self._baking is None:
            self._baking = ProcessPoolExecutor(1, get_context("spawn"), begin_work, (_POLITENESS,))
            self._worker = self._baking.submit(os.getpid)
        return self._baking


def _bake(spec: AvatarSpec, place: Path, keys: list[BaseKey]) -> None:
    """Bake a pack; an interruption ends it, and nothing else in this process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        bake(spec, place, keys, None, 1)
    finally:
        deafen()
