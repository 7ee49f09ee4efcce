"""Micro-batches: nothing waits longer than the window, nothing is mixed up, whatever comes in whatever order."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.diffusion.runtime.batching import WINDOW_S, MicroBatches, Window
from models.diffusion.runtime.port import Estimate, Floats, Job
from realtime.core.errors import UpstreamError

KINDS = ((8, 8), (8, 16))


def _job(number: int, kind: int, shallow: bool) -> Job:
    height, width = KINDS[kind]
    picture = np.full((1, height, width), number, np.float32)
    return Job(picture, np.zeros(1, np.float32), 1.0, picture, picture if shallow else None)


class Doubling:
    """A runtime whose image is twice the picture; it refuses batches of mixed kinds, and keeps their sizes."""

    name = "doubling"
    most = 4

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def encode_reference(self, rest: Floats) -> Floats:
        return rest

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        assert len({job.kind for job in jobs}) == 1 and len(jobs) <= self.most
        self.sizes.append(len(jobs))
        if any(job.picture[0, 0, 0] < 0 for job in jobs):
            raise UpstreamError("refused")
        return [Estimate(2 * job.picture, job.picture) for job in jobs]

    def close(self) -> None:
        """Nothing to release."""


ARRIVALS = st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.floats(0, 0.003)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(ARRIVALS)
def test_a_window_gives_every_job_once_in_its_kind_and_in_time(arrivals: list[tuple[int, bool, float]]) -> None:
    window, now_s = Window(4), 0.0
    put_s: dict[int, float] = {}
    seen: list[int] = []

    def drain(until_s: float) -> None:
        while (wait := window.wait_s(clock[0])) is not None and clock[0] + wait <= until_s:
            clock[0] += wait
            # a wait in floats may end a rounding short of the window
            taken = window.take(clock[0] + 1e-12)
            assert taken and len({job.kind for job, _ in taken}) == 1 and len(taken) <= 4
            for job, _ in taken:
                number = int(job.picture[0, 0, 0])
                assert clock[0] - put_s[number] <= WINDOW_S + 1e-9
                seen.append(number)
        clock[0] = until_s

    clock = [0.0]
    for number, (kind, shallow, gap_s) in enumerate(arrivals):
        drain(now_s)
        window.put((_job(number, kind, shallow), Future()), now_s)
        put_s[number] = now_s
        now_s += gap_s
    drain(now_s + 1.0)
    assert sorted(seen) == list(range(len(arrivals))) and window.wait_s(now_s + 1.0) is None


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=3), min_size=1, max_size=8))
def test_sessions_get_their_own_pictures(sessions: list[list[tuple[int, bool]]]) -> None:
    runtime = Doubling()
    shared = MicroBatches(runtime)
    jobs = [[_job(100 * s + i, *one) for i, one in enumerate(some)] for s, some in enumerate(sessions)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(shared.evaluate, jobs))
    shared.close()
    for asked, got in zip(jobs, found, strict=True):
        assert [int(e.image[0, 0, 0]) for e in got] == [2 * int(job.picture[0, 0, 0]) for job in asked]
        assert [e.image.shape for e in got] == [job.picture.shape for job in asked]
    assert sum(runtime.sizes) == sum(map(len, jobs))


def test_what_comes_together_is_computed_together() -> None:
    runtime = Doubling()
    shared = MicroBatches(runtime, clock=lambda: 0.0)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(shared.evaluate, [_job(i, 0, False)]) for i in range(4)]
        for future in asked:
            future.result(timeout=60)
    shared.close()
    assert runtime.sizes == [4], "a full batch waits for no clock"


def test_an_error_reaches_who_asked_and_the_next_one_is_served() -> None:
    shared = MicroBatches(Doubling())
    with pytest.raises(UpstreamError, match="refused"):
        shared.evaluate([_job(-1, 0, False)])
    assert shared.evaluate([_job(3, 0, False)])[0].image[0, 0, 0] == 6
    shared.close()
    with pytest.raises(UpstreamError, match="closed"):
        shared.evaluate([_job(3, 0, False)])
