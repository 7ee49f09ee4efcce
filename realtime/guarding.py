"""Looks at a session's regions before they leave, and puts in the place of a faulty one what was shown before it."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from realtime.core.facs import Controls
from realtime.core.guard import Fault, RegionGuard, change_levels, seam_levels
from realtime.core.roi import overlaps
from realtime.core.values import I420, BaseKey, Patch

FOREIGN: Final = frozenset({"painted product"})
"""Regions that show something else than the host: they may have edges, and change as they like."""


@dataclass(frozen=True, slots=True)
class View:
    """One frame's regions as they would be shown: `picture` is `base` with the patches on it."""

    index: int
    key: BaseKey
    controls: Controls
    base: I420
    picture: I420
    patches: Mapping[str, Patch]
    resting: Collection[str]
    """Regions of which nothing is asked now: the mouth in silence."""


@dataclass(frozen=True, slots=True)
class _Shown:
    key: BaseKey
    patch: Patch
    controls: Controls


@dataclass(slots=True)
class Guarding:
    """One session's. Called on the compute thread, a frame at a time."""

    displacement_px: Callable[[str, Controls, Controls], float]
    """The avatar's."""
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By region and kind, since the session began."""
    _guards: dict[str, RegionGuard] = field(default_factory=dict)
    _shown: dict[str, _Shown] = field(default_factory=dict)

    def look(self, view: View, changed: Collection[str]) -> dict[str, Fault]:
        """The faults of the regions whose pixels were just made."""
        found: dict[str, Fault] = {}
        for name in changed:
            patch = view.patches.get(name)
            # what is blended brings an outline of its own to its border
            if patch is None or patch.alpha is not None or name in FOREIGN:
                continue
            fault = self._judge(view, name, patch)
            if fault is not None:
                found[name] = fault
                self.faults[name, fault.kind] += 1
        return found

    def stand_in(self, view: View, name: str) -> Patch | None:
        """What was shown of a region before, if it fits over this base frame; otherwise the base frame has to do."""
        last = self._shown.get(name)
        roi = view.patches[name].roi
        return last.patch if last is not None and last.key == view.key and last.patch.roi == roi else None

    def shown(self, key: BaseKey, controls: Controls, patches: Mapping[str, Patch]) -> None:
        """This is what the frame shows."""
        for name, patch in patches.items():
            last = self._shown.get(name)
            if last is None or last.patch is not patch or last.key != key:
                self._shown[name] = _Shown(key, patch, controls)

    def _judge(self, view: View, name: str, patch: Patch) -> Fault | None:
        guard = self._guards.setdefault(name, RegionGuard())
        seam = 0.0 if _outlined(view, patch) else seam_levels(view.picture, view.base, patch.roi)
        last = self._shown.get(name)
        change, drift, moved_px = None, 0.0, 0.0
        if last is not None and last.key == view.key and last.patch.roi == patch.roi:
            change, drift = change_levels(patch, last.patch)
            moved_px = self.displacement_px(name, last.controls, view.controls)
        return guard.judge(view.index, seam, change, drift, moved_px, resting=name in view.resting)


def _outlined(view: View, patch: Patch) -> bool:
    """Whether something is blended over the region, such as a waving arm: its outline may cross the border."""
    return any(one.alpha is not None and overlaps(one.roi, patch.roi) for one in view.patches.values())
