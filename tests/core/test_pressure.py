"""Pressure on a process: felt within 200 ms from waits or from all sessions' frames, and gone half a second after."""

from collections.abc import Callable

import pytest

from realtime.core.budget import Step
from realtime.core.pressure import (
    CALM_S,
    ELSEWHERE,
    LIMITS,
    Depth,
    Pressure,
    Priority,
    Sign,
    Waits,
    depth_for,
    held_up_s,
)

LOOK_S = 0.02


class Machine:
    """Looks at a pressure every 20 ms; each look sees ten more waits as long as they are then."""

    def __init__(self, wait_s: Callable[[float], float], share: float = 0.7, sign: Sign = "threads") -> None:
        self.pressure, self.now_s = Pressure(), 0.0
        self.steps: list[Step] = []
        self._wait_s, self._share, self._sign = wait_s, share, sign
        self._waits = Waits(0, 0.0)

    def run(self, until_s: float, frame: Callable[[float], bool] = lambda now_s: False) -> "Machine":
        while self.now_s < until_s:
            self.now_s += LOOK_S
            self.pressure.framed(self._share, self.now_s, strained=frame(self.now_s))
            waits = Waits(self._waits.count + 10, self._waits.total_s + 10 * self._wait_s(self.now_s))
            self._waits = waits
            step = self.pressure.look({self._sign: waits}, self.now_s)
            if step is not None:
                self.steps.append(step)
        return self


@pytest.mark.parametrize("sign", list(LIMITS))
def test_waits_are_felt_within_200_ms_and_forgotten_half_a_second_after(sign: Sign) -> None:
    limit = LIMITS[sign]
    long_s = 1.5 * limit.some_s
    machine = Machine(lambda now_s: long_s if 1.0 <= now_s < 3.0 else 0.1 * limit.some_s, sign=sign).run(5.0)
    down, up = machine.steps
    assert down.kind == "pressure" and down.down and down.rung == "some" and "ms each" in down.reason
    assert 1.0 < down.at_s <= 1.2
    assert not up.down and 3.0 + CALM_S < up.at_s <= 3.0 + CALM_S + 0.15


def test_long_waits_are_much_pressure() -> None:
    machine = Machine(lambda now_s: 0.0 if now_s < 1.0 else 2 * LIMITS["threads"].much_s).run(1.3)
    assert machine.steps[-1].rung == "much" and machine.pressure.depth == 2


def test_how_long_much_pressure_has_lasted() -> None:
    wait_s = 2 * LIMITS["threads"].much_s
    machine = Machine(lambda now_s: wait_s if now_s >= 1.0 else 0.0).run(1.0)
    assert machine.pressure.much_s(machine.now_s) == 0.0
    machine.run(3.0)
    assert 1.8 < machine.pressure.much_s(machine.now_s) <= 2.0
    light = Machine(lambda now_s: 1.5 * LIMITS["threads"].some_s).run(3.0)
    assert light.pressure.depth == 1 and light.pressure.much_s(light.now_s) == 0.0


def test_low_priorities_are_pressed_deeper_and_high_ones_last() -> None:
    depths: tuple[Depth, ...] = (0, 1, 2)
    priorities: tuple[Priority, ...] = ("low", "normal", "high")
    pressed = {one: [depth_for(one, depth) for depth in depths] for one in priorities}
    assert pressed == {"low": [0, 2, 2], "normal": [0, 1, 2], "high": [0, 0, 1]}


def test_waits_that_no_frame_is_tight_for_harm_nobody() -> None:
    assert Machine(lambda now_s: 0.05, share=0.2).run(2.0).steps == []


def test_late_frames_of_several_sessions_are_a_sign_whatever_holds_them_up() -> None:
    machine = Machine(lambda now_s: 0.0, share=0.2).run(4.0, lambda now_s: 1.0 <= now_s < 2.0)
    down = [step for step in machine.steps if step.down]
    assert 1.0 < down[0].at_s <= 1.1 and "of all sessions late" in down[0].reason
    assert not machine.steps[-1].down and machine.steps[-1].at_s < 2.0 + CALM_S + 0.25


