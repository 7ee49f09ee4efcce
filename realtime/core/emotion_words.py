"""Lexicon data for reading emotion from words: cues, negation and intensifiers in English and Chinese."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from realtime.core.facs import Emotion

Cue = tuple[Emotion, float]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Cues of one language. The three context patterns are matched against what stands before a cue."""

    cues: Mapping[str, Cue]
    pattern: re.Pattern[str]
    negation: re.Pattern[str]
    intensifier: re.Pattern[str]
    diminisher: re.Pattern[str]

    @staticmethod
    def normalised(text: str) -> str:
        """Lower case with plain apostrophes and single spaces."""
        return " ".join(text.lower().replace("’", "'").split())


NEGATED: Final[Mapping[Emotion, Cue]] = {
    Emotion.HAPPY: (Emotion.SAD, 0.7),
    Emotion.SAD: (Emotion.HAPPY, 0.4),
    Emotion.DISGUST: (Emotion.HAPPY, 0.3),
}
"""What a negated cue suggests instead; the others suggest nothing: "not afraid" is no emotion of its own."""

EMOJI_CUES: Final[Mapping[str, Emotion]] = {
    **dict.fromkeys("😀😃😄😁😆😂🤣😊🙂😉😍🥰😘🤗🎉🥳❤💕👍", Emotion.HAPPY),
    **dict.fromkeys("😢😭😞😔🙁☹💔😿", Emotion.SAD),
    **dict.fromkeys("😠😡🤬👿", Emotion.ANGRY),
    **dict.fromkeys("🤢🤮😒", Emotion.DISGUST),
    **dict.fromkeys("😨😰😱😟", Emotion.FEAR),
    **dict.fromkeys("😮😲😯🤯", Emotion.SURPRISE),
}

_ENGLISH: Final[Mapping[tuple[Emotion, float], str]] = {
    (Emotion.HAPPY, 0.7): "congratulations|wonderful|fantastic|amazing|awesome|delighted|excellent|thrilled|hooray|"
    "brilliant|love it|so glad|happy birthday|perfect|yay",
    (
        Emotion.HAPPY,
        0.5,
    ): "happy|glad|great|good news|welcome|love|lovely|enjoy|fun|beautiful|nice|excited|pleased|proud|"
    "best|favourite|favorite|well done|you're in luck|my pleasure|haha|delicious",
    (Emotion.HAPPY, 0.35): "hello|hi|hey|thanks|thank you|good|sure|of course|gladly|goodbye|bye|cheers|you're welcome",
    (Emotion.SAD, 0.6): "heartbroken|tragic|terrible loss|miss you|passed away|grief|devastated|condolences|cry|crying",
    (Emotion.SAD, 0.45): "sad|sadly|sorry|unfortunately|i'm afraid|i am afraid|regret|regrettably|apologise|apologize|"
    "disappointed|disappointing|bad news|lonely|unhappy|sold out|out of stock|pity|bad|i don't know|i do not know",
    (Emotion.ANGRY, 0.6): "furious|outrageous|unacceptable|how dare|enraged|hate",
    (Emotion.ANGRY, 0.45): "angry|annoyed|annoying|mad at|unfair|fed up|irritating|rude",
    (Emotion.DISGUST, 0.55): "disgusting|gross|revolting|nasty|awful|yuck|ew|eww|rotten|filthy|horrible",
    (Emotion.FEAR, 0.5): "afraid|scared|scary|terrified|terrifying|frightened|frightening|dangerous|danger|worried|"
    "careful|nervous|watch out|horror",
    (Emotion.SURPRISE, 0.6): "wow|oh my|no way|unbelievable|incredible|what a surprise|astonishing|whoa|guess what",
    (Emotion.SURPRISE, 0.45): "surprised|surprising|surprisingly|surprise|suddenly|unexpected|unexpectedly|really?",
}

_HAN: Final[Mapping[tuple[Emotion, float], str]] = {
    (Emotion.HAPPY, 0.7): "恭喜|太棒了|太好了|好极了|真棒|完美|生日快乐|万岁|爱死|精彩",
    (
        Emotion.HAPPY,
        0.5,
    ): "开心|高兴|快乐|欢迎|喜欢|喜爱|愉快|幸福|好消息|漂亮|美丽|好吃|有趣|哈哈|超值|划算|兴奋|骄傲|祝",
    (Emotion.HAPPY, 0.35): "你好|您好|大家好|谢谢|感谢|不客气|当然|没问题|没关系|再见|好的|好呀|好啊|加油|不错",
    (Emotion.SAD, 0.6): "伤心|心碎|悲痛|去世|痛哭|哭了|绝望|哀悼",
    (Emotion.SAD, 0.45): "难过|抱歉|对不起|遗憾|可惜|不好意思|失望|孤独|悲伤|坏消息|售罄|卖完|缺货|不知道|不清楚",
    (Emotion.ANGRY, 0.6): "愤怒|气死|可恶|岂有此理|太过分|滚开|讨厌死",
    (Emotion.ANGRY, 0.45): "生气|恼火|烦死|不公平|气人|过分",
    (Emotion.DISGUST, 0.55): "恶心|讨厌|厌恶|难吃|肮脏|真脏|糟糕|呸",
    (Emotion.FEAR, 0.5): "害怕|可怕|恐怖|吓人|危险|担心|小心|紧张|吓死|恐惧",
    (Emotion.SURPRISE, 0.6): "哇|天哪|天啊|不可思议|难以置信|没想到|竟然|居然|惊喜|猜猜看",
    (Emotion.SURPRISE, 0.45): "惊讶|吃惊|意外|突然|真的吗|真的假的",
}


def _cues(table: Mapping[tuple[Emotion, float], str]) -> dict[str, Cue]:
    return {phrase: cue for cue, phrases in table.items() for phrase in phrases.split("|")}


def _alternatives(cues: Mapping[str, Cue]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(cues, key=len, reverse=True))


_ENGLISH_CUES: Final = _cues(_ENGLISH)
_HAN_CUES: Final = _cues(_HAN)

ENGLISH: Final = Lexicon(
    cues=_ENGLISH_CUES,
    pattern=re.compile(rf"(?<![\w'])(?:{_alternatives(_ENGLISH_CUES)})(?![\w'])"),
    negation=re.compile(
        r"(?:(?<!\w)(?:not|no|never|without|hardly|neither|nor|nothing|isn't|aren't|wasn't|weren't|don't|doesn't|didn't|"
        r"can't|cannot|won't|wouldn't|shouldn't|ain't|couldn't)) (?:(?!but )[\w']+ ){0,2}$"
    ),
    intensifier=re.compile(r"(?<!\w)(?:very|so|really|extremely|absolutely|truly|such an?|incredibly|super|too) $"),
    diminisher=re.compile(r"(?<!\w)(?:a bit|a little|slightly|somewhat|fairly|kind of|sort of|rather) $"),
)
HAN: Final = Lexicon(
    cues=_HAN_CUES,
    pattern=re.compile(_alternatives(_HAN_CUES)),
    negation=re.compile(
        r"(?:不是|不会|不要|不用|不必|没有|并不|并非|从不|别|不|没|未|无需|无)[太很怎么那这么再]{0,3}$"
    ),
    intensifier=re.compile(r"(?:非常|特别|十分|极其|超级|真的|真是|太|很|好|超|最)$"),
    diminisher=re.compile(r"(?:有点儿|有点|有些|稍微|略微|一点)$"),
)
