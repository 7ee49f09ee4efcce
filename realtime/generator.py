"""The generator: a session's frames, from plan to mailbox. Start reading here.

    plan ─▶ motion level ─▶ render level ─▶ refine level ─▶ spoken level ─▶ mailbox ─▶ encoder
            pose and         regions that     diffusion on     mouths from      newest
            cached base      changed          those regions    sound, if any    wins

Every level yields complete pictures, so whatever the budget allows is what the viewer gets, on time. A frame is begun
ahead of its media time by what such frames take, and drawn anew if what it shows changes before then."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from typing import Final

from realtime.core.budget import Step
from realtime.core.pacing import FramePacer
from realtime.core.units import FRAME_RATE_HZ, video_pts
from realtime.core.values import Frame, FrameTrace
from realtime.levels import FrameState, Workshop, motion_level, refine_level, render_level
from realtime.mailbox import Mailbox
from realtime.speaking import Speaking, spoken_level

UNSEEN: Final = ("left_out", "missed")
"""Stamps of a frame that nobody was shown, or not those of one encoding, for its time had passed."""
REDRAWN_MOST: Final = 2
"""A frame is made anew so many times before it is shown as it is: a stream of changes must not stop the picture."""
SETTLING_FRAMES: Final = 12
"""Frames after the first, of which it is only learned how far ahead they are to be begun: nothing that concerns others
follows from their coming late."""


@dataclass(slots=True)
class GeneratorCounters:
    """What a session's generator has done so far."""

    frames: int = 0
    late: int = 0
    """Published after their deadline."""
    skipped: int = 0
    """Never made, because their time had passed."""
    redrawn: int = 0
    """Made once more before they were shown, because what they show had changed."""
    unchanged: int = 0
    """Published without touching a pixel."""
    base_misses: int = 0
    steps_down: int = 0
    steps_up: int = 0


class Generator:
    """Makes one session's frames and publishes them, newest wins. `run` works until it is cancelled.
    `paths_every` says every how many-th frame is shown to anybody."""

    def __init__(
        self,
        shop: Workshop,
        frames: Mailbox[Frame],
        *,
        rate_hz: float = FRAME_RATE_HZ,
        on_frame: Callable[[Frame], None] = lambda frame: None,
        on_step: Callable[[Step], None] = lambda step: None,
        on_redrawn: Callable[[FrameTrace], None] = lambda trace: None,
        paths_every: Callable[[], int] = lambda: 1,
        speaking: Speaking | None = None,
    ) -> None:
        self._shop = shop
        self._speaking = speaking
        self._frames = frames
        self._rate_hz = rate_hz
        self._on_frame = on_frame
        self._on_step = on_step
        self._on_redrawn = on_redrawn
        self._paths_every = paths_every
        self._published: FrameTrace | None = None
        self._lead_s = 0.0
        self._encode_s = 0.0
        self._left_out = False
        """Whether the frame before was not shown, or not to everybody, because it came too late."""
        self._settling = SETTLING_FRAMES
        self.counters = GeneratorCounters()
        self.rungs: dict[str, int] = {}

    @property
    def lead_s(self) -> float:
        """How far ahead of its media time the last frame was begun."""
        return self._lead_s

    @property
    def every(self) -> int:
        """Every how many-th frame is made."""
        return self._shop.governor.every

    async def run(self) -> None:
        """Generate until cancelled."""
        feeling = self._shop.feeling
        with nullcontext() if feeling is None else feeling.felt(self._press, self._shop.priority):
            await self._run()

    async def _run(self) -> None:
        self._settling = SETTLING_FRAMES
        pacer = FramePacer(self._rate_hz)
        posed = motion_level(self._shop, pacer)
        drawn = render_level(posed, self._shop)
        refined = refine_level(drawn, self._shop)
        spoken = spoken_level(refined, self._speaking)
        previous = None
        again = 0
        # Closing only the outermost generator would leave the inner ones to the garbage collector.
        async with aclosing(posed), aclosing(drawn), aclosing(refined), aclosing(spoken):
            async for state in spoken:
                self._learn(state)
                try:
                    await self._until_shown(state)
                except asyncio.CancelledError:
                    self._on_redrawn(state.trace)  # a denoiser remembers it, so a replay has to make it
                    raise
                if again < REDRAWN_MOST and self._shop.plan.outdated(state.due.media_s):
                    again += 1
                    self.counters.redrawn += 1
                    self._on_redrawn(state.trace)
                    pacer.again()
                    continue
                again = 0
                self._publish(state)
                self._account(state, unchanged=state.pixels is previous)
                previous = state.pixels

    def _learn(self, state: FrameState) -> None:
        """What this frame took, and what the encoding of the one before took, set the lead of those that follow."""
        lead, done = self._shop.lead, self._published
        state.ready_s = self._shop.clock()
        self._lead_s = max(0.0, state.due.media_s - state.trace.stamps_s["begun"])
        lead.observe(state.kind, state.ready_s - state.trace.stamps_s["begun"])
        self._left_out = done is not None and not done.stamps_s.keys().isdisjoint(UNSEEN)
        if done is not None and "encoded" in done.stamps_s:
            self._encode_s = done.stamps_s["encoded"] - done.stamps_s["published"]
            lead.observe("encode", self._encode_s)
        else:
            # what an older one took says less of this than what they take by and large
            self._encode_s = lead.predict_s("encode")
        self._published = None

    async def _until_shown(self, state: FrameState) -> None:
        """Wait until it is time to encode the frame: what happens meanwhile can still be in it."""
        early_s = state.due.media_s - self._shop.lead.predict_s("encode") - self._shop.clock()
        if early_s > 0.0:
            await asyncio.sleep(early_s)

    def _publish(self, state: FrameState) -> None:
        trace, due = state.trace, state.due
        trace.stamps_s["published"] = self._shop.clock()
        frame = Frame(due.index, video_pts(due.media_s), due.media_s, state.pose.epoch, state.pixels, trace)
        self._published = trace
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
        # from the pose on, and with what an encoding takes: this one's is not known yet
        used_s = state.ready_s - trace.stamps_s["posed"] + self._encode_s
        late_s = published_s + self._encode_s - state.due.media_s
        ladder = self._shop.ladder
        lost = state.due.skipped + self._left_out
        self._decided(ladder.observe(used_s, 1.0 / self._rate_hz, published_s, late_s, lost), published_s)
        self._settling = max(0, self._settling - 1)
        if self._shop.feeling is not None and not self._settling:
            self._shop.feeling.framed(ladder.share, strained=ladder.strained)

    def _press(self, depth: int, reason: str) -> None:
        """The whole process is under pressure, or no longer."""
        now_s = self._shop.clock()
        self._decided(self._shop.ladder.press(depth, reason, now_s), now_s)

    def _decided(self, step: Step | None, now_s: float) -> None:
        """Account a step of the ladder, if it came to one, and what follows from it for the frame rate."""
        if step is not None:
            self.counters.steps_down += step.down
            self.counters.steps_up += not step.down
            self._on_step(step)
        step = self._shop.governor.decide(self._shop.ladder.every, self._paths_every(), now_s)
        if step is not None:
            self._on_step(step)
