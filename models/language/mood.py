"""Gives an untagged answer the emotion that its words suggest."""

from models.language.emotion_model import emotion_model
from realtime.core.emotion import read_emotion
from realtime.core.facs import Emotion
from realtime.core.script import Feel, parse_script


def sensed_emotion(text: str, language: str) -> tuple[Emotion, float]:
    """What the lexicon reads, which is seldom and rarely wrong; where it sees nothing, what the trained model reads."""
    emotion, intensity = read_emotion(text, language)
    return (emotion, intensity) if emotion is not Emotion.NEUTRAL else emotion_model().read(text, language)


def with_emotion(clause: str, language: str, current: Emotion | None) -> tuple[str, Emotion | None]:
    """The clause, behind an emotion tag if its words suggest another emotion than the current one, and the emotion that
    holds after it. A clause that has an emotion tag of its own keeps it; None stands for no emotion so far."""
    script = parse_script(clause, gestures=(), language=language, strict=False)
    tagged = [beat.emotion for beat in script.beats if isinstance(beat, Feel)]
    if tagged:
        return clause, tagged[-1]
    emotion, intensity = sensed_emotion(clause, language)
    if emotion is Emotion.NEUTRAL or emotion is current:
        return clause, current
    return f"[{emotion.name.lower()}:{intensity:.2f}] {clause}", emotion
