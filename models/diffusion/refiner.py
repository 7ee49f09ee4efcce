"""One session's refiner: the mouth and the eyes of drawn patches become the net's input, its output patches again.

A region that has moved by less than a pixel since its last step keeps what that step added, carried along with the
skin; one to four pixels ask for one step, more or a newly opened mouth for two. Lips that have closed begin anew."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.diffusion.data.raster import Frame
from models.diffusion.refiner_crop import Floats, flow_back, laid, reach, taken, taken_at_rest, warped
from models.diffusion.refiner_engine import Engine
from models.diffusion.refiner_face import Face, Faces, faces_of
from models.diffusion.runtime.port import Job
from models.diffusion.sampler import ANEW, COLD, WARM, noisy, session_noise
from models.diffusion.spec import CROPS, FIELDS, control_vector, coordinates
from realtime.core.errors import Malformed, UpstreamError
from realtime.core.facs import REST, Controls
from realtime.core.roi import Dirt, judge
from realtime.core.values import BaseKey, Patch, Roi
from realtime.ports import Avatar, Done, Refined

log = logging.getLogger(__name__)

REGION_OF: Final[Mapping[str, str]] = {"mouth": "lower", "eyes": "upper"}
"""The region that a crop lies in; a face drawn as one region is `lower`."""
STALE_FRAMES: Final = 12
"""What a step added is carried over so many frames at most, then a step is due or it is let go."""
FADE_FRAMES: Final = 4
"""Over the last of them it fades out."""
FAILURES: Final = 3
"""After so many failures in a row the session goes on without a denoiser."""
FRESH, SAME, LEFT = "f", "s", "-"
"""Of `Done.places`."""
_OPENING, _EYEBALL = FIELDS.index("opening"), FIELDS.index("eyeball")
_HALF: Final = 128
_FEWEST_PX: Final = 6
"""An opening of fewer pixels of the crop counts as closed."""


@dataclass(slots=True, eq=False)
class _Memory:
    """What is kept of a crop's last step; one per crop, so a session's memory does not grow."""

    noise: Floats
    reference: Floats
    output: Floats | None = None
    added: Floats | None = None
    """Output less base."""
    points: NDArray[np.float64] | None = None
    opened: NDArray[np.bool_] | None = None
    controls: Controls = REST
    age: int = 0
    """Frames since the last step."""


@dataclass(slots=True, eq=False)
class _Shown:
    given: Patch
    made: Patch


@dataclass(slots=True, eq=False)
class _Task:
    """One crop of the frame at hand."""

    crop: str
    place: int
    """Of its patch among the frame's."""
    frame: Frame
    memory: _Memory
    base: Floats
    fields: NDArray[np.uint8]
    points: NDArray[np.float64]
    opened: NDArray[np.bool_]
    control: Floats
    known: NDArray[np.bool_] | None
    """(H, W) where the last output can be carried over; None where nothing can."""
    flow: Floats | None
    levels: tuple[float, ...]
    guess: Floats
    previous: Floats
    steps: int = 0
    deep: Floats | None = None
    """Of the first step, for a shallow second one."""


