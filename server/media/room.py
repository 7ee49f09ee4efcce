"""Who watches one picture: viewers on rungs, each rung encoded once while somebody needs it, switches at keyframes."""

import logging
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from realtime.core.budget import Step
from realtime.core.governor import RUNGS, RungSpec, every_of, path_step
from realtime.core.units import FRAME_RATE_HZ, VIDEO_CLOCK_HZ
from realtime.core.values import Frame
from server.media.codecs import VideoCodec
from server.media.feedback import KeyframeGate, RateMeter, ViewerBudget
from server.media.packets import EgressStats, EncodedVideo
from server.media.subscription import VideoSubscription
from server.media.video_encoder import OpenEncoder, VideoEncoder, halved, open_encoder

_log = logging.getLogger(__name__)

_CHOOSE_EVERY_S: Final = 0.25
_CROWD: Final = 3
"""From so many viewers on, one whose path carries less than half of what is usual among them goes to a lower rung
instead of pulling the others down."""
_BEHIND_SHARE: Final = 0.5
HELD_MOST: Final = 5
"""After so many pictures that came too late the next one is a keyframe, which needs none of them; where keyframes have
to be further apart, those that are made before it are held as well, for until then all are needed."""
_UNSEEN_TICKS: Final = VIDEO_CLOCK_HZ // 1000
"""A picture that is not to be seen is due a millisecond before the one that needs it (RTMP counts in these)."""


@dataclass(slots=True, eq=False)
class Rung:
    """One encoding in use. The encoder lives on the encode thread."""

    codec: VideoCodec
    spec: RungSpec
    viewers: set[VideoSubscription] = field(default_factory=set)
    coming: set[VideoSubscription] = field(default_factory=set)
    """Viewers of another rung that come over with this one's next keyframe."""
    gate: KeyframeGate = field(default_factory=KeyframeGate)
    meter: RateMeter = field(default_factory=RateMeter)
    encoder: VideoEncoder | None = None
    last_pts: int | None = None
    held: list[EncodedVideo] = field(default_factory=list)
    """What came too late to be shown, and what follows was encoded upon."""

    @property
    def name(self) -> str:
        """Codec and rung, as figures name it."""
        return f"{self.codec} {self.spec.name}"

    @property
    def wanted(self) -> bool:
        """Whether anybody needs it."""
        return bool(self.viewers or self.coming)

    def due(self, frame: Frame, now_s: float, fps: int) -> bool:
        """Whether this frame is one of those the rung shows, or a keyframe that somebody waits for."""
        if self.spec.every == 1 or self.last_pts is None or self.gate.due(now_s):
            return True
        # three quarters of the interval: frames do not come at exact multiples of it
        return 4 * fps * (frame.pts - self.last_pts) >= 3 * self.spec.every * VIDEO_CLOCK_HZ

    def bitrate_bps(self) -> int:
        """What the weakest of its viewers' paths carries, within the rung's bounds."""
        budget_bps = min((viewer.budget.bps for viewer in self.viewers | self.coming), default=self.spec.floor_bps)
        return max(self.spec.least_bps, min(budget_bps, self.spec.ceiling_bps))