def test_a_rare_late_frame_is_no_pressure() -> None:
    assert Machine(lambda now_s: 0.0002).run(10.0, lambda now_s: round(now_s / LOOK_S) % 9 == 0).steps == []


def test_waits_about_the_limit_do_not_make_it_swing() -> None:
    limit_s = LIMITS["threads"].some_s
    steps = Machine(lambda now_s: limit_s * (1.05 if round(now_s / LOOK_S) % 20 < 10 else 0.8)).run(10.0).steps
    assert len(steps) == 1


def test_pressure_that_comes_back_at_once_is_waited_for_longer() -> None:
    steps = Machine(lambda now_s: 0.002 if now_s % 0.9 < 0.3 else 0.0).run(5.0).steps
    assert [step.down for step in steps][:3] == [True, False, True] and len(steps) == 3


def test_a_process_that_seldom_gets_to_look_feels_it_at_its_next_look() -> None:
    pressure = Pressure()
    pressure.look({"timers": Waits(100, 0.02)}, 1.0)
    pressure.framed(0.7, 1.0, strained=False)
    step = pressure.look({"timers": Waits(101, 0.20)}, 1.2)
    assert step is not None and step.rung == "much"


def test_what_another_process_feels_presses_this_one_at_once_and_ends_with_it() -> None:
    told: list[Depth] = []

    def exchange(sign: Depth, now_s: float) -> Depth:
        told.append(sign)
        return 2 if 1.0 <= now_s < 2.0 else 0

    pressure, steps = Pressure(), []
    for look in range(1, 200):
        steps.append(pressure.look({"threads": Waits(10 * look, 0.0)}, LOOK_S * look, exchange))
    down, up = [step for step in steps if step is not None]
    assert (down.rung, down.reason) == ("much", ELSEWHERE) and down.at_s == pytest.approx(1.0)
    assert not up.down and up.at_s == pytest.approx(2.0 + CALM_S, abs=2 * LOOK_S)
    assert set(told) == {0}, "what others feel is not told on: two would keep each other under pressure for ever"


def test_what_is_felt_here_is_told() -> None:
    told: list[Depth] = []
    pressure = Pressure()
    pressure.look({"timers": Waits(100, 0.02)}, 1.0)
    pressure.framed(0.7, 1.0, strained=False)

    def exchange(sign: Depth, now_s: float) -> Depth:
        told.append(sign)
        return 1

    step = pressure.look({"timers": Waits(101, 0.20)}, 1.2, exchange)
    assert told == [2] and step is not None and "event loop" in step.reason, "one's own deeper sign is the reason"


def test_where_it_is_crowded_shorter_waits_are_a_sign() -> None:
    def steps_with(crowd: float, wait_s: float) -> list[Step]:
        pressure, steps = Pressure(), []
        for look in range(1, 100):
            pressure.framed(0.7, LOOK_S * look, strained=False)
            waits = Waits(10 * look, 10 * look * wait_s)
            steps.append(pressure.look({"threads": waits}, LOOK_S * look, crowd=crowd if look > 25 else 0.9))
        return [step for step in steps if step is not None]

    (down,) = steps_with(4.0, 0.0003)
    assert down.down and 0.5 < down.at_s <= 0.7
    assert steps_with(2.0, 0.0003) == [], "one's own sessions are no crowd"
    assert steps_with(8.0, 0.0001) == [], "busy programs of a lower priority hold nobody up"


@pytest.mark.parametrize(("waited_s", "left_s", "held_s"), [(0.01, 0.04, 0.0), (0.03, 0.04, 0.01), (0.01, -0.02, 0.01)])
def test_work_is_held_up_by_what_it_cannot_spare(waited_s: float, left_s: float, held_s: float) -> None:
    assert held_up_s(waited_s, left_s) == pytest.approx(held_s)
