"""The refiner: what it changes and what it leaves, when it steps, what it carries; nothing stops the picture."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.spec import MEI
from models.diffusion import refiner
from models.diffusion.refiner import FAILURES, STALE_FRAMES, Refiner, refiner_for
from models.diffusion.refiner_engine import Engine
from models.diffusion.refiner_face import IllustratedFaces, faces_of
from models.diffusion.runtime.port import Estimate, Floats, Job
from models.diffusion.spec import FIELDS, PICTURE_INDEX, window
from realtime.core.composite import planes
from realtime.core.errors import UpstreamError
from realtime.core.facs import REST, Controls
from realtime.core.values import I420, Patch
from tests.fakes import FlatAvatar

BASE = slice(PICTURE_INDEX["base_r"], PICTURE_INDEX["base_b"] + 1)
OPENING = PICTURE_INDEX["opening"]
SHUT, OPEN = REST.with_(AU24=0.7), REST.with_(AU25=0.8, AU26=0.6)


class Brighter:
    """A runtime that adds a fixed light inside the window, and keeps its jobs."""

    name = "brighter"
    most = 1

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.encoded = 0
        self.wrong: Exception | float | None = None

    def encode_reference(self, rest: Floats) -> Floats:
        self.encoded += 1
        _, height, width = rest.shape
        return np.zeros((1, height // 8, width // 8), np.float32)

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        if isinstance(self.wrong, Exception):
            raise self.wrong
        self.jobs += jobs
        light = np.float32(0.4 if self.wrong is None else self.wrong)
        found = []
        for job in jobs:
            _, height, width = job.picture.shape
            found.append(Estimate(job.picture[BASE] + light * window(width, height), job.reference))
        return found

    def close(self) -> None:
        """Nothing to release."""


class Bench:
    """A host and its refiner, frame by frame."""

    def __init__(
        self, host: IllustratedHost, objective: str = "flow", crops: Sequence[str] = ("mouth", "eyes")
    ) -> None:
        self.host, self.runtime, self.now_s = host, Brighter(), 0.0
        weights: Any = SimpleNamespace(name="fake", objective=objective, shallow=False, steps=2)
        self.engine = Engine(self.runtime, weights, {"illustrated": frozenset(crops)})
        faces = faces_of(host)
        assert faces is not None
        self.refiner = Refiner(self.engine, host, faces, 1, self._clock)
        self.cost_s = 0.0
        self.frame(OPEN)  # the first one only looks at the avatar
        self.runtime.jobs.clear()

    def _clock(self) -> float:
        self.now_s += self.cost_s
        return self.now_s

    def drawn(self, controls: Controls) -> list[Patch]:
        key = self.host.base_key(controls)
        base: I420 = self.host.render_base(key)
        return [self.host.draw(base, key, controls, region) for region in self.host.regions(key, controls)]

    def frame(self, controls: Controls, steps: int = 2, left_s: float = 1.0) -> tuple[list[Patch], list[Patch], int]:
        given = self.drawn(controls)
        found = self.refiner.refine(given, controls, steps, left_s)
        return given, list(found.patches), found.steps

    def levels(self) -> list[float]:
        taken = [job.level for job in self.runtime.jobs if job.picture.shape[1] == 96]
        self.runtime.jobs.clear()
        return taken


@pytest.fixture(scope="module")
def host() -> IllustratedHost:
    return IllustratedHost(MEI, paint_layers(MEI))


@pytest.fixture
def bench(host: IllustratedHost) -> Bench:
    return Bench(host)


@pytest.fixture
def carried_mouth(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mouth goes on from its last output, as other crops do."""
    monkeypatch.setattr(refiner, "ANEW", frozenset())


def changed(before: Patch, after: Patch) -> int:
    return int((before.pixels.astype(int) != after.pixels).sum())


def test_it_brightens_the_mouth_and_leaves_the_patchs_border(bench: Bench) -> None:
    (given,), (made,), steps = bench.frame(OPEN)
    assert steps == 2 and changed(given, made) > 500
    luma, before = planes(made.pixels)[0].astype(int), planes(given.pixels)[0]
    assert (luma - before).min() >= 0 and (luma - before).max() > 20
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.array_equal(luma[edge], before[edge])
    assert (luma == before).mean() > 0.4, "skin far from the lips stays bit by bit"


def test_the_net_sees_the_opening_where_it_is(bench: Bench) -> None:
    bench.frame(OPEN)
    picture = next(job.picture for job in bench.runtime.jobs if job.picture.shape[1] == 96)
    rows, columns = np.nonzero(picture[OPENING] > 0.5)
    assert len(rows) > 100 and 30 < rows.mean() < 70 and 50 < columns.mean() < 78
    assert picture[BASE].mean(0)[rows, columns].mean() < picture[BASE].mean() - 0.2, "it is dark there"
    assert picture.shape[0] == len(PICTURE_INDEX) and np.abs(picture[-2:]).max() < 1
    assert picture[PICTURE_INDEX["upper_lip"] : PICTURE_INDEX["upper_lip"] + len(FIELDS)].max() <= 1


