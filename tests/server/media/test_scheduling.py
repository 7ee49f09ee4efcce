"""No library schedules us: an AV1 encoder that is opened and used leaves every thread as it was."""

import os
from pathlib import Path

from server.media.reopened_encoders import Av1Encoder
from server.media.scheduling import own_scheduling
from tests.server.rtc.rig import HEIGHT, WIDTH, frame_of, texture


def policies() -> set[tuple[int, int]]:
    threads = [int(task.name) for task in Path("/proc/self/task").iterdir()]
    return {(os.sched_getscheduler(one), os.sched_getparam(one).sched_priority) for one in threads}


def test_an_av1_encoder_takes_no_real_time_priority() -> None:
    before = policies()
    encoder = Av1Encoder(WIDTH, HEIGHT, 25, ceiling_bps=1_000_000)
    for index in range(3):
        encoder.encode(frame_of(texture(), index), keyframe=False, bitrate_bps=300_000)
        assert policies() == before
    encoder.close()
    assert policies() == before


def test_what_changed_within_is_changed_back() -> None:
    policy = os.sched_getscheduler(0)
    with own_scheduling():
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    assert os.sched_getscheduler(0) == policy
