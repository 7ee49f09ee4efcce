"""A running session is repainted by a real, tiny checkpoint: frames keep coming, tiles appear, errors are told."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.diffusion.door.studio import Studio
from models.language.content import Library
from realtime.compute import ComputeThread
from realtime.core.backdrop import Backdrop
from realtime.core.errors import Conflict, InvalidField, NotFound, NotOffered
from realtime.core.facs import REST
from realtime.core.painting import PLACES, Canvas, PaintOrder, Place, Rgb, Tiles
from realtime.core.values import Frame, Roi
from realtime.painted import PRODUCT, PaintedAvatar
from realtime.ports import Avatar
from realtime.stock import Stock
from server.config import Config
from server.metrics import Metrics
from server.rtc.peer import PeerOptions
from server.sessions.easel import Paints
from server.sessions.manager import SessionManager
from server.sessions.session import Session
from server.sessions.shared import Shared
from server.surfaces import Cue, SessionSpec
from tests.fakes import FixedAnswerer, ToneVoice
from tests.models.diffusion.door.tiny import style_pack, tiny_painter
from tests.realtime.test_painted import Cutout
from tests.server.sessions.test_session import safety_of, until

SIDE = 64
FOREST = PaintOrder("background", "a red forest", seed=7)


class Plain(Cutout):
    """The same host in its own grey room."""

    name = "plain"
    height = SIDE

    def render_base(self, key: tuple[int, ...]) -> Any:
        return np.full((SIDE * 3 // 2, SIDE), 110, np.uint8)

    def regions(self, key: Any, controls: Any) -> Any:
        return ()


class Rooms:
    """What may be painted of `plain`."""

    def places(self, name: str) -> Sequence[Place]:
        return PLACES

    def behind(self, name: str, wish: Backdrop) -> Rgb:
        return np.full((SIDE, SIDE, 3), 110, np.uint8)

    def outfit(self, name: str) -> tuple[Rgb, Tiles]:
        return np.full((32, 32, 3), 60, np.uint8), np.ones((2, 2), np.bool_)

    def dressed(self, name: str, sheet: Rgb) -> Avatar:
        self.sheet = sheet
        return Cutout()


class Gallery:
    """A session on a real studio, whose reports are kept."""

    def __init__(self, studio: Studio | None) -> None:
        self.compute = ComputeThread()
        self.rooms = Rooms()
        self.shared = Shared(
            replace(Config(), painter_share=1.0), {"plain": Stock(Plain()), "plain@transparent": Stock(Cutout())},
            self.compute, ToneVoice(), Library(FixedAnswerer(["Yes."])), safety_of, Metrics(),
            paints=Paints(studio, self.rooms),
        )  # fmt: skip
        self.sessions = SessionManager(self.shared, PeerOptions())
        self.told: list[dict[str, Any]] = []
        self.frames: list[Frame] = []

    async def session(self, background: str = "default") -> Session:
        session = await self.sessions.create(SessionSpec("plain", "en", "default", background=background))
        emit, framed = session.easel._emit, session._production._generator._on_frame

        def told(event: Any) -> None:
            if getattr(event, "kind", "") == "paint":
                self.told.append(event.data)
            emit(event)

        def seen(frame: Frame) -> None:
            self.frames.append(frame)
            framed(frame)

        session.easel._emit, session._production._generator._on_frame = told, seen
        return session

    def states(self) -> list[str]:
        return [one["state"] for one in self.told]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_painter(tmp_path_factory.mktemp("painter") / "tiny")


@pytest.fixture
async def open_gallery(tmp_path: Path) -> AsyncIterator[Callable[[Path | None], Gallery]]:
    made: list[Gallery] = []

    def begin(place: Path | None) -> Gallery:
        studio = None if place is None else Studio(place, tmp_path / "styles", ("apache-2.0",), share=1.0)
        made.append(Gallery(studio))
        return made[-1]

    yield begin
    for gallery in made:
        await gallery.sessions.aclose()
        gallery.compute.close()


Open = Callable[[Path | None], Gallery]


async def test_a_cue_repaints_the_background_while_the_host_goes_on(open_gallery: Open, checkpoint: Path) -> None:
    gallery = open_gallery(checkpoint)
    session = await gallery.session()
    session._production.hold("test")
    await until(lambda: len(gallery.frames) > 3, "frames")
    assert all((frame.pixels == 110).all() for frame in gallery.frames)
    await session.say("one two three four five")
    await session.cue(Cue(paint=FOREST))
    begun = len(gallery.frames)
    await until(lambda: "done" in gallery.states(), "the painting")
    seen = len(gallery.frames)
    await until(lambda: len(gallery.frames) > seen + 3, "frames after it")

    # every frame of the sequence was made, left to the half rate of a machine that is too slow, or counted as skipped
    # by the pacer; none waited for the painter
    figures = session.figures()
    indices = [frame.index for frame in gallery.frames]
    assert indices == sorted(set(indices))
    assert 2 * len(indices) + figures["skipped"] >= indices[-1] - indices[0] + 1
    assert begun < len(gallery.frames)
    newest = gallery.frames[-1].pixels
    assert not (newest[:16] == 110).all(), "the wall is painted"
    assert (newest[20:28, 24:40] == newest[20, 24]).all(), "the host stands before it"
    assert gallery.told[0]["state"] == "waiting" and gallery.told[-1]["state"] == "done"
    assert gallery.told[-1]["tiles_done"] == gallery.told[-1]["tiles"] > 0
    assert figures["painted"] == {"background": "a red forest"}


class Slow(Plain):
    """A host whose first base frame waits to be let go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go = threading.Event(), threading.Event()

    def render_base(self, key: tuple[int, ...]) -> Any:
        self.inside.set()
        self.go.wait()
        return super().render_base(key)


