"""Packed alpha: packing and unpacking, and patches that bring a matte."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.composite import compose, planes
from realtime.core.matte import CLEAR_LUMA, NO_COLOUR, OPAQUE_LUMA, pack, to_alpha, to_luma, unpack
from realtime.core.values import Patch, Roi

RANDOM = np.random.default_rng(7)


def picture(width: int = 16, height: int = 8) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return RANDOM.integers(16, 236, (height * 3 // 2, width), np.uint8)


@given(st.integers(0, 255))
def test_alpha_survives_limited_range(alpha: int) -> None:
    there = to_luma(np.array([alpha], np.uint8))
    assert CLEAR_LUMA <= int(there[0]) <= OPAQUE_LUMA
    assert abs(int(to_alpha(there)[0]) - alpha) <= 1


def test_the_ends_are_exact_and_overshoot_is_clipped() -> None:
    assert to_luma(np.array([0, 255], np.uint8)).tolist() == [CLEAR_LUMA, OPAQUE_LUMA]
    assert to_alpha(np.array([0, CLEAR_LUMA, OPAQUE_LUMA, 255], np.uint8)).tolist() == [0, 0, 255, 255]


def test_unpacking_gives_back_what_was_packed() -> None:
    colour = picture()
    alpha = RANDOM.integers(0, 256, (8, 16), np.uint8)
    packed = pack(colour, alpha)
    assert packed.shape == (24, 16)
    luma, u, v = planes(packed)
    assert luma.shape == (16, 16)
    assert (u[4:] == NO_COLOUR).all() and (v[4:] == NO_COLOUR).all()
    back, matte = unpack(packed)
    assert (back == colour).all()
    assert np.abs(matte.astype(int) - alpha).max() <= 1


def test_a_matte_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="matte"):
        pack(picture(), np.zeros((8, 8), np.uint8))


def test_a_patch_lays_its_matte_below() -> None:
    base = pack(picture(), np.zeros((8, 16), np.uint8))
    roi = Roi(2, 2, 4, 4)
    patch = Patch(roi, picture(4, 4), matte=np.full((4, 4), OPAQUE_LUMA, np.uint8))
    out = compose(base, [patch], np.empty_like(base))
    _, alpha = unpack(out)
    assert (alpha[2:6, 2:6] == 255).all()
    assert alpha.sum() == 16 * 255, "and nothing else changed"
    assert (planes(out)[1] == planes(base)[1])[2:].sum() > 0


def test_a_blended_patch_covers_what_it_is_opaque_over() -> None:
    base = pack(picture(), np.full((8, 16), 100, np.uint8))
    roi = Roi(0, 0, 4, 2)
    cover = np.array([[0, 128, 255, 255], [0, 128, 255, 255]], np.uint8)
    patch = Patch(roi, picture(4, 2), cover, np.full((2, 4), OPAQUE_LUMA, np.uint8))
    _, alpha = unpack(compose(base, [patch], np.empty_like(base)))
    wanted = 255 - (255 - 100) * (255 - cover[0].astype(int)) / 255
    assert np.abs(alpha[0, :4] - wanted).max() <= 2


def test_a_matte_that_does_not_fit_is_refused() -> None:
    base = pack(picture(), np.zeros((8, 16), np.uint8))
    low = Patch(Roi(0, 8, 4, 2), picture(4, 2), matte=np.zeros((2, 4), np.uint8))
    with pytest.raises(ValueError, match="fit"):
        compose(base, [low], np.empty_like(base))
    wrong = Patch(Roi(0, 0, 4, 2), picture(4, 2), matte=np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="fit"):
        compose(base, [wrong], np.empty_like(base))


def test_a_patch_knows_its_memory() -> None:
    cover = np.zeros((2, 4), np.uint8)
    assert Patch(Roi(0, 0, 4, 2), picture(4, 2), cover, cover).nbytes == 12 + 8 + 8
