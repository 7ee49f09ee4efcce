"""The updates bench counts what is shown: a mouth that was left out is missed, one that was drawn is not."""

import numpy as np

from bench.sync import Said
from bench.updates import Shown
from realtime.core.facs import REST
from realtime.core.roi import Dirt
from realtime.core.values import Frame, FrameTrace, Phoneme, Pose, Roi
from tests.fakes import FlatAvatar

SAID = [Said(0.0, 1.0, (Phoneme("ɑː", 0.0, 1.0, 2),), np.zeros(0, np.int16))]


def shown(*, drawn: bool) -> Shown:
    found, avatar = Shown(), FlatAvatar()
    for index in range(25):
        trace = FrameTrace(rois={"lower": Roi(0, 0, 2, 2)}, drawn=["lower"] if drawn else [])
        frame = Frame(index, 0, 0.04 * index, 0, np.full((96, 64), 100, np.uint8), trace)
        found.add(frame, Pose(frame.media_s, 0, REST.with_(AU26=0.5), "speaking", True), avatar)
    return found


def test_a_mouth_that_is_never_drawn_is_missed() -> None:
    sounds, missed, _ = shown(drawn=False).missed(SAID)
    assert (sounds, missed) == (1, 1)


def test_a_drawn_mouth_is_not_missed_and_a_still_one_asks_for_no_step() -> None:
    found = shown(drawn=True)
    assert found.missed(SAID)[:2] == (1, 0)
    assert found.asked["lower"] == [Dirt.TWO_STEPS, *[Dirt.REUSE] * 24]


def test_the_filter_passes_over_whole_frames_that_look_alike() -> None:
    found = shown(drawn=True)
    assert found.skipped == 24 and found.missed(SAID)[2] == 0
