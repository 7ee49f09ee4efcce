"""What a structured prompt sets here: light, palette, camera, framing, emotion, gesture and voice, read from its words.

    look = look_of(read_prompt({"subject": "a host at a campfire", "audience": "children"}))
    look.lighting   # "warm"
    look.voice      # slower and a little higher

The words decide, then the style template; what neither says is left as it is (`None`). A word that stands in the
negative prompt decides nothing. `background` is the text for whatever paints behind the host.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from realtime.core.emotion import read_emotion
from realtime.core.facs import Emotion
from realtime.core.prompting import StructuredPrompt
from realtime.core.scenes_brand import Brand
from realtime.core.script_tags import EMOTION_BY_NAME
from realtime.core.voice_colour import Colour

T = TypeVar("T")

_LIGHTING: Final[Mapping[str, str]] = {
    "warm": "warm golden sunset sunrise candle candlelight campfire fireside lamplight cosy cozy 暖 夕阳 烛光 篝火",
    "cool": "cool cold icy moonlight moonlit blue-hour overcast winter 冷 月光 冰 阴天 冬天",
    "dramatic": "dramatic low-key noir neon spotlight chiaroscuro stormy night 戏剧 低调 霓虹 聚光 暴风 夜晚",
    "neutral": "neutral daylight even softbox studio noon 自然光 日光 均匀 柔光 棚拍",
}
_FRAMING: Final[Mapping[str, str]] = {
    "close": "close-up closeup close portrait-shot 特写 近景",
    "wide": "wide long-shot full-shot establishing 远景 全景 广角",
    "medium": "medium mid-shot waist 中景",
}
_CAMERA: Final[Mapping[str, str]] = {
    "push_in": "push-in pushes push dolly zoom-in zoom 推近 推镜 推进",
    "drift": "drift pan pans panning handheld tracking orbit 摇镜 跟拍 手持 移动",
    "static": "static still locked tripod fixed 固定 静止",
}
_GESTURES: Final[Mapping[str, str]] = {
    "wave": "wave waves waving 挥手",
    "nod": "nod nods nodding 点头",
    "bow": "bow bows bowing 鞠躬",
    "laugh": "laugh laughs laughing 大笑",
    "shrug": "shrug shrugs shrugging 耸肩",
    "open_palms": "welcome welcomes welcoming 欢迎",
    "point_right": "point points pointing 指着 指向",
    "touch_chin": "think thinks thinking ponders 思考",
    "thumbs_up": "thumbs-up 点赞",
}
_VOICES: Final[Mapping[Colour, str]] = {
    Colour(0.90, 1.06, 1.0): "child children kids toddlers pupils preschool 儿童 孩子 小朋友 小学生",
    Colour(0.88, 0.98, 1.15): "elderly seniors older 老人 老年人 长辈",
    Colour(0.85, 0.95, 0.8): "bedtime sleepy meditation relaxing 睡前 冥想",
    Colour(1.06, 1.0, 1.0): "experts professionals engineers gamers 专业人士 工程师 玩家",
}
"""Who listens decides how it is said: slower for those who need time, faster for those who do not."""
_COLOURS: Final[Mapping[str, str]] = {
    "#c8283c": "red crimson scarlet 红色 红", "#e8833a": "orange 橙色 橙", "#e8b53a": "yellow amber gold 黄色 黄 金",
    "#3f9c5a": "green emerald forest 绿色 绿", "#2ba6a0": "teal turquoise cyan 青色 青", "#3f72c8": "blue navy 蓝",
    "#7a55c0": "purple violet lilac 紫色 紫", "#d9709c": "pink rose 粉色 粉", "#8a5a3a": "brown sepia 棕色 褐色 棕",
    "#8b9199": "grey gray silver 灰色 灰 银", "#f2efe8": "white cream ivory 白", "#23262b": "black charcoal 黑",
}  # fmt: skip
_HEX: Final = re.compile(r"#[0-9a-f]{6}\b")
_TEMPLATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "cinematic": ("dramatic", "push_in", "fade"),
    "cartoon": ("neutral", "static", "zoom"),
    "realistic": ("neutral", "static", "fade"),
    "documentary": ("cool", "drift", "none"),
}
"""Light, camera and card transition of each style template."""
_GROUND, _CARD, _TEXT = 0.80, 0.68, 0.93
"""How far a colour goes towards black for background and card, towards white for text: contrast stays above 7:1."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a prompt asks for; None leaves a thing as it is."""

    lighting: str
    camera: str
    framing: str | None
    transition: str
    palette: tuple[str, ...]
    """Background, card, accent, text as `#rrggbb`, or nothing."""
    emotion: Emotion | None
    intensity: float
    gesture: str | None
    voice: Colour
    background: str
    """What is to be painted behind the host."""
    negative: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For clients and for the digest of what a prompt brought."""
        return {
            "lighting": self.lighting,
            "camera_movement": self.camera,
            "framing": self.framing,
            "transition_effect": self.transition,
            "palette": list(self.palette),
            "emotion": None if self.emotion is None else self.emotion.name.lower(),
            "intensity": self.intensity,
            "gesture": self.gesture,
            "voice": {"rate": self.voice.rate, "pitch": self.voice.pitch, "energy": self.voice.energy},
            "background": self.background,
            "negative": list(self.negative),
        }


def look_of(prompt: StructuredPrompt) -> Look:
    """What the prompt asks for. The same prompt always asks for the same."""
    parts, unwanted = prompt.parts, " ".join(prompt.negative)
    seen = _joined(parts, "style", "environment", "colour", "subject")
    light, movement, transition = _TEMPLATES[prompt.parameters.style_template]
    emotion, intensity = _emotion(_joined(parts, "style", "action", "subject"))
    voice = _first(_VOICES, parts.get("audience", ""), unwanted)
    return Look(
        lighting=_first(_LIGHTING, seen, unwanted) or light,
        camera=_first(_CAMERA, parts.get("camera", ""), unwanted) or movement,
        framing=_first(_FRAMING, parts.get("camera", ""), unwanted),
        transition=transition,
        palette=_palette(_joined(parts, "colour", "style"), unwanted),
        emotion=emotion,
        intensity=intensity,
        gesture=_first(_GESTURES, parts.get("action", ""), unwanted),
        voice=voice or Colour(),
        background=_joined(parts, "environment", "style", "colour"),
        negative=prompt.negative,
    )


def dressed(brand: Brand | None, look: Look) -> Brand:
    """A brand's style with the look over it; the brand keeps its own palette where the prompt names no colour."""
    style = brand or Brand()
    return replace(
        style, palette=look.palette or style.palette, lighting=look.lighting, camera_movement=look.camera,
        transition_effect=look.transition,
    )  # fmt: skip


