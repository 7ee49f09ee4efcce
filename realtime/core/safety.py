"""What may come in and what may be spoken: rules as data, judged on normalised text, with a verdict that says why.

    judge("This cures everything!", "out", rules, language="en")
    -> Verdict(action="replace", text="This may help!", findings=(Finding("absolute-medical", "replace"),))
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.safety_masking import mask_personal
from realtime.core.script_clean import HAN

Action = Literal["allow", "mask", "replace", "block"]
Direction = Literal["in", "out"]
ACTIONS: Final = ("mask", "replace", "block")
MAX_JUDGED_CHARS: Final = 6_000

_LEET: Final = str.maketrans("013457@$", "oieastas")
_SPACED: Final = re.compile(r"(?<=\b[a-z])[ .*_-](?=[a-z]\b)")
_HAN_GAP: Final = re.compile(rf"(?<={HAN.pattern})[\s*._·、,，\-]+(?={HAN.pattern})")
_STRETCHED: Final = re.compile(r"([a-z])\1{2,}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a pack. `pattern` is matched without case on normalised text; `says` replaces the match (or, when
    blocking, the whole text)."""

    id: str
    pattern: re.Pattern[str]
    action: Action
    directions: tuple[Direction, ...]
    scenes: tuple[str, ...] = ()
    """Scenes it holds in; empty means all."""
    languages: tuple[str, ...] = ()
    says: str = ""
    loose: bool = False
    """Whether it also looks behind tricks: spaced, stretched and l33t letters."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that applied."""

    rule: str
    action: Action


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may pass: `text` (empty when blocked), the strongest action taken, and why."""

    action: Action
    text: str
    findings: tuple[Finding, ...] = ()
    says: str = ""
    """What a blocking rule wants said instead, if anything."""


@dataclass(frozen=True, slots=True)
class RulePack:
    """The rules of one region."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    mask_personal: bool = True
    allowed: tuple[str, ...] = ()
    """Texts that are never covered, such as the shop's own phone number."""


def judge(
    text: str, direction: Direction, packs: Sequence[RulePack], *, scene: str = "host", language: str = "en"
) -> Verdict:
    """Judge one text by all packs. A block ends the judgement; replacements and masks add up."""
    findings: list[Finding] = []
    current = text[:MAX_JUDGED_CHARS]
    for pack in packs:
        for rule in pack.rules:
            if not _holds(rule, direction, scene, language):
                continue
            changed = _apply(rule, current)
            if changed is None:
                continue
            findings.append(Finding(rule.id, rule.action))
            if rule.action == "block":
                return Verdict("block", "", tuple(findings), rule.says)
            current = changed
    if any(pack.mask_personal for pack in packs):
        allowed = tuple(text for pack in packs for text in pack.allowed)
        masked = _mask(current, language, allowed)
        findings += [Finding(f"personal-{kind}", "mask") for kind in masked[1]]
        current = masked[0]
    return Verdict(_strongest(findings), current, tuple(findings))


def normal(text: str) -> str:
    """Text as rules see it: compatibility forms resolved, no format characters, case folded, Chinese without gaps."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Mn") or c == "\n")
    return _HAN_GAP.sub("", " ".join(text.split())).casefold()


def loosened(text: str) -> str:
    """Normalised text with the usual disguises taken off."""
    return _STRETCHED.sub(r"\1", _SPACED.sub("", normal(text).translate(_LEET)))


def _holds(rule: Rule, direction: Direction, scene: str, language: str) -> bool:
    if direction not in rule.directions or (rule.scenes and scene not in rule.scenes):
        return False
    return not rule.languages or language in rule.languages


def _apply(rule: Rule, text: str) -> str | None:
    """The text after a rule, None where the rule does not apply."""
    if rule.action == "block":
        seen = rule.pattern.search(normal(text)) or (rule.loose and rule.pattern.search(loosened(text)))
        return "" if seen else None
    if rule.pattern.search(text):
        return rule.pattern.sub(rule.says, text)
    # disguised: the place in the original is not known, so the cleaned text takes its place
    plain = normal(text)
    if rule.pattern.search(plain):
        return rule.pattern.sub(rule.says, plain)
    if rule.loose and rule.pattern.search(loosened(text)):
        return rule.pattern.sub(rule.says, loosened(text))
    return None


def _mask(text: str, language: str, allowed: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Personal data covered, except what is allowed."""
    places: Mapping[str, str] = {f"\x00{chr(0xE000 + i)}\x00": kept for i, kept in enumerate(allowed)}
    for place, kept in places.items():
        text = text.replace(kept, place)
    masked = mask_personal(text, language)
    result = masked.text
    for place, kept in places.items():
        result = result.replace(place, kept)
    return result, masked.kinds


def _strongest(findings: Sequence[Finding]) -> Action:
    order: tuple[Action, ...] = ("block", "replace", "mask")
    return next((action for action in order if any(f.action == action for f in findings)), "allow")


# --- hygiene of what is retrieved or written by viewers before a language model reads it

_ROLE_MARK: Final = re.compile(
    r"<\|[^|>]{0,40}\|>|</?(?:system|assistant|user|s|inst)>|\[/?(?:INST|SYS)\]|<</?SYS>>"
    r"|^\s*#{0,4}\s*(?:system|assistant|developer|user)\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_FENCE: Final = re.compile(r"`{3,}|~{3,}|-{5,}|={5,}")


def quoted(text: str, limit_chars: int = 600) -> str:
    """Somebody else's text as it may stand in a prompt: one line, without the marks that chats give meaning to."""
    text = _ROLE_MARK.sub(" ", unicodedata.normalize("NFKC", text))
    text = _FENCE.sub(" ", text).replace("<", "‹").replace(">", "›")
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Co", "Cs") or c == "\n")
    return " ".join(text.split())[:limit_chars]
