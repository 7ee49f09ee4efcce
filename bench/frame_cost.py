"""What a frame costs on one core, of both kinds of avatars: in full, speaking, idle; and colour conversion.

- `speaking_ms`: what the generator does for a frame of speech: base frame looked up, regions found and drawn, patches
  composed; `idle_ms` the same for a face at rest.
- `full_ms`: the same frame drawn in full with nothing prepared: of an illustrated host every layer painted anew as
  vectors, of a portrait the whole head warped and the regions on it.
- `cached_ms` (illustrated): the whole frame from layers that were painted before, bent to the pose and composed: what
  a base frame costs that is not in the pack.
- `alpha_speaking_ms`, `alpha_idle_ms`: the same frames cut out, with a matte below (`realtime.core.matte`);
  `alpha_extra_ms` is what that adds at the median, `alpha_base_ms` what a base frame of that kind costs when it is met
  for the first time.
- `roi_speedup` = full / speaking, `cached_speedup` = cached / speaking, medians of one run; `regions_ms` is what
  finding a speaking frame's regions costs at poses not seen before.

At top level stands the slower kind; `kinds` has both. The gain by regions and `cached_*` are the illustrated host's: a
portrait is one warp of a photo, and its frame in full, `portrait_full_ms`, has a goal of its own.

Times are CPU time of one thread. The avatar that is timed has seen no pose before; its base frames lie ready.
"""

import math
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from bench.harness import Goal, Result, command, percentiles
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.portrait import assets as portrait_files
from models.avatar.portrait.avatar import PortraitAvatar
from models.avatar.portrait.pack import Wish, bake
from models.avatar.portrait.sheet import public_domain_photo
from models.avatar.projection import PICTURE_PX
from models.avatar.spec import MEI
from models.staging.host import staged_host
from models.staging.person import cut_body
from models.staging.portrait import staged_portrait
from realtime.core.backdrop import Backdrop
from realtime.core.composite import compose
from realtime.core.facs import REST, Controls
from realtime.core.units import FRAME_S
from realtime.core.values import I420, BaseKey, Patch
from realtime.ports import Avatar

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
CACHED_FRAMES = 80
_CUT_OUT: Final = Backdrop("transparent")
_WORST: Final = ("speaking_ms", "idle_ms", "full_ms", "regions_ms", "alpha")
_ILLUSTRATED: Final = ("roi_speedup", "cached")


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
    """The bench's figures over this many frames of each kind."""
    cv2.setNumThreads(1)
    kinds = {"illustrated": illustrated(frames), "portrait": portrait(frames)}
    slower = max(kinds.values(), key=lambda figures: figures["speaking_ms_p50"])
    result = {key: max(figures[key] for figures in kinds.values()) for key in slower if key.startswith(_WORST)}
    result |= {key: value for key, value in kinds["illustrated"].items() if key.startswith(_ILLUSTRATED)}
    result |= {f"portrait_{key}": value for key, value in kinds["portrait"].items() if key.startswith("full_ms")}
    picture = np.random.default_rng(0).integers(0, 255, (PICTURE_PX, PICTURE_PX, 4)).astype(np.uint8)
    convert = _timed(lambda _: cv2.cvtColor(picture, cv2.COLOR_RGBA2YUV_I420), [REST] * frames)
    return {**result, **percentiles(convert, "i420_ms"), "kinds": kinds}


