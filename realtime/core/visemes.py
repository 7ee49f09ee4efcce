"""The mouth while speaking: phonemes become controls, with coarticulation.

Every sound pulls the mouth towards its target with a dominance that rises before it and fades after it; the mouth is
where the weighted targets balance (Cohen & Massaro, "Modeling coarticulation in synthetic visual speech", 1993). Here
dominance has compact support, so silence is perfectly still, and it is set apart for jaw and lips: rounding is
anticipated further than opening. Lips that must meet (P, B, M) or touch the teeth (F, V) always get there, whatever
the balance says.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX, Controls
from realtime.core.phones import Sound, Viseme, is_vowel, sounds
from realtime.core.values import Phoneme

Floats = NDArray[np.float64]

CLOSE_S: Final = 0.08
"""From an interruption to a closed mouth."""
RELEASE_S: Final = 0.12
"""From the last sound to a closed mouth."""
PREPARE_S: Final = 0.10
"""How long before its first sound the mouth begins to move."""
CLOSURE_S: Final = 0.052
"""Lips that must meet stay together at least this long: a frame every 40 ms cannot miss it."""

_JAW_BLEND_S: Final = 0.055
_LIPS_BLEND_S: Final = 0.110
"""Reach of dominance beyond a sound's own time; rounding of the lips begins about two sounds ahead."""
_CLOSING_S, _OPENING_S = 0.050, 0.045
"""How long lips take to meet and to part."""
_REACH_BEFORE_S: Final = np.array([[PREPARE_S], [_JAW_BLEND_S], [_LIPS_BLEND_S], [_CLOSING_S]])
_REACH_AFTER_S: Final = np.array([[RELEASE_S], [_JAW_BLEND_S], [_LIPS_BLEND_S], [_OPENING_S]])
_LINGERING: Final = 0.02
"""Weight of a sound whose dominance has ended while the mouth is still on its way to rest."""
_LONGEST_S: Final = 1.0
"""No sound is longer; the search for what matters now looks back this far."""
BURST_S: Final = 0.005
"""Lips part this long into the burst of a plosive. The engine's phone begins with the burst: closure lies before it."""
VOICED_CLOSURE_S: Final = 0.040
"""A B longer than this hums behind closed lips for all its time; a shorter one is a burst, like P."""
_HISTORY_S: Final = 1.0
_HELD_S, _EASE = 0.12, 0.92
"""A vowel longer than this eases to this part of its opening in its second half: nobody holds a jaw quite still."""
_STRESS: Final = (0.88, 0.96, 1.08)

JAW_CONTROLS: Final = (
    "AU25", "AU26", "AU16", "AU10", "AU24", "AU23", "lip_tuck", "teeth", "tongue_up", "tongue_out",
)  # fmt: skip
LIP_CONTROLS: Final = ("AU18", "AU22", "lip_round", "AU20", "AU12", "AU14")
MOUTH_CONTROLS: Final = (*JAW_CONTROLS, *LIP_CONTROLS)
"""What speech sets; all other controls are zero in a sample."""

_INDEX: Final = np.array([CONTROL_INDEX[name] for name in MOUTH_CONTROLS])
_IS_LIP: Final = np.array([name in LIP_CONTROLS for name in MOUTH_CONTROLS])
_COLUMN: Final = {name: index for index, name in enumerate(MOUTH_CONTROLS)}
_PARTING: Final = np.zeros(CONTROL_COUNT, np.float32)
"""How much each control parts the lips."""
for _name, _share in {"AU26": 0.80, "AU25": 0.20, "AU10": 0.10, "AU16": 0.10, "lip_tuck": 0.10, "teeth": 0.05}.items():
    _PARTING[CONTROL_INDEX[_name]] = _share


@dataclass(frozen=True, slots=True)
class Shape:
    """A viseme: target controls, and how strongly it holds jaw and lips against its neighbours."""

    jaw: float
    lips: float
    targets: dict[str, float]


