"""Advice on structured prompts: words too vague to draw and what to write instead, missing parts, contradictions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from realtime.core.prompting import StructuredPrompt


@dataclass(frozen=True, slots=True)
class Advice:
    """A word or a part that could be better."""

    field: str
    word: str
    suggestion: str


VAGUE: Final[Mapping[str, str]] = {
    "beautiful": "say what makes it so: soft window light, clean lines, a calm face",
    "nice": "say what is good about it: its material, colour or light",
    "good": "say what is good about it: its material, colour or light",
    "cool": "name a style: low-key light, neon rim light, brushed metal",
    "amazing": "describe what one sees: scale, movement, light",
    "interesting": "describe what happens: who does what, where",
    "modern": "name it: white walls, glass, thin black frames",
    "professional": "name it: grey suit, even studio light, plain background",
    "something": "name the thing",
    "stuff": "name the things",
    "some": "say how many",
    "very": "leave it out, or give a measure",
    "high quality": "leave it out and set the resolution",
    "epic": "describe scale and camera: wide shot, low angle, storm clouds",
    "colorful": "name two or three colours",
    "colourful": "name two or three colours",
    "好看": "说明哪里好看：柔和的窗光、干净的线条",
    "漂亮": "说明哪里漂亮：光线、颜色、材质",
    "高级": "写具体：哑光金属、低调布光、留白",
    "高级感": "写具体：哑光金属、低调布光、留白",
    "炫酷": "写具体：霓虹轮廓光、俯拍、快速推镜",
    "大气": "写具体：广角、远景、云层",
    "一些": "写出数量",
    "非常": "去掉，或给出尺度",
    "有趣": "写出谁在哪里做什么",
    "专业": "写具体：灰色西装、均匀的棚光、纯色背景",
}
MISSING: Final[Mapping[str, str]] = {
    "action": "say what happens: it decides whether the picture lives",
    "camera": "give a shot and a movement: medium shot, slow push in",
    "environment": "say where it is and at what time of day",
}
_WORD: Final = re.compile(
    "|".join(
        rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
        for word in sorted(VAGUE, key=len, reverse=True)
    ),
    re.IGNORECASE,
)


def advise(prompt: StructuredPrompt) -> list[Advice]:
    """What could be said more clearly: vague words with what to write instead, parts that are missing, and a negative
    prompt that contradicts the prompt."""
    found = [
        Advice(name, match.group(), VAGUE[match.group().lower()])
        for name, text in prompt.parts.items()
        for match in _WORD.finditer(text)
    ]
    found += [Advice(name, "", words) for name, words in MISSING.items() if name not in prompt.parts]
    text = prompt.text.casefold()
    for word in prompt.negative:
        if word.casefold() in text:
            found.append(Advice("negative_prompt", word, "the prompt asks for it: take it out of one of the two"))
    return found
