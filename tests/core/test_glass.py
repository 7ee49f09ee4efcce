"""Frames joined with what viewers tell of them, and viewers that lie or flood."""

import math
import random

import numpy as np
import pytest

from realtime.core.errors import InvalidField, RequestError, TooLarge
from realtime.core.glass import KEPT_FRAMES, TOTAL, Eyes, Glass
from realtime.core.values import Frame, FrameTrace
from realtime.core.wire_frames import MAX_ROWS, FramesShown, ShownFrame, frames_shown

ORIGIN = (1 << 32) - 100
"""RTP times wrap soon after the begin."""
STEP = 3600
PIXELS = np.zeros((3, 2), np.uint8)


def frame(index: int) -> Frame:
    at_s = index / 25
    stamps = {
        "begun": at_s - 0.02,
        "posed": at_s - 0.019,
        "published": at_s,
        "encoded": at_s + 0.004,
        "sent": at_s + 0.005,
    }
    return Frame(index, index * STEP, at_s, 0, PIXELS, FrameTrace(stamps_s=stamps))


def told(index: int, *, late_s: float = 0.0, off: int = 0) -> ShownFrame:
    at_s = index / 25 + late_s
    rtp = (ORIGIN + index * STEP + off) % (1 << 32)
    return ShownFrame(rtp, at_s + 0.015, at_s + 0.045, at_s + 0.060, 0.002)


def shown(n: int) -> Glass:
    glass = Glass()
    for index in range(n):
        glass.sent(frame(index))
    return glass


def test_a_frame_is_followed_to_the_display() -> None:
    (one,) = shown(50).seen(Eyes(), ORIGIN, [told(40)], 2.0)
    took = one.durations_s()
    assert took == pytest.approx(
        {"posed": 0.001, "published": 0.019, "encoded": 0.004, "sent": 0.001, "received": 0.010, "buffered": 0.028,
         "decoded": 0.002, "displayed": 0.015, TOTAL: 0.080}
    )  # fmt: skip
    assert math.isclose(sum(value for name, value in took.items() if name != TOTAL), took[TOTAL])
    assert one.as_json()["total_ms"] == 80.0


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_rtp_times_may_be_a_tick_off_and_wrap(off: int) -> None:
    glass = shown(10)
    assert [one.index for one in glass.seen(Eyes(), ORIGIN, [told(i, off=off) for i in range(10)], 1.0)] == [*range(10)]


def test_a_frame_counts_once_for_each_viewer() -> None:
    glass, first = shown(10), Eyes()
    assert len(glass.seen(first, ORIGIN, [told(3), told(3), told(2), told(4)], 1.0)) == 2
    assert len(glass.seen(Eyes(), ORIGIN, [told(3)], 1.0)) == 1
    assert (glass.joined, glass.refused) == (3, 2)


@pytest.mark.parametrize(
    "lie",
    [
        ShownFrame(ORIGIN + 7, 0.1, 0.1, 0.1, 0.0),
        ShownFrame(told(5).rtp, 0.3, 0.25, 0.4, 0.0),
        ShownFrame(told(5).rtp, 0.3, 0.4, 0.35, 0.0),
        ShownFrame(told(5).rtp, 0.3, 0.4, 1e6, 0.0),
    ],
    ids=[
        "no such frame",
        "shown before it came",
        "seen before it was shown",
        "in the future",
    ],
)
def test_what_cannot_be_true_is_not_counted(lie: ShownFrame) -> None:
    glass = shown(10)
    assert glass.seen(Eyes(), ORIGIN, [lie], 0.5) == [] and glass.refused == 1 and glass.summary()["stages_ms"] == {}


@pytest.mark.parametrize(
    "row",
    [
        ShownFrame(told(5).rtp, 0.19, 0.3, 0.3, 0.0),
        ShownFrame(told(5).rtp, None, 0.19, 0.3, 0.0),
        ShownFrame(told(5).rtp, 0.21, 0.25, 0.3, 0.06),
        ShownFrame(told(5).rtp, 0.201, 0.202, 0.203, 0.0),
    ],
    ids=["came before it was sent", "shown before it was sent", "decoded before it came", "seen before it was sent"],
)
def test_what_contradicts_our_stamps_is_left_out_and_counted(row: ShownFrame) -> None:
    glass = shown(10)
    assert glass.seen(Eyes(), ORIGIN, [row], 0.5, 0.01) == []
    assert (glass.joined, glass.refused, glass.inconsistent) == (0, 0, 1)
    assert glass.summary()["stages_ms"] == {} and glass.summary()["uncertainty_ms"] is None


