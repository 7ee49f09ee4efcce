"""Stocks of looks: opened once, kept while they are used."""

import asyncio
import gc
from pathlib import Path

from realtime.core.backdrop import Backdrop
from realtime.ports import Avatar
from realtime.shelf import BaseShelf
from realtime.stock import Stock
from server.wardrobe import KEPT, Wardrobe
from tests.fakes import FlatAvatar


class Opener:
    """Opens anything, and remembers what."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str]] = []

    def __call__(self, name: str, wish: Backdrop) -> Avatar:
        self.opened.append((name, str(wish)))
        return FlatAvatar()


async def test_a_look_is_opened_once() -> None:
    opener = Opener()
    wardrobe = Wardrobe({}, opener)
    await asyncio.gather(*(wardrobe.ready("mei@#00ff00") for _ in range(3)))
    assert wardrobe["mei@#00ff00"] is wardrobe["mei@#00ff00"]
    assert wardrobe["mei"] is wardrobe["mei"]
    assert opener.opened == [("mei", "#00ff00"), ("mei", "default")]


async def test_what_is_ready_is_not_opened() -> None:
    opener = Opener()
    ready = Stock(FlatAvatar())
    wardrobe = Wardrobe({"mei": ready}, opener)
    await wardrobe.ready("mei")
    assert wardrobe["mei"] is ready and opener.opened == []


async def test_colours_without_end_are_let_go_and_used_ones_stay() -> None:
    opener = Opener()
    wardrobe = Wardrobe({}, opener)
    held = wardrobe["mei@#000000"]
    for n in range(1, KEPT + 4):
        await wardrobe.ready(f"mei@#00000{n}")
    gc.collect()
    assert wardrobe["mei@#000000"] is held
    opened = len(opener.opened)
    assert wardrobe["mei@#000001"] is not None
    assert len(opener.opened) == opened + 1, "the one nobody used was opened anew"


def test_a_removed_avatar_is_opened_anew() -> None:
    """Its name may come back with another face."""
    opener = Opener()
    wardrobe = Wardrobe({"mei": Stock(FlatAvatar())}, opener)
    held = [wardrobe[look] for look in ("eve", "eve@#00ff00", "mei")]
    wardrobe.forget("eve")
    assert wardrobe["eve"] is not held[0] and wardrobe["eve@#00ff00"] is not held[1] and wardrobe["mei"] is held[2]
    assert len(opener.opened) == 4


async def test_a_host_that_had_no_pack_yet_gets_its_shelf_with_the_next_session(tmp_path: Path) -> None:
    shelf, asked = BaseShelf(tmp_path, "a", (64, 64), 1 << 20), 0

    def shelf_of(avatar: Avatar) -> BaseShelf | None:
        nonlocal asked
        asked += 1
        return shelf if asked > 1 else None

    wardrobe = Wardrobe({}, Opener(), shelf_of)
    await wardrobe.ready("yuna")
    shelves = [wardrobe["yuna"].shelf]
    for _ in range(3):
        await wardrobe.ready("yuna")
        shelves.append(wardrobe["yuna"].shelf)
    assert shelves == [None, shelf, shelf, shelf] and asked == 2, "and is asked for no more"
    await wardrobe.ready("yuna@#000000")
    assert wardrobe["yuna@#000000"].shelf is None, "only in its own room"
    shelf.close()
