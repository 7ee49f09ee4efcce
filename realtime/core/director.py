"""The director: from what viewers do to what happens next. Decides by its policy alone, on given times.

    director.hear(Comment("comment", "How much is it?"), now_s)
    director.decide(now_s, speaking=False)      # -> Answer(...), Perform(...), Thank(...), ... or None

The shell asks again when an event came, when the host has fallen silent, and at `next_check_s`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from realtime.core.director_policy import Policy
from realtime.core.director_queue import Cluster, Comment, CommentQueue, Outcome
from realtime.core.rundown import Rundown, Shot

MAX_REPEATS: Final = 1
"""A shot that was cut off is begun anew this often; then the run-down goes on after it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer this question of so many viewers."""

    text: str
    count: int
    viewers: tuple[str, ...]
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class Perform:
    """Say this shot of the run-down; `again` if it was cut off before."""

    shot: Shot
    again: bool


@dataclass(frozen=True, slots=True)
class Greet:
    """Greet newcomers; names may be empty."""

    names: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Thank:
    """Thank for a gift or an order."""

    kind: str
    what: str
    viewers: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Remind:
    """Nobody answered the question that was put to the viewers: give the answer."""

    asked: str


@dataclass(frozen=True, slots=True)
class Invite:
    """It has been silent for long: invite questions. `times` counts from 0."""

    times: int


Decision = Answer | Perform | Greet | Thank | Remind | Invite


class Director:
    """One session's director."""

    def __init__(self, policy: Policy, rundown: Rundown | None = None) -> None:
        self.policy = policy
        self.queue = CommentQueue(policy)
        self.asking: str | None = None
        """The question that the viewers were asked and have not answered."""
        self.begun = False
        self._shots: list[Shot] = list(rundown.shots) if rundown else []
        self._at = 0
        self._running: str | None = None
        self._repeats = 0
        self._answers = 0
        self._newcomers: list[str] = []
        self._joined = 0
        self._greeted_s = float("-inf")
        self._quiet_until_s = float("-inf")
        self._asked_s = 0.0
        self._silent_since_s: float | None = None
        self._invited = 0
        self.log: list[dict[str, Any]] = []

    # --- what it is told

    def hear(self, comment: Comment, now_s: float) -> Outcome:
        """A viewer's event; what became of it."""
        self._invited = 0
        if comment.kind == "join":
            self._joined += 1
            if comment.viewer and len(self._newcomers) < self.policy.greet_names:
                self._newcomers.append(comment.viewer)
            return "new"
        return self.queue.add(comment, now_s)

    def chatted(self, now_s: float) -> None:
        """A direct chat is being answered: it ends silence and invitations; a question's waiting begins anew."""
        self._asked_s = now_s
        self._quiet_until_s = float("-inf")
        self._silent_since_s = None
        self._invited = 0
        self._cut()

    def settled(self) -> None:
        """The question that was put to the viewers is dealt with."""
        self.asking = None

    def shot_said(self, shot_id: str, now_s: float) -> None:
        """A shot's last word has sounded."""
        if self._running != shot_id:
            return
        shot = self._shots[self._at]
        self._running, self._repeats = None, 0
        self._at += 1
        self._answers = 0
        if shot.asks is not None:
            self.asking, self._asked_s = shot.asks, now_s

    def silenced(self, now_s: float) -> None:
        """A viewer told the host to be quiet."""
        self._quiet_until_s = now_s + self.policy.quiet_after_stop_s
        self._cut()

    def failed(self) -> None:
        """What was begun could not be said."""
        self._cut()

    def skip(self, shot_id: str) -> bool:
        """Leave a shot out that was not begun; whether there was one."""
        for index in range(self._at, len(self._shots)):
            if self._shots[index].id == shot_id and self._running != shot_id:
                del self._shots[index]
                return True
        return False

    def replace(self, shot: Shot) -> bool:
        """Say another shot in the place of the one with the same id that was not begun; whether there was one."""
        for index in range(self._at, len(self._shots)):
            if self._shots[index].id == shot.id and self._running != shot.id:
                self._shots[index] = shot
                return True
        return False

    # --- what it decides

    def decide(self, now_s: float, *, speaking: bool) -> Decision | None:
        """What to do now; None is to be quiet, or to go on with what is being said."""
        if speaking:
            self._silent_since_s = None
            return None
        if self._silent_since_s is None:
            self._silent_since_s = now_s
        self._cut()
        decision = self._choose(now_s)
        if decision is not None:
            self._silent_since_s = None
            did = type(decision).__name__.lower()
            self.log.append({"at_s": round(now_s, 2), "did": did, "waiting": len(self.queue)})
            del self.log[:-100]
        return decision

    def next_check_s(self, now_s: float) -> float:
        """When time alone may change the decision."""
        times = [now_s + 1.0]
        if self._quiet_until_s > now_s:
            times.append(self._quiet_until_s)
        return min(times)

    def _choose(self, now_s: float) -> Decision | None:
        thanks = self.queue.take(now_s, ("order", "gift"))
        if thanks is not None:
            return Thank(thanks.kind, thanks.text, tuple(thanks.viewers), round(thanks.amount))
        if now_s < self._quiet_until_s:
            return None
        if self.asking is not None:
            return self._await(now_s)
        if self._answers < self.policy.answers_between_shots or not self._more:
            cluster = self.queue.take(now_s)
            if cluster is not None:
                self._answers += 1
                return _answer(cluster)
        if self._joined and self.policy.greet_every_s and now_s - self._greeted_s >= self.policy.greet_every_s:
            return self._greet(now_s)
        if self._more:
            return self._perform()
        return self._invite(now_s)

    @property
    def _more(self) -> bool:
        return self.begun and self._at < len(self._shots)

    def _await(self, now_s: float) -> Decision | None:
        """A question is open: whatever viewers write may be its answer; after a while it is given."""
        cluster = self.queue.take(now_s)
        if cluster is not None:
            self._asked_s = now_s
            return _answer(cluster)
        if now_s - self._asked_s < self.policy.answer_wait_s:
            return None
        asked, self.asking = self.asking or "", None
        return Remind(asked)

    def _perform(self) -> Perform:
        again = self._repeats > 0
        shot = self._shots[self._at]
        self._running = shot.id
        return Perform(shot, again)

    def _greet(self, now_s: float) -> Greet:
        greeting = Greet(tuple(self._newcomers), self._joined)
        self._newcomers, self._joined, self._greeted_s = [], 0, now_s
        return greeting

    def _invite(self, now_s: float) -> Invite | None:
        wait_s = min(self.policy.silence_s * 2.0**self._invited, self.policy.silence_limit_s)
        since_s = now_s if self._silent_since_s is None else self._silent_since_s
        if not self.policy.silence_s or not self.begun or now_s - since_s < wait_s:
            return None
        self._invited += 1
        return Invite(self._invited - 1)

    def _cut(self) -> None:
        """What was being said is over before its end: once more, or on with the next."""
        if self._running is None:
            return
        self._running = None
        self._repeats += 1
        if self._repeats > MAX_REPEATS:
            self._at += 1
            self._repeats = 0

    # --- what it shows

    def upcoming(self) -> Sequence[Shot]:
        """The shots that are still to come, a running one first."""
        return self._shots[self._at :]

    def as_json(self, now_s: float) -> dict[str, Any]:
        """Everything it goes by."""
        return {
            "policy": self.policy.as_json(),
            "running": self._running,
            "asking": self.asking,
            "upcoming": [{"id": shot.id, "phase": shot.phase, "text": shot.text} for shot in self.upcoming()],
            "waiting": [
                {
                    "id": one.id,
                    "kind": one.kind,
                    "text": one.text,
                    "count": one.count,
                    "viewers": one.viewers,
                    "age_s": round(now_s - one.first_s, 1),
                    "score": round(self.queue.score(one, now_s), 2),
                }
                for one in self.queue.ranked(now_s)
            ],
            "counts": dict(self.queue.counts),
            "log": self.log[-20:],
        }


def _answer(cluster: Cluster) -> Answer:
    return Answer(cluster.text, cluster.count, tuple(cluster.viewers), cluster.first_s, cluster.last_s)
