"""Pixels that an event log tells of and that nothing can make again: a file beside the log, within a bound."""

import logging
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.errors import Malformed

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 2**20
"""Of one session: 170 whole pictures of 512 x 512, or an hour of tiles that change now and then."""
PIECE_BYTES: Final = 4 * 2**20
_HASH_BYTES: Final = 16
Piece = dict[str, Any]
"""Where pixels lie: `at` (offset), `bytes`, `hash`."""


def pixels_beside(log: Path) -> Path:
    """The file of a log's pixels."""
    return log.with_suffix(".pixels")


class PixelFile:
    """Written on the session's event loop. A disk that fails or a file that is full ends the keeping only."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path, self._most_bytes = path, most_bytes
        self._file: BinaryIO | None = None
        self._at = 0
        self._ended = False

    def keep(self, pixels: NDArray[np.uint8]) -> Piece | None:
        """Where these pixels lie now; None if they are not kept, and nothing is from here on."""
        data = pixels.tobytes()
        if self._ended or len(data) > PIECE_BYTES or self._at + len(data) > self._most_bytes:
            self._ended = True
            return None
        try:
            if self._file is None:
                self._file = self._path.open("xb")
                self._path.chmod(0o600)
            self._file.write(data)
        except OSError as error:
            logger.warning("painted pixels are not kept from here on: %s", error.strerror or error)
            self._ended = True
            return None
        piece = {"at": self._at, "bytes": len(data), "hash": _hash(data)}
        self._at += len(data)
        return piece

    def close(self) -> None:
        """Write what is left."""
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            logger.warning("painted pixels lack their end: %s", error.strerror or error)


def kept_pixels(path: Path, piece: Piece, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pixels of a piece. Raises `Malformed` if they are not there, or not those that were kept."""
    at, size = piece.get("at"), piece.get("bytes")
    if type(at) is not int or type(size) is not int or at < 0 or size != int(np.prod(shape)) or size > PIECE_BYTES:
        raise Malformed(f"the log's pixels make no sense: {str(piece)[:80]}", field="pixels")
    try:
        with path.open("rb") as file:
            file.seek(at)
            data = file.read(size)
    except OSError as error:
        message = f"the log's pixels cannot be read: {path}: {error.strerror or error}"
        raise Malformed(message, field="pixels") from error
    if len(data) != size or _hash(data) != piece.get("hash"):
        raise Malformed(f"{path} does not hold the pixels that the log tells of", field="pixels")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=_HASH_BYTES).hexdigest()
