"""Frames that a denoiser improved come out of the event log bit by bit, late and failed calls included."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.spec import MEI
from models.diffusion.refiner import Refiner
from models.diffusion.refiner_engine import Engine, open_engine
from models.diffusion.refiner_face import faces_of
from models.diffusion.runtime.port import Estimate, Job
from realtime.core.budget import CostModel, Ladder
from realtime.core.errors import Malformed, UpstreamError
from realtime.core.facs import Emotion
from realtime.core.replaying import Record, RecordedPlan, redrawn_record
from realtime.core.values import Phoneme
from realtime.generator import Generator
from realtime.guarding import Guarding
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.replay import Player, Replayed
from realtime.stock import Stock
from server.event_log import EventLog, read_log
from server.replaying.compose import Reopening
from tests.fakes import InlineCompute
from tests.models.diffusion.runtime.made import signed, written
from tests.virtual_time import now_s, run_virtual

SEED, USED = 5, {"improves": {"illustrated": ["mouth", "eyes"]}}


class Slow:
    """Where the denoiser works: every so many-th piece ends when its frame is long shown."""

    def __init__(self, every: int) -> None:
        self._every, self._calls = every, count(1)

    async def run(self, left_s: float, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async def later() -> Any:
            await asyncio.sleep(0.07 if next(self._calls) % self._every == 0 else 0.001)
            return work(*args, **kwargs)

        return await asyncio.shield(asyncio.create_task(later()))


class Failing:
    """A runtime that now and then fails."""

    def __init__(self, runtime: Any) -> None:
        self._runtime, self._calls = runtime, count(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        if next(self._calls) % 9 == 0:
            raise UpstreamError("the device is gone")
        found: list[Estimate] = self._runtime.evaluate(jobs)
        return found


@pytest.fixture(scope="module")
def host() -> IllustratedHost:
    return IllustratedHost(MEI, paint_layers(MEI))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("weights"), **USED)


def _engine(place: Path) -> Engine:
    engine, about = open_engine(str(place))
    assert engine is not None, about
    return engine


async def _session(host: IllustratedHost, engine: Engine, log: EventLog, length_s: float, every: int) -> None:
    """Somebody speaks, leaves in the middle of it, and comes again."""
    faces = faces_of(host)
    assert faces is not None
    ticks = count()
    refiner = Refiner(engine, host, faces, SEED, lambda: 0.007 * next(ticks))
    plan, compute, slow = RecordedPlan(SEED, log.note), InlineCompute(), Slow(every)
    log.denoiser(refiner)
    shop = Workshop(
        plan, now_s, Stock(host), compute, CostModel(), Ladder("refine2"), refiner, slow,  # type: ignore[arg-type]
        guard=Guarding(host.displacement_px), on_refined=log.refined,
    )  # fmt: skip
    generator = Generator(
        shop, Mailbox(), on_frame=log.frame, on_redrawn=lambda trace: log.note(redrawn_record(trace)),
    )  # fmt: skip
    plan.speak([Phoneme(p, 0.2 + 0.1 * i, 0.3 + 0.1 * i) for i, p in enumerate("hɛloʊpamabɑː" * 4)], 0.2, 5.0)
    loop = asyncio.get_running_loop()
    loop.call_at(0.9, plan.feel, Emotion.SURPRISE, 0.8, 0.9)
    for _ in range(2):
        log.note({"do": "begun"})
        task = asyncio.create_task(generator.run())
        await asyncio.sleep(length_s / 2)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.5)


def _recorded(host: IllustratedHost, engine: Engine, path: Path, length_s: float = 3.0, every: int = 7) -> list[Record]:
    log = EventLog(path, {"anima_log": 1, "seed": SEED}, with_text=False)
    run_virtual(_session(host, engine, log, length_s, every))
    log.close()
    return list(read_log(path)[1])


def _replayed(host: IllustratedHost, place: Path | str, log: list[Record]) -> tuple[list[Replayed], str]:
    reopening = Reopening(str(place))
    player = Player(SEED, Stock(host), reopening.open)
    frames = list(player.frames(log))
    reopening.close()
    return frames, player.lacking


@pytest.fixture(scope="module")
def log(host: IllustratedHost, place: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    engine = _engine(place)
    found = _recorded(host, engine, tmp_path_factory.mktemp("logs") / "a.jsonl")
    engine.close()
    return found


def test_improved_frames_come_again_bit_by_bit(host: IllustratedHost, place: Path, log: list[Record]) -> None:
    frames, lacking = _replayed(host, place, log)
    assert len(frames) > 60 and not lacking
    assert [frame.index for frame in frames if not frame.same] == []
    told = {record["call"]: index for index, record in enumerate(log) if record["do"] == "refined"}
    shown = {record["call"]: index for index, record in enumerate(log) if "call" in record and "digest" in record}
    assert any(told[call] > index for call, index in shown.items() if call in told), "late calls are among them"
    assert sum(bool(record.get("better")) for record in log) > 20
    assert {record.get("rounds", 0) for record in log if record["do"] == "refined"} >= {0, 1}


def test_without_the_weights_these_frames_are_not_compared(
    host: IllustratedHost, place: Path, log: list[Record], tmp_path: Path
) -> None:
    frames, lacking = _replayed(host, "off", log)
    same = [frame.same for frame in frames]
    assert "here is none: off" in lacking and None in same and True in same and False not in same
    assert {frame.lacks for frame in frames} == {"", "denoiser"}
    other = tmp_path / "other"
    copytree(place, other)
    signed(other, **USED, objective="regressor")
    frames, lacking = _replayed(host, other, log)
    assert lacking.startswith("another denoiser improved these frames: weights ")
    assert [frame.same for frame in frames] == same


def test_another_number_of_steps_makes_other_frames(host: IllustratedHost, place: Path, log: list[Record]) -> None:
    at = next(i for i, record in enumerate(log) if record["do"] == "refined" and record.get("rounds") == 2)
    changed = [*log[:at], log[at] | {"rounds": 1}, *log[at + 1 :]]
    assert False in [frame.same for frame in _replayed(host, place, changed)[0]]
    lost = [record for index, record in enumerate(log) if index != at]
    assert False not in [frame.same for frame in _replayed(host, place, lost[:at])[0]]


def test_calls_that_failed_come_again(host: IllustratedHost, place: Path, tmp_path: Path) -> None:
    engine = _engine(place)
    failing: Any = Failing(engine.runtime)
    log = _recorded(host, Engine(failing, engine.weights, engine.kinds), tmp_path / "a.jsonl")
    engine.close()
    assert any(record.get("failed") for record in log)
    frames, _ = _replayed(host, place, log)
    assert all(frame.same for frame in frames)


@pytest.mark.parametrize("wrong", [{"steps": 3}, {"rounds": -1}, {"places": "x"}, {"steps": None}])
def test_a_call_that_makes_no_sense_is_an_error(
    host: IllustratedHost, place: Path, log: list[Record], wrong: Record
) -> None:
    changed = [record | wrong if record["do"] == "refined" else record for record in log]
    with pytest.raises(Malformed):
        _replayed(host, place, changed)
