"""An output's end of a session: what is encoded for the viewers, bounded, from one keyframe on."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.units import AUDIO_TICK_SAMPLES, VIDEO_CLOCK_HZ, audio_pts
from realtime.core.values import Pcm
from server.media.egress import MediaEgress
from server.media.packets import EncodedSound, EncodedVideo
from server.outputs.codecs import FED
from server.outputs.samples import Picture, Sample, Sound, units_of
from server.outputs.tap import SoundTap

PENDING_MAX_S: Final = 4.0
"""What a slow sink may be behind; after that it goes on with a keyframe."""
_PENDING_MAX_PTS: Final = int(PENDING_MAX_S * VIDEO_CLOCK_HZ)
STREAM_KEYFRAME_S: Final = 2.0
"""How often what is published has a keyframe: a viewer there cannot ask for one."""
UNBOUNDED_BPS: Final = 1e9
"""What an output says of its path: it never lowers the rate the viewers get."""
SoundForm = Literal["opus", "pcm"]


@dataclass(slots=True)
class FeedFigures:
    """What passed so far."""

    pictures: int = 0
    dropped_pictures: int = 0
    """Left out because the sink was behind."""
    keyframes: int = 0
    payload_bytes: int = 0


class Feed:
    """Samples of one session for one sink, in the order they were made.

    The first picture is a keyframe and has the time 0. A sink that falls behind by more than `PENDING_MAX_S` loses
    what comes then, up to a keyframe that is asked for once it has caught up by half: viewers notice nothing but that
    keyframe. While nothing is taken (`pause`), nothing is encoded for it."""

    def __init__(self, egress: MediaEgress, tap: SoundTap, sound: SoundForm, keyframe_every_s: float) -> None:
        self.figures = FeedFigures()
        self._egress = egress
        self._tap = tap
        self._form = sound
        self._keyframe_every_pts = int(keyframe_every_s * VIDEO_CLOCK_HZ)
        self._pending: deque[Sample] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._leave: list[Callable[[], None]] = []
        self._ended = False
        self._origin: int | None = None
        self._keyframe_pts = 0
        self._newest_pts = 0
        self._dropping = False

    def begin(self) -> None:
        """Take part from the next keyframe on, as if nothing had been before."""
        self.pause()
        if self._ended:
            return
        self._origin, self._dropping = None, False
        # the flag is down already when the subscription calls back with what is on its way
        video = self._video = self._egress.watch(FED, self._picture)
        video.budget.measured(UNBOUNDED_BPS)
        self._leave.append(video.close)
        if self._form == "pcm":
            self._leave.append(self._tap.listen(self._pcm))
        else:
            self._leave.append(self._egress.listen(self._opus).close)

    def pause(self) -> None:
        """Take nothing and forget what waits."""
        self._stop()
        self._pending.clear()

    def end(self) -> None:
        """No more comes; what waits can still be taken."""
        self._stop()
        self._ended = True
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether the session or its owner has ended this output."""
        return self._ended

    async def take(self) -> list[Sample]:
        """What came since the last call; waits for some. Empty when all is over."""
        while not self._pending and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        taken = list(self._pending)
        self._pending.clear()
        if self._dropping and not self._ended:
            self._video.request_keyframe()
        return taken

    async def taken_back(self, samples: list[Sample]) -> None:
        """Put what was taken but not used in front again."""
        self._pending.extendleft(reversed(samples))

    # --- inside

    def _stop(self) -> None:
        for leave in self._leave:
            leave()
        self._leave.clear()

    def _picture(self, unit: EncodedVideo) -> bool:
        """Always taken: a viewer that refuses is given keyframes, which a sink that is stuck must not cause."""
        if self._origin is None:
            if not unit.keyframe:
                return True
            self._origin = unit.pts
        pts = unit.pts - self._origin
        if unit.keyframe:
            self._keyframe_pts = pts
            self.figures.keyframes += 1
        elif pts - self._keyframe_pts >= self._keyframe_every_pts and not self._dropping:
            self._keyframe_pts = pts
            self._video.request_keyframe()
        behind_pts = pts - self._oldest_pts(pts)
        if self._dropping and unit.keyframe and behind_pts <= _PENDING_MAX_PTS // 2:
            self._dropping = False
        elif behind_pts > _PENDING_MAX_PTS:
            self._dropping = True
        if self._dropping:
            self.figures.dropped_pictures += 1
            return True
        picture = Picture(pts, unit.keyframe, units_of(unit.payloads))
        self.figures.pictures += 1
        self.figures.payload_bytes += unit.size_bytes
        self._put(picture)
        return True

    def _opus(self, unit: EncodedSound) -> bool:
        self._sound(unit.pts, unit.payload, None)
        return True

    def _pcm(self, tick: int, pcm: Pcm) -> None:
        self._sound(audio_pts(tick), b"", pcm)

    def _sound(self, pts: int, opus: bytes, pcm: Pcm | None) -> None:
        if self._origin is None or self._dropping:
            return
        pts -= self._origin * 48_000 // VIDEO_CLOCK_HZ
        if pts > -AUDIO_TICK_SAMPLES:
            self.figures.payload_bytes += len(opus)
            self._put(Sound(pts, opus, pcm))

    def _oldest_pts(self, newest: int) -> int:
        return next((one.pts for one in self._pending if isinstance(one, Picture)), newest)

    def _put(self, sample: Sample) -> None:
        self._pending.append(sample)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
