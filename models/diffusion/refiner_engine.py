"""The denoiser that all sessions of a process share: one runtime, its weights, and the avatars' reference features."""

import logging
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from models.diffusion.runtime.batching import MicroBatches
from models.diffusion.runtime.choose import ANY, Compute, open_runtime
from models.diffusion.runtime.port import Estimate, Floats, Job, RoiRuntime
from models.diffusion.runtime.weights import SHIPPED, Weights, open_weights
from models.diffusion.spec import CONTROL_LENGTH, CROPS, PICTURE_CHANNELS
from realtime.core.errors import ConfigError, UpstreamError, WeightsError

log = logging.getLogger(__name__)

AUTO, OFF = "auto", "off"
REFERENCES_KEPT: Final = 64
"""Reference features of so many avatars' crops; one takes 24 to 74 KB."""
CROPS_USED: Final = ("mouth", "eyes")


class Engine:
    """One net for all sessions."""

    def __init__(self, runtime: RoiRuntime, weights: Weights, kinds: Mapping[str, frozenset[str]]) -> None:
        """`kinds` says for which crops of which kinds of avatars it is to be used."""
        self.runtime, self.weights, self.kinds = runtime, weights, kinds
        self._references: OrderedDict[tuple[str, bytes], Floats] = OrderedDict()
        self._sessions: weakref.WeakSet[object] = weakref.WeakSet()

    @property
    def concurrent(self) -> bool:
        """Whether several threads may ask at once, because what they ask for is computed together."""
        return isinstance(self.runtime, MicroBatches)

    def join(self, session: object) -> None:
        """One session more, until it is gone."""
        self._sessions.add(session)

    def reference(self, crop: str, rest: Floats) -> Floats:
        """Reference features of a crop at rest, (3, H, W); computed once for equal pixels."""
        key = crop, blake2b(rest.tobytes(), digest_size=16).digest()
        found = self._references.get(key)
        if found is None:
            found = self._references[key] = self.runtime.encode_reference(rest)
            while len(self._references) > REFERENCES_KEPT:
                self._references.popitem(last=False)
        return found

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        """Evaluate jobs. Raises `UpstreamError`, also for pictures that are none: such a net computes nonsense."""
        if isinstance(self.runtime, MicroBatches):
            self.runtime.members = len(self._sessions)
        found = self.runtime.evaluate(jobs)
        for job, estimate in zip(jobs, found, strict=True):
            if estimate.image.shape != (3, *job.picture.shape[1:]) or not np.isfinite(estimate.image).all():
                raise UpstreamError(f"the denoiser {self.weights.name} gives no picture")
        return found

    def warm_up(self) -> None:
        """Run every crop once: the first evaluation is the slowest, and a broken graph shows itself. Raises
        `UpstreamError`."""
        for name in CROPS_USED:
            crop = CROPS[name]
            rest = np.zeros((3, crop.height, crop.width), np.float32)
            picture = np.zeros((PICTURE_CHANNELS, crop.height, crop.width), np.float32)
            self.evaluate(
                [Job(picture, np.zeros(CONTROL_LENGTH, np.float32), 1.0, self.runtime.encode_reference(rest))]
            )

    def close(self) -> None:
        """Release what the runtime holds."""
        self.runtime.close()


def open_engine(wish: str, compute: Compute = ANY) -> tuple[Engine | None, str]:
    """The engine for the setting `denoiser` (`auto`, `off` or a directory of weights), and one line that says why
    there is none or what it is. Never raises for what weights are like: without them the host is shown as drawn.
    Raises `ConfigError` where `compute` chooses what cannot be had here."""
    if wish == OFF:
        return None, "off"
    place = SHIPPED if wish == AUTO else Path(wish)
    if wish == AUTO and not place.is_dir():
        return None, "no weights come with this version: hosts are shown as drawn"
    try:
        weights = open_weights(place)
        kinds = weights.improves
        if not kinds and wish == AUTO:
            return None, f"{weights.name}: its card names no kind of avatar that it improves, so it is not used"
        if not kinds:
            log.warning("%s: its card names no kind of avatar that it improves; it is used for portraits", place)
            kinds = {"portrait": frozenset(CROPS_USED)}
        engine = _begun(weights, compute, kinds)
    except ConfigError as error:
        if compute.chosen:
            raise
        return None, f"{FAILED}{error}"
    except (WeightsError, UpstreamError) as error:
        return None, f"{FAILED}{error}"
    uses = (f"{kind} ({', '.join(sorted(crops))})" for kind, crops in sorted(kinds.items()))
    return engine, f"{weights.name} on {engine.runtime.name}, for {'; '.join(uses)}"


def _begun(weights: Weights, compute: Compute, kinds: Mapping[str, frozenset[str]]) -> Engine:
    engine = Engine(open_runtime(weights, compute), weights, kinds)
    try:
        engine.warm_up()
    except UpstreamError as error:
        engine.close()
        if compute.chosen:
            raise ConfigError(f"{compute.chosen}: {error}") from error
        raise
    return engine


def announced_engine(wish: str, compute: Compute = ANY) -> tuple[Engine | None, str]:
    """`open_engine`, told to the log."""
    engine, about = open_engine(wish, compute)
    log.log(logging.ERROR if about.startswith(FAILED) else logging.INFO, "denoiser: %s", about)
    return engine, about


FAILED: Final = "cannot be used: "
"""What the line begins with where something is wrong, and not merely absent."""