class VideoRoom:
    """Keeps the viewers of a picture and says, frame by frame, what is to be encoded and who gets it."""

    def __init__(
        self,
        size: tuple[int, int],
        stats: EgressStats,
        *,
        fps: int = FRAME_RATE_HZ,
        start_bps: int,
        max_bps: int,
        on_step: Callable[[Step], None] = lambda step: None,
        open_encoder: OpenEncoder = open_encoder,
    ) -> None:
        self._open_encoder = open_encoder
        self._on_step = on_step
        self._size = size
        self._fps = fps
        self._stats = stats
        self._start_bps = start_bps
        self._max_bps = max_bps
        self._specs = tuple(replace(spec, ceiling_bps=min(spec.ceiling_bps, max_bps)) for spec in RUNGS)
        self._rungs: dict[tuple[VideoCodec, str], Rung] = {}
        self._home: dict[VideoSubscription, Rung] = {}
        self._goal: dict[VideoSubscription, Rung] = {}
        self._choose_due_s = float("-inf")

    # --- viewers ------------------------------------------------------------------------------------------------

    def join(self, codec: VideoCodec, sink: Callable[[EncodedVideo], bool] | None) -> VideoSubscription:
        """Add a viewer; its first unit is a keyframe, made for it within a few frames."""
        viewer = VideoSubscription(self, ViewerBudget(start_bps=self._start_bps, max_bps=self._max_bps), sink)
        rung = self._rung(codec, 0)
        rung.viewers.add(viewer)
        rung.gate.joined()
        self._home[viewer] = rung
        self._stats.video_viewers += 1
        return viewer

    def left(self, viewer: VideoSubscription) -> None:
        """See `subscription.Room`."""
        self._home.pop(viewer).viewers.discard(viewer)
        goal = self._goal.pop(viewer, None)
        if goal is not None:
            goal.coming.discard(viewer)
        self._stats.video_viewers -= 1

    def keyframe_wanted(self, viewer: VideoSubscription) -> None:
        """See `subscription.Room`."""
        rung = self._home.get(viewer)
        if rung is not None:
            rung.gate.request()
            self._stats.keyframe_requests += 1

    def skipped(self, viewer: VideoSubscription) -> None:
        """See `subscription.Room`."""
        self._stats.viewer_skips += 1

    def rate_bps(self, viewer: VideoSubscription) -> int:
        """See `subscription.Room`."""
        rung = self._home.get(viewer)
        return rung.meter.rate_bps if rung is not None else 0

    def close(self) -> None:
        """Close every viewer."""
        for viewer in list(self._home):
            viewer.close()

    def census(self) -> dict[str, int]:
        """How many viewers each rung has."""
        found: dict[str, int] = {}
        for rung in self._rungs.values():
            if rung.viewers:
                found[rung.name] = len(rung.viewers)
        return found

    def every(self) -> int:
        """Every how many-th frame is shown to anybody."""
        return every_of(rung.spec for rung in self._rungs.values() if rung.wanted)

    # --- rungs --------------------------------------------------------------------------------------------------

    def wanted(self) -> list[Rung]:
        """Rungs that somebody needs, best first."""
        return [rung for rung in self._ordered() if rung.wanted]

    def idle(self) -> list[Rung]:
        """Rungs whose encoder nobody needs any more."""
        return [rung for rung in self._ordered() if not rung.wanted and rung.encoder is not None]

    def choose(self, now_s: float) -> None:
        """Let every viewer's budget choose its rung; called per frame, it does its work four times a second."""
        if now_s < self._choose_due_s:
            return
        self._choose_due_s = now_s + _CHOOSE_EVERY_S
        floors_of = {rung: self._floors(rung) for rung in self._rungs.values() if rung.viewers}
        for viewer, home in list(self._home.items()):
            aim = self._goal.get(viewer, home)
            index = viewer.chooser.choose(viewer.budget.bps, now_s, floors_of[home])
            wish = self._rung(home.codec, index)
            if wish is aim:
                continue
            self._on_step(path_step(aim.spec, wish.spec, viewer.budget.bps, now_s))
            aim.coming.discard(viewer)
            self._goal.pop(viewer, None)
            if wish is not home:
                wish.coming.add(viewer)
                wish.gate.joined()
                self._goal[viewer] = wish

    def deliver(self, rung: Rung, unit: EncodedVideo) -> int:
        """Give a rung's unit to its viewers; how many took it. Who is on the way to another rung waits for `settle`."""
        before = rung.held = [] if unit.keyframe else _unseen(rung.held, unit)
        taken = 0
        for viewer in list(rung.viewers):
            if viewer not in self._goal:
                taken += _handed(viewer, before, unit)
        return taken

    def hold(self, rung: Rung, unit: EncodedVideo) -> None:
        """Keep a unit that comes too late to be shown: viewers need it to decode the next, and get it with that."""
        rung.held = [unit] if unit.keyframe else [*rung.held, unit]
        if len(rung.held) > HELD_MOST:
            rung.gate.request()

    def settle(self, made: dict[Rung, EncodedVideo]) -> int:
        """Move the viewers that are on the way where this frame has a keyframe, and give the others what they have;
        how many took a unit."""
        taken = 0
        for viewer, goal in list(self._goal.items()):
            unit, before = made.get(goal), list[EncodedVideo]()
            if unit is not None and unit.keyframe:
                self._home[viewer].viewers.discard(viewer)
                goal.coming.discard(viewer)
                goal.viewers.add(viewer)
                self._home[viewer] = goal
                del self._goal[viewer]
                self._stats.rung_switches += 1
            else:
                unit, before = made.get(self._home[viewer]), self._home[viewer].held
            if unit is not None:
                taken += _handed(viewer, before, unit)
        for rung in made:
            rung.held = []
        return taken

    def _rung(self, codec: VideoCodec, index: int) -> Rung:
        spec = self._specs[index]
        key = (codec, spec.name)
        if key not in self._rungs:
            self._rungs[key] = Rung(codec, spec)
        return self._rungs[key]

    def _ordered(self) -> Iterator[Rung]:
        order = [spec.name for spec in self._specs]
        yield from sorted(self._rungs.values(), key=lambda rung: order.index(rung.spec.name))

    def _floors(self, rung: Rung) -> tuple[int, ...]:
        """The rungs' floors; that of a crowded rung rises with what most of its viewers can have."""
        floors = [spec.floor_bps for spec in self._specs]
        if len(rung.viewers) >= _CROWD:
            usual_bps = statistics.median(viewer.budget.bps for viewer in rung.viewers)
            index = self._specs.index(rung.spec)
            floors[index] = max(floors[index], int(_BEHIND_SHARE * min(usual_bps, rung.spec.ceiling_bps)))
        return tuple(floors)

    # --- on the encode thread -----------------------------------------------------------------------------------

    def encode(self, rung: Rung, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """Encode a frame for a rung. Raises `av.FFmpegError`, or `ValueError` on a frame of another size."""
        width, height = (side // rung.spec.scale & ~1 for side in self._size)
        if rung.encoder is None:
            rung.encoder = self._open_encoder(
                rung.codec,
                width,
                height,
                self._fps // rung.spec.every,
                ceiling_bps=rung.spec.ceiling_bps,
                buffer_bits=rung.spec.buffer_bits,
            )
        if rung.spec.scale > 1:
            expected = (self._size[1] * 3 // 2, self._size[0])
            if frame.pixels.shape != expected:
                raise ValueError(f"frame {frame.index} has shape {frame.pixels.shape}, the stream {expected}")
            frame = replace(frame, pixels=halved(frame.pixels, width, height))
        return rung.encoder.encode(frame, keyframe=keyframe, bitrate_bps=bitrate_bps)


def _unseen(held: list[EncodedVideo], unit: EncodedVideo) -> list[EncodedVideo]:
    """What was held, due just before the unit that needs it: it is decoded and gives way to that at once, instead of
    being shown after its time."""
    return [
        replace(one, pts=unit.pts - (len(held) - index) * _UNSEEN_TICKS) for index, one in enumerate(held)
    ]


def _handed(viewer: VideoSubscription, before: list[EncodedVideo], unit: EncodedVideo) -> bool:
    """Offer a unit, behind what it needs; whether the viewer took it."""
    for one in before:
        viewer.offer(one)
    return viewer.offer(unit)
