"""Turn-taking on hand-made windows: beginnings, pauses, ends, patience."""

from collections.abc import Iterable

from realtime.core.listening import WINDOW_S, Window
from realtime.core.turns import MAX_TURN_S, PATIENCE_MAX_S, PATIENCE_S, TurnEvent, TurnTaker


class Line:
    """Feeds a turn taker on a time line of its own."""

    def __init__(self) -> None:
        self.taker = TurnTaker()
        self.now_s = 0.0

    def feed(self, voice: bool, seconds: float, *, unexplained: float = 1.0, doubtful: bool = False) -> list[TurnEvent]:
        found = []
        for _ in range(round(seconds / WINDOW_S)):
            self.now_s += WINDOW_S
            window = Window(
                self.now_s, 0.95 if voice else 0.02, -25.0 if voice else -60.0, 30.0 if voice else 1.0, unexplained,
                None, doubtful,
            )  # fmt: skip
            event = self.taker.feed(window)
            if event is not None:
                found.append(event)
        return found


def kinds(events: Iterable[TurnEvent]) -> list[str]:
    return [event.kind for event in events]


def test_a_turn_begins_after_an_eighth_of_a_second_and_ends_after_a_silence() -> None:
    line = Line()
    line.feed(False, 1.0)
    began_s = line.now_s
    [started] = line.feed(True, 1.0)
    assert started.kind == "started" and abs(started.at_s - began_s - 0.128) < 0.001
    assert started.from_s <= began_s + 1e-6
    stopped_s = line.now_s
    paused, ended = line.feed(False, 1.0)
    assert kinds((paused, ended)) == ["paused", "ended"]
    assert abs(paused.at_s - stopped_s - 0.224) < 0.001
    assert PATIENCE_S <= ended.at_s - stopped_s < PATIENCE_S + WINDOW_S
    assert abs(ended.until_s - stopped_s) < 0.001 and not line.taker.speaking


def test_clicks_coughs_and_echoes_are_no_turns() -> None:
    line = Line()
    for _ in range(10):
        assert not line.feed(True, 0.1) and not line.feed(False, 0.2)
    assert not line.feed(True, 3.0, unexplained=0.4)
    [started] = line.feed(True, 0.13)
    assert kinds([started, *line.feed(False, 1.0)]) == ["started", "paused", "dismissed"]


def test_while_an_echo_may_come_back_more_is_asked_for() -> None:
    line = Line()
    assert not line.feed(True, 0.7, doubtful=True)
    [started] = line.feed(True, 0.3, doubtful=True)
    assert started.at_s - started.from_s > 0.8


def test_who_pauses_in_a_turn_is_given_more_time_but_not_for_ever() -> None:
    line = Line()
    line.feed(True, 1.0)
    assert kinds(line.feed(False, 0.55)) == ["paused"]
    assert kinds(line.feed(True, 0.5)) == ["resumed"]
    assert 0.6 < line.taker.patience_s <= PATIENCE_MAX_S
    assert kinds(line.feed(False, 0.64)) == ["paused"]
    assert kinds(line.feed(False, 0.4)) == ["ended"]
    for _ in range(12):
        line.feed(True, 1.0)
        line.feed(False, 0.3)
    assert line.taker.patience_s == PATIENCE_S, "long pauses are forgotten"


def test_an_endless_turn_is_cut() -> None:
    line = Line()
    events = line.feed(True, MAX_TURN_S + 2.0)
    assert kinds(events)[:2] == ["started", "ended"] and kinds(events)[2] == "started"
    assert abs(events[1].until_s - events[1].from_s - MAX_TURN_S) < 0.1


def test_a_microphone_that_goes_away_ends_the_turn() -> None:
    line = Line()
    assert line.taker.close(0.0) is None
    line.feed(True, 1.0)
    event = line.taker.close(1.5)
    assert event is not None and event.kind == "ended" and not line.taker.speaking
