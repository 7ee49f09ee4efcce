"""How much of the picture is made anew: the real frame path in virtual time, for both kinds of avatars.

- `idle_reused_ratio`: frames of a resting host for which no pixel was drawn: base frame and regions lay ready. Counted
  from the second round of the idle loop on; `idle_first_ratio` is that of the first, with base frames as a pack has
  them.
- `speech_below_one_step_ratio`: of the regions of speaking frames that a denoiser works on, mouth and eyes, those that
  moved by less than one step asks for (`realtime.core.roi`) since they were last refined: they are kept or warped.
  `mouth_below_one_step_ratio` is that of the mouth alone.
- `missed_visemes`: sounds in whose time no frame shows the mouth that was asked for, to within a warp (1 px).
- `filter_skipped_ratio`, `filter_missed_visemes`: the control. A filter over whole frames that leaves out those whose
  cosine similarity to the last one passed is 0.98 or more, as a diffusion pipeline without regions has it.

At top level stands the worse kind of avatar; `kinds` has both.
"""

import asyncio
import contextlib
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from bench.follow import baked
from bench.harness import Goal, Result, command
from bench.sync import SENTENCES, Said, speak, timed_sounds
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.portrait.sheet import public_domain_photo
from models.avatar.spec import MEI
from realtime.core.budget import CostModel, Ladder
from realtime.core.clips import BAKED
from realtime.core.facs import REST, Controls
from realtime.core.plan import Plan
from realtime.core.primitives import clip_controls
from realtime.core.roi import WARP_PX, Dirt, judge
from realtime.core.units import FRAME_S
from realtime.core.values import Frame, Pose
from realtime.generator import Generator
from realtime.levels import MOUTH, Workshop
from realtime.mailbox import Mailbox
from realtime.ports import Avatar
from realtime.stock import Stock
from tests.fakes import InlineCompute
from tests.virtual_time import now_s, run_virtual

GOALS: Final = (
    Goal("idle_reused_ratio", least=0.9), Goal("speech_below_one_step_ratio", least=0.35),
    Goal("missed_visemes", most=0.0),
)  # fmt: skip
ROUND_S: Final = 12.0
"""The idle loops come round after this."""
IDLE_ROUNDS: Final = 3
HEARD_AHEAD_S: Final = 0.2
"""A sentence is known so long before it sounds."""
SIMILAR: Final = 0.98
CONTROL: Final = ("filter_skipped_ratio", "filter_missed_visemes")
REFINED: Final = (MOUTH, "upper")
"""Regions that a denoiser has crops in."""