SHAPES: Final[dict[Viseme, Shape]] = {
    "A": Shape(1.0, 0.9, {"AU25": 0.80, "AU26": 0.59, "AU16": 0.15}),
    "E": Shape(0.9, 0.9, {"AU25": 0.70, "AU26": 0.34, "AU20": 0.40, "AU12": 0.15, "teeth": 0.10}),
    "I": Shape(0.9, 1.0, {"AU25": 0.72, "AU26": 0.15, "AU20": 0.55, "AU12": 0.30, "teeth": 0.40}),
    "O": Shape(1.0, 1.6, {"AU25": 0.62, "AU26": 0.45, "AU18": 0.55, "AU22": 0.35, "lip_round": 1.0}),
    "U": Shape(1.0, 1.8, {"AU25": 0.45, "AU26": 0.17, "AU18": 0.92, "AU22": 0.45, "lip_round": 1.0}),
    "W": Shape(1.4, 2.0, {"AU25": 0.34, "AU26": 0.10, "AU18": 1.00, "AU22": 0.40, "lip_round": 1.0}),
    "R": Shape(0.9, 1.1, {"AU25": 0.55, "AU26": 0.20, "AU18": 0.5, "AU22": 0.38, "lip_round": 0.65, "tongue_up": 0.35}),
    "L": Shape(0.9, 0.3, {"AU25": 0.70, "AU26": 0.30, "AU20": 0.10, "tongue_up": 1.0}),
    "TD": Shape(0.8, 0.25, {"AU25": 0.60, "AU26": 0.16, "AU20": 0.15, "teeth": 0.30, "tongue_up": 0.75}),
    "TH": Shape(1.2, 0.4, {"AU25": 0.75, "AU26": 0.20, "AU20": 0.10, "tongue_out": 1.0}),
    "SZ": Shape(1.6, 0.6, {"AU25": 0.85, "AU26": 0.06, "AU20": 0.40, "teeth": 0.95}),
    "SH": Shape(1.5, 1.4, {"AU25": 0.85, "AU26": 0.09, "AU18": 0.40, "AU22": 0.75, "lip_round": 0.40, "teeth": 0.95}),
    "KG": Shape(0.4, 0.15, {"AU25": 0.55, "AU26": 0.22}),
    "H": Shape(0.25, 0.1, {"AU25": 0.60, "AU26": 0.30}),
    "FV": Shape(2.5, 0.4, {"AU25": 0.30, "AU26": 0.06, "AU10": 0.20, "lip_tuck": 1.0, "teeth": 0.35}),
    "MBP": Shape(3.0, 0.3, {"AU24": 0.70, "AU23": 0.12}),
}
_FORCED: Final = frozenset({"MBP", "FV"})


def _target(viseme: Viseme) -> Floats:
    row = np.zeros(len(MOUTH_CONTROLS))
    for name, value in SHAPES[viseme].targets.items():
        row[_COLUMN[name]] = value
    return row


_TARGETS: Final = {viseme: _target(viseme) for viseme in SHAPES}


def opening(controls: Controls) -> float:
    """How far apart the lips are, 0 closed .. 1 wide open: most of it is the jaw's, some the lips' own, and teeth that
    show, or meet the lower lip, hold them apart."""
    parted = float(_PARTING @ controls.vector)
    return min(1.0, max(0.0, parted * (1.0 - controls["AU24"])))


def is_burst(phoneme: Phoneme) -> bool:
    """Whether this sound begins as the lips part: its closure is the silence before it."""
    short = phoneme.end_s - phoneme.start_s < VOICED_CLOSURE_S
    return phoneme.symbol.startswith("p") or (phoneme.symbol.startswith("b") and short)


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """One mouth shape on media time."""

    begin_s: float
    end_s: float
    viseme: Viseme
    target: Floats


