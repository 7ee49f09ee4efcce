"""Which mouth shapes a phone passes through: IPA of English and Mandarin, as espeak-ng writes it, to viseme classes.

A symbol may hold several sounds (`aɪ`, `tʃ`, `iou`, `ɔːɹ`); it is read letter by letter, longest match first, and its
time is shared out by weight.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Viseme = Literal["MBP", "FV", "TH", "TD", "L", "SZ", "SH", "KG", "R", "H", "A", "E", "I", "O", "U", "W"]


@dataclass(frozen=True, slots=True)
class Sound:
    """One mouth shape within a phone: how far it is reached (1 = fully) and its part of the phone's time."""

    viseme: Viseme
    amount: float
    share: float


_CONSONANTS: Final[dict[str, tuple[Viseme, float, float]]] = {
    **dict.fromkeys("pbmɓʙ", ("MBP", 1.0, 1.0)),
    **dict.fromkeys("fvɱʋ", ("FV", 1.0, 1.0)),
    **dict.fromkeys("θð", ("TH", 1.0, 1.0)),
    **dict.fromkeys("tdnɾ", ("TD", 1.0, 1.0)),
    **dict.fromkeys("lɫɬ", ("L", 1.0, 1.0)),
    **dict.fromkeys("sz", ("SZ", 1.0, 1.0)),
    **dict.fromkeys("ɕʑ", ("SZ", 0.9, 1.0)),
    **dict.fromkeys("ʃʒʂʐ", ("SH", 1.0, 1.0)),
    **dict.fromkeys(("s.", "z."), ("SH", 0.7, 1.0)),
    **dict.fromkeys(("ts", "dz", "tɕ", "dʑ"), ("SZ", 1.0, 1.3)),
    **dict.fromkeys(("tʃ", "dʒ"), ("SH", 1.0, 1.3)),
    **dict.fromkeys(("ts.", "dz."), ("SH", 0.7, 1.3)),
    **dict.fromkeys("kɡgŋxχɣqɲ", ("KG", 1.0, 1.0)),
    **dict.fromkeys(("nɡ", "ng"), ("KG", 1.0, 0.8)),
    **dict.fromkeys("ɹrɻʀʁ", ("R", 1.0, 0.8)),
    **dict.fromkeys("hɦʔ", ("H", 1.0, 1.0)),
    "j": ("I", 0.8, 0.8),
    **dict.fromkeys("wʍɥ", ("W", 1.0, 0.8)),
}
_VOWELS: Final[dict[str, tuple[Viseme, float, float]]] = {
    **dict.fromkeys("aɑ", ("A", 1.0, 1.0)),
    "æ": ("A", 0.85, 1.0),
    "ʌ": ("A", 0.7, 1.0),
    "ɐ": ("A", 0.55, 1.0),
    "ɒ": ("O", 1.1, 1.0),
    "ɔ": ("O", 1.0, 1.0),
    "o": ("O", 0.85, 1.0),
    **dict.fromkeys("øœ", ("O", 0.7, 1.0)),
    **dict.fromkeys("uyʉ", ("U", 1.0, 1.0)),
    **dict.fromkeys("ʊʏ", ("U", 0.8, 1.0)),
    "ɛ": ("E", 1.1, 1.0),
    "e": ("E", 0.95, 1.0),
    **dict.fromkeys("ɜɤ", ("E", 0.85, 1.0)),
    "o-": ("E", 0.85, 1.0),
    "ə": ("E", 0.6, 1.0),
    "ɚ": ("R", 1.0, 1.0),
    "ɝ": ("R", 1.1, 1.0),
    "i": ("I", 1.0, 1.0),
    "ɪ": ("I", 0.9, 1.0),
    "ᵻ": ("I", 0.75, 1.0),
    "ɨ": ("I", 0.7, 1.0),
    "i.": ("SH", 0.6, 1.0),  # the vowel of shi: the consonant held on
    "i\u032a": ("SZ", 0.8, 1.0),  # the vowel of si
}
_TABLE: Final = {**_CONSONANTS, **_VOWELS}
_LONGEST: Final = max(map(len, _TABLE))
_LONG: Final = "ː"
_GLIDES: Final = frozenset("iuyɪʊ")
_OFF_GLIDE, _ON_GLIDE, _LENGTHENING = 0.75, 0.5, 0.35


@lru_cache(maxsize=512)
def sounds(symbol: str) -> tuple[Sound, ...]:
    """The mouth shapes of an IPA symbol in order, shares summing to 1; empty for silence and for what nobody knows."""
    found: list[tuple[str, Viseme, float, float]] = []
    index = 0
    while index < len(symbol):
        for size in range(_LONGEST, 0, -1):
            letters = symbol[index : index + size]
            if letters in _TABLE:
                break
        else:
            if symbol[index] == _LONG and found:
                *head, weight = found[-1]
                found[-1] = (*head, weight + _LENGTHENING)  # type: ignore[assignment]  # a 4-tuple again
            index += 1
            continue
        viseme, amount, weight = _TABLE[letters]
        aspiration = viseme == "H" and bool(found)
        if not aspiration:
            found.append((letters, viseme, amount, weight))
        index += len(letters)
    return _shared(found)


def is_vowel(viseme: Viseme) -> bool:
    """Whether stress opens this shape further."""
    return viseme in ("A", "E", "I", "O", "U")


def _shared(found: list[tuple[str, Viseme, float, float]]) -> tuple[Sound, ...]:
    weights = []
    for index, (letters, _, _, weight) in enumerate(found):
        if letters in _GLIDES and len(found) > 1:
            followed = index + 1 < len(found) and found[index + 1][0] in _VOWELS
            preceded = index > 0 and found[index - 1][0] in _VOWELS
            weight *= _ON_GLIDE if followed else _OFF_GLIDE if preceded else 1.0
        weights.append(weight)
    total = sum(weights)
    return tuple(
        Sound(viseme, amount, weight / total) for (_, viseme, amount, _), weight in zip(found, weights, strict=True)
    )
