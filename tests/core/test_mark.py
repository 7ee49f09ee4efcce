"""The invisible mark: what is written is read, by everybody who has the picture, and by nobody where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from realtime.core.mark import CODED_BITS, STEP, Marker, MarkReader, checksum, coded, decoded

IDENTITY = 0x0123_4567_89AB_CDEF


def scene(seed: int, width: int = 512, height: int = 512) -> NDArray[np.uint8]:
    """Something like a picture: smooth shades, an edge, grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    shade = 120 + 60 * np.sin(x / rng.uniform(40, 120)) * np.cos(y / rng.uniform(40, 120)) + 30 * (x > y)
    return np.asarray(np.clip(shade + rng.normal(0, 2, (height, width)), 16, 235), np.uint8)


def read(*pictures: NDArray[np.uint8]) -> int | None:
    reader = MarkReader()
    for picture in pictures:
        reader.feed(picture)
    return reader.identity


def test_the_checksum_is_the_published_one() -> None:
    # CRC-16/CCITT-FALSE's check value is that of "123456789"; of its first eight characters it is 0xA12B
    assert checksum(int.from_bytes(b"12345678", "big")) == 0xA12B


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=25, deadline=None)
def test_every_identity_survives_its_code_and_a_tenth_of_wrong_bits(identity: int) -> None:
    votes = 2.0 * coded(identity).astype(np.float64) - 1.0
    assert votes.shape == (CODED_BITS,) and decoded(votes) == identity
    wrong = np.random.default_rng(identity & 0xFFFF).permutation(CODED_BITS // 20) * 20
    votes[wrong] *= -0.5
    assert decoded(votes) == identity


@pytest.mark.parametrize("identity", [-1, 2**64])
def test_an_identity_has_64_bits(identity: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        coded(identity)


@pytest.mark.parametrize("seed", range(5))
def test_a_marked_picture_is_read_and_looks_the_same(seed: int) -> None:
    plain = scene(seed)
    marked = plain.copy()
    Marker(IDENTITY, 512, 512).mark(marked)
    assert read(plain) is None and read(marked) == IDENTITY
    change = marked.astype(int) - plain
    assert np.abs(change).max() <= STEP / 2 / 8 + 1 and np.mean(np.square(change)) < 0.2


def test_marking_twice_changes_nothing_more() -> None:
    picture = scene(1)
    marker = Marker(IDENTITY, 512, 512)
    marker.mark(picture)
    once = picture.copy()
    marker.mark(picture)
    assert np.mean(picture != once) < 0.02
    assert read(picture) == IDENTITY


def test_grain_and_a_region_painted_over_do_not_hide_it() -> None:
    marked = scene(2)
    Marker(IDENTITY, 512, 512).mark(marked)
    marked[100:260, 180:340] = 90
    rng = np.random.default_rng(0)
    noisy = [np.clip(marked + rng.normal(0, 4, marked.shape), 0, 255).astype(np.uint8) for _ in range(5)]
    assert read(*noisy) == IDENTITY


def test_two_identities_do_not_mix() -> None:
    other = IDENTITY ^ 1
    one, two = scene(3), scene(3)
    Marker(IDENTITY, 512, 512).mark(one)
    Marker(other, 512, 512).mark(two)
    assert (read(one), read(two)) == (IDENTITY, other)


def test_a_picture_too_small_is_refused_and_not_read() -> None:
    with pytest.raises(ValueError, match="too small"):
        Marker(IDENTITY, 256, 256)
    reader = MarkReader()
    reader.feed(scene(0, 256, 256))
    assert reader.pictures == 0 and reader.identity is None and reader.clarity == 0.0


def test_sizes_that_are_no_multiple_of_a_cell_are_marked_too() -> None:
    picture = scene(4, 724, 410)
    Marker(IDENTITY, 724, 410).mark(picture)
    assert read(picture) == IDENTITY


def test_black_and_white_stay_what_they_are_and_do_not_wrap_around() -> None:
    picture = scene(3)
    picture[:256], picture[256:320] = 0, 255
    marked = picture.copy()
    Marker(IDENTITY, 512, 512).mark(marked)
    assert np.abs(marked.astype(int) - picture).max() <= STEP / 2 / 8 + 1
    assert read(marked) == IDENTITY


def test_a_plane_that_is_a_part_of_another_is_marked_alike() -> None:
    around = np.full((600, 600), 90, np.uint8)
    part = around[7:519, 5:530]
    part[:, :512] = scene(4)
    alone = scene(4)
    Marker(IDENTITY, 512, 512).mark(alone)
    Marker(IDENTITY, 525, 512).mark(part)
    assert np.array_equal(part[:, :512], alone) and np.all(part[:, 512:] == 90) and np.all(around[:7] == 90)


def test_pictures_that_lost_the_mark_do_not_hide_those_that_kept_it() -> None:
    marked = scene(3)
    Marker(IDENTITY, 512, 512).mark(marked)
    coarse = np.asarray(marked // 20 * 20, np.uint8)
    assert read(*[coarse] * 25) is None, "as the first second of a stream at a low rate"
    assert read(*[coarse] * 25, marked) == IDENTITY


@pytest.mark.parametrize("seed", range(3))
def test_what_a_stream_begins_with_is_marked_more_strongly_and_read_alike(seed: int) -> None:
    plain = scene(seed)
    marker = Marker(IDENTITY, 512, 512)
    starting, settled = plain.copy(), plain.copy()
    marker.mark(starting, starting=True)
    marker.mark(settled)
    assert read(starting) == read(settled) == read(starting, settled) == IDENTITY
    change = starting.astype(int) - plain
    assert np.abs(change).max() <= 3 and np.mean(np.square(change)) < 0.9
    # what a coarse encoder leaves: the picture with an error of about six levels in every low frequency
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.normal(0, 0.9, (64, 64)), np.ones((8, 8)))
    assert read(np.clip(starting + blocks, 0, 255).astype(np.uint8)) == IDENTITY
