"""Whether the machine can hold one more session. Pure: loads and times are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.pressure import Priority

FIRST_GUESS_SHARE = 0.15
"""CPU share (of one core) assumed for a session before any was measured."""
SMOOTHING = 0.2
LEAST_SHARE = 0.02
SETTLE_S = 5.0
"""Time after an admission during which a session's own cost is not yet seen in the measurement."""
PRESSED_S = 3.0
"""Much pressure that has lasted no longer refuses nobody: it may be a session's beginning, or the moment in which the
running ones step down and make room."""
RESERVED: Mapping[Priority, float] = {"low": 0.2, "normal": 0.0, "high": 0.0}
"""Part of the processor's share that is kept for sessions of higher priorities."""
ELSEWHERE: Final = "X-Anima-Elsewhere"
"""The header by which a gateway tells a worker that another one is asked if this one has no room: a session that is
opened there was not refused."""
Why = Literal["sessions", "processor", "pressure"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """There is room; `load` is the predicted share of all cores with the new session."""

    load: float


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no room now; asking again makes sense after `retry_after_s`."""

    reason: str
    retry_after_s: float
    why: Why
    """What there is too little of, in one word that metrics are told by."""


class Admission:
    """Decides from the sessions that run, what they were measured to cost, and how much of the machine they may take.

    The cost of a session is an exponentially weighted mean of (process CPU share / sessions). A newcomer is let in when
    measured load + the sessions too young to be in that measurement + itself stays within `cpu_share` of `cores`."""

    def __init__(self, max_sessions: int, cpu_share: float, cores: int) -> None:
        self._max_sessions = max_sessions
        self._capacity = cpu_share * cores
        self._share = FIRST_GUESS_SHARE
        self._busy = 0.0
        self._young_s: list[float] = []

    @property
    def share_per_session(self) -> float:
        """Predicted CPU share of one more session, 1.0 being a whole core."""
        return self._share

    def observe(self, busy_cores: float, sessions: int) -> None:
        """Note that the process kept this many cores busy (0..cores) while this many sessions ran."""
        self._busy += SMOOTHING * (busy_cores - self._busy)
        if sessions > 0:
            self._share += SMOOTHING * (max(LEAST_SHARE, busy_cores / sessions) - self._share)

    def decide(
        self, sessions: int, now_s: float, priority: Priority = "normal", pressed_s: float = 0.0
    ) -> Accepted | Refused:
        """Whether one more of this priority fits, where much pressure has lasted `pressed_s`. An acceptance is
        remembered: the caller goes on to open the session."""
        self._young_s = [at_s for at_s in self._young_s if now_s - at_s < SETTLE_S]
        if sessions >= self._max_sessions:
            return Refused(f"all {self._max_sessions} sessions are taken", 10.0, "sessions")
        if sessions > 0 and pressed_s > PRESSED_S:
            # the processor may be taken by others, of which what this process uses says nothing
            return Refused(f"running sessions have been held up for {pressed_s:.1f} s", SETTLE_S, "pressure")
        young = min(len(self._young_s), sessions)
        need = self._busy + (young + 1) * self._share
        # an idle server takes one session whatever its cost: its own ladder degrades it to what the machine can do
        if sessions > 0 and need > (1.0 - RESERVED[priority]) * self._capacity:
            busy = round(100 * self._busy / self._capacity) if self._capacity else 100
            wait_s = SETTLE_S if young else 2 * SETTLE_S
            return Refused(f"the processor is {busy} % taken by {sessions} sessions", wait_s, "processor")
        self._young_s.append(now_s)
        return Accepted(need)
