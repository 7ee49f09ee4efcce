"""Sessions that the page opens for strangers: how many at once, and for how long. Pure: the caller brings the time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from realtime.core.errors import CapacityError

RETRY_AFTER_S = 15.0


class PublicPlaces:
    """The places for sessions that are opened without the key. Lives on the event loop."""

    def __init__(self, places: int, longest_s: float) -> None:
        """At most `places` at once, of this process; each for at most `longest_s`."""
        self._places = places
        self._longest_s = longest_s
        self._since_s: dict[str, float] = {}
        self._opening = 0

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._since_s

    def __len__(self) -> int:
        return len(self._since_s)

    @property
    def free(self) -> bool:
        """Whether there is a place for one more."""
        return len(self._since_s) + self._opening < self._places

    @contextmanager
    def opening(self, now_s: float) -> Iterator[None]:
        """Hold a place while a session is being opened; `take` it then. Raises `CapacityError` where none is free."""
        if not self.free:
            reason = "all places for visitors are taken; one is free again soon"
            raise CapacityError(reason, retry_after_s=self._wait_s(now_s))
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    def take(self, session_id: str, now_s: float) -> None:
        """This session has a place from now on."""
        self._since_s[session_id] = now_s

    def keep(self, alive: Iterable[str]) -> None:
        """Free the places of all sessions but these."""
        running = set(alive)
        self._since_s = {one: since_s for one, since_s in self._since_s.items() if one in running}

    def overdue(self, now_s: float) -> list[str]:
        """The sessions that have had their time."""
        return [one for one, since_s in self._since_s.items() if now_s - since_s >= self._longest_s]

    def _wait_s(self, now_s: float) -> float:
        """Until a place is free for certain, but no longer than it makes sense not to ask: a visitor may leave."""
        left_s = min((since_s + self._longest_s - now_s for since_s in self._since_s.values()), default=RETRY_AFTER_S)
        return min(RETRY_AFTER_S, max(1.0, left_s))
