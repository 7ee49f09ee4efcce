"""A circuit breaker: after failures in a row a service is left alone for a while, then tried once."""

from typing import Final

FAILURES: Final = 3
REST_S: Final = 10.0
REST_MAX_S: Final = 120.0


class Breaker:
    """One service's. Ask `wait_s` before a call, tell `succeeded` or `failed` after it (Nygard, *Release It!*)."""

    def __init__(self, failures: int = FAILURES, rest_s: float = REST_S) -> None:
        self._limit = failures
        self._first_rest_s = rest_s
        self._failures = 0
        self._rest_s = rest_s
        self._open_until_s = float("-inf")

    @property
    def tripped(self) -> bool:
        """Whether the last calls failed so often that it has rested or rests."""
        return self._failures >= self._limit

    def wait_s(self, now_s: float) -> float:
        """How long not to call yet; 0 when a call may be made."""
        return max(0.0, self._open_until_s - now_s)

    def succeeded(self) -> None:
        """The service works."""
        self._failures = 0
        self._rest_s = self._first_rest_s

    def failed(self, now_s: float) -> None:
        """A call failed; each rest is twice as long as the one before."""
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until_s = now_s + self._rest_s
            self._rest_s = min(REST_MAX_S, 2.0 * self._rest_s)
