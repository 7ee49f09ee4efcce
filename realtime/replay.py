"""Plays an event log: the frames of a session once more, from its plan and its avatar's pixels, bit by bit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from realtime.core.composite import compose
from realtime.core.errors import Malformed
from realtime.core.plan import Plan
from realtime.core.replaying import BEGUN, RESTAGED, Record, digest, perform
from realtime.core.values import I420, BaseKey, Patch, Pose, Region
from realtime.stock import Stock


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """One frame as it was made again. `same` says whether it is the recorded one; None where a denoiser had worked on
    it or a painted background had come, which a replay has not."""

    index: int
    media_s: float
    pixels: I420
    same: bool | None
    lacks: str = ""
    """What was at work on the recorded frame and is not here: `denoiser` or `painter`."""


@dataclass(frozen=True, slots=True)
class _Made:
    key: BaseKey
    base: I420
    keys: tuple[object, ...]
    patches: dict[str, Patch]
    pixels: I420


class Player:
    """One log's. Draws what the levels drew and keeps what they kept."""

    def __init__(self, seed: int, stock: Stock) -> None:
        self._plan = Plan(seed)
        self._stock = stock
        self._last: _Made | None = None
        self._foreign = False
        self._shown: dict[str, tuple[BaseKey, Patch]] = {}

    def frames(self, records: Iterable[Record]) -> Iterator[Replayed]:
        """The frames of a log without its first line, in order. Raises `Malformed`."""
        pose: Pose | None = None
        for record in records:
            self._foreign |= record.get("do") == RESTAGED
            if record.get("do") == BEGUN:
                self._last = None
            if record.get("do") not in ("frame", "redrawn"):
                pose = perform(self._plan, record) or pose
                continue
            if pose is None:
                raise Malformed("the log has a frame before its first pose", field="log")
            self._last = made = self._make(pose, record)
            self._shown |= {name: (made.key, patch) for name, patch in made.patches.items()}
            if record["do"] == "redrawn":
                continue
            same = None if self._foreign or "rung" in record else digest(made.pixels) == record["digest"]
            lacks = "painter" if self._foreign else "denoiser" if "rung" in record else ""
            yield Replayed(int(record["index"]), pose.media_s, made.pixels, same, lacks)

    def _make(self, pose: Pose, record: Record) -> _Made:
        avatar, last = self._stock.avatar, self._last
        key = avatar.base_key(pose.controls)
        if record.get("base_kept") and last is not None:
            key, base = last.key, last.base
        else:
            found = self._stock.base(key)
            base = self._stock.make_base(key) if found is None else found
        regions = avatar.regions(key, pose.controls)
        keys = tuple(region.key for region in regions)
        if last is not None and last.key == key and last.keys == keys:
            return _Made(key, base, keys, last.patches, last.pixels)
        patches: dict[str, Patch] = {}
        for region in regions:
            patch = self._patch(region, key, base, pose, record)
            if patch is not None:
                patches[region.name] = patch
        pixels = compose(base, tuple(patches.values()), np.empty_like(base)) if patches else base
        return _Made(key, base, keys, patches, pixels)

    def _patch(self, region: Region, key: BaseKey, base: I420, pose: Pose, record: Record) -> Patch | None:
        if region.name in record.get("faults", ()):
            before = self._shown.get(region.name)
            return before[1] if before is not None and before[0] == key and before[1].roi == region.roi else None
        if region.name in record.get("kept", ()):
            return self._kept(region, key)
        patch = self._stock.patch(region)
        if patch is None:
            patch = self._stock.avatar.draw(base, key, pose.controls, region)
            self._stock.keep_patch(region, patch)
        return patch

    def _kept(self, region: Region, key: BaseKey) -> Patch | None:
        last = self._last
        if last is None or last.key != key:
            return None
        return next((patch for patch in last.patches.values() if patch.roi == region.roi), None)