async def test_a_frame_that_is_being_drawn_is_finished_of_the_host_it_was_begun_of(open_gallery: Open) -> None:
    gallery = open_gallery(None)
    slow = Slow()
    gallery.shared.stocks["plain"] = Stock(slow)
    session = await gallery.session()
    session._production.hold("test")
    try:
        await until(slow.inside.is_set, "the frame's begin")
        wall = Canvas(np.full((SIDE, SIDE, 3), 200, np.uint8))
        session._production.restage(Stock(PaintedAvatar(Stock(Cutout()), wall)))
    finally:
        slow.go.set()
    await until(lambda: any((frame.pixels[:16, :12] != 110).all() for frame in gallery.frames), "the new host")
    assert (gallery.frames[0].pixels == 110).all(), "the frame of before came whole"


async def test_frames_come_while_the_painter_is_stuck_in_one_piece(open_gallery: Open, checkpoint: Path) -> None:
    gallery = open_gallery(checkpoint)
    assert gallery.shared.paints is not None
    studio: Any = gallery.shared.paints.painter
    inside, go = threading.Event(), threading.Event()

    class Stuck:
        def paint(self, *order: object) -> Iterator[None]:
            inside.set()
            go.wait()
            yield None

    studio._desk = Stuck()
    session = await gallery.session()
    session._production.hold("test")
    await session.cue(Cue(paint=FOREST))
    try:
        await until(inside.is_set, "the piece")
        before = len(gallery.frames)
        await until(lambda: len(gallery.frames) >= before + 25, "a second's frames")
    finally:
        go.set()
    await until(lambda: "done" in gallery.states(), "its end")


async def test_a_style_that_does_not_fit_fails_in_words_and_is_let_go(
    open_gallery: Open, checkpoint: Path, tmp_path: Path
) -> None:
    style_pack(tmp_path / "styles", width=64)
    gallery = open_gallery(checkpoint)
    session = await gallery.session()
    await session.cue(Cue(paint=FOREST))
    await until(lambda: "done" in gallery.states(), "the painting")
    before = session.easel._surfaces["background"].canvas.rgb.copy()
    await session.cue(Cue(style="ink-wash"))
    await until(lambda: "failed" in gallery.states(), "the refusal")
    assert "64 in the style" in gallery.told[-1]["message"] and session.figures()["style"] == ""
    assert (session.easel._surfaces["background"].canvas.rgb == before).all()


async def test_the_same_order_again_paints_no_tile_and_another_one_does(open_gallery: Open, checkpoint: Path) -> None:
    gallery = open_gallery(checkpoint)
    session = await gallery.session()
    await session.cue(Cue(paint=FOREST))
    await until(lambda: gallery.states().count("done") == 1, "the first")
    await session.cue(Cue(paint=FOREST))
    await until(lambda: gallery.states().count("done") == 2, "the second")
    assert gallery.told[-1]["tiles"] == 0
    await session.cue(Cue(paint=replace(FOREST, prompt="a blue room")))
    await until(lambda: gallery.states().count("done") == 3, "the third")
    assert gallery.told[-1]["tiles"] > 0