class WatchedPlan(Plan):
    """A plan that keeps the poses it was asked for, by media time."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.poses: dict[float, Pose] = {}

    def sample(self, media_s: float) -> Pose:
        """As the plan does."""
        pose = self.poses[media_s] = super().sample(media_s)
        return pose


@dataclass(slots=True)
class Shown:
    """What the frames of one performance show, and what they asked for."""

    similar: float = SIMILAR
    reused: list[bool] = field(default_factory=list)
    asked: dict[str, list[Dirt]] = field(default_factory=lambda: {name: [] for name in REFINED})
    """What each speaking frame's regions asked of the refiner."""
    mouths: list[tuple[float, float, float]] = field(default_factory=list)
    """Media time; pixels between the mouth asked for and the one shown; the same if the filter decided."""
    skipped: int = 0
    _shown: Controls = REST
    _refined: dict[str, Controls] = field(default_factory=lambda: dict.fromkeys(REFINED, REST))
    _passed: Controls = REST
    _kept: np.ndarray[Any, np.dtype[np.float32]] | None = None
    _open: bool = False

    def add(self, frame: Frame, pose: Pose, avatar: Avatar) -> None:
        """Count one frame in."""
        trace, asked = frame.trace, pose.controls
        self.reused.append(trace.base_hit and not trace.drawn)
        if MOUTH not in trace.rois or MOUTH in trace.drawn or MOUTH in trace.reused:
            self._shown = asked
        if pose.activity == "speaking":
            for name in REFINED:
                opened = name == MOUTH and pose.mouth_open and not self._open
                dirt = judge(avatar.displacement_px(name, self._refined[name], asked), newly_opened=opened)
                self.asked[name].append(dirt)
                if dirt >= Dirt.ONE_STEP:
                    self._refined[name] = asked
            self.skipped += self._filtered(frame, asked)
            off_px, filtered_px = (avatar.displacement_px(MOUTH, one, asked) for one in (self._shown, self._passed))
            self.mouths.append((frame.media_s, off_px, filtered_px))
        self._open = pose.mouth_open

    def _filtered(self, frame: Frame, asked: Controls) -> bool:
        luma = frame.pixels[: frame.pixels.shape[0] * 2 // 3].astype(np.float32).ravel()
        luma /= np.float32(np.linalg.norm(luma))
        if self._kept is not None and float(luma @ self._kept) >= self.similar:
            return True
        self._kept, self._passed = luma, asked
        return False

    def missed(self, said: Sequence[Said]) -> tuple[int, int, int]:
        """Sounds; those that no frame of their time shows; those that none would if the filter decided."""
        count = missed = filtered = 0
        times_s = np.array([at_s for at_s, _, _ in self.mouths])
        for begin_s, end_s, _, _ in timed_sounds(said):
            inside = np.flatnonzero((times_s > begin_s - FRAME_S / 2) & (times_s < end_s + FRAME_S / 2))
            if not len(inside):
                continue
            count += 1
            missed += all(self.mouths[i][1] > WARP_PX for i in inside)
            filtered += all(self.mouths[i][2] > WARP_PX for i in inside)
        return count, missed, filtered


async def perform(avatar: Avatar, said: Sequence[Said], length_s: float) -> Shown:
    """Run the frame path over a plan; base frames of the baked motions lie ready, as in a pack."""
    plan, shown, stock = WatchedPlan(), Shown(), Stock(avatar)
    for key in dict.fromkeys(avatar.base_key(controls) for clip in BAKED for controls in clip_controls(clip)):
        stock.make_base(key)
    for utterance in said:
        speak_it = partial(plan.speak, utterance.phonemes, utterance.begin_s, utterance.end_s)
        asyncio.get_running_loop().call_at(utterance.begin_s - HEARD_AHEAD_S, speak_it)
    compute: Any = InlineCompute()
    shop = Workshop(plan, now_s, stock, compute, CostModel(), Ladder())
    on_frame = lambda frame: shown.add(frame, plan.poses[frame.media_s], avatar)  # noqa: E731
    task = asyncio.create_task(Generator(shop, Mailbox(), on_frame=on_frame).run())
    await asyncio.sleep(length_s)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return shown


def figures(avatar: Avatar, said: Sequence[Said]) -> dict[str, Any]:
    """The published keys of one avatar."""
    idle = run_virtual(perform(avatar, (), ROUND_S * IDLE_ROUNDS)).reused
    first = round(ROUND_S / FRAME_S)
    talk = run_virtual(perform(avatar, said, said[-1].end_s + 0.2))
    sounds, missed, filtered = talk.missed(said)
    asked = [dirt for dirts in talk.asked.values() for dirt in dirts]
    mouth = talk.asked[MOUTH]
    return {
        "idle_reused_ratio": round(float(np.mean(idle[first:])), 4),
        "idle_first_ratio": round(float(np.mean(idle[:first])), 4),
        "speech_below_one_step_ratio": round(float(np.mean([dirt < Dirt.ONE_STEP for dirt in asked])), 4),
        "mouth_below_one_step_ratio": round(float(np.mean([dirt < Dirt.ONE_STEP for dirt in mouth])), 4),
        "missed_visemes": missed, "sounds": sounds, "speaking_frames": len(mouth),
        "mouths": {dirt.name.lower(): mouth.count(dirt) for dirt in Dirt},
        "filter_skipped_ratio": round(talk.skipped / len(mouth), 4), "filter_missed_visemes": filtered,
    }  # fmt: skip


def measure(n: int) -> Result:
    """The published keys, for `n` sentences."""
    cv2.setNumThreads(1)
    said = asyncio.run(speak(n))
    kinds = {"illustrated": figures(IllustratedHost(MEI, paint_layers(MEI)), said)}
    with tempfile.TemporaryDirectory() as place:
        kinds["portrait"] = figures(baked(public_domain_photo(), Path(place) / "portrait"), said)
    worst = {goal.key: (min if goal.most is None else max)(one[goal.key] for one in kinds.values()) for goal in GOALS}
    control = {key: max(one[key] for one in kinds.values()) for key in CONTROL}
    mouth = min(one["mouth_below_one_step_ratio"] for one in kinds.values())
    return {**worst, "mouth_below_one_step_ratio": mouth, **control, "kinds": kinds}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.updates`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mediapipe's generated modules
        return command("updates", measure, GOALS, n=len(SENTENCES), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
