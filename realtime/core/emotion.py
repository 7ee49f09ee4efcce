"""The course of a face's emotion over time, and a simple reading of emotion from words.

A change has an onset, an apex, a sustained part and an offset, as facial expressions have (Ekman & Friesen, *Felt,
False and Miserable Smiles*, 1982: onsets last a fraction of a second, offsets are slower). Each weight is a critically
damped spring, solved in closed form, so that the course does not depend on how often it is sampled:
w(t) = target + (a + (v + omega a) t) exp(-omega t) with a = w(0) - target and v = w'(0).
"""

import math
from dataclasses import dataclass
from typing import Final

from realtime.core.emotion_words import EMOJI_CUES, ENGLISH, HAN, NEGATED, Lexicon
from realtime.core.facs import Emotion
from realtime.core.script_clean import guess_language

ONSET_S: Final = 0.4
"""10 to 90 % of a rising or replaced expression."""
OFFSET_S: Final = 1.0
"""10 to 90 % of the way back to the baseline mood."""
RELAX_S: Final = 1.2
"""10 to 90 % from the apex to the sustained level."""
APEX_S: Final = 1.5
SUSTAIN: Final = 0.75
"""Share of the apex that an expression keeps while it lasts; a face held at its apex looks frozen."""
SURPRISE_APEX_S: Final = 0.7
SURPRISE_SUSTAIN: Final = 0.4
"""Surprise is the briefest of the expressions."""
HOLD_S: Final = 6.0
"""How long an expression lasts after it was set, if nothing keeps it longer."""
TAIL_S: Final = 1.0
"""How long it outlasts the speech that keeps it."""
MIN_CHANGE_S: Final = 0.25
"""A face does not change its mind faster than this; a change that comes sooner waits, and the newest wins."""

_RISE: Final = 3.36
"""10-to-90-% rise time of a critically damped spring, times omega."""
_COUNT: Final = len(Emotion)


@dataclass(frozen=True, slots=True)
class _Wish:
    emotion: Emotion
    intensity: float
    at_s: float


