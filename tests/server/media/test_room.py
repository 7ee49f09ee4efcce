"""Which encoding a viewer's path calls for, and how viewers move between encodings in a room."""

import pytest

from realtime.core.governor import RUNGS, RungChooser
from realtime.core.values import FrameTrace
from server.media.packets import EgressStats, EncodedVideo
from server.media.room import HELD_MOST, Rung, VideoRoom
from tests.server.rtc.rig import frame_of, patches

FLOORS = tuple(spec.floor_bps for spec in RUNGS)


def test_down_at_once_up_after_a_while() -> None:
    chooser = RungChooser()
    chosen = []
    for step in range(200):
        at_s = step * 0.1
        budget_bps = 1_000_000 if at_s < 2 else 200_000 if at_s < 4 else 90_000 if at_s < 6 else 1_000_000
        chosen.append(chooser.choose(budget_bps, at_s, FLOORS))
    assert (chosen[19], chosen[20], chosen[40], chosen[60]) == (0, 1, 2, 2)
    assert (chosen.index(1, 60), chosen.index(0, 60)) == (100, 141)


def test_a_moment_below_the_floor_is_borne() -> None:
    chooser = RungChooser()
    chosen = [chooser.choose(300_000 if step % 20 < 10 else 400_000, step * 0.1, FLOORS) for step in range(100)]
    assert set(chosen) == {0}
    chosen = [chooser.choose(300_000, 10 + step * 0.1, FLOORS) for step in range(30)]
    assert chosen == [0] * 20 + [1] * 10


def test_a_budget_between_the_rungs_does_not_swing() -> None:
    chooser = RungChooser()
    chosen = [chooser.choose(200_000 + 220_000 * (step % 2), step * 0.1, FLOORS) for step in range(200)]
    assert set(chosen) == {1}


def _room() -> VideoRoom:
    return VideoRoom((64, 64), EgressStats(), start_bps=1_000_000, max_bps=1_500_000)


def _unit(*, keyframe: bool) -> EncodedVideo:
    return EncodedVideo("H264", 0, keyframe, (b"x",), 1, FrameTrace())


def _play(room: VideoRoom, at_s: float, keyframes: tuple[str, ...]) -> None:
    """One frame: every rung makes a unit, a keyframe where named or where one is due."""
    room.choose(at_s)
    made: dict[Rung, EncodedVideo] = {}
    for rung in room.wanted():
        keyframe = rung.spec.name in keyframes and rung.gate.due(at_s)
        unit = _unit(keyframe=keyframe)
        if keyframe:
            rung.gate.made(at_s)
        made[rung] = unit
        room.deliver(rung, unit)
    room.settle(made)


def test_a_switch_happens_at_a_keyframe_and_nobody_gets_two_pictures_of_one_frame() -> None:
    room = _room()
    got: dict[str, list[EncodedVideo]] = {"weak": [], "strong": []}

    def collect(name: str, unit: EncodedVideo) -> bool:
        got[name].append(unit)
        return True

    weak = room.join("H264", lambda unit: collect("weak", unit))
    room.join("H264", lambda unit: collect("strong", unit))
    _play(room, 0.0, ("high",))
    weak.budget.measured(300_000)  # a moment later its goal is another rung, but it stays until that has a keyframe
    _play(room, 1.0, ())
    assert room.census() == {"H264 high": 2}
    assert [rung.spec.name for rung in room.wanted()] == ["high", "low"]
    _play(room, 1.04, ("low",))
    assert room.census() == {"H264 high": 1, "H264 low": 1}
    _play(room, 1.08, ())
    assert [len(units) for units in got.values()] == [4, 4]
    assert [unit.keyframe for unit in got["weak"]] == [True, False, True, False]
    weak.close()
    assert [rung.spec.name for rung in room.wanted()] == ["high"]


def test_the_weakest_viewer_of_a_rung_sets_its_rate_within_bounds() -> None:
    room = _room()
    viewers = [room.join("H264", None) for _ in range(2)]
    (rung,) = room.wanted()
    assert rung.bitrate_bps() == 1_000_000
    viewers[0].budget.measured(800_000)
    assert rung.bitrate_bps() == viewers[0].budget.bps
    viewers[0].budget.measured(100_000)
    assert rung.bitrate_bps() == rung.spec.least_bps
    viewers[0].close()
    assert rung.bitrate_bps() == 1_000_000


def test_who_falls_far_behind_a_crowd_leaves_its_rung() -> None:
    room = _room()
    viewers = [room.join("H264", None) for _ in range(5)]
    _play(room, 0.0, ("high",))
    for viewer in viewers:
        viewer.budget.measured(2_000_000)
    viewers[0].budget.measured(566_000)  # above the rung's floor, far below half of what the others have
    _play(room, 1.0, ("low",))
    assert room.census() == {"H264 high": 4, "H264 low": 1}
    (high, _) = room.wanted()
    assert high.bitrate_bps() == 1_500_000


def test_the_small_rung_shows_every_other_frame_at_half_the_size() -> None:
    room = VideoRoom((128, 96), EgressStats(), start_bps=80_000, max_bps=1_500_000)
    room.join("H264", None)
    room.choose(0.0)
    rung = next(rung for rung in room.wanted() if rung.spec.name == "small")
    shown = []
    for index in range(8):
        frame = frame_of(patches(128, 96), index)
        if rung.due(frame, index * 0.04, 25):
            unit = room.encode(rung, frame, keyframe=index == 0, bitrate_bps=100_000)
            rung.gate.made(index * 0.04)
            rung.last_pts = frame.pts
            shown.append(index)
            assert unit.payloads
    assert shown == [0, 2, 4, 6]
    with pytest.raises(ValueError, match="shape"):
        room.encode(rung, frame_of(patches(64, 64)), keyframe=False, bitrate_bps=100_000)


def test_what_is_held_is_needed_until_a_keyframe_comes() -> None:
    room = _room()
    got: list[EncodedVideo] = []

    def collect(unit: EncodedVideo) -> bool:
        got.append(unit)
        return True

    room.join("H264", collect)
    _play(room, 0.0, ("high",))
    rung = room.wanted()[0]
    for _ in range(HELD_MOST + 2):
        room.hold(rung, _unit(keyframe=False))
    assert rung.gate.due(1.0) and not rung.gate.due(0.1), "a keyframe is asked for, and may have to wait"
    room.deliver(rung, _unit(keyframe=False))
    assert len(got) == 1 + HELD_MOST + 3, "until it is there, no picture can be decoded without all of those before it"
    room.settle({rung: _unit(keyframe=False)})
    room.hold(rung, _unit(keyframe=False))
    room.hold(rung, _unit(keyframe=True))
    assert [unit.keyframe for unit in rung.held] == [True], "a keyframe needs nothing of what came before it"
