"""The scenes a session can be for: latency budget, inputs, content, opening, and how viewers' events are dealt with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from realtime.core.director_policy import Policy

Opening = Literal["wait", "greet", "rundown"]
ContentKind = Literal["knowledge", "product", "lesson", "persona"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of conversation."""

    name: str
    title: Mapping[str, str]
    """By language."""
    budget_ms: int
    """From a viewer's words to the first audible sample, p95."""
    inputs: tuple[str, ...]
    """What viewers can send: `chat`, `comment`, `gift`, `order`."""
    content: ContentKind
    """What its content files describe."""
    opening: Opening
    """What happens when the first viewer joins."""
    policy: Policy = field(default_factory=Policy)

    def as_json(self) -> dict[str, Any]:
        """For the catalogue."""
        return {
            "name": self.name,
            "title": dict(self.title),
            "budget_ms": self.budget_ms,
            "inputs": list(self.inputs),
            "content": self.content,
            "opening": self.opening,
        }


HOST: Final = Scene(
    "host", {"en": "Host", "zh": "主播"}, 400, ("chat", "comment"), "knowledge", "wait",
    Policy(silence_s=0.0, greet_every_s=0.0),
)  # fmt: skip
COMMERCE: Final = Scene(
    "commerce", {"en": "Live shop", "zh": "直播带货"}, 400, ("chat", "comment", "gift", "order"), "product", "rundown",
    Policy(answers_between_shots=2, silence_s=12.0, greet_every_s=20.0, repeat_after_s=90.0),
)  # fmt: skip
TUTOR: Final = Scene(
    "tutor", {"en": "Lesson", "zh": "课堂"}, 500, ("chat", "comment"), "lesson", "rundown",
    Policy(answers_between_shots=1, silence_s=15.0, greet_every_s=0.0, answer_wait_s=25.0, repeat_after_s=30.0),
)  # fmt: skip
NPC: Final = Scene(
    "npc", {"en": "Game character", "zh": "游戏角色"}, 300, ("chat", "comment"), "persona", "greet",
    Policy(answers_between_shots=3, silence_s=20.0, greet_every_s=0.0, repeat_after_s=5.0),
)  # fmt: skip
SCENES: Final[Mapping[str, Scene]] = {scene.name: scene for scene in (HOST, COMMERCE, TUTOR, NPC)}
"""By name; the first is the default. The budgets are those published for a live shop, for tutoring and for a game
character's improvised dialogue."""


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
