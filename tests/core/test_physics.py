"""What hangs on the head lags, swings out, comes to rest, and never bursts."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.core.facs import CONTROL_INDEX, REST, controls
from realtime.core.physics import FOLLOWING, SPRINGS, STILL_PX, FollowThrough, decayed
from realtime.core.plan import Plan

HAIR = list(SPRINGS).index("hair_x")


def shake(media_s: float) -> NDArray[np.float32]:
    """A head that turns to one side within a fifth of a second."""
    return controls(yaw=float(np.clip(60 * media_s - 3, 0, 12))).vector


def swung(pose: Callable[[float], NDArray[np.float32]], times: NDArray[np.float64]) -> NDArray[np.float32]:
    hanging = FollowThrough()
    return np.stack([hanging.step(pose(t), t) for t in times])


def test_hair_lags_behind_the_head_then_swings_past_it_and_rests() -> None:
    course = swung(shake, np.arange(0, 8, 0.04))[:, HAIR]
    assert course[4] < -0.2, "turned right, the hair stays behind on the left"
    assert course[5:30].max() > 0.1, "and swings past"
    assert not course[-50:].any(), "and comes to rest"


@pytest.mark.parametrize("spring", SPRINGS.values())
@pytest.mark.parametrize("elapsed_s", [1e-6, 0.001, 0.04, 0.5, 3.0, 1e4])
def test_a_spring_is_stable_at_any_step(spring: object, elapsed_s: float) -> None:
    one = next(s for s in SPRINGS.values() if s is spring)
    offset, speed = decayed(5.0, -40.0, elapsed_s, one)
    omega = 2 * np.pi * one.frequency_hz
    energy = speed**2 + (omega * offset) ** 2
    assert energy <= 40.0**2 + (omega * 5.0) ** 2


def test_two_steps_are_one() -> None:
    spring = SPRINGS["hair_x"]
    halfway = decayed(3.0, 10.0, 0.17, spring)
    assert decayed(*halfway, 0.23, spring) == pytest.approx(decayed(3.0, 10.0, 0.40, spring))


def test_dropped_frames_change_little_and_burst_nothing() -> None:
    times = np.arange(0, 6, 0.04)
    kept = np.ones(len(times), bool)
    kept[np.random.default_rng(3).integers(30, len(times), 60)] = False
    full, dropped = swung(shake, times), swung(shake, times[kept])
    assert np.abs(full[kept] - dropped).max() < 0.05
    assert np.abs(dropped).max() <= 1.0


def test_a_gap_forgets_the_swing() -> None:
    hanging = FollowThrough()
    for t in np.arange(0, 0.24, 0.04):
        hanging.step(shake(t), t)
    assert not hanging.step(controls(yaw=-20.0).vector, 9.0).any()
    assert not hanging.step(controls(yaw=-20.0).vector, 9.04).any()


def test_equal_poses_at_equal_times_swing_equally() -> None:
    times = np.arange(0, 3, 0.04)
    assert np.array_equal(swung(shake, times), swung(shake, times))
    hanging = FollowThrough()
    hanging.step(shake(0.1), 0.1)
    assert np.array_equal(hanging.step(shake(5.0), 0.1), hanging.step(shake(5.0), 0.1))


def test_a_head_that_jumps_strikes_no_blow_beyond_the_reach() -> None:
    hanging = FollowThrough()
    for frame in range(500):
        wild = REST.with_(yaw=20.0 * (-1) ** frame, roll=20.0 * (-1) ** frame, shoulders=(-1.0) ** frame)
        offsets = hanging.step(wild.vector, 0.04 * frame)
        assert np.isfinite(offsets).all() and np.abs(offsets).max() <= 1.0


def test_an_idle_host_hardly_stirs_its_hair() -> None:
    plan = Plan(seed=1)
    shown = np.stack([plan.sample(frame / 25).controls.vector[FOLLOWING] for frame in range(1500)])
    reach_px = np.array([spring.reach_px for spring in SPRINGS.values()])
    stirred = (np.abs(shown) * reach_px > STILL_PX / 2).any(1)
    assert stirred.mean() < 0.10


def test_a_shaken_head_is_seen_in_the_plan() -> None:
    plan = Plan(seed=1)
    plan.gesture("shake", 1.0)
    course = [plan.sample(frame / 25).controls.vector[CONTROL_INDEX["hair_x"]] for frame in range(200)]
    assert max(course) > 0.5 and min(course) < -0.5
    assert abs(course[-1]) < 0.05