class EmotionTrack:
    """Where the emotion goes: `set` a target, `keep` it while speech lasts, read `weights` at rising times.

    The seven weights lie in 0..1 and sum to 1; the neutral one is what the others leave."""

    def __init__(self, mood: Emotion = Emotion.NEUTRAL, mood_intensity: float = 0.0) -> None:
        self._mood = _targets(mood, mood_intensity)
        self._value = list(self._mood)
        self._speed = [0.0] * _COUNT
        self._target = list(self._mood)
        self._omega = _RISE / ONSET_S
        self._since_s = 0.0
        self._current = _Wish(mood, mood_intensity, -math.inf)
        self._next: _Wish | None = None
        self._hold_until_s = -math.inf
        self._phase = "rest"

    @property
    def target(self) -> tuple[Emotion, float]:
        """What was asked for last, and how strongly."""
        wish = self._next or self._current
        return wish.emotion, wish.intensity

    def set(self, emotion: Emotion, intensity: float, now_s: float) -> None:
        """Move towards an emotion from now on; `intensity` is clipped to 0..1."""
        self._advance(now_s)
        changed_s = self._current.at_s
        at_s = now_s if emotion == self._current.emotion else max(now_s, changed_s + MIN_CHANGE_S)
        self._next = _Wish(emotion, min(max(intensity, 0.0), 1.0), at_s)
        self._hold_until_s = max(self._hold_until_s, at_s + HOLD_S)
        self._advance(now_s)

    def keep(self, until_s: float) -> None:
        """Speech in this emotion lasts until then: do not return to the mood before."""
        self._hold_until_s = max(self._hold_until_s, until_s + TAIL_S)

    def release(self, now_s: float) -> None:
        """Begin the return to the mood now."""
        self._advance(now_s)
        self._next = None
        self._hold_until_s = min(self._hold_until_s, now_s)
        self._advance(now_s)

    def rest_at(self, mood: Emotion, intensity: float, now_s: float) -> None:
        """Change the mood that is returned to; effective at once where the face already rests."""
        self._advance(now_s)
        self._mood = _targets(mood, min(max(intensity, 0.0), 1.0))
        if self._phase == "rest":
            self._aim(self._mood, OFFSET_S)

    def weights(self, now_s: float) -> tuple[float, ...]:
        """The seven weights in FER order at a media time; times before the last one read count as that one."""
        self._advance(now_s)
        felt = [min(max(v, 0.0), 1.0) for v in self._value]
        felt[Emotion.NEUTRAL] = 0.0
        total = sum(felt)
        if total > 1.0:
            felt = [v / total for v in felt]
        felt[Emotion.NEUTRAL] = max(0.0, 1.0 - sum(felt))
        return tuple(felt)

    def _advance(self, now_s: float) -> None:
        """Go through every phase that begins by now, each at its own time."""
        while True:
            due_s, phase = self._due()
            if due_s > now_s:
                break
            self._move(max(due_s, self._since_s))
            self._enter(phase)
        self._move(now_s)

    def _due(self) -> tuple[float, str]:
        """When the next phase begins, and which."""
        if self._next is not None and self._next.at_s <= self._hold_until_s:
            return self._next.at_s, "apex"
        relax_s = self._current.at_s + _apex_s(self._current.emotion)
        if self._phase == "apex" and relax_s < self._hold_until_s:
            return relax_s, "sustain"
        if self._phase in ("apex", "sustain"):
            return self._hold_until_s, "rest"
        return math.inf, "rest"

    def _enter(self, phase: str) -> None:
        self._phase = phase
        if phase == "apex" and self._next is not None:
            self._current, self._next = self._next, None
            self._aim(_targets(self._current.emotion, self._current.intensity), ONSET_S)
        elif phase == "sustain":
            emotion = self._current.emotion
            share = SURPRISE_SUSTAIN if emotion is Emotion.SURPRISE else SUSTAIN
            self._aim(_targets(emotion, self._current.intensity * share), RELAX_S)
        else:
            self._aim(self._mood, OFFSET_S)

    def _aim(self, target: list[float], rise_s: float) -> None:
        self._target = list(target)
        self._omega = _RISE / rise_s

    def _move(self, now_s: float) -> None:
        """Let the springs run from the last time to this one."""
        elapsed_s = now_s - self._since_s
        if elapsed_s <= 0.0:
            return
        self._since_s = now_s
        omega = self._omega
        fade = math.exp(-omega * elapsed_s)
        for i in range(_COUNT):
            offset = self._value[i] - self._target[i]
            slope = self._speed[i] + omega * offset
            self._value[i] = self._target[i] + (offset + slope * elapsed_s) * fade
            self._speed[i] = (slope - omega * (offset + slope * elapsed_s)) * fade


def _targets(emotion: Emotion, intensity: float) -> list[float]:
    target = [0.0] * _COUNT
    if emotion is not Emotion.NEUTRAL:
        target[emotion] = intensity
    return target


def _apex_s(emotion: Emotion) -> float:
    return SURPRISE_APEX_S if emotion is Emotion.SURPRISE else APEX_S


# --- reading emotion from words


def read_emotion(text: str, language: str = "en") -> tuple[Emotion, float]:
    """The emotion that the words of a sentence suggest, and how strongly (0..1); `(NEUTRAL, 0.0)` without a cue.

    A lexicon with negation and intensifiers, English and Chinese: it knows words, not meaning. Irony, reported speech
    and longer contexts are beyond it."""
    scores = [0.0] * _COUNT
    for cue, emotion in EMOJI_CUES.items():
        scores[emotion] += 0.6 * min(text.count(cue), 2)
    lexicon = HAN if guess_language(text, language) == "zh" else ENGLISH
    _score(lexicon.normalised(text), lexicon, scores)
    best = max(Emotion, key=lambda emotion: scores[emotion])
    if scores[best] <= 0.0:
        return Emotion.NEUTRAL, 0.0
    emphatic = 1.25 if "!" in text or "！" in text else 1.0
    return best, round(min(1.0, scores[best] * emphatic), 3)


def _score(text: str, lexicon: Lexicon, scores: list[float]) -> None:
    """Add up the cues; a longer phrase is taken before the words it is made of."""
    for match in lexicon.pattern.finditer(text):
        emotion, strength = lexicon.cues[match.group()]
        before = text[: match.start()]
        if lexicon.intensifier.search(before):
            strength *= 1.4
        elif lexicon.diminisher.search(before):
            strength *= 0.6
        if lexicon.negation.search(before):
            emotion, share = NEGATED.get(emotion, (Emotion.NEUTRAL, 0.0))
            strength *= share
        scores[emotion] += strength
