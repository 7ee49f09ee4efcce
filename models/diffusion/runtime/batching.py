"""Micro-batches: jobs of several sessions that come within two milliseconds are evaluated at once, never mixed."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from models.diffusion.runtime.port import Estimate, Floats, Job, RoiRuntime
from realtime.core.errors import UpstreamError

WINDOW_S: Final = 0.002

Asked = tuple[Job, "Future[Estimate]"]


@dataclass(slots=True)
class Window:
    """Decides when what waits is evaluated: a kind at once when it fills a batch, else when its first job has waited
    for the whole window."""

    most: int
    window_s: float = WINDOW_S
    _waiting: dict[tuple[int, int, bool], list[tuple[float, Asked]]] = field(default_factory=dict)

    def put(self, asked: Asked, now_s: float) -> None:
        """One job more."""
        self._waiting.setdefault(asked[0].kind, []).append((now_s, asked))

    def wait_s(self, now_s: float) -> float | None:
        """How long to wait for more; 0 when something is due, None when nothing waits."""
        if not self._waiting:
            return None
        if any(len(some) >= self.most for some in self._waiting.values()):
            return 0.0
        return max(0.0, min(some[0][0] for some in self._waiting.values()) + self.window_s - now_s)

    def take(self, now_s: float) -> list[Asked]:
        """What is due, of one kind, at most a batch, oldest first; empty if nothing is."""
        due = [k for k, some in self._waiting.items()
               if len(some) >= self.most or some[0][0] + self.window_s <= now_s]  # fmt: skip
        if not due:
            return []
        kind = min(due, key=lambda k: self._waiting[k][0][0])
        some = self._waiting[kind]
        taken, self._waiting[kind] = some[: self.most], some[self.most :]
        if not self._waiting[kind]:
            del self._waiting[kind]
        return [asked for _, asked in taken]


class MicroBatches:
    """A `RoiRuntime` over another one, for callers on several threads. `close` ends its thread."""

    def __init__(
        self, runtime: RoiRuntime, window_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._runtime, self._clock = runtime, clock
        self._window = Window(runtime.most, window_s)
        self._window_s = window_s
        self._changed = threading.Condition()
        self._device = threading.Lock()
        self._closed = False
        self.members = 2
        """How many sessions use it: one alone waits for nobody."""
        self._thread = threading.Thread(target=self._work, name="denoiser", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._runtime.name

    @property
    def most(self) -> int:
        return self._runtime.most

    def encode_reference(self, rest: Floats) -> Floats:
        with self._device:
            return self._runtime.encode_reference(rest)

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        asked: list[Asked] = [(job, Future()) for job in jobs]
        with self._changed:
            if self._closed:
                raise UpstreamError("the denoiser is closed")
            self._window.window_s = self._window_s if self.members > 1 else 0.0
            for one in asked:
                self._window.put(one, self._clock())
            self._changed.notify()
        return [future.result() for _, future in asked]

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        self._runtime.close()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (taken := self._window.take(float("inf") if self._closed else self._clock())):
                    if self._closed:
                        return
                    self._changed.wait(self._window.wait_s(self._clock()))
            self._evaluate(taken)

    def _evaluate(self, taken: list[Asked]) -> None:
        try:
            with self._device:
                found = self._runtime.evaluate([job for job, _ in taken])
        except Exception as error:  # whatever it is, it belongs to the callers
            for _, future in taken:
                future.set_exception(error)
            return
        for (_, future), estimate in zip(taken, found, strict=True):
            future.set_result(estimate)
