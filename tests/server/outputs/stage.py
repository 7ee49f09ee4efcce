"""What outputs take from, without a session: prepared samples, and an egress that is driven by hand."""

import asyncio
from collections.abc import Callable

from realtime.mailbox import Mailbox
from server.media.egress import MediaEgress
from server.outputs.feed import Feed, SoundForm
from server.outputs.samples import Sample
from server.outputs.tap import SoundTap
from tests.server.outputs.media import FPS, SIDE, ticks

SIZE = (SIDE, SIDE)


class Script(Feed):
    """A feed that gives these samples, a few at a time, and then ends; or goes on from the beginning."""

    def __init__(
        self, samples: list[Sample], *, at_once: int = 30, pause_s: float = 0.0, endless: bool = False
    ) -> None:
        egress = MediaEgress(Mailbox(), ticks, lambda: 0.0, width=SIDE, height=SIDE, fps=FPS)
        form: SoundForm = "pcm"
        super().__init__(egress, SoundTap(ticks), form, 2.0)
        self.begun = 0
        self._samples = samples
        self._at = 0
        self._at_once = at_once
        self._pause_s = pause_s
        self._endless = endless

    def begin(self) -> None:
        self.begun += 1
        if self.begun > 1:
            self._at = 0

    async def take(self) -> list[Sample]:
        await asyncio.sleep(self._pause_s)
        if self.ended or (self._at >= len(self._samples) and not self._endless):
            return []
        if self._at >= len(self._samples):
            await asyncio.Event().wait()
        taken = self._samples[self._at : self._at + self._at_once]
        self._at += len(taken)
        return taken


async def until(condition: Callable[[], bool], what: str, within_s: float = 30.0) -> None:
    """Wait for something that has to happen; fail with its name."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110  # what is waited for has no event of its own
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"did not happen: {what}") from None


def nothing() -> None:
    """For those who do not care."""