def test_a_still_face_costs_nothing_and_stays_refined(bench: Bench) -> None:
    given, made, _ = bench.frame(OPEN)
    bench.runtime.jobs.clear()
    again = bench.refiner.refine(given, OPEN, 2, 1.0)
    assert again.patches == tuple(made) and again.steps == 0 and not bench.runtime.jobs
    own = bench.refiner.refine(made, OPEN, 2, 1.0)
    assert own.patches == tuple(made), "its own patches are not refined again"


@pytest.mark.usefixtures("carried_mouth")
def test_movement_decides_the_steps(bench: Bench) -> None:
    bench.frame(OPEN)
    assert bench.levels() == [1.0, 0.55], "the first time, from nothing"
    assert bench.frame(OPEN.with_(AU26=0.605))[2] == 0
    assert bench.levels() == []
    assert bench.frame(OPEN.with_(AU26=0.67))[2] == 1
    assert bench.levels() == [0.30]
    assert bench.frame(OPEN.with_(AU26=0.95))[2] == 2
    assert bench.levels() == [0.55, 0.30]


def test_the_mouth_begins_anew_with_every_shape(bench: Bench) -> None:
    bench.frame(OPEN)
    bench.runtime.jobs.clear()
    bench.frame(OPEN.with_(AU26=0.95))
    first = next(job for job in bench.runtime.jobs if job.picture.shape[1] == 96)
    previous = [PICTURE_INDEX[f"previous_{channel}"] for channel in "rgb"]
    assert not first.picture[PICTURE_INDEX["previous_valid"]].any()
    assert np.array_equal(first.picture[previous], first.picture[BASE])
    assert bench.levels() == [1.0, 0.55]


def test_a_second_step_that_does_not_pay_is_not_made(bench: Bench) -> None:
    bench.engine.weights.steps = 1  # type: ignore[misc]  # of a stand-in, whose card is attributes
    assert bench.frame(OPEN)[2] == 1 and bench.levels() == [1.0]


def test_small_movements_add_up(bench: Bench) -> None:
    bench.frame(OPEN)
    steps = [bench.frame(OPEN.with_(AU26=0.6 + 0.012 * i))[2] for i in range(1, 9)]
    assert steps[0] == 0 and 1 in steps


@pytest.mark.usefixtures("carried_mouth")
def test_the_budget_bounds_the_steps(bench: Bench) -> None:
    assert bench.frame(OPEN, steps=1)[2] == 1
    bench.levels()
    assert bench.frame(OPEN.with_(AU26=0.95), steps=1)[2] == 1
    assert bench.levels() == [0.30]


def test_the_second_step_is_left_out_when_time_is_short(bench: Bench) -> None:
    bench.cost_s = 0.01
    given, made, steps = bench.frame(OPEN, left_s=0.015)
    assert steps == 1 and bench.levels() == [1.0] and changed(given[0], made[0])


def test_without_steps_what_was_added_is_carried_and_fades(bench: Bench) -> None:
    given, made, _ = bench.frame(OPEN)
    full, seen = changed(given[0], made[0]), []
    for i in range(STALE_FRAMES + 2):
        given, made, steps = bench.frame(OPEN.with_(AU26=0.6 + 0.02 * (i % 2 + 1)), steps=0)
        assert steps == 0
        seen.append(changed(given[0], made[0]))
    assert seen[0] > 0.8 * full and seen[-1] == 0 and seen[STALE_FRAMES - 2] > 0


def test_what_is_stale_is_no_guess(bench: Bench) -> None:
    bench.frame(OPEN)
    for i in range(STALE_FRAMES):
        bench.frame(OPEN.with_(AU26=0.6 + 0.02 * (i % 2 + 1)), steps=0)
    bench.levels()
    bench.frame(OPEN.with_(AU26=0.65))
    assert bench.levels() == [1.0, 0.55]


@pytest.mark.usefixtures("carried_mouth")
def test_lips_that_close_begin_anew(bench: Bench) -> None:
    bench.frame(OPEN)
    bench.levels()
    bench.frame(SHUT)
    assert bench.levels() == [1.0, 0.55]
    bench.frame(OPEN)
    assert bench.levels() == [0.55, 0.30], "an opening is new, but the lips are known"


@pytest.mark.usefixtures("carried_mouth")
def test_a_late_result_is_where_the_next_frame_goes_on(bench: Bench) -> None:
    bench.refiner.refine(bench.drawn(OPEN), OPEN, 2, -1.0)
    bench.levels()
    bench.frame(OPEN.with_(AU26=0.95))
    assert bench.levels() == [0.55, 0.30]


