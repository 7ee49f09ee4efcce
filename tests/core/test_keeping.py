"""What is wanted again is told from what is wanted once; what is used stays, what is not makes room."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.keeping import Allowance, Sieve, Wanted


def test_what_stays_for_a_while_is_wanted_once() -> None:
    wanted: Wanted[str] = Wanted(apart=3)
    assert not any(wanted.again("a") for _ in range(50))
    for other in "bcd":
        assert not wanted.again(other)
    assert wanted.again("a") and not wanted.again("a"), "and counts anew from there"


def test_two_that_take_turns_are_wanted_once_each() -> None:
    wanted: Wanted[str] = Wanted(apart=10)
    assert not any(wanted.again(key) for _ in range(50) for key in "ab")


def test_the_longest_forgotten_is_not_remembered() -> None:
    wanted: Wanted[int] = Wanted(apart=0, remembered=4)
    for key in range(5):
        wanted.again(key)
    assert len(wanted) == 4 and not wanted.again(0) and wanted.again(3)


def test_what_was_used_is_passed_over_once() -> None:
    sieve: Sieve[int] = Sieve()
    for key in range(4):
        sieve.add(key)
    sieve.use(0)
    sieve.use(2)
    assert [sieve.evict() for _ in range(2)] == [1, 3]
    assert list(sieve) == [0, 2]
    sieve.add(4)
    # the hand is behind the oldest: it began anew, and nothing was used since
    assert [sieve.evict() for _ in range(3)] == [4, 0, 2]


def test_what_comes_new_does_not_push_out_what_is_used() -> None:
    sieve: Sieve[int] = Sieve()
    for key in range(10):
        sieve.add(key)
    for passing in range(100, 200):
        for key in range(5):
            sieve.use(key)
        sieve.evict()
        sieve.add(passing)
    assert set(range(5)) <= set(sieve) and len(sieve) == 10


@given(st.lists(st.tuples(st.sampled_from(["add", "use", "drop", "evict"]), st.integers(0, 6)), max_size=60))
def test_it_holds_what_a_set_would_hold(steps: list[tuple[str, int]]) -> None:
    sieve: Sieve[int] = Sieve()
    held: set[int] = set()
    for what, key in steps:
        if what == "evict":
            if held:
                held.remove(sieve.evict())
        else:
            getattr(sieve, what)(key)
            if what != "use":
                (held.add if what == "add" else held.discard)(key)
        assert set(sieve) == held and len(sieve) == len(held) == len(list(sieve))
        assert all(one in sieve for one in held)


def test_an_allowance_fills_the_room_and_then_an_hours_part_each_hour() -> None:
    allowance = Allowance(room=100, per_h=10.0, now_s=0.0)
    assert sum(allowance.take(0.0) for _ in range(500)) == 100
    taken = [sum(allowance.take(60.0 * minute) for _ in range(5)) for minute in range(1, 24 * 60 + 1)]
    assert 239 <= sum(taken) <= 240 and max(taken) == 1, "evenly"
    assert sum(allowance.take(1e6) for _ in range(500)) == 10, "what was not taken gathers for an hour"


def test_an_allowance_without_room_begins_with_an_hours_part() -> None:
    allowance = Allowance(room=0, per_h=10.0, now_s=50.0)
    assert sum(allowance.take(50.0) for _ in range(500)) == 10
    small = Allowance(room=0, per_h=0.01, now_s=0.0)
    assert [small.take(at_s) for at_s in (0.0, 1800.0, 3600.0)] == [True, False, True], "one an hour at least"
