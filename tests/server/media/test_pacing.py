"""The pacer and the wheel: pictures at once, keyframes in pieces, one timer for everybody."""

import asyncio

import pytest

from server.media.pacer import BURST_BYTES, PACING_FACTOR, Pacer
from server.media.wheel import TURN_S, Wheel
from tests.virtual_time import run_virtual


def test_a_picture_leaves_at_once_and_a_keyframe_at_the_paths_pace() -> None:
    pacer = Pacer(800_000)
    assert pacer.room_bytes(0.0) == BURST_BYTES
    sent_bytes, now_s = 0, 0.0
    while sent_bytes < 25_000:
        if pacer.room_bytes(now_s) > 0:
            pacer.sent(1200)
            sent_bytes += 1200
        else:
            now_s += 0.001
    paced_s = 8 * (25_000 - BURST_BYTES) / (PACING_FACTOR * 800_000)
    # the last packet may start on credit
    packet_s = 8 * 1200 / (PACING_FACTOR * 800_000)
    assert paced_s - packet_s <= now_s <= paced_s + 0.01
    # after a rest a picture leaves at once again, but no more than that
    assert pacer.room_bytes(now_s + 10) == BURST_BYTES


def test_a_backlog_knows_how_long_it_takes() -> None:
    pacer = Pacer(400_000)
    assert pacer.wait_s(12_500) == pytest.approx(0.1)
    pacer.path(800_000)
    assert pacer.wait_s(12_500) == pytest.approx(0.05)


def test_everybody_rides_on_one_timer_until_done() -> None:
    async def main() -> None:
        wheel = Wheel()
        turns = {"a": 0, "b": 0}

        def ride(name: str, count: int) -> bool:
            turns[name] += 1
            if turns[name] < count:
                wheel.add(riders[name])  # riders say again that they are not done
            return turns[name] < count

        riders = {"a": lambda: ride("a", 200), "b": lambda: ride("b", 3)}
        wheel.add(riders["a"])
        wheel.add(riders["b"])
        wheel.add(riders["b"])
        await asyncio.sleep(10.5 * TURN_S)
        assert turns == {"a": 10, "b": 3}
        await asyncio.sleep(1000 * TURN_S)
        assert turns == {"a": 200, "b": 3}

    run_virtual(main())


def test_a_rider_that_fails_is_thrown_off(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        wheel = Wheel()
        turns = []

        def fail() -> bool:
            raise ValueError("broken")

        def ride() -> bool:
            turns.append(1)
            return len(turns) < 5

        wheel.add(fail)
        wheel.add(ride)
        await asyncio.sleep(1.0)
        assert len(turns) == 5
        wheel.add(ride)
        wheel.stop()
        await asyncio.sleep(1.0)
        assert len(turns) == 5

    run_virtual(main())
    assert caplog.text.count("could not be sent") == 1