def illustrated(frames: int) -> dict[str, Any]:
    """Figures of the illustrated host."""
    store, layers = _Frames(), paint_layers(MEI)
    cost = regions_cost(lambda: IllustratedHost(MEI, layers, store), store, frames)
    host, talk = IllustratedHost(MEI, layers, store), [spoken(i) for i in range(frames)]

    def cached(pose: Controls) -> None:
        host.render_full(host.base_key(pose), pose)

    def full(pose: Controls) -> None:
        fresh = IllustratedHost(MEI, paint_layers(MEI))
        fresh.render_full(fresh.base_key(pose), pose)

    _timed(cached, talk[:10])
    cached_ms = _timed(cached, talk[:: max(1, frames // CACHED_FRAMES)])
    found = cost | _speedup(cost, _timed(full, talk[:: max(1, frames // FULL_FRAMES)]))
    found |= alpha_cost(lambda: staged_host(MEI, layers, _CUT_OUT), cost, frames)
    found |= percentiles(cached_ms, "cached_ms")
    return found | {"cached_speedup": round(float(np.median(cached_ms)) / cost["speaking_ms_p50"], 2)}


def portrait(frames: int) -> dict[str, Any]:
    """Figures of the portrait of the public-domain test photo."""
    store, talk = _Frames(), [spoken(i) for i in range(frames)]
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mediapipe's generated modules
        pack = Path(place) / "portrait"
        bake(public_domain_photo(), Wish("bench", "public-domain picture, measured only"), pack, ())
        assets = portrait_files.load(pack)
        cost = regions_cost(lambda: PortraitAvatar("bench", assets, store), store, frames)

        unseen = PortraitAvatar("bench", assets)

        def full(pose: Controls) -> None:
            unseen.render_full(unseen.base_key(pose), pose)

        _timed(full, talk[1:5])
        cost |= _speedup(cost, _timed(full, talk[:: max(1, frames // CACHED_FRAMES)]))
        person = cut_body(assets)
        return cost | alpha_cost(lambda: staged_portrait("bench", assets, person, _CUT_OUT), cost, frames)


def regions_cost(make: Callable[[], Avatar], store: _Frames, frames: int) -> dict[str, Any]:
    """Speaking and idle frames as the generator makes them, of an avatar whose base frames lie in `store`."""
    talk = [spoken(i) for i in range(frames)]
    rest = [REST.with_(yaw=pose["yaw"], pitch=pose["pitch"], roll=pose["roll"]) for pose in talk]
    avatar = make()
    for key in dict.fromkeys(avatar.base_key(pose) for pose in talk):
        store.known[key] = avatar.render_base(key)
    avatar = make()  # the one that is timed has nothing left over from that work
    out = np.empty((avatar.height * 3 // 2, avatar.width), np.uint8)
    reused: dict[str, tuple[object, Patch]] = {}

    def frame(pose: Controls) -> None:
        key = avatar.base_key(pose)
        base = store.known[key]
        patches = []
        for region in avatar.regions(key, pose):
            known = reused.get(region.name)
            patch = known[1] if known and known[0] == region.key else avatar.draw(base, key, pose, region)
            reused[region.name] = (region.key, patch)
            patches.append(patch)
        compose(base, patches, out)

    _timed(frame, talk[:10])
    other = make()
    return {
        **percentiles(_timed(frame, talk), "speaking_ms"),
        **percentiles(_timed(frame, rest), "idle_ms"),
        **percentiles(_timed(lambda pose: other.regions(other.base_key(pose), pose), talk), "regions_ms"),
    }


def alpha_cost(make: Callable[[], Avatar], plain: Mapping[str, float], frames: int) -> dict[str, Any]:
    """The figures of a host that is cut out, and what they have over those of the same host in its room."""
    cost = regions_cost(make, _Frames(), frames)
    fresh = make()
    poses = [spoken(i) for i in range(0, frames, max(1, frames // CACHED_FRAMES))]
    bases = _timed(lambda pose: fresh.render_base(fresh.base_key(pose)), poses)
    found = {f"alpha_{key}": value for key, value in cost.items() if key.startswith(("speaking", "idle"))}
    extra = round(cost["speaking_ms_p50"] - plain["speaking_ms_p50"], 2)
    return found | percentiles(bases, "alpha_base_ms") | {"alpha_extra_ms": extra}


def _speedup(cost: Mapping[str, float], full_ms: Sequence[float]) -> dict[str, float]:
    gain = float(np.median(full_ms)) / cost["speaking_ms_p50"]
    return percentiles(full_ms, "full_ms") | {"roi_speedup": round(gain, 1)}


GOALS: Final = (
    Goal("speaking_ms_p50", most=6.0),
    Goal("speaking_ms_p95", most=12.0),
    Goal("idle_ms_p50", most=1.0),
    Goal("alpha_extra_ms", most=1.5),
    Goal("portrait_full_ms_p50", most=12.0),
    Goal("roi_speedup", least=12.0),
)

if __name__ == "__main__":
    sys.exit(command("frame_cost", measure, GOALS, n=250))
