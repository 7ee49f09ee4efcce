"""One timer for everybody who has packets waiting to be paced out."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

_log = logging.getLogger(__name__)

TURN_S: Final = 0.005


class Wheel:
    """Calls those on it every 5 ms until each says that it has nothing left; sleeps while nobody is on it."""

    def __init__(self) -> None:
        self._riders: dict[Callable[[], bool], None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, rider: Callable[[], bool]) -> None:
        """Call this from the next turn on until it returns False; adding twice is adding once."""
        self._riders[rider] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TURN_S, self._turn)

    def stop(self) -> None:
        """Forget everybody."""
        self._riders.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        # the timer counts as set until the end: riders that add themselves from within their turn need no second one
        for rider in list(self._riders):
            try:
                more = rider()
            except Exception:
                _log.exception("a viewer's packets could not be sent")
                more = False
            if not more:
                self._riders.pop(rider, None)
        self._timer = asyncio.get_running_loop().call_later(TURN_S, self._turn) if self._riders else None
