"""The director's policy as data: what counts how much, how long things wait, what is merged and what is dropped."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Kind = Literal["chat", "comment", "gift", "order", "join", "timer"]

BASE_PRIORITY: Final[Mapping[str, float]] = {
    "order": 9.0, "gift": 7.0, "chat": 10.0, "timer": 6.0, "comment": 2.0, "join": 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """All figures the director decides by; `as_json` shows them to an operator."""

    base_priority: Mapping[str, float] = field(default_factory=lambda: dict(BASE_PRIORITY))
    """Where each kind of event starts; a viewer's own `priority` (0..10) is added."""
    question_bonus: float = 2.0
    """Questions are answered before remarks."""
    count_weight: float = 1.5
    """Times log2 of how many viewers asked the same."""
    age_penalty_per_s: float = 0.15
    """An old comment is worth less: the moment has passed."""
    queue_limit: int = 64
    """Different questions that wait; the least important is dropped beyond this."""
    max_age_s: float = 45.0
    """A question that was not answered by then is dropped."""
    remark_max_age_s: float = 5.0
    """A remark that asks nothing is dropped sooner: nobody waits for an answer to it."""
    merge_similarity: float = 0.6
    """Share of the weight of two questions' words that they have in common, from which they count as one."""
    repeat_after_s: float = 60.0
    """A question like one answered more recently than this is dropped, unless it is a direct chat."""
    answers_between_shots: int = 2
    """Comments answered before the run-down goes on."""
    greet_every_s: float = 20.0
    """Newcomers are greeted together, at most this often; 0 never."""
    greet_names: int = 3
    """Names called in one greeting."""
    silence_s: float = 12.0
    """After this much silence, with nothing left to say, viewers are invited to ask; 0 never. It doubles each time."""
    silence_limit_s: float = 180.0
    answer_wait_s: float = 20.0
    """How long a question put to the viewers stays open before the run-down goes on."""
    per_viewer: int = 2
    """Comments of one viewer that may wait; later ones replace the earliest."""
    quiet_after_stop_s: float = 8.0
    """How long the host stays quiet after a viewer has silenced it, unless it is spoken to."""
    chat_cuts_in: bool = True
    """Whether a direct chat interrupts what is being said."""

    def as_json(self) -> dict[str, Any]:
        """Everything, by name."""
        return asdict(self)
