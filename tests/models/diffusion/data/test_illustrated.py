"""Clips of illustrated hosts: determinism, ranges, splits, and labels that fit the pictures."""

from dataclasses import fields

import numpy as np
import pytest

from models.diffusion.data.flow import grid, sample
from models.diffusion.data.identity import identity_spec
from models.diffusion.data.illustrated import CLIPS_PER_IDENTITY, IllustratedSource
from models.diffusion.data.sample import LANDMARKS, PARTS, RoiSample, Split
from models.diffusion.metrics import psnr_db
from models.diffusion.spec import CONTROL_LENGTH, CROPS, FIELDS


@pytest.fixture(scope="module")
def source() -> IllustratedSource:
    return IllustratedSource()


@pytest.mark.parametrize("roi", IllustratedSource.rois)
def test_a_clip_has_the_shapes_it_promises(source: IllustratedSource, roi: str) -> None:
    clip = source.clip(1, roi, 2)
    crop = CROPS[roi]
    plane = (crop.height, crop.width)
    assert (clip.roi, clip.identity, clip.split, len(clip.samples)) == (roi, 0, Split.TRAIN, 2)
    for one in clip.samples:
        assert one.truth.shape == one.base.shape == one.reference.shape == (*plane, 3)
        assert one.fields.shape == (len(FIELDS), *plane)
        assert one.interior.shape == one.labels.shape == one.flow_valid.shape == plane
        assert one.flow.shape == (2, *plane)
        assert one.landmarks.shape == (len(LANDMARKS), 2)
        assert one.control.shape == (CONTROL_LENGTH,)
        assert int(one.labels.max()) < len(PARTS)
    first = clip.samples[0]
    assert not first.flow.any() and not first.flow_valid.any()


def test_equal_seeds_give_equal_bytes_in_any_order(source: IllustratedSource) -> None:
    before = source.clip(3, "mouth", 2)
    source.clip(4, "eyes", 1)
    after = source.clip(3, "mouth", 2)
    for one, other in zip(before.samples, after.samples, strict=True):
        for field in fields(RoiSample):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name


def test_the_base_is_right_where_nothing_opens_and_wrong_inside(source: IllustratedSource) -> None:
    samples = [s for seed in (2, 5, 7) for s in source.clip(seed, "mouth", 3).samples]
    outside = np.mean([psnr_db(s.base, s.truth, np.invert(s.interior)) for s in samples])
    inside = np.mean([psnr_db(s.base, s.truth, s.interior) for s in samples if s.interior.any()])
    assert outside > inside + 5


def test_the_flow_carries_the_previous_truth_here(source: IllustratedSource) -> None:
    gains = []
    for seed in (1, 2, 6):
        before, now = source.clip(seed, "mouth", 2).samples
        height, width = now.labels.shape
        moved = sample(before.truth, grid(width, height) + np.moveaxis(now.flow.astype(np.float32), 0, -1))
        gains.append(psnr_db(moved, now.truth, now.flow_valid) - psnr_db(before.truth, now.truth, now.flow_valid))
    assert np.mean(gains) > 0


def test_landmarks_lie_on_the_labels_they_belong_to(source: IllustratedSource) -> None:
    one = source.clip(1, "eyes", 1).samples[0]
    for side in ("left", "right"):
        x, y = one.landmarks[LANDMARKS.index(f"{side}_lid_upper")]
        window = one.labels[max(0, int(y) - 3) : int(y) + 4, max(0, int(x) - 3) : int(x) + 4]
        assert PARTS.index("lid") in window or PARTS.index("sclera") in window


def test_held_out_identities_are_others(source: IllustratedSource) -> None:
    train = {identity_spec(number, Split.TRAIN).digest() for number in range(8)}
    assert not train & {identity_spec(number, Split.HELD_OUT).digest() for number in range(8)}
    assert source.clip(0, "mouth", 1, Split.HELD_OUT).split is Split.HELD_OUT
    assert CLIPS_PER_IDENTITY > 1


def test_what_it_does_not_render_is_refused(source: IllustratedSource) -> None:
    with pytest.raises(ValueError, match="roi"):
        source.clip(0, "full", 1)
    with pytest.raises(ValueError, match="frames"):
        source.clip(0, "mouth", 17)
