"""Rendered clips on disk."""

from pathlib import Path

import numpy as np

from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import Split
from tests.models.diffusion.fake_source import FakeSource


def test_a_clip_is_rendered_once_and_comes_back_whole(tmp_path: Path) -> None:
    source, cache = FakeSource(), ClipCache(tmp_path, 10**9)
    first = cache.clip(source, 4, "mouth", 3, Split.TRAIN)
    again = cache.clip(source, 4, "mouth", 3, Split.TRAIN)
    assert len(source.rendered) == 1
    assert (again.roi, again.identity, again.split) == (first.roi, first.identity, first.split)
    for one, other in zip(first.samples, again.samples, strict=True):
        assert np.array_equal(one.truth, other.truth) and np.array_equal(one.flow, other.flow)


def test_a_broken_file_is_rendered_anew(tmp_path: Path) -> None:
    source, cache = FakeSource(), ClipCache(tmp_path, 10**9)
    cache.clip(source, 4, "mouth", 2, Split.TRAIN)
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:200])
    assert len(cache.clip(source, 4, "mouth", 2, Split.TRAIN).samples) == 2
    assert len(source.rendered) == 2


def test_another_version_of_the_renderer_is_another_clip(tmp_path: Path) -> None:
    source, cache = FakeSource(), ClipCache(tmp_path, 10**9)
    cache.clip(source, 4, "mouth", 2, Split.TRAIN)
    source.version = 2
    assert not cache.holds(source, 4, "mouth", 2, Split.TRAIN)


def test_it_never_keeps_more_than_its_limit(tmp_path: Path) -> None:
    source, plenty = FakeSource(), ClipCache(tmp_path, 10**9)
    plenty.clip(source, 0, "mouth", 2, Split.TRAIN)
    (file,) = tmp_path.rglob("*.npz")
    small = ClipCache(tmp_path, int(file.stat().st_size * 3.5))
    for _ in small.fill(source, {"mouth": 8}, 2, Split.TRAIN, together=2):
        pass
    kept = list(tmp_path.rglob("*.npz"))
    assert 0 < sum(path.stat().st_size for path in kept) <= small.max_bytes
    assert small.holds(source, 7, "mouth", 2, Split.TRAIN) and not small.holds(source, 0, "mouth", 2, Split.TRAIN)
