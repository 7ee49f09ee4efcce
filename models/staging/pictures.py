"""Background pictures by name: the rooms that come with Anima, and what users uploaded into a directory."""

import os
import struct
from hashlib import sha256
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.paint import Rgba
from models.avatar.projection import PICTURE_PX
from models.staging.scenery import TITLES, shipped
from realtime.core.errors import InvalidField, NotFound, TooLarge

MAX_BYTES: Final = 8 * 2**20
MIN_PX: Final = 64
MAX_PX: Final = 8192
MAX_PIXELS: Final = 40_000_000
KEPT: Final = 64
"""Uploaded pictures at most; the one that was used longest ago makes room."""
OWN: Final = "own-"
FORMATS: Final = "JPEG, PNG or WebP"
_QUALITY: Final = 86
_SMALL_PX: Final = 160
_WEBP_HEADER_BYTES: Final = 30


class Pictures:
    """Safe from several processes: a picture's name is a digest of its pixels, and files appear whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> dict[str, str]:
        """Titles by name, those that come with Anima first."""
        own = sorted(path.stem for path in self._directory.glob(f"{OWN}*.png"))
        return {**TITLES, **{name: f"Own picture {name.removeprefix(OWN)[:4]}" for name in own}}

    def open(self, name: str) -> Rgba:
        """A picture, premultiplied RGBA (PICTURE_PX, PICTURE_PX, 4). Raises `NotFound`."""
        if name in TITLES:
            return shipped(name)
        path = self._directory / f"{name}.png"
        found = cv2.imread(str(path), cv2.IMREAD_COLOR) if name.startswith(OWN) and path.is_file() else None
        if found is None:
            raise NotFound(f"there is no background {name!r}", field="background")
        path.touch()
        return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGBA), np.uint8)

    def add(self, data: bytes) -> str:
        """Keep an uploaded picture, cut to the host's square; returns its name. Raises `TooLarge` or `InvalidField`."""
        if len(data) > MAX_BYTES:
            raise TooLarge(f"the picture has {len(data)} bytes", field="body", limit=f"{MAX_BYTES} bytes")
        _check_size(data)
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if found is None:
            raise InvalidField("this is not a picture that can be read", field="body", limit=FORMATS)
        square = _covering(np.asarray(found, np.uint8))
        name = OWN + sha256(square.tobytes()).hexdigest()[:12]
        self._write(name, square)
        return name

    def thumbnail(self, name: str) -> bytes:
        """A small JPEG of a picture. Raises `NotFound`."""
        small = cv2.resize(self.open(name), (_SMALL_PX, _SMALL_PX), interpolation=cv2.INTER_AREA)
        done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGBA2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        assert done
        return bytes(data)

    def _write(self, name: str, square: NDArray[np.uint8]) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(".png", square)
        assert done
        part = self._directory / f"{name}.{os.getpid()}.part"
        part.write_bytes(bytes(data))
        part.replace(self._directory / f"{name}.png")
        kept = sorted(self._directory.glob(f"{OWN}*.png"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-KEPT]:
            old.unlink(missing_ok=True)


def _covering(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle square of a picture at the host's size."""
    height, width = picture.shape[:2]
    side = min(height, width)
    y, x = (height - side) // 2, (width - side) // 2
    square = picture[y : y + side, x : x + side]
    way = cv2.INTER_AREA if side > PICTURE_PX else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (PICTURE_PX, PICTURE_PX), interpolation=way), np.uint8)


def _check_size(data: bytes) -> None:
    """Refuse by its header what would take too much memory to decode. Raises `InvalidField`."""
    size = size_of(data)
    if size is None:
        raise InvalidField("this is not a picture that can be read", field="body", limit=FORMATS)
    width, height = size
    if min(size) < MIN_PX or max(size) > MAX_PX or width * height > MAX_PIXELS:
        limit = f"{MIN_PX} to {MAX_PX} pixels a side, {MAX_PIXELS // 1_000_000} megapixels"
        raise InvalidField(f"the picture has {width} x {height} pixels", field="body", limit=limit)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height by a file's header; None if it is no JPEG, PNG or WebP."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
            width, height = struct.unpack(">II", data[16:24])
            return width, height
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= _WEBP_HEADER_BYTES:
            return _webp_size(data)
        if data[:2] == b"\xff\xd8":
            return _jpeg_size(data)
    except (struct.error, IndexError):
        pass
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """The first chunk says it, one way for each kind (RFC 9649, section 2)."""
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """The frame header's size: segments are skipped until one of the SOF markers (ITU-T T.81, annex B.2.2)."""
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return None
