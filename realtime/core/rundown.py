"""The run-down: shots with their lines, cards and time slots, and how a shot becomes beats."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from realtime.core.facs import Emotion
from realtime.core.script import Beat, Feel, Gesture, Mark, Pause, Say, parse_script
from realtime.core.script_clean import HAN, count_han

CardKind = Literal["title", "feature", "price", "review", "concept", "formula", "example", "quiz", "note"]
Framing = Literal["wide", "medium", "close"]

WORDS_PER_S: Final = 2.7
HAN_PER_S: Final = 4.2
"""Rates of unhurried speech, to plan with; the run-down follows the voice, not these."""
LINE_GAP_S: Final = 0.35

CARD_MARK: Final = "card:"
SHOT_MARK: Final = "shot:"
END_MARK: Final = "end:"
"""Marks in a shot's beats: a card is due, a shot begins, a shot has been said."""


@dataclass(frozen=True, slots=True)
class Card:
    """Something shown beside the picture. Of `lines` the first `shown` are visible (all if None): a formula appears
    line by line in step with the voice. `colours` gives words of it (variables) fixed colours."""

    id: str
    kind: CardKind
    title: str
    lines: tuple[str, ...] = ()
    shown: int | None = None
    colours: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the viewer."""
        lines = self.lines if self.shown is None else self.lines[: self.shown]
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "lines": list(lines),
            "colours": dict(self.colours),
        }


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence or two with one emotion, one gesture and one card."""

    text: str
    emotion: Emotion = Emotion.NEUTRAL
    intensity: float = 0.6
    gesture: str | None = None
    card: Card | None = None
    introduces: tuple[str, ...] = ()
    """Names of what is new in it (a lesson's concepts)."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A stretch of the run-down that is said in one go. Times are planned seconds from the run-down's start."""

    id: str
    phase: str
    lines: tuple[Line, ...]
    framing: Framing = "medium"
    camera: str = "static"
    start_s: float = 0.0
    duration_s: float = 0.0
    asks: str | None = None
    """The id of the question that this shot puts to the viewers."""

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Rundown:
    """Shots in order, timed."""

    language: str
    shots: tuple[Shot, ...]
    target_s: float = 0.0
    """How long it was meant to be; 0 if nobody said."""

    @property
    def duration_s(self) -> float:
        """How long it is planned to be."""
        return self.shots[-1].start_s + self.shots[-1].duration_s if self.shots else 0.0

    def as_json(self) -> dict[str, Any]:
        """For an operator."""
        shots = [
            {
                "id": shot.id,
                "phase": shot.phase,
                "text": shot.text,
                "start_s": shot.start_s,
                "duration_s": shot.duration_s,
                "framing": shot.framing,
                "camera": shot.camera,
                "asks": shot.asks,
            }
            for shot in self.shots
        ]
        return {"duration_s": self.duration_s, "target_s": self.target_s, "shots": shots}


def speech_s(text: str) -> float:
    """How long a text takes to say, about."""
    words = len(HAN.sub(" ", text).split())
    return words / WORDS_PER_S + count_han(text) / HAN_PER_S


def timed(language: str, shots: Iterable[Shot], target_s: float = 0.0) -> Rundown:
    """Give the shots their slots, one after another."""
    at_s = 0.0
    placed: list[Shot] = []
    for shot in shots:
        duration_s = round(sum(speech_s(line.text) + LINE_GAP_S for line in shot.lines), 1)
        placed.append(replace(shot, start_s=round(at_s, 1), duration_s=duration_s))
        at_s += duration_s
    return Rundown(language, tuple(placed), target_s)


def beats_of(shot: Shot, gestures: Collection[str], language: str, said: int = 0) -> tuple[Beat, ...]:
    """What the conductor plays: each line's card, emotion and gesture come as its first word sounds. `said` sentences
    were said before the shot was cut off: it goes on with the next."""
    beats: list[Beat] = [Mark(SHOT_MARK + shot.id)]
    for index, line in enumerate(shot.lines):
        if index:
            beats.append(Pause(LINE_GAP_S))
        if line.card is not None:
            beats.append(Mark(f"{CARD_MARK}{shot.id}:{index}"))
        beats.append(Feel(line.emotion, line.intensity if line.emotion is not Emotion.NEUTRAL else 0.0))
        if line.gesture is not None:
            beats.append(Gesture(line.gesture))
        script = parse_script(line.text, gestures=gestures, language=language, strict=False)
        beats += script.beats
    beats.append(Mark(END_MARK + shot.id))
    return tuple(_after(beats, said))


def _after(beats: Sequence[Beat], said: int) -> Iterable[Beat]:
    """The beats without the first sentences, and without the gestures and pauses that went with them."""
    for beat in beats:
        if isinstance(beat, Say) and said > 0:
            said -= 1
        elif said == 0 or not isinstance(beat, Say | Gesture | Pause):
            yield beat


def card_at(shots: Sequence[Shot], mark: str) -> Card | None:
    """The card that a mark stands for."""
    shot_id, _, index = mark.removeprefix(CARD_MARK).rpartition(":")
    shot = next((shot for shot in shots if shot.id == shot_id), None)
    if shot is None or not index.isdigit() or int(index) >= len(shot.lines):
        return None
    return shot.lines[int(index)].card
