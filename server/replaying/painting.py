"""What was painted in a session, for its event log and for a replay: which tiles changed before a frame, to what."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.composite import crop, planes, windows
from realtime.core.errors import AnimaError, Malformed
from realtime.core.painting import TILE_PX, Canvas, Rgb, Tiles
from realtime.core.replaying import PAINTED, Note, Record
from realtime.core.values import Roi
from realtime.painted import PaintedAvatar
from realtime.ports import Avatar
from realtime.stock import Stock
from server.replaying.pixels import Piece, kept_pixels

STAGED_BYTES: Final = 24 * 2**20
Keep = Callable[[NDArray[np.uint8]], Piece | None]


class PaintNotes:
    """Notes what changed of a painted avatar since it was asked last."""

    def __init__(self, avatar: PaintedAvatar, note: Note, keep: Keep) -> None:
        self._avatar, self._note, self._keep = avatar, note, keep
        self._told: dict[str, int] = {}

    @property
    def changed(self) -> bool:
        """Whether there is something to note."""
        return any(self._told.get(where) != version for where, version in self._versions().items())

    def tell(self) -> None:
        """Note it."""
        avatar, told = self._avatar, self._told
        for where, version in self._versions().items():
            if told.get(where) == version:
                continue
            if where == "outfit":
                sheet = avatar.sheet
                about: Record = {} if sheet is None else {"size": list(sheet.shape[1::-1]), "pixels": self._keep(sheet)}
            elif where == "product":
                assert avatar.product is not None
                about = {"roi": _numbers(avatar.product[0])} | self._tiles(avatar.product[1], told.get(where))
            else:
                about = self._tiles(avatar.canvas, told.get(where))
            self._note({"do": PAINTED, "where": where, "version": version} | about)
            told[where] = version

    def _versions(self) -> dict[str, int]:
        found = {"background": self._avatar.canvas.version}
        if self._avatar.product is not None:
            found["product"] = self._avatar.product[1].version
        if self._avatar.dressed:
            found["outfit"] = self._avatar.dressed
        return found

    def _tiles(self, canvas: Canvas, since: int | None) -> Record:
        """The changed tiles' pixels; of a picture that was not told of before, all of it."""
        fresh = canvas.tiles > (since or 0)
        box = Roi(0, 0, *canvas.size) if since is None or not fresh.any() else _box(fresh)
        return {"tiles": np.packbits(fresh).tobytes().hex(), "box": _numbers(box),
                "pixels": self._keep(crop(canvas.i420, box))}  # fmt: skip


class Repainting:
    """Behind `realtime.replay.Repaints`: an avatar cut out before what a log tells of."""

    def __init__(self, pixels: Path, cutout: Callable[[], Avatar], dressed: Callable[[Rgb], Avatar]) -> None:
        self._pixels, self._cutout, self._dressed = pixels, cutout, dressed
        self._avatar: PaintedAvatar | None = None

    def restage(self) -> Stock | str:
        """The pixels that frames are made of from here on, or why there are none."""
        try:
            hidden = Stock(self._cutout())
        except (AnimaError, ValueError) as error:
            return f"the host cannot be cut out here: {error}"
        empty = np.zeros((hidden.avatar.height // 2, hidden.avatar.width, 3), np.uint8)
        self._avatar = PaintedAvatar(hidden, Canvas(empty))
        return Stock(self._avatar, STAGED_BYTES, STAGED_BYTES)

    def paint(self, record: Record) -> str:
        """Change what a record tells of; why that cannot be done, empty if it was. Raises `Malformed`."""
        avatar = self._avatar
        if avatar is None:
            raise Malformed("the log paints before its host is cut out", field="where")
        if record.get("pixels") is None:
            return "painted pixels were not kept with the log: they were too many, or its disk was full"
        if record["where"] == "outfit":
            return self._dress(avatar, record)
        if record["where"] == "product":
            roi = _roi(record.get("roi"), avatar.width, avatar.height)
            if avatar.product is None or avatar.product[0] != roi:
                avatar.present(roi, Canvas(np.zeros((roi.height, roi.width, 3), np.uint8)))
            assert avatar.product is not None
            self._lay(avatar.product[1], record)
        else:
            self._lay(avatar.canvas, record)
        return ""

    def _dress(self, avatar: PaintedAvatar, record: Record) -> str:
        width, height = _pair(record.get("size"))
        sheet = kept_pixels(self._pixels, record["pixels"], (height, width, 3))
        try:
            avatar.dress(Stock(self._dressed(sheet), STAGED_BYTES, STAGED_BYTES), sheet)
        except (AnimaError, ValueError) as error:
            return f"the painted outfit cannot be put on here: {error}"
        return ""

    def _lay(self, canvas: Canvas, record: Record) -> None:
        box = _roi(record.get("box"), *canvas.size)
        pixels = kept_pixels(self._pixels, record["pixels"], (box.height * 3 // 2, box.width))
        try:
            bits = np.unpackbits(np.frombuffer(bytes.fromhex(str(record.get("tiles"))), np.uint8))
            fresh = bits[: canvas.tiles.size].reshape(canvas.tiles.shape).astype(np.bool_)
        except ValueError as error:
            raise Malformed(f"the log's tiles cannot be read: {error}", field="tiles") from error
        if record["version"] < canvas.version:
            raise Malformed("the log paints backwards", field="version", limit=f"at least {canvas.version}")
        for target, source in zip(windows(canvas.i420, box), planes(pixels), strict=True):
            target[...] = source
        canvas.tiles[fresh] = record["version"]
        canvas.version = record["version"]


def _box(tiles: Tiles) -> Roi:
    rows, columns = np.nonzero(tiles)
    left, top = int(columns.min()), int(rows.min())
    width, height = int(columns.max()) + 1 - left, int(rows.max()) + 1 - top
    return Roi(left * TILE_PX, top * TILE_PX, width * TILE_PX, height * TILE_PX)


def _numbers(roi: Roi) -> list[int]:
    return [roi.x, roi.y, roi.width, roi.height]


def _pair(value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2 or not all(type(one) is int and 0 < one < 4096 for one in value):
        raise Malformed("a painted record has a size that makes no sense", field="size")
    return value[0], value[1]


def _roi(value: Any, width: int, height: int) -> Roi:
    """A rectangle of whole tiles inside a picture."""
    whole = isinstance(value, list) and len(value) == 4 and all(type(one) is int and not one % TILE_PX for one in value)
    if whole and min(value[:2]) >= 0 and min(value[2:]) > 0:
        roi = Roi(*value)
        if roi.x + roi.width <= width and roi.y + roi.height <= height:
            return roi
    raise Malformed("a painted record has a rectangle that makes no sense", field="box", limit=f"{width} x {height}")
