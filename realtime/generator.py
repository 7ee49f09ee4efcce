"""The generator: a session's frames, from plan to mailbox. Start reading here.

    plan ─▶ motion level ─▶ render level ─▶ refine level ─▶ mailbox ─▶ encoder
            pose and         regions that     diffusion on     newest
            cached base      changed          those regions    wins

Every level yields complete pictures, so whatever the budget allows is what the viewer gets, on time."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from realtime.core.budget import Step
from realtime.core.pacing import FramePacer
from realtime.core.units import FRAME_RATE_HZ, video_pts
from realtime.core.values import Frame
from realtime.levels import FrameState, Workshop, motion_level, refine_level, render_level
from realtime.mailbox import Mailbox


@dataclass(slots=True)
class GeneratorCounters:
    """What a session's generator has done so far."""

    frames: int = 0
    late: int = 0
    """Published after their deadline."""
    skipped: int = 0
    """Never made, because their time had passed."""
    unchanged: int = 0
    """Published without touching a pixel."""
    base_misses: int = 0
    steps_down: int = 0
    steps_up: int = 0


class Generator:
    """Makes one session's frames and publishes them, newest wins. `run` works until it is cancelled."""

    def __init__(
        self,
        shop: Workshop,
        frames: Mailbox[Frame],
        *,
        rate_hz: float = FRAME_RATE_HZ,
        on_frame: Callable[[Frame], None] = lambda frame: None,
        on_step: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self._shop = shop
        self._frames = frames
        self._rate_hz = rate_hz
        self._on_frame = on_frame
        self._on_step = on_step
        self.counters = GeneratorCounters()
        self.rungs: dict[str, int] = {}

    async def run(self) -> None:
        """Generate until cancelled."""
        pacer = FramePacer(self._rate_hz)
        posed = motion_level(self._shop, pacer)
        drawn = render_level(posed, self._shop)
        refined = refine_level(drawn, self._shop)
        previous = None
        # Closing only the outermost generator would leave the inner ones to the garbage collector.
        async with aclosing(posed), aclosing(drawn), aclosing(refined):
            async for state in refined:
                self._publish(state)
                self._account(state, unchanged=state.pixels is previous)
                previous = state.pixels

    def _publish(self, state: FrameState) -> None:
        trace, due = state.trace, state.due
        trace.stamps_s["published"] = self._shop.clock()
        frame = Frame(due.index, video_pts(due.media_s), due.media_s, state.pose.epoch, state.pixels, trace)
        self._frames.put(frame)
        self._on_frame(frame)

    def _account(self, state: FrameState, *, unchanged: bool) -> None:
        trace, counters = state.trace, self.counters
        published_s = trace.stamps_s["published"]
        counters.frames += 1
        counters.skipped += state.due.skipped
        counters.late += published_s > state.due.deadline_s
        counters.unchanged += unchanged
        counters.base_misses += not trace.base_hit
        self.rungs[trace.rung] = self.rungs.get(trace.rung, 0) + 1
        # from the pose on: a process that was woken late would not be any earlier for drawing less
        used_s = published_s - trace.stamps_s["posed"]
        step = self._shop.ladder.observe(used_s, 1.0 / self._rate_hz, published_s)
        if step is not None:
            counters.steps_down += step.down
            counters.steps_up += not step.down
            self._on_step(step)
