"""The invisible mark: 64 bits in the luma plane that say where a picture comes from. Pure arithmetic on one plane.

Every second 16 x 16 cell carries one coded bit in one low-frequency coefficient of its discrete cosine transform, by
quantisation index modulation (Chen & Wornell, *Quantization Index Modulation*, IEEE Trans. Inf. Theory 47, 2001): the
coefficient is moved to the nearest point of one of two interleaved lattices. So the picture itself does not disturb the
reading, however lively it is, and a still picture stays perfectly still. Low frequencies are what encoders keep longest
and what a change of size leaves alone.

The 64 bits travel with a 16-bit checksum through a convolutional code; its bits are spread over cells in all parts of
the picture, in an order and with offsets drawn from a fixed seed. Reading adds up what every cell of every picture
says, weighted by how sure it is and by how far the cells of one bit agree in this picture beyond chance (the mean
product of two of them, which estimates the square of what the codec left of the mark: the first pictures of a stream
at a low rate hardly count). It finds the likeliest code word (Viterbi) and asks the checksum: where no mark is, one is
read with a probability of 2^-16.

While an encoder still pays off its first keyframe it is coarse, and leaves little of what lies close together: then
the other cells are marked too, in lattices of a larger step. A reader looks at both in every picture; cells that carry
no mark agree by chance alone, and do not count.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Luma = NDArray[np.uint8]

CELL_PX: Final = 16
STEP: Final = 24.0
"""Distance of two points of one lattice, in units of the orthonormal coefficient: a cell is changed by at most 1.5
levels at its crests, 0.5 root mean square."""
START_STEP: Final = 56.0
"""That of the pictures a stream begins with: at most three levels and a half."""
ID_BITS: Final = 64
CHECK_BITS: Final = 16
_MEMORY: Final = 6
CODED_BITS: Final = 2 * (ID_BITS + CHECK_BITS + _MEMORY)
MIN_CELLS: Final = 4 * CODED_BITS
"""Below this a picture is too small to carry the mark: 432 x 416 can."""
_WAVES_X, _WAVES_Y = 1, 1
_GENERATORS: Final = (0o171, 0o133)
"""Of the rate 1/2 code of constraint length 7 with the largest free distance (Odenwalder, 1970)."""
_SEED: Final = 0xA41A
_CRC_POLYNOMIAL: Final = 0x1021
_GAIN_ERROR: Final = 0.02
"""A codec or a change of size scales a coefficient by about so much, which blurs large ones more than small ones."""
_NOISE: Final = 3.0
_TRUST_LEAST: Final = 1e-3
"""How much a picture counts whose cells do not agree at all."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """Cells that are marked with one step: which of all, shape (rows, columns), the coded bit that each carries, and
    how far its lattices are shifted, shapes (cells,)."""

    step: float
    used: NDArray[np.bool_]
    bits: NDArray[np.intp]
    offsets: Floats


def _wave(waves: int) -> Floats:
    at = np.arange(CELL_PX)
    wave = np.sqrt(2 / CELL_PX) * np.cos((2 * at + 1) * waves * np.pi / (2 * CELL_PX))
    return np.asarray(wave, np.float32)


_BASIS: Final = np.outer(_wave(_WAVES_Y), _wave(_WAVES_X)).ravel()
"""The cosine that carries the mark, unit energy, shape (256,)."""
_MOVES: Final = 128
"""A coefficient is moved by up to half a step either way, in so many parts: far finer than whole levels can show."""


def _changes(step: float) -> NDArray[np.int8]:
    moves = np.arange(-_MOVES, _MOVES + 1) * (step / 2 / _MOVES)
    return np.asarray(np.floor(np.outer(moves, _BASIS) + 0.5), np.int8)


_CHANGES: Final = {step: _changes(step) for step in (STEP, START_STEP)}
"""What each part changes a cell's pixels by, whole levels, shape (2 * _MOVES + 1, 256), by the step."""
_CHANGE_MOST: Final = {step: int(np.abs(changes).max()) for step, changes in _CHANGES.items()}