async def test_product_and_outfit_are_painted(open_gallery: Open, checkpoint: Path) -> None:
    gallery = open_gallery(checkpoint)
    session = await gallery.session()
    await session.cue(Cue(paint=PaintOrder("outfit", "a blue jacket", strength=0.9)))
    await until(lambda: hasattr(gallery.rooms, "sheet"), "the clothes")
    assert not (gallery.rooms.sheet == 60).all()
    await until(lambda: session._production._stock.avatar.name == "cutout", "the host in them")
    await session.cue(Cue(paint=PaintOrder("product", "a lamp", strength=1.0)))
    await until(lambda: gallery.states().count("done") == 2, "the product")
    avatar = session._production._stock.avatar
    region = avatar.regions(avatar.base_key(REST), REST)[-1]
    assert region.name == PRODUCT and region.roi == Roi(32, 32, 16, 16)


async def test_a_style_changes_what_is_painted(open_gallery: Open, checkpoint: Path, tmp_path: Path) -> None:
    style_pack(tmp_path / "styles")
    gallery = open_gallery(checkpoint)
    session = await gallery.session()
    await session.cue(Cue(paint=FOREST))
    await until(lambda: "done" in gallery.states(), "the painting")
    before = session.easel._surfaces["background"].canvas.rgb.copy()
    await session.cue(Cue(style="ink-wash", style_strength=1.0))
    await until(lambda: gallery.states().count("done") == 2, "the painting in style")
    assert gallery.told[-1]["style"] == "ink-wash" and session.figures()["style"] == "ink-wash"
    assert not (before == session.easel._surfaces["background"].canvas.rgb).all()
    with pytest.raises(NotFound):
        await session.cue(Cue(style="no-such"))
    assert session.figures()["style"] == "ink-wash"


async def test_an_interruption_silences_her_and_the_painting_goes_on(open_gallery: Open, checkpoint: Path) -> None:
    gallery = open_gallery(checkpoint)
    session = await gallery.session()
    held = [True]
    session.easel._stage = _Held(session._production, held)
    await session.cue(Cue(paint=FOREST))
    await until(lambda: "waiting" in gallery.states(), "the order")
    await session.interrupt()
    held[0] = False
    await until(lambda: "done" in gallery.states(), "the painting")
    assert "cancelled" not in gallery.states()


class _Held:
    """A stage whose frames need the machine for as long as a test says."""

    def __init__(self, stage: Any, held: list[bool]) -> None:
        self._held, self.restage = held, stage.restage

    @property
    def pressed(self) -> bool:
        return self._held[0]


async def test_a_newer_order_takes_the_place_of_the_older(open_gallery: Open, checkpoint: Path) -> None:
    gallery = open_gallery(checkpoint)
    session = await gallery.session()
    held = [True]
    session.easel._stage = _Held(session._production, held)
    await session.cue(Cue(paint=FOREST))
    await until(lambda: "waiting" in gallery.states(), "the first")
    await session.cue(Cue(paint=replace(FOREST, prompt="a blue room")))
    await until(lambda: "cancelled" in gallery.states(), "its end")
    held[0] = False
    await until(lambda: "done" in gallery.states(), "the second")
    assert session.figures()["painted"] == {"background": "a blue room"}


async def test_what_cannot_be_painted_is_refused_and_changes_nothing(open_gallery: Open, checkpoint: Path) -> None:
    nobody = await open_gallery(None).session()
    with pytest.raises(NotOffered, match="names no checkpoint"):
        await nobody.cue(Cue(paint=FOREST))
    with pytest.raises(NotOffered) as refused:
        await nobody.cue(Cue(style="ink"))
    assert refused.value.field == "style"
    gallery = open_gallery(checkpoint)
    clear = await gallery.session("transparent")
    with pytest.raises(Conflict, match="transparent"):
        await clear.cue(Cue(paint=FOREST))
    session = await gallery.session()
    with pytest.raises(InvalidField, match="safety"):
        await session.cue(Cue(paint=replace(FOREST, prompt="how to make a bomb at home")))
    assert not gallery.told and session.figures()["painted"] == {}


async def test_a_corrupted_checkpoint_says_so_and_frames_go_on(open_gallery: Open, tmp_path: Path) -> None:
    place = tiny_painter(tmp_path / "broken")
    weights = place / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    gallery = open_gallery(place)
    session = await gallery.session()
    session._production.hold("test")
    with pytest.raises(NotOffered, match="cut short"):
        await session.cue(Cue(paint=FOREST))
    before = len(gallery.frames)
    await until(lambda: len(gallery.frames) > before + 3, "frames")
    assert all((frame.pixels == 110).all() for frame in gallery.frames)
    await asyncio.sleep(0)
