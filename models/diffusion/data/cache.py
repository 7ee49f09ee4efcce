"""Rendered clips on disk: written once, read by every leg of a training, never more than a given number of bytes."""

import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from models.diffusion.data.sample import RoiClip, RoiSample, RoiSource, Split

_ARRAYS: Final = tuple(field.name for field in fields(RoiSample))
_SHARED: Final = ("reference",)
"""Equal in all frames of a clip, so stored once."""


@dataclass(frozen=True, slots=True)
class ClipCache:
    """Clips of any sources below one directory. Safe for several processes: files appear whole or not at all."""

    directory: Path
    max_bytes: int

    def clip(self, source: RoiSource, seed: int, roi: str, frames: int, split: Split) -> RoiClip:
        """The clip, from disk if it is there and whole, else rendered and kept."""
        path = self._path(source, seed, roi, frames, split)
        try:
            return _load(path)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)
        clip = source.clip(seed, roi, frames, split)
        _save(clip, path)
        return clip

    def holds(self, source: RoiSource, seed: int, roi: str, frames: int, split: Split) -> bool:
        """Whether a clip is on disk."""
        return self._path(source, seed, roi, frames, split).exists()

    def fill(
        self, source: RoiSource, counts: Mapping[str, int], frames: int, split: Split, together: int
    ) -> Iterator[tuple[int, int]]:
        """Render what is missing of the first clips of each crop, `together` seeds of all crops at a time (so that a
        host is painted once); yields how many clips are there of how many, and keeps to the cache's limit."""
        total, done = sum(counts.values()), 0
        for first in range(0, max(counts.values()), together):
            for roi, count in counts.items():
                for seed in range(first, min(first + together, count)):
                    if not self.holds(source, seed, roi, frames, split):
                        _save(source.clip(seed, roi, frames, split), self._path(source, seed, roi, frames, split))
                    done += 1
            self.trim()
            yield done, total

    def trim(self) -> int:
        """Delete the clips that were written first until the rest fits; how many were deleted."""
        files = [(stat.st_mtime_ns, stat.st_size, path) for path, stat in self._files()]
        excess = sum(size for _, size, _ in files) - self.max_bytes
        deleted = 0
        for _, size, path in sorted(files):
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size
            deleted += 1
        return deleted

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.directory.glob("*/*/*/*.npz"):
            try:
                yield path, path.stat()
            except FileNotFoundError:
                continue

    def _path(self, source: RoiSource, seed: int, roi: str, frames: int, split: Split) -> Path:
        return self.directory / f"{source.name}-{source.version}" / split.value / roi / f"{seed}-{frames}.npz"


def _save(clip: RoiClip, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.stack([getattr(s, name) for s in clip.samples]) for name in _ARRAYS if name not in _SHARED}
    shared = {name: getattr(clip.samples[0], name) for name in _SHARED}
    head = np.array([clip.roi, str(clip.identity), clip.split.value])
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, head=head, **arrays, **shared)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _load(path: Path) -> RoiClip:
    # opened here, not by numpy, which leaves a broken file open
    with path.open("rb") as file, np.load(file) as data:
        roi, identity, split = (str(value) for value in data["head"])
        arrays = {name: data[name] for name in _ARRAYS}
    samples = tuple(
        RoiSample(**{name: value if name in _SHARED else value[i] for name, value in arrays.items()})
        for i in range(len(arrays["truth"]))
    )
    return RoiClip(roi, int(identity), Split(split), samples)