def _joined(parts: Mapping[str, str], *names: str) -> str:
    return ", ".join(parts[name] for name in names if name in parts)


def _first(choices: Mapping[T, str], text: str, unwanted: str) -> T | None:
    """The choice whose word comes first in the text and is not among the unwanted."""
    places = [
        (place, choice)
        for choice, words in choices.items()
        for word in words.split()
        if (place := _place(word, text)) >= 0 and _place(word, unwanted) < 0
    ]
    return min(places, key=lambda found: found[0])[1] if places else None


def _place(word: str, text: str) -> int:
    """Where a word stands in a text, -1 if nowhere. A hyphen in it may be a space there."""
    if not word.isascii():
        return text.find(word)
    pattern = re.escape(word).replace(r"\-", "[- ]")
    match = re.search(rf"\b{pattern}\b", text.casefold())
    return match.start() if match else -1


def _emotion(text: str) -> tuple[Emotion | None, float]:
    for word in re.findall(r"[a-z]+|[\u4e00-\u9fff]{2}", text.casefold()):
        if (named := EMOTION_BY_NAME.get(word)) is not None and word not in ("none", "calm", "serious"):
            return named, 0.6
    emotion, intensity = read_emotion(text)
    return (None, 0.0) if emotion is Emotion.NEUTRAL else (emotion, min(intensity, 0.8))


def _palette(text: str, unwanted: str) -> tuple[str, ...]:
    """Background, card, accent and text from the colours that are named, the first two of them."""
    named = [(match.start(), match.group()) for match in _HEX.finditer(text.casefold())]
    named += [
        (min(places), colour)
        for colour, words in _COLOURS.items()
        if (places := [p for word in words.split() if (p := _place(word, text)) >= 0 and _place(word, unwanted) < 0])
    ]
    colours = [colour for _, colour in sorted(named)]
    if not colours:
        return ()
    ground, accent = colours[0], colours[min(1, len(colours) - 1)]
    light = _mixed(accent, 255, 0.35)
    return _mixed(ground, 0, _GROUND), _mixed(ground, 0, _CARD), light, _mixed(ground, 255, _TEXT)


def _mixed(colour: str, towards: int, share: float) -> str:
    channels: Iterable[int] = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(one + (towards - one) * share):02x}" for one in channels)
