"""What viewers order to be painted over the data channel: checked beside the conversation, one by one, and answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from realtime.core.errors import AnimaError, Conflict
from server.surfaces import Cue

log = logging.getLogger(__name__)

Answer = Callable[[AnimaError | None], None]
"""Called once: with None when the order was taken, else with why it was not."""


@dataclass(frozen=True, slots=True)
class _Order:
    cue: Cue
    answer: Answer


class PaintOrders:
    """One session's. One order is being checked at a time; those that wait are one per region and one for the style.

    The newest wins: an order takes the place of an older one for the same thing, which is answered with `Conflict`, as
    long as that is not taken yet. What is painted already is cancelled by the easel. All methods run on the loop."""

    def __init__(self, carry_out: Callable[[Cue], Awaitable[None]]) -> None:
        self._carry_out = carry_out
        self._waiting: dict[str, _Order] = {}
        self._at: tuple[str, asyncio.Task[None]] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    def take(self, cue: Cue, answer: Answer) -> None:
        """Queue a cue that paints or changes the style. Raises `Conflict` when the session ends."""
        if self._closed:
            raise Conflict("the session ends", field="paint")
        what = "style" if cue.paint is None else cue.paint.region
        older = self._waiting.pop(what, None)
        if older is not None:
            older.answer(_replaced(what))
        self._waiting[what] = _Order(cue, answer)
        if self._at is not None and self._at[0] == what:
            self._at[1].cancel()
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="paint orders")

    async def aclose(self) -> None:
        """Check no further; nobody is answered any more."""
        self._closed = True
        self._waiting.clear()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._waiting:
                what = next(iter(self._waiting))
                order = self._waiting.pop(what)
                error = await self._try(what, order.cue)
                order.answer(error)
        finally:
            self._worker = None

    async def _try(self, what: str, cue: Cue) -> AnimaError | None:
        async def carry_out() -> None:
            await self._carry_out(cue)

        task = asyncio.create_task(carry_out(), name="paint order")
        self._at = (what, task)
        try:
            await asyncio.wait((task,))
        finally:
            self._at = None
            task.cancel()
        if task.cancelled():
            return _replaced(what)
        error = task.exception()
        if error is None or isinstance(error, AnimaError):
            return error
        log.error("an order could not be carried out", exc_info=error)
        return AnimaError("the order could not be carried out")


def _replaced(what: str) -> Conflict:
    field = "style" if what == "style" else "paint.region"
    return Conflict("a newer order took its place", field=field, limit="one at a time for each region and the style")
