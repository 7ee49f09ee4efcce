"""The mouth made from sound: what comes after the three levels where a net for mouths is at work.

It takes finished frames and yields finished frames; whatever keeps the net from being ready by a frame's deadline, the
frame goes on with the mouth that was drawn. What it makes is not handed back to the levels below: a frame that reuses
the pixels of the one before reuses the drawn ones."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from realtime.compute import ComputeThread
from realtime.core.composite import compose
from realtime.core.spoken import PROBED_INTERVALS, MouthTurn, Spoken, Stretch
from realtime.core.units import FRAME_S
from realtime.core.values import I420, Roi
from realtime.levels import FrameState, Workshop
from realtime.ports import Avatar, MouthMaker

MADE: Final = "mouth from sound"
"""How a trace calls the region."""


@dataclass(slots=True)
class Speaking:
    """What makes one session's mouths from its sound."""

    shop: Workshop
    spoken: Spoken
    device: ComputeThread
    """Where nets for mouths work: a thread of their own, for all sessions."""
    open: Callable[[Avatar], MouthMaker | None]
    """Makes what makes an avatar's mouths; None for one whose mouths stay as they are drawn."""
    interval_s: float = FRAME_S
    turn: MouthTurn = field(default_factory=MouthTurn)
    made: int = 0
    missed: int = 0
    _avatar: Avatar | None = None
    _maker: MouthMaker | None = None

    def figures(self) -> dict[str, int]:
        """Mouths that were made in time, and that were not."""
        return {"made": self.made, "missed": self.missed}

    async def improved(self, state: FrameState) -> FrameState:
        """The frame with the net's mouth, if that is ready by its deadline; otherwise as it came."""
        due, maker, shop = state.due, self._of(self.shop.stock.avatar), self.shop
        if maker is None or shop.ladder.rung not in ("refine2", "refine1"):
            self.turn.leave()
            return state
        now_s = shop.clock()
        sound = self.spoken.around(due.media_s, maker.hears)
        left_s, expected_s = due.deadline_s - now_s, self._expected_s(maker)
        share = self.turn.share(now_s, left_s, expected_s, self.interval_s, sounds=sound.sounds(due.media_s))
        if not share:
            return state
        if expected_s > left_s:
            shop.costs.doubt(maker.kind, maker.area_px)
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                found = await self.device.run(left_s, self._made, maker, state, sound, share)
        except TimeoutError:
            found = None
        state.trace.stamps_s["spoken"] = shop.clock()
        if found is None:
            self.missed += 1
            self.turn.missed(shop.clock())
            return state
        self.made += 1
        self.turn.made()
        pixels, roi = found
        state.trace.mouth = maker.name
        state.trace.drawn.append(MADE)
        state.trace.rois[MADE] = roi
        return replace(state, pixels=pixels)

    def _of(self, avatar: Avatar) -> MouthMaker | None:
        """What makes this avatar's mouths; a session may go on with another avatar."""
        if avatar is not self._avatar:
            self._avatar, self._maker = avatar, self.open(avatar)
            self.turn.leave()
            maker, costs = self._maker, self.shop.costs
            if maker is not None and not costs.predict_s(maker.kind, maker.area_px):
                costs.observe(maker.kind, maker.area_px, maker.guess_s)
        return self._maker

    def _expected_s(self, maker: MouthMaker) -> float:
        """What a mouth is expected to take. A net that was quick enough when it was opened is not given up for what was
        learnt in a bad moment."""
        predicted_s = self.shop.costs.predict_s(maker.kind, maker.area_px)
        most_s = PROBED_INTERVALS * self.interval_s
        return predicted_s if maker.guess_s > most_s else min(predicted_s, most_s)

    def _made(self, maker: MouthMaker, state: FrameState, sound: Stretch, share: float) -> tuple[I420, Roi] | None:
        """On the nets' thread. Touches no frame state: who gave up waiting has published it."""
        clock, costs = self.shop.clock, self.shop.costs
        begin_s = clock()
        patch = maker.speak(state.pixels, state.key, sound, state.due.media_s, share)
        costs.observe(maker.kind, maker.area_px, clock() - begin_s)
        return None if patch is None else (compose(state.pixels, (patch,), np.empty_like(state.pixels)), patch.roi)


async def spoken_level(
    states: AsyncIterator[FrameState], speaking: Speaking | None
) -> AsyncGenerator[FrameState, None]:
    """The frames with mouths made from sound; without a net they pass as they are."""
    async for state in states:
        yield state if speaking is None else await speaking.improved(state)
