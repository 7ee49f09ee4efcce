"""What a conversation reports to the outside while it runs; `wire` turns these into RTVI messages."""

from dataclasses import dataclass, field
from typing import Any

from realtime.core.facs import Emotion


@dataclass(frozen=True, slots=True)
class UserSaid:
    """The viewer's words entered the conversation; interim ones, of somebody who still speaks, may yet change."""

    text: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class UserStartedSpeaking:
    """A viewer's voice is heard."""


@dataclass(frozen=True, slots=True)
class UserStoppedSpeaking:
    """The viewer's turn is over."""


@dataclass(frozen=True, slots=True)
class AnswerText:
    """A part of the answer was decided (`bot-llm-text`)."""

    text: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class SentenceStarted:
    """A sentence begins to sound at this media time (`bot-transcription`, captions). Tags are stripped."""

    text: str
    media_s: float
    epoch: int


@dataclass(frozen=True, slots=True)
class WordSpoken:
    """A word begins to sound (`bot-tts-text`)."""

    text: str
    media_s: float
    epoch: int


@dataclass(frozen=True, slots=True)
class SpeakingStarted:
    """The first audible sample of a turn."""

    media_s: float
    epoch: int


@dataclass(frozen=True, slots=True)
class SpeakingStopped:
    """The turn's last sample has sounded."""

    media_s: float
    epoch: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Silenced: everything that carries an epoch below `epoch` is dropped."""

    epoch: int
    media_s: float


@dataclass(frozen=True, slots=True)
class EmotionChanged:
    """The target of the emotion trajectory changed."""

    emotion: Emotion
    intensity: float


@dataclass(frozen=True, slots=True)
class GestureStarted:
    """A one-shot motion primitive began."""

    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """Debug data for the overlay and metrics: `kind` is `ladder`, `trace` or `metrics`."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """Something the viewer should know went wrong; the session goes on."""

    message: str


Event = (
    UserSaid
    | UserStartedSpeaking
    | UserStoppedSpeaking
    | AnswerText
    | SentenceStarted
    | WordSpoken
    | SpeakingStarted
    | SpeakingStopped
    | Interrupted
    | EmotionChanged
    | GestureStarted
    | Report
    | Failed
)
