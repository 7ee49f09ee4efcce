"""A headless viewer that keeps what it got and when: pictures, sound and messages on one monotonic clock."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeVar

import numpy as np
from aiortc import MediaStreamTrack

from client.sdk import RemoteSession
from client.viewer.viewer import HeadlessViewer, HeardSound, SeenFrame
from realtime.core.units import AUDIO_TICK_SAMPLES, VIDEO_CLOCK_HZ

AUDIBLE_RMS: Final = 0.003
"""Of full scale, about -50 dB, over a window of 2.5 ms: above Opus's noise in silence, below any speech."""
_WINDOW_SAMPLES: Final = AUDIO_TICK_SAMPLES // 8
_WRAP: Final = 1 << 32

T = TypeVar("T")


@dataclass(slots=True)
class Kept:
    """What arrived since it was made."""

    pictures: list[SeenFrame] = field(default_factory=list)
    sounds: list[HeardSound] = field(default_factory=list)
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """`time.monotonic()` and the message."""


class Watch:
    """One viewer of one session, as an async context manager. `kept` may be replaced at any time."""

    def __init__(
        self, session: RemoteSession, *, pictures: bool = True, voice: MediaStreamTrack | None = None
    ) -> None:
        self.kept = Kept()
        self._viewer: HeadlessViewer = session.viewer(video=pictures or voice is None, voice=voice)
        self._origin = 0
        self._changed = asyncio.Event()
        if pictures:
            self._viewer.on_frame = self._saw
        self._viewer.on_sound = self._heard
        self._viewer.on_message = self._told

    async def __aenter__(self) -> Self:
        await self._viewer.__aenter__()
        try:
            await self.send("client-ready", {"version": "2.1.0", "about": {"library": "bench"}})
            told = await self.message("bot-ready")
            self._origin = told[1]["data"]["about"].get("video_rtp_origin", 0)
        except BaseException:
            await self._viewer.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._viewer.close()

    async def send(self, kind: str, data: dict[str, Any]) -> float:
        """Send an RTVI message; returns when it was handed over, `time.monotonic()`."""
        text = json.dumps({"label": "rtvi-ai", "id": uuid.uuid4().hex[:8], "type": kind, "data": data})
        at_s = time.monotonic()
        await self._viewer.send(text)
        return at_s

    async def tell(self, what: str, **fields: Any) -> float:
        """Send a client message such as `say`; returns when."""
        return await self.send("client-message", {"t": what, "d": fields})

    async def message(self, kind: str, timeout_s: float = 15.0) -> tuple[float, dict[str, Any]]:
        """The first kept message of a type, waiting for it. Raises `TimeoutError`."""

        def found() -> tuple[float, dict[str, Any]] | None:
            return next((message for message in self.kept.messages if message[1].get("type") == kind), None)

        return await self.until(found, timeout_s)

    async def until(self, found: Callable[[], T | None], timeout_s: float = 15.0) -> T:
        """What `found` returns as soon as that is not None; asked after everything that arrives."""
        async with asyncio.timeout(timeout_s):
            while (result := found()) is None:
                self._changed.clear()
                await self._changed.wait()
        return result

    def media_s(self, picture: SeenFrame) -> float:
        """Media time that a picture shows."""
        ticks = (picture.rtp_time - self._origin + _WRAP // 2) % _WRAP - _WRAP // 2
        return ticks / VIDEO_CLOCK_HZ

    def _saw(self, picture: SeenFrame) -> None:
        self.kept.pictures.append(picture)
        self._changed.set()

    def _heard(self, sound: HeardSound) -> None:
        self.kept.sounds.append(sound)
        self._changed.set()

    def _told(self, text: str) -> None:
        self.kept.messages.append((time.monotonic(), json.loads(text)))
        self._changed.set()


def audible(sound: HeardSound) -> bool:
    """Whether any 2.5 ms of a packet can be heard."""
    windows = sound.pcm.astype(np.float64).reshape(-1, _WINDOW_SAMPLES) / 32768.0
    return bool(np.sqrt(np.mean(windows**2, axis=1)).max() >= AUDIBLE_RMS)
