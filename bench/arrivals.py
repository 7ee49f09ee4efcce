"""What came, against what was promised: lateness, skew and gaps of the pictures and sounds of several viewers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from bench.fanout_viewers import LATE_S
from bench.harness import Result, percentiles
from realtime.core.units import AUDIO_TICK_S, FRAME_S

_SAME_TIME_S: Final = 0.005
"""Media times of a picture and a sound packet that differ by less are the same: both are multiples of 20 ms."""

Arrivals = dict[float, float]
"""When a unit was due (Unix time) to how much later it came, in seconds."""


@dataclass(frozen=True, slots=True)
class Thinned:
    """While a session makes every other frame: from and until when (Unix time), and the time of its media time zero.
    Frames whose number is odd are not promised meanwhile."""

    spans: tuple[tuple[float, float], ...] = ()
    zero_s: float = 0.0

    def promised(self, due_s: float) -> bool:
        """Whether a picture of this media time was to come."""
        odd = round((due_s - self.zero_s) / FRAME_S) % 2
        return not (odd and any(begins_s <= due_s < ends_s for begins_s, ends_s in self.spans))


def thinned(state: Mapping[str, Any], zero_s: float) -> Thinned:
    """When the session of this state made every other frame; its clock was zero at this Unix time."""
    spans: list[tuple[float, float]] = []
    begun_s: float | None = None
    for step in state["decisions"]:
        if step["kind"] == "rate" and step["down"] and begun_s is None:
            begun_s = step["at_s"]
        elif step["kind"] == "rate" and not step["down"] and begun_s is not None:
            spans.append((zero_s + begun_s, zero_s + step["at_s"]))
            begun_s = None
    if begun_s is not None:
        spans.append((zero_s + begun_s, float("inf")))
    return Thinned(tuple(spans), zero_s)


@dataclass(frozen=True, slots=True)
class Watched:
    """What one viewer got, and what its session had told of its frame rate."""

    pictures: Arrivals
    sounds: Arrivals
    thinned: Thinned = field(default_factory=Thinned)


def late_and_due(
    arrivals: Mapping[float, float], interval_s: float, thin: Thinned | None = None
) -> tuple[int, int, int]:
    """How many units came late or never and how many were promised, between the first and the last that came, and how
    many more would have been at the full rate. What came counts as promised."""
    if not arrivals:
        return 0, 0, 0
    first_s = min(arrivals)
    slots = {round((due_s - first_s) / interval_s): late_s for due_s, late_s in arrivals.items()}
    late = due = given_up = 0
    for slot in range(max(slots) + 1):
        late_s = slots.get(slot)
        if late_s is None and thin is not None and not thin.promised(first_s + slot * interval_s):
            given_up += 1
            continue
        due += 1
        late += late_s is None or late_s > LATE_S
    return late, due, given_up


def skews_s(pictures: Mapping[float, float], sounds: Mapping[float, float]) -> list[float]:
    """For every picture whose sound arrived too: how much later it came than that."""
    if not sounds:
        return []
    times = np.array(sorted(sounds))
    found = []
    for due_s, late_s in pictures.items():
        nearest = float(times[int(np.argmin(np.abs(times - due_s)))])
        if abs(nearest - due_s) < _SAME_TIME_S:
            found.append(late_s - sounds[nearest])
    return found


def gaps_s(pictures: Mapping[float, float]) -> list[float]:
    """How long each picture stood until the next one came."""
    came = sorted(due_s + late_s for due_s, late_s in pictures.items())
    return [after - before for before, after in pairwise(came)]


def of_arrivals(watched: Sequence[Watched]) -> Result:
    """Lateness, skew and gaps over the pictures and sounds of all viewers."""
    skews_ms = [1e3 * skew_s for one in watched for skew_s in skews_s(one.pictures, one.sounds)]
    lateness_ms = [1e3 * late_s for one in watched for late_s in one.pictures.values()]
    gaps_ms = [1e3 * gap_s for one in watched for gap_s in gaps_s(one.pictures)]
    pictures = _sum(late_and_due(one.pictures, FRAME_S, one.thinned) for one in watched)
    sounds = _sum(late_and_due(one.sounds, AUDIO_TICK_S) for one in watched)
    due = pictures[1] + sounds[1]
    return {
        "late_ratio": _share(pictures[0] + sounds[0], due),
        "late_picture_ratio": _share(pictures[0], pictures[1]),
        "late_sound_ratio": _share(sounds[0], sounds[1]),
        "rate_given_up_ratio": _share(pictures[2], pictures[1] + pictures[2]),
        "units_due": due,
        **percentiles([abs(skew_ms) for skew_ms in skews_ms], "skew_ms"),
        "skew_ms_median": round(float(np.median(skews_ms)), 3) if skews_ms else None,
        **percentiles(lateness_ms, "picture_lateness_ms"),
        "picture_gap_ms_max": round(max(gaps_ms), 1) if gaps_ms else None,
    }


def _sum(counts: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    late = due = given_up = 0
    for one in counts:
        late, due, given_up = late + one[0], due + one[1], given_up + one[2]
    return late, due, given_up


def _share(part: int, whole: int) -> float:
    return round(part / max(1, whole), 5)
