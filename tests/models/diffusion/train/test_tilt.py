"""Turned batches: pictures, masks and flow turn as one, and those that are not turned keep their bits."""

import numpy as np
import pytest
import torch

from models.diffusion.data.sample import Split
from models.diffusion.train.batches import Batch, collate, warp
from models.diffusion.train.tilt import tilted
from tests.models.diffusion.fake_source import FakeSource


@pytest.fixture(scope="module")
def batch() -> Batch:
    source = FakeSource()
    return collate([source.clip(seed, "mouth", 2, Split.TRAIN).samples for seed in range(8)])


def test_some_samples_turn_and_the_others_keep_their_bits(batch: Batch) -> None:
    found = tilted(batch, np.random.default_rng(3), 12.0)
    same = [torch.equal(found.truth[:, i], batch.truth[:, i]) for i in range(8)]
    assert 0 < sum(same) < 8
    for i in np.flatnonzero(same):
        assert torch.equal(found.fields[:, i], batch.fields[:, i]) and torch.equal(found.flow[:, i], batch.flow[:, i])
    assert found.labels.dtype == torch.int64 and torch.equal(found.control, batch.control)


def test_the_flow_still_leads_to_the_frame_before(batch: Batch) -> None:
    x = torch.linspace(0, 1, 128).expand(96, 128)
    smooth = torch.stack([x, torch.linspace(0, 1, 96)[:, None].expand(96, 128), 1 - x])
    flow = torch.tensor([5.0, -3.0]).view(1, 1, 2, 1, 1).expand_as(batch.flow).contiguous()
    before = smooth.expand(8, -1, -1, -1)
    now = warp(before, flow[1])
    moved = tilted(
        Batch(
            torch.stack([before, now]), batch.base, batch.reference, batch.fields, batch.reach, batch.interior,
            batch.labels, flow, torch.ones_like(batch.flow_valid), batch.control, batch.place,
        ),
        np.random.default_rng(3), 12.0,
    )  # fmt: skip
    away = (warp(moved.truth[0], moved.flow[1]) - moved.truth[1]).abs().amax(1)
    inner = away[:, 30:-30, 30:-30]
    assert float(inner.max()) < 0.01


def test_no_angle_gives_the_batch_itself(batch: Batch) -> None:
    assert tilted(batch, np.random.default_rng(3), 0.0) is batch
