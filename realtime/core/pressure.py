"""Whether processes are short of processor time: felt by all sessions at once, before each has felt it by itself."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.budget import Step

Depth = Literal[0, 1, 2]
"""0 is none, 1 calls for the cheapest frames, 2 for half of those."""
Sign = Literal["threads", "work", "timers"]
Exchange = Callable[[Depth, float], Depth]
"""Takes what is felt here and when; returns the deepest of what is felt elsewhere by then."""
Priority = Literal["low", "normal", "high"]
"""Whose frames give way first when there is too little time for all."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How often something has waited so far, and how long in all."""

    count: int
    total_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The mean of a wait, in seconds, from which it is a sign of pressure, and of much pressure."""

    some_s: float
    much_s: float


LIMITS: Final[Mapping[Sign, Limits]] = {
    "threads": Limits(0.0007, 0.003),
    "work": Limits(0.002, 0.006),
    "timers": Limits(0.006, 0.016),
}
"""What is waited for: `threads` that could run wait for a processor (those of eight sessions on two cores 0.14 ms in
the mean, 0.5 at the worst), `work` waits for the compute thread for longer than it can spare (`held_up_s`), and
`timers` for the event loop."""
CROWDED: Final = 3.2
"""With so many threads that run or could run for each processor, the mean over the window, there are more than one's
own: eight sessions on two cores have 1 to 2, two busy programs per processor beside them 3 to 6."""
STILL_CROWDED: Final = 2.6
"""It is crowded for as long as there is pressure and so many are left."""
CROWDED_THREADS: Final = Limits(0.00018, 0.003)
"""Where it is crowded, what is little otherwise tells that one is not let through: 0.3 ms in the mean then."""
SPARED: Final = 0.5
"""Part of its time that a piece of work may wait without harm: it takes less than the rest."""
WORDS: Final[Mapping[Sign, str]] = {
    "threads": "threads wait for a processor", "work": "work waits for the compute thread",
    "timers": "the event loop wakes late",
}  # fmt: skip
ELSEWHERE: Final = "another worker of this server is held up"
WINDOW_S: Final = 0.1
"""Waits are looked at over so long."""
FRAMES_S: Final = 0.2
"""Frames of all sessions are looked at over so long."""
RELEASE: Final = 0.7
"""A sign is gone below this part of its limit."""
CALM_S: Final = 0.4
"""Pressure ends after so long without a sign."""
RELAPSE_S: Final = 2.0
"""Pressure that returns within this time had not gone: the next time, it is twice as long waited for its end."""
TIGHT: Final = 0.5
"""While no frame takes more than this part of its interval, waits harm nobody."""


@dataclass(frozen=True, slots=True)
class _Look:
    at_s: float
    waits: Mapping[Sign, Waits]
    crowd: float


def alone(sign: Depth, now_s: float) -> Depth:
    """The exchange of a process that has no others."""
    return 0


def held_up_s(waited_s: float, left_s: float) -> float:
    """How much longer than it can spare a piece of work has waited that had `left_s` until it was due."""
    return max(0.0, waited_s - SPARED * max(0.0, left_s))


def depth_for(priority: Priority, depth: Depth) -> Depth:
    """How deep a session of this priority is pressed: a low one by some pressure as others by much; a high one by much
    as others by some, and by some not at all: its own late frames take it down its ladder all the same."""
    if depth == 0 or priority == "normal":
        return depth
    if priority == "low":
        return 2
    return 1 if depth == 2 else 0


class Pressure:
    """One process's pressure, and that of those it exchanges signs with. `look` at the waits every few hundredths of a
    second, tell it of every session's frames, and it says how deep the pressure is: down at once, up after `CALM_S`. A
    wait is a sign only while some frame is tight for it; frames of all sessions that come late are one by themselves,
    whatever it is that holds them up."""

    def __init__(self) -> None:
        self.depth: Depth = 0
        self.reason = ""
        self._looks: deque[_Look] = deque()
        self._frames: deque[tuple[float, bool, bool]] = deque()
        self._much_since_s = float("inf")
        self._signed_s = float("-inf")
        self._ended_s = float("-inf")
        self._calm_s = CALM_S

    def much_s(self, now_s: float) -> float:
        """For how long there has been much pressure; 0 if there is not."""
        return max(0.0, now_s - self._much_since_s)

    def framed(self, share: float, now_s: float, *, strained: bool) -> None:
        """A session made a frame that took this share of its interval; whether it was strained, late or lost."""
        self._frames.append((now_s, strained, strained or share > TIGHT))

    def look(
        self,
        waits: Mapping[Sign, Waits],
        now_s: float,
        exchange: Exchange = alone,
        crowd: float = 0.0,
    ) -> Step | None:
        """What the waits have come to by now, here and by what others tell in `exchange` for what is found here; a
        record if the pressure is another from now on. `crowd` is how many threads of the whole machine run or could run
        right now, for each of its processors; 0 where that is not known."""
        self._looks.append(_Look(now_s, waits, crowd))
        while len(self._looks) > 2 and self._looks[1].at_s <= now_s - WINDOW_S:
            self._looks.popleft()
        while self._frames and self._frames[0][0] < now_s - FRAMES_S:
            self._frames.popleft()
        depth, reason = max(self._waiting(), self._late(), key=lambda found: found[0])
        told = exchange(depth, now_s)
        if told > depth:
            depth, reason = told, ELSEWHERE
        if depth:
            self._signed_s = now_s
        if depth > self.depth:
            if self.depth == 0:
                relapsed = now_s - self._ended_s < RELAPSE_S
                self._calm_s = 2 * CALM_S if relapsed else CALM_S
            return self._turn(depth, reason, now_s)
        if self.depth and now_s - self._signed_s >= self._calm_s:
            self._ended_s = now_s
            return self._turn(0, f"nothing was held up for {self._calm_s:.1f} s", now_s)
        return None

    def _turn(self, depth: Depth, reason: str, now_s: float) -> Step:
        down = depth > self.depth
        self._much_since_s = now_s if depth == 2 else float("inf")
        self.depth, self.reason = depth, reason
        return Step(("none", "some", "much")[depth], down, reason, now_s, kind="pressure")

    def _waiting(self) -> tuple[Depth, str]:
        """The deepest sign among the waits. A process that is not given the processor looks seldom: one look back is
        enough then."""
        oldest, newest = self._looks[0], self._looks[-1]
        crowd = sum(look.crowd for look in self._looks) / len(self._looks)
        crowded = crowd >= (STILL_CROWDED if self.depth else CROWDED)
        if not crowded and not any(tight for _, _, tight in self._frames):
            return 0, ""
        found: tuple[Depth, str] = (0, "")
        for sign, limits in LIMITS.items():
            if sign not in oldest.waits or sign not in newest.waits:
                continue
            if crowded and sign == "threads":
                limits = CROWDED_THREADS
            before, after = oldest.waits[sign], newest.waits[sign]
            mean_s = (after.total_s - before.total_s) / max(1, after.count - before.count)
            still = RELEASE if self.depth else 1.0
            depth: Depth = 2 if mean_s >= limits.much_s else 1 if mean_s >= still * limits.some_s else 0
            if depth > found[0]:
                found = depth, f"{WORDS[sign]}, {1e3 * mean_s:.1f} ms each"
        return found

    def _late(self) -> tuple[Depth, str]:
        strained = sum(late for _, late, _ in self._frames)
        share = strained / max(1, len(self._frames))
        depth: Depth = 2 if strained >= 6 and share >= 0.5 else 1 if strained >= 3 and share >= 0.25 else 0
        return depth, f"{strained} of {len(self._frames)} frames of all sessions late" if depth else ""
