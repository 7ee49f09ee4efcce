"""Regions judged in control space, and where a frame's time went."""

import pytest

from realtime.core.roi import Dirt, judge, overlaps
from realtime.core.trace import StageWindow, durations_s
from realtime.core.values import FrameTrace, Roi


@pytest.mark.parametrize(
    ("moved_px", "dirt"),
    [(0.0, Dirt.REUSE), (0.24, Dirt.REUSE), (0.25, Dirt.WARP), (0.99, Dirt.WARP), (1.0, Dirt.ONE_STEP),
     (4.0, Dirt.ONE_STEP), (4.1, Dirt.TWO_STEPS)],
)  # fmt: skip
def test_thresholds(moved_px: float, dirt: Dirt) -> None:
    assert judge(moved_px) is dirt


def test_a_mouth_that_just_opened_asks_for_everything() -> None:
    assert judge(0.0, newly_opened=True) is Dirt.TWO_STEPS


@pytest.mark.parametrize("x, y, w, h", [(1, 0, 2, 2), (0, 0, 3, 2), (-2, 0, 2, 2), (0, 0, 0, 2)])
def test_regions_are_even_and_inside(x: int, y: int, w: int, h: int) -> None:
    with pytest.raises(ValueError):
        Roi(x, y, w, h)


def test_overlap() -> None:
    assert overlaps(Roi(0, 0, 4, 4), Roi(2, 2, 4, 4))
    assert not overlaps(Roi(0, 0, 4, 4), Roi(4, 0, 4, 4))


def trace(**stamps_s: float) -> FrameTrace:
    return FrameTrace(stamps_s=dict(stamps_s))


def test_durations_are_between_neighbouring_stamps() -> None:
    found = durations_s(trace(begun=1.0, posed=1.001, drawn=1.006, published=1.007))
    assert found == pytest.approx({"posed": 0.001, "drawn": 0.005, "published": 0.001})


def test_without_a_start_nothing_is_known() -> None:
    assert durations_s(trace(posed=1.0, drawn=2.0)) == {}


def test_the_window_forgets() -> None:
    window = StageWindow(size=10)
    for i in range(30):
        window.add(trace(begun=0.0, posed=0.010 if i < 20 else 0.002))
    assert window.summary_ms()["posed"] == {"p50": 2.0, "p95": 2.0}