def test_while_it_works_another_frame_passes_as_it_is(bench: Bench) -> None:
    begun, go_on = threading.Event(), threading.Event()
    evaluate = bench.runtime.evaluate

    def slow(jobs: Sequence[Job]) -> list[Estimate]:
        begun.set()
        go_on.wait(60)
        return evaluate(jobs)

    bench.runtime.evaluate = slow  # type: ignore[method-assign]
    late = threading.Thread(target=bench.frame, args=(OPEN,))
    late.start()
    begun.wait(60)
    given = bench.drawn(OPEN)
    assert bench.refiner.refine(given, OPEN, 2, 1.0).patches == tuple(given)
    go_on.set()
    late.join()


def test_mattes_and_alphas_are_kept(bench: Bench) -> None:
    (patch,) = bench.drawn(OPEN)
    shape = (patch.roi.height, patch.roi.width)
    matte, alpha = np.full(shape, 235, np.uint8), np.full(shape, 255, np.uint8)
    made = bench.refiner.refine([replace(patch, matte=matte, alpha=alpha)], OPEN, 2, 1.0).patches[0]
    assert made.matte is matte and made.alpha is alpha and changed(patch, made)


@pytest.mark.parametrize("wrong", [UpstreamError("no device"), ValueError("a defect"), float("nan")])
def test_a_failing_net_leaves_the_picture_and_is_given_up(
    bench: Bench, wrong: Exception | float, caplog: pytest.LogCaptureFixture
) -> None:
    bench.runtime.wrong = wrong
    for i in range(FAILURES + 2):
        given, made, steps = bench.frame(OPEN.with_(AU26=0.6 + 0.1 * (i % 2)))
        assert made == given and steps == 0
    assert len([r for r in caplog.records if "refining failed" in r.message]) == FAILURES
    assert "goes on without it" in caplog.text


def test_a_net_that_fails_once_is_tried_again(bench: Bench) -> None:
    bench.runtime.wrong = UpstreamError("once")
    assert bench.frame(OPEN)[2] == 0
    bench.runtime.wrong = None
    assert bench.frame(OPEN.with_(AU26=0.7))[2] == 2


def test_the_regressor_takes_one_step_and_sees_no_noise(host: IllustratedHost) -> None:
    bench = Bench(host, "regressor")
    bench.frame(OPEN)
    job = next(job for job in bench.runtime.jobs if job.picture.shape[1] == 96)
    assert bench.levels() == [1.0] and np.array_equal(job.picture[:3], job.picture[BASE])


def test_a_crop_that_gains_nothing_is_left_alone(host: IllustratedHost) -> None:
    bench = Bench(host, crops=("mouth",))
    looking = OPEN.with_(gaze_x=0.5, blink_l=0.5, blink_r=0.5)
    given, made, _ = bench.frame(looking)
    assert len(given) == 2 and [a is b for a, b in zip(given, made, strict=True)].count(True) == 1
    assert {job.picture.shape[1] for job in bench.runtime.jobs} == {96}
    assert bench.frame(looking.with_(gaze_x=-0.5))[2] == 0


def test_equal_seeds_give_equal_pictures(host: IllustratedHost) -> None:
    first, second = Bench(host), Bench(host)
    for controls in (OPEN, OPEN.with_(AU26=0.7, yaw=3.0), SHUT):
        a, b = first.frame(controls)[1], second.frame(controls)[1]
        assert all(np.array_equal(x.pixels, y.pixels) for x, y in zip(a, b, strict=True))
    assert np.array_equal(first.runtime.jobs[-1].picture, second.runtime.jobs[-1].picture)


def test_references_are_made_once_for_all_sessions(bench: Bench, host: IllustratedHost) -> None:
    faces = faces_of(host)
    assert faces is not None
    other = Refiner(bench.engine, host, faces, 2)
    other.refine(bench.drawn(OPEN), OPEN, 2, 1.0)
    assert bench.runtime.encoded == 2, "a mouth and a pair of eyes"


def test_only_what_is_improved_gets_a_refiner(bench: Bench, host: IllustratedHost) -> None:
    assert isinstance(faces_of(host), IllustratedFaces)
    assert refiner_for(bench.engine, host, 1) is not None
    assert refiner_for(None, host, 1) is None
    assert refiner_for(bench.engine, FlatAvatar(), 1) is None
    bench.engine.kinds = {"portrait": frozenset({"mouth"})}
    assert refiner_for(bench.engine, host, 1) is None


def test_a_second_step_takes_over_deep_features_where_the_card_allows_it(bench: Bench) -> None:
    bench.frame(OPEN)
    assert [job.deep is None for job in bench.runtime.jobs] == [True, True]
    bench.engine.weights.shallow = True  # type: ignore[misc]  # not real weights here
    bench.runtime.jobs.clear()
    bench.frame(OPEN.with_(AU26=0.95))
    assert [job.deep is None for job in bench.runtime.jobs] == [True, False]