class Refiner:
    """A `Denoiser` for one session."""

    def __init__(
        self, engine: Engine, avatar: Avatar, faces: Faces, seed: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`seed` fixes the session's noise, so that what does not change does not flicker."""
        self._engine, self._avatar, self._faces = engine, avatar, faces
        self._seed, self._clock = seed, clock
        self._crops = [crop for crop in REGION_OF if crop in engine.kinds[faces.kind]]
        self._memory: dict[str, _Memory] = {}
        self._shown: dict[Roi, _Shown] = {}
        self._busy = threading.Lock()
        self._failures = 0
        self._step_s = 0.0
        engine.join(self)

    @property
    def name(self) -> str:
        return self._engine.runtime.name

    @property
    def steps(self) -> int:
        """See `Denoiser.steps`: as many as the weights were trained for."""
        return self._engine.weights.steps

    @property
    def identity(self) -> Mapping[str, str | int]:
        """See `Repeatable.identity`."""
        weights = self._engine.weights
        return {
            "name": weights.name, "weights": weights.fingerprint, "runtime": self.name, "seed": self._seed,
            "crops": ",".join(self._crops),
        }  # fmt: skip

    @property
    def concurrent(self) -> bool:
        """Whether it may run aside of the compute thread."""
        return self._engine.concurrent

    def refine(self, patches: Sequence[Patch], controls: Controls, steps: int, left_s: float) -> Refined:
        """See `Denoiser.refine`. A result that comes too late is still where the next frame goes on."""
        unchanged = Refined(tuple(patches), 0)
        if self._failures >= FAILURES or not self._busy.acquire(blocking=False):
            return unchanged
        try:
            found = self._refine(patches, controls, steps, left_s) if self._memory else self._first(patches, steps)
            self._failures = 0
            return found
        except Exception as error:
            self._failed(error)
            return replace(unchanged, done=Done(steps, 0, "", failed=True))
        finally:
            self._busy.release()

    def again(self, patches: Sequence[Patch], controls: Controls, done: Done) -> Refined:
        """Do what a call with these patches and controls did in a session that was recorded, whatever the time is.
        Raises `UpstreamError` where the net does not work, `Malformed` for other patches than those of the call."""
        if done.failed:
            self._forget()
            return Refined(tuple(patches), 0, done)
        if len(done.places) != len(patches) or self._memory and not self._possible(patches, controls, done.places):
            raise Malformed("a call of the denoiser had other patches", field="places")
        return self._refine(patches, controls, done.steps, 0.0, done) if self._memory else self._first(patches, 0)

    def _possible(self, patches: Sequence[Patch], controls: Controls, places: str) -> bool:
        regions = self._avatar.regions(self._avatar.base_key(controls), controls)
        there = {FRESH: {region.roi for region in regions}, SAME: self._shown.keys()}
        return all(place == LEFT or one.roi in there[place] for place, one in zip(places, patches, strict=True))

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._forget()
        given_up = "; this session goes on without it" if self._failures >= FAILURES else ""
        # an error of ours says all there is; any other one is a defect whose place has to be known
        log.error("refining failed: %s%s", error, given_up, exc_info=not isinstance(error, UpstreamError))

    def _forget(self) -> None:
        self._memory = {name: _Memory(one.noise, one.reference) for name, one in self._memory.items()}

    # --- in the order of a frame ----------------------------------------------------------------------------------

    def _first(self, patches: Sequence[Patch], steps: int) -> Refined:
        """The avatar at rest, looked at once; this frame is shown as drawn, for the base frame may have to be drawn."""
        key = self._avatar.base_key(REST)
        base = self._avatar.base(key)
        base = self._avatar.render_base(key) if base is None else base
        found = {}
        for index, name in enumerate(self._crops):
            crop, rest = CROPS[name], taken_at_rest(base, self._faces.frame(name, key))
            noise = session_noise(self._seed + index, crop.width, crop.height)
            found[name] = _Memory(noise, self._engine.reference(name, rest))
        self._memory = found
        return Refined(tuple(patches), 0, Done(steps, 0, "-" * len(patches)))

    def _refine(
        self, patches: Sequence[Patch], controls: Controls, steps: int, left_s: float, told: Done | None = None
    ) -> Refined:
        """`told` is what to do where that is known: which patches, how often."""
        begin_s = self._clock()
        key = self._avatar.base_key(controls)
        regions = {region.roi: region.name for region in self._avatar.regions(key, controls)}
        places = self._sorted(patches, regions) if told is None else told.places
        made = [self._shown[one.roi].made if place == SAME else one for place, one in zip(places, patches, strict=True)]
        fresh = [index for index, place in enumerate(places) if place == FRESH]
        self._shown = {roi: shown for roi, shown in self._shown.items() if roi in regions}
        if not fresh:
            return Refined(tuple(made), 0, Done(steps, 0, places))
        face = self._faces.at(key, controls)
        tasks = [
            self._task(crop, place, patches[place], face, key, controls, steps)
            for crop, place in self._placed(fresh, patches, regions)
        ]
        rounds = self._evaluate(tasks, begin_s, left_s, None if told is None else told.rounds)
        for task in tasks:
            added = self._result(task, controls)
            if added is not None:
                made[task.place] = laid(made[task.place], added, task.frame)
        for place in fresh:
            self._shown[patches[place].roi] = _Shown(patches[place], made[place])
        return Refined(tuple(made), max((task.steps for task in tasks), default=0), Done(steps, rounds, places))

    def _sorted(self, patches: Sequence[Patch], regions: Mapping[Roi, str]) -> str:
        """See `Done.places`."""
        ours, found = [REGION_OF[crop] for crop in self._crops], ""
        for patch in patches:
            shown = self._shown.get(patch.roi)
            if shown is not None and patch in (shown.given, shown.made):
                found += SAME
            else:
                found += FRESH if regions.get(patch.roi) in ours else LEFT
        return found

    def _placed(
        self, fresh: Sequence[int], patches: Sequence[Patch], regions: Mapping[Roi, str]
    ) -> list[tuple[str, int]]:
        """Which crops are repaired, and where among the patches the one lies that each is part of."""
        of = {regions[patches[place].roi]: place for place in fresh}
        return [(crop, of[REGION_OF[crop]]) for crop in self._crops if REGION_OF[crop] in of]

    def _task(
        self, crop: str, place: int, patch: Patch, face: Face, key: BaseKey, controls: Controls, steps: int
    ) -> _Task:
        frame, memory = self._faces.frame(crop, key), self._memory[crop]
        points = frame.to_crop(face.points)
        fields = self._faces.fields(face, frame)
        opened = np.asarray((fields[_OPENING] > _HALF) | (fields[_EYEBALL] > _HALF))
        base = taken(patch, frame)
        before = memory.opened
        is_open = crop == "mouth" and int((fields[_OPENING] > _HALF).sum()) >= _FEWEST_PX
        was_open = crop == "mouth" and before is not None and int(before.sum()) >= _FEWEST_PX
        stale = memory.age >= STALE_FRAMES
        closed_now = was_open and not is_open
        warm = memory.output is not None and not stale and not closed_now
        known = flow = None
        previous = base
        if warm and memory.output is not None and before is not None and memory.points is not None:
            flow = flow_back(points, memory.points, frame.width, frame.height)
            known = ~(opened & ~before)
            previous = base if crop in ANEW else np.where(known, warped(memory.output, flow), base)
        asked = judge(
            self._avatar.displacement_px(REGION_OF[crop], memory.controls, controls),
            newly_opened=is_open and not was_open,
        )
        steps = min(steps, self._engine.weights.steps)
        wanted = steps if not warm else min(steps, max(0, asked - Dirt.WARP))
        levels = (WARM if warm and crop not in ANEW else COLD)[wanted] if wanted else ()
        if wanted and self._engine.weights.objective == "regressor":
            levels = (1.0,)
        return _Task(
            crop, place, frame, memory, base, fields, points, opened, control_vector(controls, crop), known, flow,
            levels, previous, previous,
        )  # fmt: skip

    def _evaluate(self, tasks: Sequence[_Task], begin_s: float, left_s: float, told: int | None) -> int:
        """Step by step, all crops together; another step begins only if it will be done in time, or where it is
        `told`. How many rounds there were."""
        for index in range(2):
            due = [task for task in tasks if len(task.levels) > index]
            spent_s = self._clock() - begin_s
            enough = index > 0 and spent_s + self._step_s > left_s if told is None else index >= told
            if not due or enough:
                return index
            found = self._engine.evaluate([self._job(task, task.levels[index]) for task in due])
            for task, estimate in zip(due, found, strict=True):
                task.guess, task.steps = estimate.image, index + 1
                task.deep = estimate.deep if self._engine.weights.shallow else None
            self._step_s = self._clock() - begin_s - spent_s
        return 2

    def _job(self, task: _Task, level: float) -> Job:
        regressor = self._engine.weights.objective == "regressor"
        first = task.base if regressor else noisy(task.guess, task.base, task.memory.noise, level)
        _, height, width = task.base.shape
        shown = None if task.crop in ANEW else task.known
        valid = np.zeros((1, height, width), np.float32) if shown is None else shown[None].astype(np.float32)
        fields = task.fields.astype(np.float32) / np.float32(255)
        picture = np.concatenate([first, task.base, task.previous, valid, fields, coordinates(width, height)])
        return Job(picture, task.control, level, task.memory.reference, task.deep)

    def _result(self, task: _Task, controls: Controls) -> Floats | None:
        """What is added to the crop's base, and the memory of it."""
        memory = task.memory
        if task.steps:
            added = np.asarray((task.guess - task.base) * reach(task.fields), np.float32)
            memory.output, memory.added, memory.age = task.base + added, added, 0
            memory.points, memory.opened, memory.controls = task.points, task.opened, controls
            return added
        memory.age += 1
        if task.flow is None or task.known is None or memory.added is None:
            return None
        share = min(1.0, (STALE_FRAMES - memory.age) / FADE_FRAMES)
        return np.asarray(warped(memory.added, task.flow) * task.known * np.float32(max(0.0, share)), np.float32)


def refiner_for(engine: Engine | None, avatar: Avatar, seed: int) -> Refiner | None:
    """A session's refiner; None where there is no engine or it does not improve this kind of avatar."""
    faces = faces_of(avatar) if engine is not None else None
    if engine is None or faces is None or faces.kind not in engine.kinds:
        return None
    return Refiner(engine, avatar, faces, seed)
