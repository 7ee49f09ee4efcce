"""Plays an event log: the frames of a session once more, from its plan and its avatar's pixels, bit by bit."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Final, Protocol

import numpy as np

from realtime.core.composite import compose
from realtime.core.errors import Malformed
from realtime.core.facs import Controls
from realtime.core.plan import Plan
from realtime.core.replay_forms import checked
from realtime.core.replaying import BEGUN, DENOISER, PAINTED, REFINED, RESTAGED, Record, digest, perform
from realtime.core.values import I420, BaseKey, Patch, Pose, Region
from realtime.ports import Avatar, Done, Repeatable
from realtime.stock import Stock


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """One frame as it was made again. `same` says whether it is the recorded one; None where a denoiser had worked on
    it that a replay has not, its mouth was made from sound, or a painted background had come."""

    index: int
    media_s: float
    pixels: I420
    same: bool | None
    lacks: str = ""
    """What was at work on the recorded frame and is not here, `denoiser` or `painter`; or the `instant` in which what
    is painted changed while the frame was drawn."""


WAITING: Final = 16
"""Late calls of the denoiser that are waited for; one that was never begun does not end."""


@dataclass(frozen=True, slots=True)
class _Made:
    key: BaseKey
    base: I420
    keys: tuple[object, ...]
    patches: dict[str, Patch]
    pixels: I420


class Missing(Patch):
    """Stands for a patch that a denoiser had improved and that is not here; its pixels are those that were drawn."""


Opened = Repeatable | str
"""A denoiser, or why there is none."""
Open = Callable[[Record, Avatar], Opened]
"""Opens the one that a record tells of."""


def refined_record(call: int, done: Done) -> Record:
    """What a call of the denoiser did."""
    return {"do": REFINED, "call": call, **{name: value for name, value in asdict(done).items() if value}}


def done_of(record: Record) -> Done:
    """What `refined_record` wrote. Raises `Malformed`."""
    checked({"do": REFINED, "call": 0, **record})
    places = record.get("places", "")
    if not set(places) <= set("fs-"):
        raise Malformed("a call of the denoiser has places that make no sense", field="places", limit="f, s, -")
    return Done(record.get("steps", 0), record.get("rounds", 0), places, record.get("failed", False))


class Repaints(Protocol):
    """What was painted in a session, once more."""

    def restage(self) -> Stock | str:
        """The pixels that frames are made of from here on, or why there are none."""
        ...

    def paint(self, record: Record) -> str:
        """Change what a record tells of; why that cannot be done, empty if it was. Raises `Malformed`."""
        ...


def _nothing_to_open(record: Record, avatar: Avatar) -> Opened:
    """Where nothing can be opened."""
    return "no denoiser was looked for"


def _goes_on(before: _Made | None, made: _Made, record: Record) -> bool:
    """Whether a frame shows something of the one before."""
    reused = before is not None and made.pixels is before.pixels
    return reused or any(record.get(name) for name in ("kept", "base_kept", "faults"))


class Player:
    """One log's. Draws what the levels drew, keeps what they kept, improves what was improved. `cached` says whether
    the session's frames were built on cached pixels (`partial_update`)."""

    def __init__(
        self, seed: int, stock: Stock, denoiser: Open = _nothing_to_open, painting: Repaints | None = None, *,
        cached: bool = True,
    ) -> None:  # fmt: skip
        self._plan = Plan(seed)
        self._stock = stock
        self._open, self._cached = denoiser, cached
        self._denoiser: Opened = "the log does not say which denoiser it was, or it cannot do again what it did"
        self._told: dict[int, Done] = {}
        self._waiting: dict[int, tuple[tuple[Patch, ...], Controls]] = {}
        self._last: _Made | None = None
        self._painting = painting
        self._unpainted = ""
        self._torn = False
        self._shown: dict[str, tuple[BaseKey, Patch]] = {}

    @property
    def lacking(self) -> str:
        """Why there is no denoiser; empty if there is one."""
        return self._denoiser if isinstance(self._denoiser, str) else ""

    @property
    def unpainted(self) -> str:
        """Why what was painted is not here; empty if it is, or nothing was."""
        return self._unpainted

    def frames(self, records: Iterable[Record]) -> Iterator[Replayed]:
        """The frames of a log without its first line, in order. Raises `Malformed`."""
        pose: Pose | None = None
        for record in map(checked, records):
            if record.get("do") in (RESTAGED, PAINTED):
                self._repainted(record)
            if record.get("do") == BEGUN:
                self._last = None
            if record.get("do") == DENOISER:
                self._denoiser = self._open(record, self._stock.avatar)
            if record.get("do") == REFINED:
                self._refined(record)
            if record.get("do") not in ("frame", "redrawn"):
                pose = perform(self._plan, record) or pose
                continue
            if pose is None:
                raise Malformed("the log has a frame before its first pose", field="log")
            before = self._last
            self._last = made = self._improved(self._make(pose, record), pose.controls, record)
            self._shown |= {name: (made.key, patch) for name, patch in made.patches.items()}
            if record["do"] == "redrawn":
                continue
            unsaid = "rung" in record and "call" not in record  # of a version that did not tell of calls
            missing = unsaid or any(isinstance(patch, Missing) for patch in made.patches.values())
            # the sound that a mouth was made from is in no log
            mouth = "mouth net" if "mouth" in record else ""
            lacks = "painter" if self._unpainted else "denoiser" if missing else mouth
            same = None if lacks else digest(made.pixels) == record["digest"]
            self._torn = same is False and bool(
                record.get("restless") or self._torn and _goes_on(before, made, record)
            )
            if self._torn:
                same, lacks = None, "instant"
            yield Replayed(record["index"], pose.media_s, made.pixels, same, lacks)

    def _repainted(self, record: Record) -> None:
        if self._unpainted:
            return
        if self._painting is None:
            self._unpainted = "painted pixels are not here, so these frames were made of the avatar's own"
        elif record["do"] == PAINTED:
            self._unpainted = self._painting.paint(record)
        elif isinstance(found := self._painting.restage(), str):
            self._unpainted = found
        else:
            self._stock = found

    def _refined(self, record: Record) -> None:
        """A call of the denoiser ended: of a frame that is still to come, or, late, of one that was shown without."""
        self._told[record["call"]] = done_of(record)
        self._again()

    def _again(self) -> dict[int, tuple[Patch, ...]]:
        """What the calls give whose patches are known, in the order in which they ended."""
        found = {}
        while self._told and (call := next(iter(self._told))) in self._waiting:
            (drawn, controls), done = self._waiting.pop(call), self._told.pop(call)
            if not isinstance(self._denoiser, str):
                found[call] = self._denoiser.again(drawn, controls, done).patches
        return found

    def _improved(self, made: _Made, controls: Controls, record: Record) -> _Made:
        """What the denoiser made of it; without one, its regions are marked as missing what it gave."""
        call, better, drawn = record.get("call"), set(record.get("better", ())), tuple(made.patches.values())
        if call is not None:
            self._waiting = {**dict(list(self._waiting.items())[1 - WAITING :]), call: (drawn, controls)}
        improved = self._again()
        if self._told:
            self._told.clear()
            self._denoiser = "a call of the denoiser belongs to a frame that was given up; what follows depends on it"
        if not better:
            return made
        missing = tuple(Missing(one.roi, one.pixels, one.alpha, one.matte) for one in drawn)
        chosen = zip(made.patches.items(), improved.get(-1 if call is None else call, missing), strict=True)
        patches = {name: new if name in better else old for (name, old), new in chosen}
        pixels = compose(made.base, tuple(patches.values()), np.empty_like(made.base))
        return replace(made, patches=patches, pixels=pixels)

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
        if self._cached and last is not None and last.key == key and last.keys == keys:
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
