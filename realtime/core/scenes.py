"""The scenes a session can be for: latency budget, inputs, content, opening, director's policy, ladder, layout."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from realtime.core.backdrop import DEFAULT
from realtime.core.budget import LADDER, Ladder
from realtime.core.director_policy import Policy
from realtime.core.values import Rung

Opening = Literal["wait", "greet", "rundown"]
ContentKind = Literal["knowledge", "product", "lesson", "persona"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How picture quality gives way in a scene: what is wanted at best, and how soon less is made of it."""

    best: Rung = "refine2"
    down_after: int = 3
    """Late frames of ten after which less is done for a frame."""
    up_after: int = 24
    """Frames with time to spare after which more is done."""

    def ladder(self, equipped: Rung, phase: float = 0.0) -> Ladder:
        """The ladder of a session whose equipment reaches up to a rung; `phase` as `Ladder` has it."""
        best = max(self.best, equipped, key=LADDER.index)
        return Ladder(best=best, down_after=self.down_after, up_after=self.up_after, phase=phase)


@dataclass(frozen=True, slots=True)
class Layout:
    """What is seen of a scene unless a session wishes for something else."""

    background: str = DEFAULT
    """As `realtime.core.backdrop` reads it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of conversation."""

    name: str
    title: Mapping[str, str]
    """By language."""
    budget_ms: int
    """From a viewer's words to the first audible sample, p95."""
    inputs: tuple[str, ...]
    """What the scene is meant for: `chat`, `comment`, `voice`, `gift`, `order`. It tells pages and platforms what to
    offer; nothing else is refused."""
    content: ContentKind
    """What its content files describe."""
    opening: Opening
    """What happens when the first viewer joins."""
    policy: Policy = field(default_factory=Policy)
    ladder: Limits = field(default_factory=Limits)
    layout: Layout = field(default_factory=Layout)

    def as_json(self) -> dict[str, Any]:
        """For the catalogue."""
        return {
            "name": self.name,
            "title": dict(self.title),
            "budget_ms": self.budget_ms,
            "inputs": list(self.inputs),
            "content": self.content,
            "opening": self.opening,
            "ladder": asdict(self.ladder),
            "layout": asdict(self.layout),
        }


HOST: Final = Scene(
    "host", {"en": "Host", "zh": "主播"}, 400, ("chat", "comment", "voice"), "knowledge", "wait",
    Policy(silence_s=0.0, greet_every_s=0.0),
)  # fmt: skip
COMMERCE: Final = Scene(
    "commerce", {"en": "Live shop", "zh": "直播带货"}, 400, ("chat", "comment", "voice", "gift", "order"), "product",
    "rundown", Policy(answers_between_shots=2, silence_s=12.0, greet_every_s=20.0, repeat_after_s=90.0),
    Limits(down_after=3, up_after=30),
)  # fmt: skip
TUTOR: Final = Scene(
    "tutor", {"en": "Lesson", "zh": "课堂"}, 500, ("chat", "comment", "voice"), "lesson", "rundown",
    Policy(answers_between_shots=1, silence_s=15.0, greet_every_s=0.0, answer_wait_s=25.0, repeat_after_s=30.0),
    Limits(down_after=4, up_after=24),
)  # fmt: skip
NPC: Final = Scene(
    "npc", {"en": "Game character", "zh": "游戏角色"}, 300, ("chat", "comment", "voice"), "persona", "greet",
    Policy(answers_between_shots=3, silence_s=20.0, greet_every_s=0.0, repeat_after_s=5.0),
    Limits(down_after=2, up_after=24),
)  # fmt: skip
MEETING: Final = Scene(
    "meeting", {"en": "Meeting", "zh": "会议"}, 200, ("chat", "comment", "voice"), "knowledge", "wait",
    Policy(silence_s=0.0, greet_every_s=0.0, remark_max_age_s=2.0, max_age_s=20.0, repeat_after_s=5.0),
    Limits(best="refine1", down_after=2, up_after=36), Layout(),
)  # fmt: skip
AR: Final = Scene(
    "ar", {"en": "In the room (AR)", "zh": "增强现实"}, 150, ("chat", "comment", "voice"), "knowledge", "wait",
    Policy(silence_s=0.0, greet_every_s=0.0, remark_max_age_s=1.0, max_age_s=10.0, repeat_after_s=2.0),
    Limits(best="refine1", down_after=2, up_after=36), Layout("transparent"),
)  # fmt: skip
SCENES: Final[Mapping[str, Scene]] = {scene.name: scene for scene in (HOST, COMMERCE, TUTOR, NPC, MEETING, AR)}
"""By name; the first is the default. The budgets are those published for a live shop, for tutoring, for a game
character's improvised dialogue, for a camera scene of a meeting and for augmented reality. The smaller a budget, the
fewer late frames are borne: a frame of 25 a second is 40 ms of it, so four are a third of a lesson's 500 ms and two a
quarter of a character's 300. A shop waits longer before it does more again, for its run-down is watched, not spoken
with, and a picture that changes back and forth shows more than one that stays plain."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the measured response times stand against a budget. Milliseconds; None before there is one."""

    budget_ms: int
    count: int
    p50_ms: float | None
    p95_ms: float | None

    def as_json(self) -> dict[str, Any]:
        """For a session's state."""
        within = None if self.p95_ms is None else self.p95_ms <= self.budget_ms
        return {
            "budget_ms": self.budget_ms,
            "count": self.count,
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
            "within_budget": within,
        }


def standing(response_ms: Sequence[float], budget_ms: int) -> Standing:
    """The percentiles of some response times (nearest rank) beside their budget."""
    if not response_ms:
        return Standing(budget_ms, 0, None, None)
    ordered = sorted(response_ms)

    def rank(share: float) -> float:
        return round(ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)], 1)

    return Standing(budget_ms, len(ordered), rank(0.50), rank(0.95))
