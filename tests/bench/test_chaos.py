"""The walk of `bench.chaos`: a plan from its seed, what is held against answers, a short one against a real server."""

from collections import Counter

import pytest

from bench.chaos import GOALS, measure
from bench.chaos_bad import REQUESTS, SOCKETS
from bench.chaos_checks import Held, kept_connections, severe
from bench.chaos_ledger import Ledger
from bench.chaos_plan import HOSTS, SERVER, USERS, WAYS, digest, plan
from bench.chaos_users import User


def test_the_same_seed_gives_the_same_plan() -> None:
    assert plan(7, 60.0, kills=2) == plan(7, 60.0, kills=2)
    assert digest(plan(7, 60.0)) != digest(plan(8, 60.0))
    # a longer walk begins as the shorter one does
    assert [step for step in plan(7, 60.0) if step.at_s < 20.0] == list(plan(7, 20.0))


def test_a_plan_does_everything_there_is() -> None:
    steps = [step for seed in range(30) for step in plan(seed, 120.0, kills=1)]
    assert {step.what for step in steps} == {*WAYS, "kill"}
    assert {step.user for step in steps} == {SERVER, *range(USERS)}
    assert all(step.how in WAYS[step.what] for step in steps if step.user != SERVER)
    assert {step.how for step in steps if step.what == "bad request"} == set(REQUESTS)
    assert {step.how for step in steps if step.what == "bad socket"} == set(SOCKETS)
    assert [step.at_s for step in plan(3, 30.0)] == sorted(step.at_s for step in plan(3, 30.0))


def test_only_the_hosts_that_are_wanted_are_asked_for() -> None:
    hows = {step.how for seed in range(9) for step in plan(seed, 60.0, hosts=HOSTS[:1]) if step.what == "create"}
    assert {how.split("/")[1] for how in hows} == {HOSTS[0]}


def test_every_step_can_be_done() -> None:
    for what in WAYS:
        assert hasattr(User, f"_{what.replace(' ', '_')}"), what


@pytest.mark.parametrize(
    ("status", "expected", "told", "counted"),
    [
        (200, (200,), False, (0, 0)),
        (404, (200,), False, (0, 0)),
        (503, (200,), True, (0, 0)),
        (503, (200,), False, (1, 0)),
        (500, (400,), False, (1, 0)),
        (501, (422, 501), False, (0, 0)),
        (422, (202,), False, (0, 1)),
        (200, (401,), False, (0, 1)),
    ],
)
def test_what_is_held_against_an_answer(
    status: int, expected: tuple[int, ...], told: bool, counted: tuple[int, int]
) -> None:
    ledger = Ledger()
    ledger.answered("a call", status, expected, retry_after=told)
    assert (ledger.bad_5xx, ledger.surprises) == counted
    assert bool(ledger.faults) == any(counted)


def test_errors_in_the_log_are_counted_with_their_tracebacks_and_killed_workers_are_none() -> None:
    killed = "2026-01-31T12:00:00.000Z ERROR server.gateway.workers: worker 1 ended with status -9 and is started anew"
    log = "\n".join(
        [
            "2026-01-31T12:00:00.000Z INFO server.app: ERROR is a word",
            "2026-01-31T12:00:00.000Z ERROR asyncio: Task exception was never retrieved",
            "Traceback (most recent call last):", "ValueError: no", killed, killed,
            "2026-01-31T12:00:00.000Z WARNING server.x: never mind",
        ]
    )  # fmt: skip
    found = severe(log, kills=1)
    assert len(found) == 2 and found[0].endswith("ValueError: no") and found[1] == killed


def test_what_is_held_is_compared_by_kind() -> None:
    before = Held(3, Counter(socket=5, pipe=2), 20, 9)
    assert Held(3, Counter(socket=7), 20, 9).within(before)
    assert not Held(3, Counter(socket=5, pipe=2), 21, 3).within(before)


def test_connections_between_gateway_and_workers_are_told_from_others() -> None:
    ends = [("A:1", "A:2", "01", 7), ("A:2", "A:1", "01", 8), ("A:3", "A:2", "01", 9), ("A:2", "A:4", "06", 10)]
    rows = [f"{n}: {own} {other} {state} 0:0 0:0 0 0 0 {inode} 1" for n, (own, other, state, inode) in enumerate(ends)]
    table = "\n".join(["sl local rem st tx tr retrnsmt uid timeout inode", *rows])
    assert kept_connections(table, {"7", "8", "9", "10"}) == 1
    assert kept_connections(table, {"7", "9"}) == 0


@pytest.mark.slow
def test_a_server_bears_a_short_walk() -> None:
    found = measure(12, seed=4, hosts=1)
    for goal in GOALS:
        # how long it took is the machine's affair too
        assert goal.key == "shutdown_s" or goal.met(found), (goal.key, found[goal.key], found["detail"])
    assert found["requests"] > 50
