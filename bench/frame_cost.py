"""What a frame of the illustrated host costs on one core: in full, speaking, idle; and colour conversion.

- `speaking_ms`: what the generator does for a frame of speech: base frame looked up, regions found and drawn, patches
  composed; `idle_ms` the same for a face at rest.
- `full_ms`: the same frame drawn in full, every layer painted anew as vectors. `cached_ms`: the whole frame from layers
  that were painted before, bent to the pose and composed: what a base frame costs that is not in the pack.
- `roi_speedup` = full / speaking, `cached_speedup` = cached / speaking, medians of one run.

Times are CPU time of one thread.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from bench.harness import Goal, Result, command, percentiles
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.projection import PICTURE_PX
from models.avatar.spec import MEI
from realtime.core.composite import compose
from realtime.core.facs import REST, Controls
from realtime.core.units import FRAME_S
from realtime.core.values import I420, BaseKey, Patch

VISEMES: Sequence[dict[str, float]] = (
    {"AU24": 0.7, "AU23": 0.12},
    {"AU25": 0.8, "AU26": 0.62, "AU16": 0.15},
    {"AU25": 0.7, "AU26": 0.3, "AU20": 0.1, "tongue_up": 1.0},
    {"AU25": 0.62, "AU26": 0.45, "AU18": 0.55, "AU22": 0.35, "lip_round": 1.0},
    {"AU25": 0.85, "AU26": 0.06, "AU20": 0.4, "teeth": 0.95},
    {"AU25": 0.7, "AU26": 0.34, "AU20": 0.4, "AU12": 0.15, "teeth": 0.1},
    {"AU25": 0.3, "AU26": 0.06, "AU10": 0.35, "lip_tuck": 1.0, "teeth": 0.5},
    {"AU25": 0.45, "AU26": 0.17, "AU18": 0.92, "AU22": 0.45, "lip_round": 1.0},
)
VISEME_S = 0.12
FULL_FRAMES = 8
"""Painting everything anew takes a second: so many frames of it must do."""


def spoken(frame: int) -> Controls:
    """Controls of a frame of fluent speech: visemes, brow beats, gaze shifts, a blink every three seconds."""
    at_s = frame * FRAME_S
    step, share = divmod(at_s / VISEME_S, 1.0)
    share = share * share * (3 - 2 * share)
    first, second = (VISEMES[(int(step) + k) % len(VISEMES)] for k in (0, 1))
    names = first.keys() | second.keys()
    mouth = {n: first.get(n, 0.0) * (1 - share) + second.get(n, 0.0) * share for n in names}
    blink = max(0.0, 1.0 - abs(at_s % 3.0 - 0.15) / 0.12)
    beat = max(0.0, math.sin(at_s * 2.1)) ** 2 * 0.3
    look = 0.25 * math.copysign(1.0, math.sin(at_s * 1.3))
    turn = {"yaw": 3.0 * math.sin(at_s * 0.9), "pitch": 1.5 * math.sin(at_s * 1.7), "roll": math.sin(at_s * 0.6)}
    return REST.with_(**mouth, **turn, blink_l=blink, blink_r=blink, AU1=beat, AU2=beat, gaze_x=look)


class _Frames:
    """Base frames that were rendered before the clock started."""

    def __init__(self) -> None:
        self.known: dict[BaseKey, I420] = {}

    def frame(self, key: BaseKey) -> I420 | None:
        return self.known.get(key)


def _timed(work: Callable[[Controls], object], poses: Sequence[Controls]) -> list[float]:
    times_ms = []
    for pose in poses:
        start = time.thread_time()
        work(pose)
        times_ms.append(1e3 * (time.thread_time() - start))
    return times_ms


def measure(frames: int) -> Result:
    """The bench's figures over this many frames."""
    cv2.setNumThreads(1)
    store = _Frames()
    host = IllustratedHost(MEI, paint_layers(MEI), store)
    talk = [spoken(i) for i in range(frames)]
    rest = [REST.with_(yaw=pose["yaw"], pitch=pose["pitch"], roll=pose["roll"]) for pose in talk]
    for pose in talk:
        key = host.base_key(pose)
        if key not in store.known:
            store.known[key] = host.render_base(key)
    out = np.empty((PICTURE_PX * 3 // 2, PICTURE_PX), np.uint8)
    reused: dict[str, tuple[object, Patch]] = {}

    def frame(pose: Controls) -> None:
        key = host.base_key(pose)
        base = host.base(key)
        assert base is not None
        patches = []
        for region in host.regions(key, pose):
            known = reused.get(region.name)
            patch = known[1] if known and known[0] == region.key else host.draw(base, key, pose, region)
            reused[region.name] = (region.key, patch)
            patches.append(patch)
        compose(base, patches, out)

    rgba = cv2.cvtColor(store.known[host.base_key(talk[0])], cv2.COLOR_YUV2RGBA_I420)
    for work in (frame, lambda pose: host.render_full(host.base_key(pose), pose)):
        _timed(work, talk[:10])
    speaking = _timed(frame, talk)
    idle = _timed(frame, rest)
    cached = _timed(lambda pose: host.render_full(host.base_key(pose), pose), talk[:: max(1, frames // 80)])
    full = _timed(_paint_all, talk[:: max(1, frames // FULL_FRAMES)])
    convert = _timed(lambda pose: cv2.cvtColor(rgba, cv2.COLOR_RGBA2YUV_I420), talk)
    result: Result = {}
    for name, values in (
        ("full_ms", full),
        ("cached_ms", cached),
        ("speaking_ms", speaking),
        ("idle_ms", idle),
        ("i420_ms", convert),
    ):
        result |= percentiles(values, name)
    drawn = float(np.median(speaking))
    result["roi_speedup"] = round(float(np.median(full)) / drawn, 1)
    result["cached_speedup"] = round(float(np.median(cached)) / drawn, 2)
    return result


def _paint_all(pose: Controls) -> None:
    """A frame without anything prepared."""
    fresh = IllustratedHost(MEI, paint_layers(MEI))
    fresh.render_full(fresh.base_key(pose), pose)


GOALS = (
    Goal("speaking_ms_p50", most=6.0),
    Goal("speaking_ms_p95", most=12.0),
    Goal("idle_ms_p50", most=1.0),
    Goal("roi_speedup", least=12.0),
)

if __name__ == "__main__":
    sys.exit(command("frame_cost", measure, GOALS, n=250))
