"""Clips of the 3-D head: the contract of `RoiSource`, and truth that fits its pictures."""

import cv2
import numpy as np
import pytest

from models.avatar.portrait.detect import FaceFinder
from models.diffusion.data.sample import LANDMARKS, PARTS, RoiClip, Split
from models.diffusion.head3d.landmarks import SAMPLE_POINTS
from models.diffusion.head3d.person import person
from models.diffusion.head3d.source import CLIPS_OF_ONE, ROIS, Head3dSource, Studio
from models.diffusion.spec import CONTROL_LENGTH, CROPS, FIELDS


def test_a_clip_keeps_the_contract(mouth_clip: RoiClip) -> None:
    crop = CROPS["mouth"]
    shape = (crop.height, crop.width)
    assert (mouth_clip.roi, mouth_clip.identity, mouth_clip.split, len(mouth_clip.samples)) == (
        "mouth",
        0,
        Split.TRAIN,
        4,
    )
    for sample in mouth_clip.samples:
        assert sample.truth.shape == sample.base.shape == sample.reference.shape == (*shape, 3)
        assert sample.fields.shape == (len(FIELDS), *shape)
        assert sample.labels.shape == sample.interior.shape == sample.flow_valid.shape == shape
        assert sample.flow.shape == (2, *shape) and sample.flow.dtype == np.float16
        assert sample.landmarks.shape == (len(LANDMARKS), 2) and sample.control.shape == (CONTROL_LENGTH,)
        assert sample.labels.max() < len(PARTS)
        arrays = (getattr(sample, name) for name in sample.__slots__)
        assert all(array.flags["C_CONTIGUOUS"] for array in arrays)
    first = mouth_clip.samples[0]
    assert not first.flow.any() and not first.flow_valid.any()


def test_equal_arguments_give_equal_bytes(mouth_clip: RoiClip) -> None:
    again = Head3dSource().clip(2, "mouth", 4)
    for a, b in zip(mouth_clip.samples, again.samples, strict=True):
        for name in a.__slots__:
            assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_seeds_make_different_clips_of_one_person(source: Head3dSource, mouth_clip: RoiClip) -> None:
    other = source.clip(CLIPS_OF_ONE - 1, "mouth", 1)
    assert other.identity == mouth_clip.identity
    assert not np.array_equal(other.samples[0].truth, mouth_clip.samples[0].truth)


def test_a_truth_without_noise_is_all_that_differs() -> None:
    noisy, quiet = (
        Head3dSource(noisy_truth=given).clip(2 * CLIPS_OF_ONE, "mouth", 2, Split.HELD_OUT) for given in (True, False)
    )
    for a, b in zip(noisy.samples, quiet.samples, strict=True):
        assert not np.array_equal(a.truth, b.truth) and np.abs(a.truth.astype(int) - b.truth).mean() < 2
        for name in set(a.__slots__) - {"truth"}:
            assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert len({Head3dSource(noisy_truth=a, noisy_photo=b).name for a in (True, False) for b in (True, False)}) == 4


@pytest.mark.parametrize(
    ("seed", "roi", "frames"), [(0, "full", 1), (0, "mouth", 0), (0, "mouth", 17), (-1, "mouth", 1)]
)
def test_bad_arguments_are_refused(source: Head3dSource, seed: int, roi: str, frames: int) -> None:
    with pytest.raises(ValueError):
        source.clip(seed, roi, frames)
    assert source.rois == ROIS


def test_splits_share_no_person() -> None:
    kinds = [{tuple(person(n, split).shape.values()) for n in range(60)} for split in Split]
    assert len(kinds[0]) == len(kinds[1]) == 60
    assert not kinds[0] & kinds[1]
    train, held = (person(0, split).stream(7).random(4) for split in Split)
    assert not np.array_equal(train, held)


def test_the_flow_brings_the_previous_frame_here(source: Head3dSource) -> None:
    clip = source.clip(5, "face", 4)
    for before, after in zip(clip.samples[:-1], clip.samples[1:], strict=True):
        height, width = after.labels.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        flow = after.flow.astype(np.float32)
        warped = cv2.remap(before.truth, x + flow[0], y + flow[1], cv2.INTER_LINEAR)
        valid = cv2.erode(after.flow_valid, np.ones((5, 5), np.uint8)) > 0
        assert valid.mean() > 0.5
        error = np.abs(warped.astype(float) - after.truth).mean(2)[valid]
        still = np.abs(before.truth.astype(float) - after.truth).mean(2)[valid]
        assert np.median(error) < 6.0
        assert error.mean() < still.mean() + 1.0


def test_landmarks_lie_on_their_parts(source: Head3dSource) -> None:
    sample = source.clip(3, "eyes", 1).samples[0]
    brow = PARTS.index("brow")
    for name in ("left_brow_middle", "right_brow_middle"):
        x, y = sample.landmarks[LANDMARKS.index(name)]
        near = sample.labels[max(0, int(y) - 8) : int(y) + 9, max(0, int(x) - 3) : int(x) + 4]
        assert (near == brow).any(), name


def test_the_base_is_the_portrait_of_the_same_face(mouth_clip: RoiClip) -> None:
    for sample in mouth_clip.samples:
        away = np.abs(sample.truth.astype(float) - sample.base).mean(2)
        assert np.median(away) < 14.0


@pytest.mark.slow
def test_a_detector_finds_the_faces_where_we_know_them_to_be() -> None:
    found, errors = 0, []
    with FaceFinder() as finder:
        for number in range(20):
            studio = Studio(number, Split.HELD_OUT)
            faces = finder.faces(np.ascontiguousarray(studio.photo()[..., ::-1]))
            if not faces:
                continue
            found += 1
            known = studio.photo_points()[list(SAMPLE_POINTS), :2]
            errors.append(np.hypot(*(faces[0][list(SAMPLE_POINTS), :2] - known).T).mean() / 189.4)
    assert found >= 18
    assert float(np.median(errors)) < 0.06
