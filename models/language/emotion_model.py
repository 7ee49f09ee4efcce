"""Reads the emotion of a sentence with a small trained model: hashed n-grams, the lexicon's opinion, one linear layer.

Trained by `python -m models.language.emotion_train`; docs/models/emotion.md is its card. 16 384 buckets by seven
classes in half precision are 224 KiB; a sentence takes a fraction of a millisecond and nothing but numpy.
"""

import re
import unicodedata
import zlib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.emotion import read_emotion
from realtime.core.facs import Emotion
from realtime.core.script_clean import HAN, guess_language

WEIGHTS: Final = Path(__file__).parent / "emotion" / "weights.npz"
BUCKETS: Final = 1 << 14
LEXICON_FEATURES: Final = len(Emotion)
SIZE: Final = BUCKETS + LEXICON_FEATURES + 1
"""Hashed n-grams, the lexicon's reading per emotion, and a constant."""
MAX_CHARS: Final = 400
MAX_INTENSITY: Final = 0.8
MIN_PROBABILITY: Final = 0.45
"""Below this no emotion is shown: a wrong face is worse than a calm one."""
MIN_WORDS: Final = 4
"""In a shorter sentence a single word decides ("No idea."); two Chinese characters count as a word."""

_WORD: Final = re.compile(rf"{HAN.pattern}+|[a-z']+|[!?。！？…]")


class EmotionModel:
    """A softmax over the seven emotions. `weights` is float of shape (SIZE, 7)."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        if weights.shape != (SIZE, len(Emotion)):
            raise ValueError(f"weights have shape ({SIZE}, {len(Emotion)}), got {weights.shape}")
        self._weights = weights

    def probabilities(self, text: str, language: str = "en") -> NDArray[np.float32]:
        """Seven probabilities in FER order."""
        places, values = features(text, language)
        scores = values @ self._weights[places]
        raised = np.exp(scores - scores.max())
        return np.asarray(raised / raised.sum(), np.float32)

    def read(self, text: str, language: str = "en") -> tuple[Emotion, float]:
        """The likeliest emotion and an intensity 0..0.8; `(NEUTRAL, 0.0)` where nothing is likely enough."""
        if _length(text[:MAX_CHARS]) < MIN_WORDS:
            return Emotion.NEUTRAL, 0.0
        odds = self.probabilities(text, language)
        best = Emotion(int(odds.argmax()))
        if best is Emotion.NEUTRAL or odds[best] < MIN_PROBABILITY:
            return Emotion.NEUTRAL, 0.0
        return best, round(float(odds[best]) * MAX_INTENSITY, 3)


@cache
def emotion_model() -> EmotionModel:
    """The model that comes with Anima."""
    with np.load(WEIGHTS) as stored:
        return EmotionModel(stored["weights"].astype(np.float32))


def features(text: str, language: str = "en") -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """A sentence as places in the feature vector and the values there: n-grams of unit length together, the lexicon's
    emotion with its intensity, and a one."""
    counts = Counter(_grams(text))
    places = [zlib.crc32(gram.encode()) % BUCKETS for gram in counts]
    values = [1.0 + np.log(count) for count in counts.values()]
    norm = float(np.sqrt(sum(value * value for value in values))) or 1.0
    scaled = [value / norm for value in values]
    emotion, intensity = read_emotion(text[:MAX_CHARS], language)
    if emotion is not Emotion.NEUTRAL:
        places.append(BUCKETS + int(emotion))
        scaled.append(intensity)
    return np.array([*places, SIZE - 1], np.int64), np.array([*scaled, 1.0], np.float32)


def _length(text: str) -> float:
    words = (token for token in _WORD.findall(text.lower()) if token[-1].isalpha())
    return sum(len(word) / 2 if HAN.match(word) else 1 for word in words)


def _grams(text: str) -> list[str]:
    """Words, pairs of words and word beginnings; for Chinese runs of one to three characters; marks."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower().replace("’", "'")
    tokens = _WORD.findall(text)
    grams: list[str] = []
    before = "^"
    for token in tokens:
        if HAN.match(token):
            grams += (token[i : i + size] for size in (1, 2, 3) for i in range(len(token) - size + 1))
            continue
        grams += (token, f"{before} {token}")
        grams += (f"{token[:size]}*" for size in (4, 6) if len(token) > size)
        before = token
    return [f"{'z' if guess_language(text, 'en') == 'zh' else 'e'}{gram}" for gram in grams]
