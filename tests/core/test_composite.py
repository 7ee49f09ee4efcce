"""Patches land where they belong, in all three planes."""

import numpy as np
import pytest

from realtime.core.composite import compose, crop, planes, windows
from realtime.core.values import I420, Patch, Roi


def picture(luma: int, width: int = 32, height: int = 24) -> I420:
    out = np.empty((height * 3 // 2, width), np.uint8)
    for plane, value in zip(planes(out), (luma, 100, 200), strict=True):
        plane[...] = value
    return out


def patch_of(luma: int, u: int, v: int, roi: Roi, alpha: int | None = None) -> Patch:
    pixels = np.empty((roi.height * 3 // 2, roi.width), np.uint8)
    for plane, value in zip(planes(pixels), (luma, u, v), strict=True):
        plane[...] = value
    return Patch(roi, pixels, None if alpha is None else np.full((roi.height, roi.width), alpha, np.uint8))


ROI = Roi(4, 6, 8, 10)


def test_without_patches_it_copies() -> None:
    base = picture(50)
    out = compose(base, [], np.zeros_like(base))
    assert np.array_equal(out, base) and out is not base


def test_an_opaque_patch_replaces_its_rectangle_only() -> None:
    base = picture(50)
    out = compose(base, [patch_of(90, 10, 20, ROI)], np.empty_like(base))
    for plane, value in zip(windows(out, ROI), (90, 10, 20), strict=True):
        assert (plane == value).all()
        plane[...] = 0
    for plane in windows(base, ROI):
        plane[...] = 0
    assert np.array_equal(out, base)


@pytest.mark.parametrize(("alpha", "expected"), [(0, 50), (255, 150), (128, 100)])
def test_alpha_blends(alpha: int, expected: int) -> None:
    out = compose(picture(50), [patch_of(150, 100, 200, ROI, alpha)], picture(0))
    assert abs(int(windows(out, ROI)[0][3, 3]) - expected) <= 1
    assert [int(p[0, 0]) for p in windows(out, ROI)[1:]] == [100, 200]


def test_chroma_takes_the_mean_alpha() -> None:
    patch = patch_of(150, 200, 200, ROI, 0)
    assert patch.alpha is not None
    patch.alpha[0, 0] = patch.alpha[1, 1] = 255
    out = compose(picture(50), [patch], picture(0))
    assert abs(int(windows(out, ROI)[1][0, 0]) - 150) <= 1
    assert int(windows(out, ROI)[1][1, 1]) == 100


def test_later_patches_lie_on_top() -> None:
    out = compose(picture(50), [patch_of(90, 1, 2, ROI), patch_of(120, 3, 4, ROI)], picture(0))
    assert (windows(out, ROI)[0] == 120).all()


def test_cropping_and_laying_back_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    base = rng.integers(0, 256, picture(0).shape, dtype=np.uint8)
    out = compose(base, [Patch(ROI, crop(base, ROI))], np.empty_like(base))
    assert np.array_equal(out, base)


def test_bad_patches_are_refused() -> None:
    base = picture(50)
    with pytest.raises(ValueError, match="does not lie inside"):
        compose(base, [patch_of(1, 1, 1, Roi(28, 0, 8, 8))], np.empty_like(base))
    with pytest.raises(ValueError, match="pixels of shape"):
        compose(base, [Patch(ROI, np.zeros((4, 4), np.uint8))], np.empty_like(base))
    with pytest.raises(ValueError, match="same shape"):
        compose(base, [], picture(0, 16, 16))
