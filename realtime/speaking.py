"""The mouth made from sound: what comes after the three levels where a net for mouths is at work.

It takes finished frames and yields finished frames; whatever keeps the net from being ready by a frame's deadline, the
frame goes on with the mouth that was drawn. What it makes is not handed back to the levels below: a frame that reuses
the pixels of the one before reuses the drawn ones."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from realtime.compute import ComputeThread
from realtime.core.budget import CostModel, Ladder
from realtime.core.composite import compose
from realtime.core.spoken import MouthTurn, Spoken, Stretch
from realtime.core.units import FRAME_S
from realtime.core.values import I420, Roi
from realtime.levels import FrameState
from realtime.ports import Clock, MouthMaker

MADE: Final = "mouth from sound"
"""How a trace calls the region."""


@dataclass(slots=True)
class Speaking:
    """What makes one session's mouths from its sound."""

    maker: MouthMaker
    spoken: Spoken
    device: ComputeThread
    """Where nets for mouths work: a thread of their own, for all sessions."""
    costs: CostModel
    ladder: Ladder
    clock: Clock
    interval_s: float = FRAME_S
    turn: MouthTurn = field(default_factory=MouthTurn)
    made: int = 0
    missed: int = 0

    def __post_init__(self) -> None:
        if not self.costs.predict_s(self.maker.kind, self.maker.area_px):
            self.costs.observe(self.maker.kind, self.maker.area_px, self.maker.guess_s)

    def figures(self) -> dict[str, int]:
        """Mouths that were made in time, and that were not."""
        return {"made": self.made, "missed": self.missed}

    async def improved(self, state: FrameState) -> FrameState:
        """The frame with the net's mouth, if that is ready by its deadline; otherwise as it came."""
        due, maker = state.due, self.maker
        if self.ladder.rung not in ("refine2", "refine1"):
            self.turn.leave()
            return state
        now_s = self.clock()
        sound = self.spoken.around(due.media_s, maker.hears)
        left_s, predicted_s = due.deadline_s - now_s, self.costs.predict_s(maker.kind, maker.area_px)
        share = self.turn.share(now_s, left_s, predicted_s, self.interval_s, sounds=sound.sounds(due.media_s))
        if not share:
            return state
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                found = await self.device.run(left_s, self._made, state, sound, share)
        except TimeoutError:
            found = None
        state.trace.stamps_s["spoken"] = self.clock()
        if found is None:
            self.missed += 1
            self.turn.missed(self.clock())
            return state
        self.made += 1
        self.turn.made()
        pixels, roi = found
        state.trace.mouth = maker.name
        state.trace.drawn.append(MADE)
        state.trace.rois[MADE] = roi
        return replace(state, pixels=pixels)

    def _made(self, state: FrameState, sound: Stretch, share: float) -> tuple[I420, Roi] | None:
        """On the nets' thread. Touches no frame state: who gave up waiting has published it."""
        maker, begin_s = self.maker, self.clock()
        patch = maker.speak(state.pixels, state.key, sound, state.due.media_s, share)
        self.costs.observe(maker.kind, maker.area_px, self.clock() - begin_s)
        return None if patch is None else (compose(state.pixels, (patch,), np.empty_like(state.pixels)), patch.roi)


async def spoken_level(
    states: AsyncIterator[FrameState], speaking: Speaking | None
) -> AsyncGenerator[FrameState, None]:
    """The frames with mouths made from sound; without a net they pass as they are."""
    async for state in states:
        yield state if speaking is None else await speaking.improved(state)
