"""A frame may come too late on one encoding and in time on another: each is counted for itself."""

import asyncio
from collections import Counter

from realtime.core.values import Frame
from server.metrics import Metrics
from tests.server.media.test_egress import Hindered
from tests.server.rtc.rig import until


async def test_what_is_late_on_one_encoding_only_is_left_out_there_only() -> None:
    metrics = Metrics()
    async with asyncio.timeout(20.0), Hindered() as slow:
        slow.took_s = 0.001
        slow.on_left_out = metrics.left_out
        first, second = slow.egress.watch("H264"), slow.egress.watch("VP8")
        slow.put(0, 0.0)
        await asyncio.gather(first.next(), second.next())
        before, slow.took_s = len(slow.told), 0.032
        shown = slow.put(1, 0.0)
        await first.next()
        await until(lambda: slow.egress.stats.late_pictures == 1)
        stats = slow.egress.snapshot()
        assert [rung for rung, _ in slow.told[before:]] == ["H264 high"], "32 ms late: the second is not begun"
        assert (stats.late_frames, stats.held_frames, slow.found) == (0, 0, ["waiting"])
        await until(lambda: "missed" in shown.trace.stamps_s)
        assert "sent" in shown.trace.stamps_s and "left_out" not in shown.trace.stamps_s
        assert metrics.value("anima_pictures_left_out_total", encoding="VP8 high", found="waiting") == 1
        assert metrics.value("anima_pictures_left_out_total", encoding="H264 high", found="waiting") == 0


class Uneven(Hindered):
    """Its next encodings take as long as is said, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.coming_s: list[float] = []

    def _slow(self, frame: Frame) -> Frame:
        self.now_s += self.coming_s.pop(0) if self.coming_s else 0.001
        return frame


async def test_a_frame_that_nobody_is_shown_counts_once_and_its_pictures_each() -> None:
    slow = Uneven()
    async with asyncio.timeout(20.0), slow:
        viewers = [slow.egress.watch(codec) for codec in ("H264", "VP8")]
        slow.put(0, 0.0)
        await asyncio.gather(*(viewer.next() for viewer in viewers))
        slow.coming_s = [0.005, 0.04]
        unseen = slow.put(1, 0.0)  # both are begun in time, and done when it is too late for either
        await until(lambda: slow.egress.stats.late_frames == 1)
        stats = slow.egress.snapshot()
        assert (stats.late_pictures, stats.held_frames) == (2, 1) and Counter(slow.found) == {"encoded": 2}
        assert "left_out" in unseen.trace.stamps_s and not {"missed", "sent"} & unseen.trace.stamps_s.keys()
