"""A whole session, painted by a real, tiny checkpoint: its event log and the pixels beside it make its frames again."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from models.diffusion.door.studio import Studio
from realtime.core.painting import PaintOrder
from realtime.replay import Player
from realtime.stock import Stock
from server.config import Config
from server.event_log import event_logs, read_log
from server.replaying.painting import Repainting
from server.replaying.pixels import pixels_beside
from server.surfaces import Cue
from tests.models.diffusion.door.tiny import tiny_painter
from tests.realtime.test_painted import Cutout
from tests.server.replaying.test_painting import Dressed
from tests.server.sessions.test_easel import FOREST, Gallery, Plain
from tests.server.sessions.test_session import until


@pytest.fixture
async def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gallery]:
    checkpoint = tiny_painter(tmp_path / "tiny")
    made = Gallery(Studio(checkpoint, tmp_path / "styles", ("apache-2.0",), share=1.0))
    made.shared.event_log = event_logs(Config(event_log_dir=tmp_path / "logs"))
    monkeypatch.setattr(made.rooms, "dressed", lambda name, sheet: Dressed(sheet))
    yield made
    await made.sessions.aclose()
    made.compute.close()


async def test_a_painted_session_comes_again(gallery: Gallery, tmp_path: Path) -> None:
    session = await gallery.session()
    session._production.hold("test")
    for order in (FOREST, PaintOrder("product", "a blue cup", seed=2), PaintOrder("outfit", "red wool", seed=3)):
        done = gallery.states().count("done")
        await session.cue(Cue(paint=order))
        await until(more_than(gallery, done), f"the {order.region}")
        seen = len(gallery.frames)
        await until(shown(gallery, seen + 5), "frames after it")
    await gallery.sessions.aclose()
    log = tmp_path / "logs" / f"{session.id}.jsonl"
    header, records = read_log(log)
    repainting = Repainting(pixels_beside(log), Cutout, Dressed)
    player = Player(header["seed"], Stock(Plain()), painting=repainting)
    frames = list(player.frames(records))
    assert len(frames) >= len(gallery.frames) - 1 > 15 and not player.unpainted
    assert [frame.index for frame in frames if frame.same is False] == []
    assert len({frame.pixels.tobytes() for frame in frames}) >= 4, "plain, and with each of the three"
    assert all(frame.same for frame in frames[-3:]), "what came after the last tile is compared"


def more_than(gallery: Gallery, done: int) -> Callable[[], bool]:
    return lambda: gallery.states().count("done") > done


def shown(gallery: Gallery, count: int) -> Callable[[], bool]:
    return lambda: len(gallery.frames) > count
