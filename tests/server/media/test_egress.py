"""The egress: pacing of sound in virtual time, one encode for all viewers, nothing left behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from realtime.core.units import AUDIO_TICK_S
from realtime.core.values import Frame, Pcm
from realtime.mailbox import Mailbox
from server.media.egress import MediaEgress
from server.media.marking import Marking
from server.media.packets import EncodedSound, EncodedVideo
from server.media.room import HELD_MOST
from tests.server.rtc.rig import HEIGHT, WIDTH, frame_of, patches, tone, until
from tests.virtual_time import now_s, run_virtual


def _egress(frames: Mailbox[Frame], read_sound: Callable[[int], Pcm], clock: Callable[[], float]) -> MediaEgress:
    return MediaEgress(frames, read_sound, clock, width=WIDTH, height=HEIGHT)


@asynccontextmanager
async def _running(
    read_sound: Callable[[int], Pcm] = tone, clock: Callable[[], float] | None = None
) -> AsyncIterator[tuple[MediaEgress, Mailbox[Frame]]]:
    frames: Mailbox[Frame] = Mailbox()
    egress = _egress(frames, read_sound, clock or asyncio.get_running_loop().time)
    egress.start()
    try:
        yield egress, frames
    finally:
        await egress.aclose()


# --- sound, in virtual time ----------------------------------------------------------------------------------------


async def _ticks_of(read_sound: Callable[[int], Pcm], clock: Callable[[], float], count: int) -> list[EncodedSound]:
    async with _running(read_sound, clock) as (egress, _):
        listener = egress.listen()
        return [await listener.next() for _ in range(count)]


def test_sound_is_protected_while_a_path_is_unknown_or_loses_packets() -> None:
    """RFC 6716 section 3.1: configurations below 16 have the layer that carries in-band FEC, the others have none."""

    async def main() -> None:
        def read(tick: int) -> Pcm:
            return np.zeros(960, np.int16) if tick % 50 < 5 else tone(tick)

        async with _running(read, now_s) as (egress, _):
            listener = egress.listen()
            layered = []
            for tick in range(1, 1701):
                if tick == 1000:
                    listener.reported(0.02)
                layered.append((await listener.next()).payload[0] >> 3 < 16)
        changes = [tick for tick, (a, b) in enumerate(zip(layered, layered[1:], strict=False), 2) if a != b]
        assert layered[0] and changes == [500, 1000, 1500]

    run_virtual(main())


def test_sound_is_paced_by_media_time() -> None:
    async def main() -> None:
        read_at: list[tuple[int, float]] = []

        def read(tick: int) -> Pcm:
            read_at.append((tick, now_s()))
            return tone(tick)

        units = await _ticks_of(read, now_s, 100)
        assert [unit.tick for unit in units] == list(range(1, 101))
        assert [unit.pts for unit in units] == [tick * 960 for tick in range(1, 101)]
        assert all(abs(at_s - tick * AUDIO_TICK_S) < 1e-6 for tick, at_s in read_at)

    run_virtual(main())


@pytest.mark.parametrize(("stall_s", "late", "skipped"), [(0.05, 1, 0), (0.51, 0, 24)])
def test_stalled_loop_catches_up_a_little_and_skips_the_rest(stall_s: float, late: int, skipped: int) -> None:
    async def main() -> None:
        stalled_s = 0.0

        def read(tick: int) -> Pcm:
            nonlocal stalled_s
            if tick == 10:
                stalled_s = stall_s
            return tone(tick)

        async with _running(read, lambda: now_s() + stalled_s) as (egress, _):
            listener = egress.listen()
            ticks = [(await listener.next()).tick for _ in range(40)]
            assert ticks == sorted(set(ticks))
            assert (egress.stats.late_ticks, egress.stats.skipped_ticks) == (late, skipped)
            assert ticks[-1] == 40 + skipped
            # What was late did not make what follows late.
            assert abs(egress.clock() - ticks[-1] * AUDIO_TICK_S) < AUDIO_TICK_S

    run_virtual(main())


def test_sound_timeline_moves_on_without_listeners() -> None:
    async def main() -> None:
        read: list[int] = []

        def silence(tick: int) -> Pcm:
            read.append(tick)
            return np.zeros(960, np.int16)

        async with _running(silence, now_s) as (egress, _):
            await asyncio.sleep(1.0)
            assert read == list(range(1, 51)) or read == list(range(1, 50))
            assert egress.stats.sound_packets == 0

    run_virtual(main())


# --- picture -------------------------------------------------------------------------------------------------------


async def test_one_encode_serves_all_viewers_of_a_codec() -> None:
    async with _running() as (egress, frames):
        viewers = [egress.watch("H264") for _ in range(5)]
        for index in range(4):
            frames.put(frame_of(patches(), index))
            units = [await viewer.next() for viewer in viewers]
            assert all(unit is units[0] for unit in units)
            assert units[0].keyframe == (index == 0)
        assert egress.stats.frames_encoded == 4
        assert egress.stats.keyframes == 1


async def test_two_codecs_at_once() -> None:
    async with _running() as (egress, frames):
        viewers = [egress.watch("H264"), egress.watch("VP8")]
        frame = frame_of(patches())
        frames.put(frame)
        assert [(await viewer.next()).codec for viewer in viewers] == ["H264", "VP8"]
        assert "encoded" in frame.trace.stamps_s


async def test_late_joiner_gets_a_keyframe_within_half_a_second() -> None:
    media_s = 0.0
    async with _running(clock=lambda: media_s) as (egress, frames):
        first = egress.watch("H264")
        second = None
        for index in range(20):
            media_s = index * 0.04
            if index == 2:
                second = egress.watch("H264")
            frames.put(frame_of(patches(), index))
            keyframe = (await first.next()).keyframe
            if second is not None and keyframe:
                assert (await second.next()).keyframe
                break
        assert index - 2 <= 3


async def test_keyframe_request_is_served_once() -> None:
    media_s = 0.0
    async with _running(clock=lambda: media_s) as (egress, frames):
        viewer = egress.watch("H264")
        keyframes = []
        for index in range(30):
            media_s = index * 0.04
            if 5 <= index <= 15:
                viewer.request_keyframe()
            frames.put(frame_of(patches(), index))
            if (await viewer.next()).keyframe:
                keyframes.append(index)
        assert keyframes == [0, 8, 16]
        assert egress.stats.keyframe_requests == 11


async def test_estimate_sets_the_bit_rate_without_a_keyframe() -> None:
    async with _running() as (egress, frames):
        viewer = egress.watch("H264")
        for index, estimate_bps in enumerate((1_000_000, 2_000_000, 1_200_000)):
            viewer.estimated(estimate_bps)
            frames.put(frame_of(patches(), index))
            assert (await viewer.next()).keyframe == (index == 0)
        assert egress.stats.bitrate_bps == 1_500_000


async def test_replaced_frames_are_counted_and_nobody_watching_costs_nothing() -> None:
    async with _running() as (egress, frames):
        frames.put(frame_of(patches(), 0))
        await asyncio.sleep(0)
        assert egress.stats.frames_encoded == 0
        viewer = egress.watch("H264")
        for index in range(1, 5):
            frames.put(frame_of(patches(), index))
        assert (await viewer.next()).pts == 4 * 3600
        assert egress.stats.frames_dropped == 3


async def test_a_frame_of_the_wrong_size_is_reported_and_the_picture_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async with _running() as (egress, frames):
        viewer = egress.watch("H264")
        frames.put(frame_of(patches(64, 64)))
        await until(lambda: egress.stats.bad_frames == 1)
        frames.put(frame_of(patches(), 1))
        assert (await viewer.next()).keyframe
    assert "shape" in caplog.text


async def test_one_viewers_failing_sink_is_its_own_affair() -> None:
    async with _running() as (egress, frames):
        seen: list[int] = []

        def refuse(unit: EncodedVideo) -> bool:
            return False

        def take(unit: EncodedVideo) -> bool:
            seen.append(unit.pts)
            return True

        egress.watch("H264", refuse)
        egress.watch("H264", take)
        for index in range(5):
            frames.put(frame_of(patches(), index))
            await until(lambda count=index + 1: len(seen) == count)  # type: ignore[misc]  # bound at once
        assert egress.stats.viewer_skips >= 1


async def test_close_leaves_nothing() -> None:
    before = set(threading.enumerate())
    async with _running() as (egress, frames):
        viewer, listener = egress.watch("H264"), egress.listen()
        frames.put(frame_of(patches()))
        await viewer.next()
        await listener.next()
    assert (egress.stats.video_viewers, egress.stats.sound_viewers) == (0, 0)
    assert set(threading.enumerate()) == before
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await egress.aclose()
    egress.start()
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Hindered:
    """An egress on a clock that only its encodings move, each by `took_s`."""

    def __init__(self) -> None:
        self.now_s, self.took_s = 100.0, 0.02
        self.told: list[tuple[str, float]] = []
        self.found: list[str] = []
        self.frames: Mailbox[Frame] = Mailbox()
        self.egress = MediaEgress(
            self.frames, tone, lambda: self.now_s, width=WIDTH, height=HEIGHT, marking=cast(Marking, self._slow),
            on_encoded=lambda rung, unit, took: self.told.append((rung, round(took, 6))),
            on_left_out=self._left_out,
        )  # fmt: skip
        self.on_left_out: Callable[[str, str], None] = lambda rung, found: None

    def _left_out(self, rung: str, found: str) -> None:
        self.found.append(found)
        self.on_left_out(rung, found)

    def _slow(self, frame: Frame) -> Frame:
        self.now_s += self.took_s
        return frame

    def put(self, index: int, late_s: float) -> Frame:
        frame = replace(frame_of(patches(), index), media_s=self.now_s - late_s)
        self.frames.put(frame)
        return frame

    async def show(self, index: int) -> None:
        """Put a frame that is in time, and wait until it was encoded or left out."""
        before = self._handled()
        self.put(index, 0.0)
        await until(lambda: self._handled() > before)

    def _handled(self) -> int:
        return len(self.told) + self.egress.stats.late_frames - self.egress.stats.held_frames

    async def __aenter__(self) -> "Hindered":
        self.egress.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.egress.aclose()


async def test_a_picture_that_would_come_too_far_behind_its_sound_is_left_out() -> None:
    async with asyncio.timeout(20.0), Hindered() as slow:
        viewer = slow.egress.watch("H264")
        slow.put(0, 0.0)
        await viewer.next()
        left_out = slow.put(1, 0.022)
        await until(lambda: slow.egress.stats.late_frames == 1)
        assert "left_out" in left_out.trace.stamps_s, "22 ms late, and encodings take 20"
        slow.took_s = 0.012
        slow.put(2, 0.022)
        await viewer.next()
        assert slow.told == [("H264 high", 0.02), ("H264 high", 0.012)], "the long encoding is forgotten by and by"
        assert slow.found == ["waiting"] and slow.egress.stats.held_frames == 0


async def test_a_picture_that_became_late_in_the_encoder_is_not_shown_and_comes_with_the_next() -> None:
    async with asyncio.timeout(20.0), Hindered() as slow:
        viewer = slow.egress.watch("H264")
        slow.put(0, 0.0)
        await viewer.next()
        slow.took_s = 0.05
        held = slow.put(1, 0.0)
        await until(lambda: slow.egress.stats.held_frames == 1)
        assert slow.found == ["encoded"] and "sent" not in held.trace.stamps_s
        slow.took_s = 0.001
        while len(slow.told) < 3:  # until the long encoding is forgotten
            await slow.show(2)
        first, second = await viewer.next(), await viewer.next()
        assert (first.keyframe, second.keyframe) == (False, False), "nothing is missing that would call for a keyframe"
        assert second.pts == 2 * 3600 and first.pts == second.pts - 90, "gives way to the next at once"


async def test_after_many_late_pictures_the_next_is_a_keyframe() -> None:
    async with asyncio.timeout(20.0), Hindered() as slow:
        viewer = slow.egress.watch("H264")
        slow.put(0, 0.0)
        assert (await viewer.next()).keyframe
        slow.took_s, index = 0.05, 0
        while slow.egress.stats.held_frames <= HELD_MOST:
            index += 1
            await slow.show(index)
        slow.took_s = 0.0
        while slow.egress.stats.keyframes < 2:
            index += 1
            slow.now_s += 1.0
            await slow.show(index)
        unit = await viewer.next()
        assert unit.keyframe and unit.pts == index * 3600
