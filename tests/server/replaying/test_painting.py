"""A session whose background, clothes and product are painted comes out of its event log bit by bit."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.core.budget import CostModel, Ladder
from realtime.core.errors import Malformed, NotFound
from realtime.core.painting import TILE_PX, Canvas, Rgb
from realtime.core.replaying import Record, RecordedPlan, redrawn_record
from realtime.core.values import I420, Frame, Phoneme, Roi
from realtime.generator import Generator
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.painted import PaintedAvatar
from realtime.ports import Avatar
from realtime.replay import Player, Replayed
from realtime.stock import Stock
from server.event_log import EventLog, read_log
from server.replaying.painting import Repainting
from server.replaying.pixels import PixelFile, kept_pixels, pixels_beside
from tests.fakes import InlineCompute
from tests.realtime.test_painted import Cutout, canvas, put
from tests.server.sessions.test_easel import Plain
from tests.virtual_time import now_s, run_virtual

SEED = 3


class Dressed(Cutout):
    """In the colour of a painted sheet."""

    def __init__(self, sheet: Rgb) -> None:
        super().__init__()
        self._shade = int(sheet[0, 0, 0])

    def render_base(self, key: tuple[int, ...]) -> I420:
        packed = super().render_base(key)
        packed[20:40, 20:40] = self._shade
        return packed


async def _session(log: EventLog, cost_s: float = 0.0) -> list[Frame]:
    """Somebody speaks while it is painted: the background twice, once between two frames' halves, then the rest."""
    shown: list[Frame] = []
    plan, compute = RecordedPlan(SEED, log.note), InlineCompute(cost_s)
    shop = Workshop(plan, now_s, Stock(Plain()), compute, CostModel(), Ladder())  # type: ignore[arg-type]

    def framed(frame: Frame) -> None:
        log.frame(frame)
        shown.append(frame)

    generator = Generator(shop, Mailbox(), on_frame=framed, on_redrawn=lambda trace: log.note(redrawn_record(trace)))
    behind, product = canvas(), Canvas(np.full((32, 32, 3), 238, np.uint8))
    painted = PaintedAvatar(Stock(Cutout()), behind)
    sheet = np.full((32, 48, 3), 77, np.uint8)

    def lay(target: Canvas, level: int, *tiles: tuple[int, int]) -> None:
        chosen = np.zeros(target.tiles.shape, np.bool_)
        for row, column in tiles:
            chosen[row, column] = True
        put(target, chosen, level)

    def begin() -> None:
        lay(behind, 200, (0, 0), (0, 1))
        shop.stock = Stock(painted)
        log.restaged(painted)

    def show() -> None:
        lay(product, 20, (0, 1))
        painted.present(Roi(TILE_PX, TILE_PX, 32, 32), product)

    loop = asyncio.get_running_loop()
    plan.speak([Phoneme(p, 0.1 * i, 0.1 * (i + 1)) for i, p in enumerate("hɛloʊpamabɑː" * 2)], 0.2, 3.0)
    for at_s, work in (
        (0.51, begin), (0.755, lambda: lay(behind, 90, (1, 2), (3, 3))), (1.017, lambda: lay(behind, 30, (1, 2))),
        (1.3, show), (1.61, product.settle), (1.62, lambda: painted.dress(Stock(Dressed(sheet)), sheet)),
    ):  # fmt: skip
        loop.call_at(at_s, work)
    log.note({"do": "begun"})
    task = asyncio.create_task(generator.run())
    await asyncio.sleep(2.5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return shown


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    made = EventLog(path, {"anima_log": 1, "seed": SEED}, with_text=False)
    shown = run_virtual(_session(made))
    made.close()
    assert len({frame.pixels.tobytes() for frame in shown}) > 6, "what is painted is seen"
    return path


def _replayed(log: Path, records: list[Record] | None = None, cutout: Any = Cutout) -> tuple[list[Replayed], str]:
    repainting = Repainting(pixels_beside(log), cutout, Dressed)
    player = Player(SEED, Stock(Plain()), painting=repainting)
    frames = list(player.frames(list(read_log(log)[1]) if records is None else records))
    return frames, player.unpainted


def test_painted_frames_come_again_bit_by_bit(log: Path) -> None:
    frames, unpainted = _replayed(log)
    assert len(frames) > 50 and not unpainted
    assert [frame.index for frame in frames if not frame.same] == []
    told = [record for record in read_log(log)[1] if record["do"] == "painted"]
    assert {record["where"] for record in told} == {"background", "product", "outfit"} and len(told) >= 6
    assert sum(record["pixels"]["bytes"] for record in told) == pixels_beside(log).stat().st_size
    assert oct(pixels_beside(log).stat().st_mode)[-3:] == "600"
    assert min(record["pixels"]["bytes"] for record in told) == TILE_PX**2 * 3 // 2, "of a tile only the tile"


@pytest.mark.parametrize("cost_s", [0.004, 0.012, 0.03])
def test_paint_that_comes_while_a_frame_is_drawn_makes_no_other_frame_different(tmp_path: Path, cost_s: float) -> None:
    made = EventLog(tmp_path / "a.jsonl", {"anima_log": 1, "seed": SEED}, with_text=False)
    run_virtual(_session(made, cost_s))
    made.close()
    frames, unpainted = _replayed(tmp_path / "a.jsonl")
    assert len(frames) > 20 and not unpainted
    assert [frame.index for frame in frames if frame.same is False] == []
    torn = [frame for frame in frames if frame.same is None]
    restless = [record for record in read_log(tmp_path / "a.jsonl")[1] if record.get("restless")]
    assert restless and len(torn) <= 2 * len(restless) and {frame.lacks for frame in torn} <= {"instant"}


def test_a_frame_during_which_it_was_painted_is_not_compared_where_it_differs(log: Path) -> None:
    records = list(read_log(log)[1])
    at = [index for index, record in enumerate(records) if record["do"] == "frame"][-20]
    records[at] = records[at] | {"digest": "other", "restless": True}
    frames, _ = _replayed(log, records)
    assert [(frame.index, frame.lacks) for frame in frames if not frame.same] == [(records[at]["index"], "instant")]
    records[at].pop("restless")
    assert [frame.same for frame in _replayed(log, records)[0]].count(False) == 1


def test_without_its_pixels_a_log_is_refused(log: Path) -> None:
    kept = pixels_beside(log)
    data = bytearray(kept.read_bytes())
    data[100] ^= 1
    kept.write_bytes(data)
    with pytest.raises(Malformed, match="does not hold the pixels"):
        _replayed(log)
    kept.unlink()
    with pytest.raises(Malformed, match="cannot be read"):
        _replayed(log)


def test_what_was_not_kept_or_cannot_be_cut_out_is_not_compared(log: Path) -> None:
    records = [record | {"pixels": None} if record["do"] == "painted" else record for record in read_log(log)[1]]
    frames, unpainted = _replayed(log, records)
    assert "not kept" in unpainted and {frame.same for frame in frames} == {True, None}

    def gone() -> Avatar:
        raise NotFound("no such avatar", field="avatar")

    frames, unpainted = _replayed(log, None, gone)
    assert "cannot be cut out" in unpainted and {frame.lacks for frame in frames} == {"", "painter"}


@pytest.mark.parametrize("wrong", [
    {"where": "sky"}, {"version": -1}, {"version": "1"}, {"box": [0, 0, 8, 16]}, {"box": [0, 0, 80, 16]}, {"box": None},
    {"box": [-16, 0, 16, 16]}, {"tiles": "zz"}, {"tiles": ""}, {"pixels": 3}, {"pixels": {}}, {"roi": [0, 0, 96, 96]},
    {"pixels": {"at": -1, "bytes": 3, "hash": ""}}, {"pixels": {"at": 0, "bytes": 1 << 40, "hash": ""}}, {"size": [0]},
])  # fmt: skip
def test_a_painted_record_that_makes_no_sense_is_an_error(log: Path, wrong: Record) -> None:
    records = [record | wrong if record["do"] == "painted" else record for record in read_log(log)[1]]
    with pytest.raises(Malformed):
        _replayed(log, json.loads(json.dumps(records)))


def test_pixels_are_kept_within_a_bound(tmp_path: Path) -> None:
    file = PixelFile(tmp_path / "a.pixels", most_bytes=300)
    picture = np.arange(200, dtype=np.uint8).reshape(10, 20)
    piece = file.keep(picture)
    assert piece is not None and file.keep(picture) is None
    assert file.keep(picture[:2]) is None, "nothing is kept after a gap"
    file.close()
    assert np.array_equal(kept_pixels(tmp_path / "a.pixels", piece, (10, 20)), picture)


def test_a_disk_that_fails_ends_the_keeping_only(tmp_path: Path) -> None:
    file = PixelFile(tmp_path / "missing" / "a.pixels")
    assert file.keep(np.zeros(4, np.uint8)) is None
    file.close()
