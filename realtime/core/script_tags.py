"""Inline tags: `[happy]`, `[happy:0.7]`, `[wave]`, `[pause:0.4]`; their grammar, names and meaning."""

import math
import re
from collections.abc import Collection, Mapping
from typing import Final

from realtime.core.errors import InvalidField
from realtime.core.facs import Emotion
from realtime.core.script_beats import DEFAULT_PAUSE_S, MAX_PAUSE_S, Beat, Feel, Gesture, Pause

TAG: Final = re.compile(
    r"(?<!\\)\[[ ]*(?:(?i:motion|动作)[ ]*[:：][ ]*(?P<motion>[^\[\]\n]{1,100})"
    r"|(?P<name>[A-Za-z][A-Za-z_-]{0,31}|[\u4e00-\u9fff]{1,4})[ ]*(?::[ ]*(?P<value>[-+\w.%]{1,12})[ ]*)?)\](?!\()"
)
"""Tag-shaped: `motion` with a free description, or one word and perhaps one value. `[1]`, `[see page 3]`,
`[text](link)` and `\\[word]` are not."""
MAX_TAG_CHARS: Final = 128

_SYNONYMS: Final[Mapping[Emotion, str]] = {
    Emotion.ANGRY: "angry anger annoyed mad furious 生气 愤怒",
    Emotion.DISGUST: "disgust disgusted disgusting revolted 厌恶 恶心",
    Emotion.FEAR: "fear fearful afraid scared anxious worried 害怕 恐惧 担心",
    Emotion.HAPPY: "happy happiness joy joyful glad cheerful smile smiling excited delighted pleased 开心 高兴 微笑",
    Emotion.SAD: "sad sadness unhappy sorry sorrow sorrowful 难过 悲伤 伤心",
    Emotion.SURPRISE: "surprise surprised astonished amazed shocked 惊讶 吃惊 惊喜",
    Emotion.NEUTRAL: "neutral calm serious none 平静 中性",
}
EMOTION_BY_NAME: Final[Mapping[str, Emotion]] = {
    name: emotion for emotion, names in _SYNONYMS.items() for name in names.split()
}
EMOTION_NAMES: Final = tuple(emotion.name.lower() for emotion in Emotion)


def emotion_named(name: str) -> Emotion | None:
    """The emotion with this name or a common synonym of it, in any case."""
    return EMOTION_BY_NAME.get(name.strip().lower())


def beat_named(name: str, value: str | None, gestures: Collection[str], *, strict: bool) -> Beat | None:
    """What a tag of this name and value asks for, or None if no tag is called so.

    A value out of range or without a meaning raises `InvalidField` when strict, and is clipped or left out when not."""
    known = name.strip().lower()
    if (emotion := EMOTION_BY_NAME.get(known)) is not None:
        return Feel(emotion, 1.0 if value is None else _number(name, value, 1.0, 1.0, strict))
    if known in ("pause", "break"):
        return Pause(DEFAULT_PAUSE_S if value is None else _number(name, value, MAX_PAUSE_S, DEFAULT_PAUSE_S, strict))
    if known in gestures:
        if value is not None and strict:
            raise InvalidField(f"the tag [{name}] takes no value, got {value!r}", field="text", limit="no value")
        return Gesture(known)
    return None


def unknown_tag(name: str, gestures: Collection[str]) -> InvalidField:
    """The error for a tag that does not exist; it lists those that do."""
    known = ", ".join((*EMOTION_NAMES, *sorted(gestures), "pause"))
    return InvalidField(f"there is no tag [{name}]; write \\[{name}] to have it spoken", field="text", limit=known)


def _number(name: str, value: str, high: float, fallback: float, strict: bool) -> float:
    try:
        number = float(value.removesuffix("s"))
    except ValueError:
        number = math.nan
    if 0.0 <= number <= high:
        return number
    if strict:
        raise InvalidField(f"the value of [{name}:{value}] is out of range", field="text", limit=f"0..{high:g}")
    return fallback if math.isnan(number) else min(max(number, 0.0), high)