class MouthTrack:
    """The mouth on media time: fed as phonemes become known, sampled once per frame, cut by an interruption."""

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._seen_s = float("-inf")
        self._cut_s = float("-inf")
        self._cut_mouth = np.zeros(len(MOUTH_CONTROLS))
        self._pack()

    def extend(self, phonemes: Sequence[Phoneme], at_media_s: float) -> None:
        """Add what is spoken; the utterance that the phonemes' times count from begins at `at_media_s`."""
        self._segments = [s for s in self._segments if s.end_s > self._seen_s - _HISTORY_S]
        for phoneme in phonemes:
            self._segments.extend(_segments(phoneme, at_media_s))
        self._segments.sort(key=lambda segment: segment.begin_s)
        self._pack()

    @property
    def pending(self) -> int:
        """Mouth shapes that are remembered: what is to come, and the last second."""
        return len(self._segments)

    def cut(self, now_s: float) -> None:
        """Drop everything and close from where the mouth is, within CLOSE_S."""
        self._cut_mouth = self._mouth(now_s)
        self._cut_s = now_s
        self._segments = []
        self._pack()

    def sample(self, media_s: float) -> Controls:
        """The mouth at a media time; controls that speech does not set are zero."""
        self._seen_s = max(self._seen_s, media_s)
        vector = np.zeros(CONTROL_COUNT, np.float32)
        vector[_INDEX] = self._mouth(media_s)
        return Controls(vector)

    def openness(self, media_s: float) -> float:
        """How far apart the lips are at a media time, 0..1."""
        return opening(self.sample(media_s))

    def _pack(self) -> None:
        """Columns of all segments, so that a sample is a few array operations."""
        self._known: tuple[float, Floats] = (float("nan"), self._cut_mouth)
        segments = self._segments
        self._begin_s = np.array([s.begin_s for s in segments])
        self._end_s = np.array([s.end_s for s in segments])
        self._begins, self._ends = [s.begin_s for s in segments], [s.end_s for s in segments]
        self._jaw = np.array([SHAPES[s.viseme].jaw for s in segments])
        self._lips = np.array([SHAPES[s.viseme].lips for s in segments])
        self._forced = np.array([float(s.viseme in _FORCED) for s in segments])
        self._targets = np.array([s.target for s in segments]).reshape(-1, len(MOUTH_CONTROLS))

    def _mouth(self, media_s: float) -> Floats:
        """The mouth controls, shape (len(MOUTH_CONTROLS),); a frame asks twice, for them and how open they are."""
        known_s, mouth = self._known
        if known_s != media_s:
            mouth = self._blended(media_s)
            self._known = media_s, mouth
        return mouth

    def _blended(self, media_s: float) -> Floats:
        mouth = self._spoken(media_s)
        since_s = media_s - self._cut_s
        if since_s < CLOSE_S:
            closed = max(0.0, since_s) / CLOSE_S
            closed = closed * closed * (3.0 - 2.0 * closed)
            mouth = mouth * closed + self._cut_mouth * (1.0 - closed)
        return mouth

    def _spoken(self, media_s: float) -> Floats:
        first, last = self._window(media_s)
        if first == last:
            return np.zeros(len(MOUTH_CONTROLS))
        before_s = self._begin_s[first:last] - media_s  # > 0 while the sound is still to come
        after_s = media_s - self._end_s[first:last]
        reach_s = np.where(before_s > 0.0, _REACH_BEFORE_S, _REACH_AFTER_S)  # (4, segments)
        present, jaw, lips, hold = _ramp(np.maximum(before_s, after_s) / reach_s)
        nearness = float(present.sum())
        if nearness == 0.0:
            return np.zeros(len(MOUTH_CONTROLS))
        targets = self._targets[first:last]

        # the balance of dominances, for jaw and lips apart; the widest window decides where only that one is left
        jaw = (jaw + _LINGERING * present) * self._jaw[first:last]
        lips = (lips + _LINGERING * present) * self._lips[first:last]
        mouth: Floats = np.where(_IS_LIP, lips @ targets / lips.sum(), jaw @ targets / jaw.sum())
        mouth *= min(1.0, nearness)

        # lips that must meet, or touch the teeth, do
        hold *= self._forced[first:last]
        total = float(hold.sum())
        if total > 0.0:
            held = np.where(_IS_LIP, mouth, hold @ targets / total)
            mouth += (held - mouth) * min(1.0, total)
        return mouth

    def _window(self, media_s: float) -> tuple[int, int]:
        """Index range of the segments that can matter now."""
        first = bisect_left(self._begins, media_s - _LONGEST_S)
        last = bisect_left(self._begins, media_s + _LIPS_BLEND_S, lo=first)
        while first < last and self._ends[first] < media_s - RELEASE_S:
            first += 1
        return first, last


def _ramp(distance: Floats) -> Floats:
    """1 up to distance 0, then a raised cosine down to 0 at distance 1."""
    ramp: Floats = 0.5 + 0.5 * np.cos(np.pi * np.minimum(np.maximum(distance, 0.0), 1.0))
    return ramp


def _segments(phoneme: Phoneme, at_media_s: float) -> list[_Segment]:
    found = []
    begin_s = at_media_s + phoneme.start_s
    length_s = phoneme.end_s - phoneme.start_s
    for sound in sounds(phoneme.symbol):
        end_s = begin_s + sound.share * length_s
        if is_vowel(sound.viseme) and end_s - begin_s > _HELD_S:
            turn_s = begin_s + 0.5 * (end_s - begin_s)
            eased = replace(sound, amount=sound.amount * _EASE)
            found += [_segment(sound, phoneme, begin_s, turn_s), _segment(eased, phoneme, turn_s, end_s)]
        else:
            found.append(_segment(sound, phoneme, begin_s, end_s))
        begin_s = end_s
    return found


def _segment(sound: Sound, phoneme: Phoneme, begin_s: float, end_s: float) -> _Segment:
    target = _TARGETS[sound.viseme] * sound.amount
    if is_vowel(sound.viseme):
        target = np.where(_IS_LIP, target, target * _STRESS[phoneme.stress])
    if sound.viseme in _FORCED:
        if is_burst(phoneme):
            begin_s, end_s = begin_s + BURST_S - CLOSURE_S, begin_s + BURST_S
        missing_s = max(0.0, CLOSURE_S - (end_s - begin_s))
        begin_s, end_s = begin_s - 0.7 * missing_s, end_s + 0.3 * missing_s
    return _Segment(begin_s, end_s, sound.viseme, np.minimum(target, 1.0))
