"""What has been said in a session: a viewer who comes back, or reloads its page, finds the conversation again."""

import re
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, Literal

from realtime.core import events

TURNS_MAX: Final = 60
CHARS_MAX: Final = 16_000
"""The newest of it that fits: it travels in one message of the data channel."""
_TIGHT: Final = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]$")
"""After these no space follows."""


@dataclass(slots=True)
class Turn:
    """What one side said until the other spoke, or it fell silent. An open turn may still grow."""

    who: Literal["user", "host"]
    text: str
    open: bool = False
    stopped: bool = False
    source: str | None = None


class Transcript:
    """Folds events into turns as the page does; the oldest are forgotten."""

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque(maxlen=TURNS_MAX)
        self._source: str | None = None

    def note(self, event: events.Event) -> None:
        """Take in what happened; most events say nothing."""
        match event:
            case events.UserSaid(text, final):
                if final and text.strip():
                    self._turns.append(Turn("user", text.strip()))
            case events.AnswerText(_, source):
                self._source = source or self._source
            case events.SentenceStarted(text):
                self._spoken(text.strip())
            case events.SpeakingStopped():
                self._close(stopped=False)
            case events.Interrupted():
                self._close(stopped=True)

    def as_json(self) -> list[dict[str, Any]]:
        """The newest turns, oldest first: `{who, text, open, stopped, source}`."""
        kept: list[dict[str, Any]] = []
        left = CHARS_MAX
        for turn in reversed(self._turns):
            left -= len(turn.text)
            if left < 0:
                break
            kept.append(
                {"who": turn.who, "text": turn.text, "open": turn.open, "stopped": turn.stopped, "source": turn.source}
            )
        return kept[::-1]

    def _spoken(self, sentence: str) -> None:
        if not sentence:
            return
        last = next((turn for turn in reversed(self._turns) if turn.open), None)
        if last is None:
            self._turns.append(Turn("host", sentence, open=True, source=self._source))
            self._source = None
        elif len(last.text) < CHARS_MAX:
            last.text += ("" if _TIGHT.search(last.text) else " ") + sentence

    def _close(self, *, stopped: bool) -> None:
        self._source = None
        for turn in self._turns:
            if turn.open:
                turn.open, turn.stopped = False, stopped