def test_within_the_uncertainty_no_stage_is_below_zero() -> None:
    glass, row = shown(10), ShownFrame(told(5).rtp, 0.19, 0.195, 0.21, 0.01)
    (one,) = glass.seen(Eyes(), ORIGIN, [row], 0.5, 0.02)
    assert min(one.durations_s().values()) >= 0 and glass.summary()["uncertainty_ms"] == 20.0


def test_without_an_arrival_the_network_is_not_told_apart() -> None:
    (one,) = shown(10).seen(Eyes(), ORIGIN, [ShownFrame(told(5).rtp, None, 0.245, 0.26, 0.002)], 0.5)
    took = one.durations_s()
    assert "received" not in took and "buffered" not in took
    assert (took["decoded"], took["displayed"], took[TOTAL]) == pytest.approx((0.002, 0.015, 0.080))
    assert one.as_json()["stages_ms"]["buffered"] == pytest.approx(38.0)


def test_a_flood_of_anything_leaves_little_behind() -> None:
    rng, glass, eyes = random.Random(1), shown(3 * KEPT_FRAMES), Eyes()
    for _ in range(3000):
        lie = ShownFrame(rng.randrange(1 << 32), *(rng.uniform(0, 1e7) for _ in range(4)))
        glass.seen(eyes, ORIGIN, [lie, told(rng.randrange(3 * KEPT_FRAMES))], 30.0)
    assert len(eyes.recent) <= KEPT_FRAMES and glass.joined <= KEPT_FRAMES and len(glass._frames) == KEPT_FRAMES


def test_the_slowest_of_the_last_seconds() -> None:
    glass, eyes = shown(250), Eyes()
    glass.seen(
        eyes, ORIGIN, [told(i, late_s=0.5 if i in (10, 200) else 0.9 if i == 20 else 0.0) for i in range(250)], 10.0
    )
    found = eyes.slowest(10.0)
    assert found is not None and found.index == 200
    assert eyes.slowest(1000.0) is None


def test_pixels_are_not_kept() -> None:
    assert not any(hasattr(one, "pixels") for one in shown(3)._frames.values())


def test_a_batch_is_read() -> None:
    assert frames_shown("a", {"rows": [[7, 1000, 1010.5, 1020, 2]]}) == FramesShown(
        "a", (ShownFrame(7, 1.0, 1.0105, 1.02, 0.002),)
    )
    assert frames_shown("a", {"rows": [[7, None, 1010.5, 1020, 2]], "uncertainty_ms": 1.5}) == FramesShown(
        "a", (ShownFrame(7, None, 1.0105, 1.02, 0.002),), 0.0015
    )


@pytest.mark.parametrize(
    ("d", "error", "field"),
    [
        ({}, InvalidField, "data.d.rows"),
        ({"rows": {}}, InvalidField, "data.d.rows"),
        ({"rows": [], "more": 1}, InvalidField, "data.d.more"),
        ({"rows": [[0] * 5] * (MAX_ROWS + 1)}, TooLarge, "data.d.rows"),
        ({"rows": [[0] * 5, [0] * 4]}, InvalidField, "data.d.rows.1"),
        ({"rows": [[0, 0, float("nan"), 0, 0]]}, InvalidField, "data.d.rows.0.presented_ms"),
        ({"rows": [[1 << 32, 0, 0, 0, 0]]}, InvalidField, "data.d.rows.0.rtp"),
        ({"rows": [[True, 0, 0, 0, 0]]}, InvalidField, "data.d.rows.0.rtp"),
        ({"rows": [[0, -1, 0, 0, 0]]}, InvalidField, "data.d.rows.0.received_ms"),
        ({"rows": [], "uncertainty_ms": 501}, InvalidField, "data.d.uncertainty_ms"),
        ({"rows": [], "uncertainty_ms": None}, InvalidField, "data.d.uncertainty_ms"),
        ({"rows": [[0, 0, None, 0, 0]]}, InvalidField, "data.d.rows.0.presented_ms"),
        ({"rows": [[0, 0, 0, 0, "1"]]}, InvalidField, "data.d.rows.0.decode_ms"),
    ],
)  # fmt: skip
def test_bad_batches_name_the_number(d: dict[str, object], error: type[RequestError], field: str) -> None:
    with pytest.raises(error) as caught:
        frames_shown("a", d)
    assert caught.value.field == field