@lru_cache(maxsize=16)
def _layers(rows: int, columns: int) -> tuple[_Layer, _Layer]:
    """What every picture carries, and what those carry besides that a stream begins with."""
    rng = np.random.default_rng(_SEED)
    cells = rows * columns
    place = np.empty(cells, np.intp)
    place[rng.permutation(cells)] = np.arange(cells)
    always = place < cells // 2

    def layer(step: float, used: NDArray[np.bool_]) -> _Layer:
        offsets = rng.uniform(0.0, step, cells).astype(np.float32)
        return _Layer(step, used.reshape(rows, columns), place[used] % CODED_BITS, offsets[used])

    return layer(STEP, always), layer(START_STEP, ~always)


def _parities(register: int) -> tuple[int, ...]:
    return tuple(bin(register & generator).count("1") & 1 for generator in _GENERATORS)


def _trellis() -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Of the code: for every state the two states it is reached from, shape (64, 2), the bit that was sent on the way,
    shape (64,), and the two coded bits as -1 or 1, shape (64, 2, 2). A state is the last six bits, newest first."""
    states = np.arange(1 << _MEMORY)
    newest = states >> (_MEMORY - 1)
    before = ((states << 1) & ((1 << _MEMORY) - 1))[:, None] | np.arange(2)
    register = (newest[:, None] << _MEMORY) | before
    parity = np.array([[_parities(int(word)) for word in pair] for pair in register])
    return before, newest, (2.0 * parity - 1.0).astype(np.float32)


_BEFORE, _NEWEST, _SENT = _trellis()


def checksum(identity: int) -> int:
    """CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) of the 64 bits, most significant byte first."""
    crc = 0xFFFF
    for byte in identity.to_bytes(ID_BITS // 8, "big"):
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ _CRC_POLYNOMIAL if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def coded(identity: int) -> Floats:
    """The coded bits of an identity, as 0.0 and 1.0, shape (CODED_BITS,). Raises `ValueError` unless
    0 <= identity < 2^64."""
    if not 0 <= identity < 1 << ID_BITS:
        raise ValueError(f"an identity has {ID_BITS} bits")
    length = ID_BITS + CHECK_BITS
    word = (identity << CHECK_BITS | checksum(identity)) << _MEMORY
    register = 0
    out: list[int] = []
    for shift in range(length + _MEMORY - 1, -1, -1):
        register = (word >> shift & 1) << _MEMORY | register >> 1
        out += _parities(register)
    return np.array(out, np.float32)


def decoded(votes: NDArray[np.float64]) -> int | None:
    """The identity that coded bits spell, each given as a vote (above 0 for one, its size how sure it is), shape
    (CODED_BITS,); None if the checksum says that they spell none. Viterbi's algorithm (Forney, *The Viterbi Algorithm*,
    Proc. IEEE 61, 1973)."""
    score = np.full(1 << _MEMORY, -np.inf)
    score[0] = 0.0
    ways = []
    for pair in votes.reshape(-1, 2):
        reached = score[_BEFORE] + _SENT @ pair
        way = np.argmax(reached, axis=1)
        score = np.take_along_axis(reached, way[:, None], axis=1)[:, 0]
        ways.append(way)
    state, word = 0, 0
    for place, way in enumerate(reversed(ways)):
        word |= int(_NEWEST[state]) << place
        state = int(_BEFORE[state, way[state]])
    word >>= _MEMORY
    identity = word >> CHECK_BITS
    return identity if checksum(identity) == word & (1 << CHECK_BITS) - 1 else None


def _grid(plane: Luma) -> tuple[int, int]:
    return plane.shape[0] // CELL_PX, plane.shape[1] // CELL_PX


def _cells(plane: Luma) -> NDArray[np.uint8]:
    """A view of a plane by cells, shape (rows, columns, CELL_PX, CELL_PX)."""
    rows, columns = _grid(plane)
    whole = plane[: rows * CELL_PX, : columns * CELL_PX]
    return whole.reshape(rows, CELL_PX, columns, CELL_PX).swapaxes(1, 2)


@dataclass(frozen=True, slots=True)
class _Lattice:
    """What marks cells: a point of each one's lattice, shape (cells,), and the numbers of its lines of sixteen pixels,
    shape (cells, CELL_PX)."""

    step: float
    points: Floats
    lines: NDArray[np.intp]


class Marker:
    """Marks pictures of one size with one identity. Raises `ValueError` for a size that is too small to carry it."""

    def __init__(self, identity: int, width: int, height: int) -> None:
        rows, columns = height // CELL_PX, width // CELL_PX
        if rows * columns < MIN_CELLS:
            raise ValueError(f"{width} x {height} is too small for the mark: {MIN_CELLS} cells of {CELL_PX} px")
        spelt = coded(identity)
        lines = np.arange(rows * CELL_PX * columns).reshape(rows, CELL_PX, columns).swapaxes(1, 2)
        self._lattices = [
            _Lattice(layer.step, layer.offsets + np.float32(layer.step / 2) * spelt[layer.bits], lines[layer.used])
            for layer in _layers(rows, columns)
        ]

    def mark(self, luma: Luma, *, starting: bool = False) -> None:
        """Mark a plane in place, uint8 of shape (height, width); `starting` while its encoder is still coarse."""
        rows, columns = _grid(luma)
        whole = luma[: rows * CELL_PX, : columns * CELL_PX]
        plane = np.ascontiguousarray(whole)
        # a cell's line of sixteen pixels is moved as one number: a fifth of the time that sixteen take
        lines = plane.reshape(-1).view(np.complex128)
        for lattice in self._lattices if starting else self._lattices[:1]:
            before = lines.take(lattice.lines)
            lines[lattice.lines] = _marked(before.view(np.uint8), lattice).view(np.complex128)
        if not np.shares_memory(plane, luma):
            whole[...] = plane


def _marked(cells: Luma, lattice: _Lattice) -> Luma:
    """The cells that carry the mark, shape (cells, CELL_PX ** 2), with it."""
    steps = (cells.astype(np.float32) @ _BASIS - lattice.points) / np.float32(lattice.step)
    moved = np.rint((np.rint(steps) - steps) * np.float32(2 * _MOVES)).astype(np.intp) + _MOVES
    change = _CHANGES[lattice.step].take(moved, axis=0)
    most = _CHANGE_MOST[lattice.step]
    if cells.min() < most or cells.max() > 255 - most:
        return np.asarray(np.clip(cells.astype(np.int16) + change, 0, 255), np.uint8)
    return np.asarray(np.add(cells, change.view(np.uint8)), np.uint8)


class MarkReader:
    """Reads the mark out of pictures of one size. Feed pictures; ask `identity` when enough have been seen."""

    def __init__(self) -> None:
        self._votes = np.zeros(CODED_BITS)
        self._weights = np.zeros(CODED_BITS)
        self.pictures = 0

    def feed(self, luma: Luma) -> None:
        """Take in a plane, uint8 of shape (height, width). A plane too small to carry the mark is not counted."""
        rows, columns = _grid(luma)
        if rows * columns < MIN_CELLS:
            return
        cells = _cells(luma)
        for layer in _layers(rows, columns):
            self._count(cells[layer.used].reshape(-1, CELL_PX**2).astype(np.float32) @ _BASIS, layer)
        self.pictures += 1

    def _count(self, found: Floats, layer: _Layer) -> None:
        """Add up what the coefficients of a layer's cells say."""
        at = (found - layer.offsets) / np.float32(layer.step)
        vote = -np.cos(2 * np.pi * at)  # 1 on the lattice of ones, -1 on that of zeros
        weight = 1.0 / (_NOISE**2 + np.square(_GAIN_ERROR * found))
        bits = layer.bits
        votes, weights = np.bincount(bits, vote * weight, CODED_BITS), np.bincount(bits, weight, CODED_BITS)
        alone = np.square(vote * weight).sum(), np.square(weight).sum()
        trust = max(_TRUST_LEAST, (np.square(votes).sum() - alone[0]) / (np.square(weights).sum() - alone[1]))
        self._votes += trust * votes
        self._weights += trust * weights

    @property
    def clarity(self) -> float:
        """How clearly the cells agree, 0..1: 1 is an untouched mark, an unmarked picture stays below about 0.2."""
        return float(np.mean(np.abs(self._votes) / np.maximum(self._weights, 1e-12))) if self.pictures else 0.0

    @property
    def identity(self) -> int | None:
        """What was read; None if no mark was found."""
        return decoded(self._votes) if self.pictures else None
