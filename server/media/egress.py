"""One session's way out: newest frame and due sound are encoded once and fanned out to every viewer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

import av

from realtime.core.units import AUDIO_TICK_S, FRAME_RATE_HZ
from realtime.core.values import Frame, Pcm
from realtime.mailbox import Mailbox, MailboxClosed
from realtime.ports import Clock
from server.media.audio_encoder import OpusEncoder
from server.media.feedback import BITRATE_MAX_BPS, BITRATE_START_BPS, BitrateGovernor, KeyframeGate, RateMeter
from server.media.packets import EgressStats, EncodedSound, EncodedVideo, VideoCodec
from server.media.subscription import SoundSubscription, VideoSubscription
from server.media.video_encoder import VideoEncoder, open_encoder

_log = logging.getLogger(__name__)

_CATCH_UP_TICKS: Final = 3
"""Ticks up to 60 ms late still leave, in one burst: a receiver's jitter buffer absorbs that, while a missing packet is
heard. Their time stamps do not move, so nothing that follows is any later for it."""


@dataclass(slots=True)
class _Rung:
    """One codec in use: its viewers, what they asked for, and the encoder, which lives on the encode thread."""

    codec: VideoCodec
    governor: BitrateGovernor
    gate: KeyframeGate = field(default_factory=KeyframeGate)
    meter: RateMeter = field(default_factory=RateMeter)
    viewers: set[VideoSubscription] = field(default_factory=set)
    encoder: VideoEncoder | None = None


class MediaEgress:
    """Encodes a session's frames and sound and hands the packets to its viewers.

    `start()` begins to pace; `watch` and `listen` add a viewer, closing what they return removes it; `aclose()` ends
    everything. A codec's encoder exists while somebody watches it. Sound is read for every tick, viewers or not, so
    that the sound timeline moves on; it is encoded only for listeners."""

    def __init__(
        self,
        frames: Mailbox[Frame],
        read_sound: Callable[[int], Pcm],
        clock: Clock,
        *,
        width: int,
        height: int,
        fps: int = FRAME_RATE_HZ,
        start_bitrate_bps: int = BITRATE_START_BPS,
        max_bitrate_bps: int = BITRATE_MAX_BPS,
    ) -> None:
        self.clock = clock
        self.stats = EgressStats(bitrate_bps=start_bitrate_bps)
        self._frames = frames
        self._read_sound = read_sound
        self._size = (width, height, fps)
        self._start_bitrate_bps = start_bitrate_bps
        self._max_bitrate_bps = max_bitrate_bps
        self._rungs: dict[VideoCodec, _Rung] = {}
        self._listeners: set[SoundSubscription] = set()
        self._opus: OpusEncoder | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    def start(self) -> None:
        """Begin; needs the running loop."""
        if self._tasks or self._closed:
            return
        self._tasks = [_supervised(self._run_video(), "egress-video"), _supervised(self._run_sound(), "egress-sound")]

    async def aclose(self) -> None:
        """End: viewers' subscriptions close, tasks, thread and encoders are gone when this returns."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for rung in list(self._rungs.values()):
            for viewer in list(rung.viewers):
                viewer.close()
        for listener in list(self._listeners):
            listener.close()
        if self._thread is not None:
            # Queued behind an encode that may still run, so the shutdown below does not block the loop.
            await asyncio.get_running_loop().run_in_executor(self._thread, self._drop_encoders)
            self._thread.shutdown()
            self._thread = None
        self._opus = None

    # --- viewers ------------------------------------------------------------------------------------------------

    def watch(self, codec: VideoCodec) -> VideoSubscription:
        """Add a viewer of the picture; its first unit is a keyframe made for it at once."""
        rung = self._rungs.get(codec)
        if rung is None:
            governor = BitrateGovernor(start_bps=self._start_bitrate_bps, max_bps=self._max_bitrate_bps)
            rung = self._rungs[codec] = _Rung(codec, governor)

        def closed() -> None:
            rung.viewers.discard(viewer)
            rung.governor.left(viewer)
            self.stats.video_viewers -= 1

        def keyframe_wanted() -> None:
            rung.gate.request()
            self.stats.keyframe_requests += 1

        def skipped() -> None:
            self.stats.viewer_skips += 1

        def estimated(estimate_bps: int, strained: bool) -> None:
            rung.governor.estimated(viewer, estimate_bps, rung.meter.rate_bps, strained=strained)

        def reported(fraction_lost: float, queueing: bool) -> None:
            rung.governor.reported(viewer, fraction_lost, rung.meter.rate_bps, queueing=queueing)

        viewer = VideoSubscription(
            closed,
            on_keyframe_wanted=keyframe_wanted,
            on_estimate=estimated,
            on_report=reported,
            on_sent=self._video_sent,
            on_skip=skipped,
        )
        self.stats.video_viewers += 1
        rung.viewers.add(viewer)
        rung.governor.joined(viewer)
        rung.gate.joined()
        if self._closed:
            viewer.close()
        return viewer

    def listen(self) -> SoundSubscription:
        """Add a viewer of the sound."""

        def closed() -> None:
            self._listeners.discard(listener)
            self.stats.sound_viewers -= 1

        listener = SoundSubscription(closed)
        self.stats.sound_viewers += 1
        self._listeners.add(listener)
        if self._closed:
            listener.close()
        return listener

    # --- picture ------------------------------------------------------------------------------------------------

    async def _run_video(self) -> None:
        serial = 0
        while True:
            try:
                newest, frame = await self._frames.newer(serial)
            except MailboxClosed:
                return
            self.stats.frames_dropped += newest - serial - 1 if serial else 0
            serial = newest
            for rung in list(self._rungs.values()):
                if rung.viewers:
                    await self._encode(rung, frame)
                else:
                    await self._retire(rung)

    async def _encode(self, rung: _Rung, frame: Frame) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encode")
        keyframe = rung.gate.due(self.clock())
        bitrate_bps = rung.governor.bitrate_bps
        loop = asyncio.get_running_loop()
        try:
            unit = await loop.run_in_executor(self._thread, self._encode_on_thread, rung, frame, keyframe, bitrate_bps)
        except av.FFmpegError:
            _log.exception("the %s encoder failed; it is opened anew", rung.codec)
            self.stats.encoder_failures += 1
            await self._retire(rung)
            rung.gate.request()
            return
        now_s = self.clock()
        frame.trace.stamps_s.setdefault("encoded", now_s)
        if unit.keyframe:
            rung.gate.made(now_s)
            self.stats.keyframes += 1
        self.stats.frames_encoded += 1
        self.stats.video_bytes += unit.size_bytes
        rung.meter.add(now_s, unit.size_bytes)
        self.stats.bitrate_bps = bitrate_bps
        if unit.payloads:
            for viewer in list(rung.viewers):
                viewer.offer(unit)

    def _encode_on_thread(self, rung: _Rung, frame: Frame, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        if rung.encoder is None:
            rung.encoder = open_encoder(rung.codec, *self._size, ceiling_bps=self._max_bitrate_bps)
        return rung.encoder.encode(frame, keyframe=keyframe, bitrate_bps=bitrate_bps)

    async def _retire(self, rung: _Rung) -> None:
        if rung.encoder is not None:
            assert self._thread is not None
            encoder, rung.encoder = rung.encoder, None
            await asyncio.get_running_loop().run_in_executor(self._thread, encoder.close)

    def _drop_encoders(self) -> None:
        for rung in self._rungs.values():
            if rung.encoder is not None:
                rung.encoder.close()
                rung.encoder = None

    def _video_sent(self, unit: EncodedVideo) -> None:
        unit.trace.stamps_s.setdefault("sent", self.clock())

    # --- sound --------------------------------------------------------------------------------------------------

    async def _run_sound(self) -> None:
        self._opus = OpusEncoder()
        tick = int(self.clock() / AUDIO_TICK_S) + 1
        while True:
            early_s = tick * AUDIO_TICK_S - self.clock()
            if early_s > 0:
                await asyncio.sleep(early_s)
            behind = max(0, int(self.clock() / AUDIO_TICK_S) - tick)
            if behind > _CATCH_UP_TICKS:
                self.stats.skipped_ticks += behind
                tick += behind
            elif behind:
                self.stats.late_ticks += 1
            pcm = self._read_sound(tick)
            if self._listeners:
                self._publish_sound(self._opus.encode(tick, pcm))
            tick += 1

    def _publish_sound(self, unit: EncodedSound) -> None:
        self.stats.sound_packets += 1
        self.stats.sound_bytes += len(unit.payload)
        for listener in list(self._listeners):
            listener.offer(unit)

    def snapshot(self) -> EgressStats:
        """The counters as they are now."""
        return replace(self.stats)


def _supervised(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended", task.get_name(), exc_info=error)
