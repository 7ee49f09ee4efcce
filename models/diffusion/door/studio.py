"""The painter behind the port `realtime.core.painting.Painter`: one checkpoint, one polite thread, many orders.

Pieces of work of all orders take turns. Between two pieces the thread rests so that it has `share` of its time at most,
and while a session's frames need the machine its orders wait."""

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from models.diffusion.door.describe import bases_of
from models.diffusion.door.packs import Shelf, StylePack, unfit
from realtime.core.errors import AnimaError, InvalidField, NotOffered, PackError
from realtime.core.painting import Painted, PaintOrder, Progress, Rgb, State, StyleInfo, Tiles

log = logging.getLogger(__name__)

ASK_AGAIN_S: Final = 0.04
"""After a session said that it needs the machine."""
_POLITENESS: Final = 10

Paint = Callable[[PaintOrder, StylePack | None, Rgb, Tiles], Iterator[Painted | None]]
"""What yields after every piece of work."""


@dataclass(slots=True, eq=False)
class Job:
    """One order on its way; `cancel` may be called from any thread."""

    order: PaintOrder
    total: int
    work: Iterator[Painted | None]
    told: Callable[[Progress], None]
    may_work: Callable[[], bool]
    style: StylePack | None = None
    done: int = 0
    pieces: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Paint no further."""
        self.cancelled.set()

    def tell(self, state: State, painted: Painted | None = None, message: str = "") -> None:
        """Tell how far it has come; who listens may be gone."""
        self.told(Progress(self.order, state, self.done, self.total, painted, message))


class Studio:
    """Loads its checkpoint with `load`, else with the first order, on its thread."""

    def __init__(
        self, place: Path, styles: Path, licences: Sequence[str], share: float = 0.5, device: str = "cpu"
    ) -> None:
        """`share`, above 0 up to 1, is of one processor's time. A directory that cannot be one makes it `broken`."""
        self._broken = ""
        self.bases: tuple[str, ...] = ()
        try:
            self.bases = bases_of(place)
        except PackError as error:
            self._broken = str(error)
        self._place, self._device, self._share = place, device, share
        self._shelf, self._licences = Shelf(styles), tuple(licences)
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._desk: Any = None

    def check(self, order: PaintOrder) -> None:
        """Raises `InvalidField`, `NotFound` or `PackError` for what cannot be painted here. Blocks while files are
        checked."""
        if self._broken:
            raise NotOffered(self._broken, field="paint")
        if order.style:
            self._style(order)

    @property
    def broken(self) -> str:
        """Why nothing can be painted, in words; empty if it can."""
        return self._broken

    def load(self) -> None:
        """Load the checkpoint now, which imports torch and blocks for seconds. What does not fit is kept as `broken`:
        a server goes on without its painter."""
        from models.diffusion.door.desk import Desk

        if self._broken:
            return
        try:
            self._desk = Desk(self._place, self._device)
        except PackError as error:
            self._broken = str(error)
            log.error("nothing can be painted: %s", error)

    def styles(self) -> Sequence[StyleInfo]:
        """The style packs, usable ones and others."""
        return self._shelf.listing(self.bases, self._licences)

    def begin(
        self, order: PaintOrder, picture: Rgb, chosen: Tiles, told: Callable[[Progress], None],
        may_work: Callable[[], bool],
    ) -> Job:
        """Paint the chosen tiles; what is told comes from the painter's thread."""
        style = self._style(order) if order.style else None
        own, flags = picture.copy(), chosen.copy()
        job = Job(order, int(chosen.sum()), self._pieces(order, style, own, flags), told, may_work, style)
        with self._changed:
            if self._closed.is_set():
                raise RuntimeError("the studio is closed")
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="painter", daemon=True)
                self._thread.start()
            self._changed.notify()
        return job

    def close(self) -> None:
        """End the thread after the piece of work it is at; orders that wait are cancelled."""
        with self._changed:
            self._closed.set()
            for job in self._jobs:
                job.cancel()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _style(self, order: PaintOrder) -> StylePack:
        pack = self._shelf.get(order.style)
        if reason := unfit(pack, self.bases, self._licences):
            raise InvalidField(f"the style {order.style} cannot be used: {reason}", field="style")
        return pack

    def _pieces(self, order: PaintOrder, style: StylePack | None, own: Rgb, flags: Tiles) -> Iterator[Painted | None]:
        if self._desk is None:
            self.load()
            if self._broken:
                raise PackError(self._broken)
            yield None
        yield from self._desk.paint(order, style, own, flags)

    # --- on the painter's thread

    def _run(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            # on Linux a thread has a niceness of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _POLITENESS)
        while True:
            with self._changed:
                while not self._jobs and not self._closed.is_set():
                    self._changed.wait()
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            rest_s = self._turn(job)
            if rest_s is not None:
                with self._changed:
                    self._jobs.append(job)
                self._closed.wait(rest_s)

    def _turn(self, job: Job) -> float | None:
        """One piece of one order; how long to rest then, None when the order is at its end."""
        try:
            if job.cancelled.is_set():
                job.work.close()  # type: ignore[attr-defined]  # a generator
                job.tell("cancelled")
                return None
            if not job.may_work():
                return ASK_AGAIN_S
            begun_s = time.monotonic()
            painted = next(job.work)
            job.pieces += 1
            if painted is not None and not job.cancelled.is_set():
                job.done += int(painted.chosen.sum())
                job.tell("painting", painted)
            return (time.monotonic() - begun_s) * (1.0 / self._share - 1.0)
        except StopIteration:
            job.done = job.total
            job.tell("done")
        except AnimaError as error:
            job.tell("failed", message=str(error))
        except Exception as error:  # one order's failure is no other's
            log.exception("painting failed")
            job.tell("failed", message=f"the painter failed: {type(error).__name__}")
        return None
