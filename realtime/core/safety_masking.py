"""Finds personal data in text and covers it: e-mail addresses, payment cards, identity numbers, phone numbers."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9._%+-]{1,64}\s?(?:@|\(at\)|\[at\])\s?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
)
_CARD: Final = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d])")
_CHINA_ID: Final = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
)
_US_SSN: Final = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_PHONE_INTL: Final = re.compile(r"(?<![\w+])\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}(?!\d)")
_PHONE_CN: Final = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
_PHONE_US: Final = re.compile(r"(?<![\d$¥€£.])(?:\(\d{3}\)\s?|\d{3}[ .-])\d{3}[ .-]\d{4}(?!\d)")
_PHONE_CN_FIXED: Final = re.compile(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)")

_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with personal data covered, and which kinds there were, once each."""

    text: str
    kinds: tuple[str, ...]


def mask_personal(text: str, language: str = "en") -> Masked:
    """Cover personal data by a word for its kind. Digits may be full-width. What only looks like a card or a Chinese
    identity number, and fails its check digit, is left alone."""
    # same length, so that the spans found in one are those of the other
    plain = "".join(_narrow(c) for c in text)
    spans: list[tuple[int, int, str]] = []
    for kind, pattern, valid in _KINDS:
        for match in pattern.finditer(plain):
            free = all(match.end() <= begin or match.start() >= end for begin, end, _ in spans)
            if free and valid(match.group()):
                spans.append((match.start(), match.end(), kind))
    for begin, end, kind in sorted(spans, reverse=True):
        text = text[:begin] + WORDS[kind]["zh" if language == "zh" else "en"] + text[end:]
    return Masked(text, tuple(dict.fromkeys(kind for _, _, kind in sorted(spans))))


WORDS: Final = {
    "email": {"en": "an e-mail address", "zh": "某个邮箱"},
    "card": {"en": "a card number", "zh": "某个卡号"},
    "id": {"en": "an identity number", "zh": "某个证件号"},
    "phone": {"en": "a phone number", "zh": "某个电话号码"},
}


def luhn(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_card(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _is_china_id(found: str) -> bool:
    """Check digit of GB 11643-1999 (ISO 7064, MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(found[:17], _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11] == found[17].upper()


def _always(found: str) -> bool:
    return True


_KINDS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]] = (
    ("email", _EMAIL, _always),
    ("id", _CHINA_ID, _is_china_id),
    ("card", _CARD, _is_card),
    ("id", _US_SSN, _always),
    ("phone", _PHONE_INTL, _always),
    ("phone", _PHONE_CN, _always),
    ("phone", _PHONE_US, _always),
    ("phone", _PHONE_CN_FIXED, _always),
)


def _narrow(character: str) -> str:
    """A full-width digit or sign as its plain form."""
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character
