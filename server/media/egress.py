"""One session's way out: newest frame and due sound are encoded once and fanned out to every viewer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Final

import av

from realtime.core.budget import Step
from realtime.core.punctual import CATCH_UP_TICKS, Punctuality
from realtime.core.units import AUDIO_TICK_S, FRAME_RATE_HZ, FRAME_S
from realtime.core.values import Frame, Pcm
from realtime.mailbox import Mailbox, MailboxClosed
from realtime.ports import Clock
from server.media.audio_encoder import OpusEncoder
from server.media.codecs import VideoCodec
from server.media.feedback import BITRATE_MAX_BPS, BITRATE_START_BPS
from server.media.marking import Marking
from server.media.packets import EgressStats, EncodedSound, EncodedVideo
from server.media.room import Rung, VideoRoom
from server.media.subscription import SoundSubscription, VideoSubscription
from server.media.video_encoder import OpenEncoder, open_encoder
from server.media.wheel import Wheel

_log = logging.getLogger(__name__)

_PROTECTED_S: Final = 10.0
"""Sound is protected against loss for so long after somebody has lost some or has come, and nothing is known of the
path: receivers report every five seconds at least."""


class MediaEgress:
    """Encodes a session's frames and sound and hands the packets to its viewers: one fan-out loop per unit.

    `start()` begins to pace; `watch` and `listen` add a viewer, closing what they return removes it; `aclose()` ends
    everything. An encoder exists while somebody watches its rung. Sound is read for every tick, viewers or not, so
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
        on_step: Callable[[Step], None] = lambda step: None,
        on_encoded: Callable[[str, EncodedVideo, float], None] = lambda rung, unit, took_s: None,
        on_left_out: Callable[[str, str], None] = lambda rung, found: None,
        marking: Marking | None = None,
        open_encoder: OpenEncoder = open_encoder,
    ) -> None:
        """`on_encoded` is told of every unit, with its encoding's codec and rung and what it took, waiting included;
        `on_left_out` of every picture that those of one encoding are not shown because its time has passed: `waiting`
        for the encoder, `queued` for its thread, or `encoded` already."""
        self.clock = clock
        self.stats = EgressStats(bitrate_bps=start_bitrate_bps)
        self._frames = frames
        self._read_sound = read_sound
        self._size = (width, height, fps)
        self.start_bitrate_bps = start_bitrate_bps
        self.wheel = Wheel()
        self._room = VideoRoom(
            (width, height), self.stats, fps=fps, start_bps=start_bitrate_bps, max_bps=max_bitrate_bps,
            on_step=on_step, open_encoder=open_encoder,
        )  # fmt: skip
        self._marking, self._on_encoded, self._on_left_out = marking, on_encoded, on_left_out
        self._shown = False
        self._punctual = Punctuality()
        self._listeners: set[SoundSubscription] = set()
        self._opus: OpusEncoder | None = None
        self._protected_until_s = float("-inf")
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
        self.wheel.stop()
        self._room.close()
        for listener in list(self._listeners):
            listener.close()
        if self._thread is not None:
            # Queued behind an encode that may still run, so the shutdown below does not block the loop.
            await asyncio.get_running_loop().run_in_executor(self._thread, self._drop_encoders)
            self._thread.shutdown()
            self._thread = None
        self._opus = None

    # --- viewers ------------------------------------------------------------------------------------------------

    def watch(self, codec: VideoCodec, sink: Callable[[EncodedVideo], bool] | None = None) -> VideoSubscription:
        """Add a viewer of the picture; its first unit is a keyframe made for it at once. With a `sink` each unit is
        handed over when it is made, and the sink says whether it took it; else `next` waits for them."""
        viewer = self._room.join(codec, sink)
        if self._closed:
            viewer.close()
        return viewer

    def listen(self, sink: Callable[[EncodedSound], bool] | None = None) -> SoundSubscription:
        """Add a viewer of the sound."""

        def closed() -> None:
            self._listeners.discard(listener)
            self.stats.sound_viewers -= 1

        listener = SoundSubscription(closed, sink, self._protect_sound)
        self._protect_sound()
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
            try:
                await self._show(frame)
            except Exception:
                # a frame that cannot be sent is one frame less, not the end of the picture
                self.stats.bad_frames += 1
                if self.stats.bad_frames & (self.stats.bad_frames - 1) == 0:
                    _log.exception("frame %d was left out (%d so far)", frame.index, self.stats.bad_frames)

    async def _show(self, frame: Frame) -> None:
        """Encode a frame for every rung that somebody watches and hand the packets out at its media time.

        What would come too far behind its sound is left out before it is encoded; what has become so meanwhile is
        held for the next one. The first picture of all is shown whenever it comes."""
        room = self._room
        room.choose(self.clock())
        made: dict[Rung, EncodedVideo] = {}
        missed: dict[Rung, str] = {}
        for rung in room.wanted():
            if not rung.due(frame, self.clock(), self._size[2]):
                continue
            unit = await self._encode(rung, frame, missed)
            if unit is not None and unit.payloads:
                made[rung] = unit
        early_s = frame.media_s - self.clock()
        # a frame from further ahead is on another clock, and waiting for it would stop the picture
        if 0.0 < early_s <= FRAME_S:
            await asyncio.sleep(early_s)
        self._deliver(frame, made, missed)
        for rung in room.idle():
            await self._retire(rung)

    def _deliver(self, frame: Frame, made: dict[Rung, EncodedVideo], missed: dict[Rung, str]) -> None:
        room, now_s = self._room, self.clock()
        if made and self._shown and not self._punctual.may_leave(frame.media_s, now_s):
            for rung, unit in made.items():
                room.hold(rung, unit)
                self._leave_out(rung, frame, "encoded", missed)
            self.stats.held_frames += 1
            made = {}
        taken = sum(room.deliver(rung, unit) for rung, unit in made.items()) + room.settle(made)
        stamps = frame.trace.stamps_s
        if taken:
            self._shown = True
            stamps.setdefault("sent", self.clock())
        if missed and made:
            # others were shown it
            stamps["missed"] = stamps.pop("left_out")
        self.stats.late_frames += bool(missed) and not made

    def _leave_out(self, rung: Rung, frame: Frame, found: str, missed: dict[Rung, str]) -> None:
        """Note that a frame is not shown on a rung, and where that was found."""
        if not missed:
            self._punctual.left_out()
            frame.trace.stamps_s["left_out"] = self.clock()
        missed[rung] = found
        self.stats.late_pictures += 1
        self._on_left_out(rung.name, found)

    async def _encode(self, rung: Rung, frame: Frame, missed: dict[Rung, str]) -> EncodedVideo | None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encode")
        begun_s = self.clock()
        if not self._in_time(frame):
            self._leave_out(rung, frame, "waiting", missed)
            return None
        keyframe = rung.gate.due(begun_s)
        bitrate_bps = rung.bitrate_bps()
        work = partial(self._marked, rung, frame, keyframe=keyframe, bitrate_bps=bitrate_bps)
        try:
            unit = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except av.FFmpegError:
            _log.exception("the %s encoder failed; it is opened anew", rung.codec)
            self.stats.encoder_failures += 1
            await self._retire(rung)
            rung.gate.request()
            return None
        now_s = self.clock()
        self._punctual.encoded(now_s - begun_s)
        if unit is None:
            self._leave_out(rung, frame, "queued", missed)
            return None
        frame.trace.stamps_s.setdefault("encoded", now_s)
        rung.last_pts = frame.pts
        if unit.keyframe:
            rung.gate.made(now_s)
            self.stats.keyframes += 1
        # the last viewer may have left while this was encoded
        if rung is next(iter(self._room.wanted()), None):
            self.stats.bitrate_bps = bitrate_bps
        self.stats.frames_encoded += 1
        self.stats.video_bytes += unit.size_bytes
        rung.meter.add(now_s, unit.size_bytes)
        self._on_encoded(rung.name, unit, now_s - begun_s)
        return unit

    def _in_time(self, frame: Frame) -> bool:
        return not self._shown or self._punctual.may_begin(frame.media_s, self.clock())

    def _marked(self, rung: Rung, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo | None:
        """On the encode thread: the frame as it leaves, encoded; None if its time passed while the thread woke up."""
        if not self._in_time(frame):
            return None
        frame = frame if self._marking is None else self._marking(frame)
        return self._room.encode(rung, frame, keyframe=keyframe, bitrate_bps=bitrate_bps)

    async def _retire(self, rung: Rung) -> None:
        if rung.encoder is not None:
            assert self._thread is not None
            encoder, rung.encoder = rung.encoder, None
            rung.last_pts = None
            await asyncio.get_running_loop().run_in_executor(self._thread, encoder.close)

    def _drop_encoders(self) -> None:
        for rung in self._room.idle():
            assert rung.encoder is not None
            rung.encoder.close()
            rung.encoder = None

    # --- sound --------------------------------------------------------------------------------------------------

    async def _run_sound(self) -> None:
        self._opus = OpusEncoder()
        tick = int(self.clock() / AUDIO_TICK_S) + 1
        while True:
            early_s = tick * AUDIO_TICK_S - self.clock()
            if early_s > 0:
                await asyncio.sleep(early_s)
            behind = max(0, int(self.clock() / AUDIO_TICK_S) - tick)
            if behind > CATCH_UP_TICKS:
                self.stats.skipped_ticks += behind
                tick += behind
            elif behind:
                self.stats.late_ticks += 1
            pcm = self._read_sound(tick)
            if self._listeners:
                protected = self.clock() < self._protected_until_s
                unit = self._opus.encode(tick, pcm, protected=protected)
                self._punctual.sounded(tick, self.clock())
                self._publish_sound(unit)
            tick += 1

    def _protect_sound(self) -> None:
        self._protected_until_s = self.clock() + _PROTECTED_S

    def _publish_sound(self, unit: EncodedSound) -> None:
        self.stats.sound_packets += 1
        self.stats.sound_bytes += len(unit.payload)
        for listener in list(self._listeners):
            listener.offer(unit)

    def every(self) -> int:
        """Every how many-th frame is shown to anybody."""
        return self._room.every()

    def census(self) -> dict[str, int]:
        """How many viewers each rung of the picture has."""
        return self._room.census()

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
