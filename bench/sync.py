"""Do the lips move with the sound? The spoken way rendered offline, judged by mediapipe against what is heard.

Voice, plan, avatar and compositing are those that serve; only the clock is virtual. The judge sees finished frames and
knows nothing of the rig. Both kinds of avatars say the same; of each figure the worse one stands at top level. What it
sees is held against:

- `openness_r`: the opening that the plan asks for, correlated over all frames, silences included;
- `viseme_offset_ms`: the middle of each P, B and M in the sound (for plosives the quietest 40 ms of the waveform around
  the phone, for M the middle of the phone) against the middle of the closure that the judge sees;
- `phrase_offset_ms`: for every 2.5 s, the shift that correlates best with a curve made from phoneme times alone,
  without the track's blending (each sound's own opening from its start to its end, smoothed evenly to both sides);
- `bilabial_closed_ratio`: the P, B and M that are seen closed in a frame within 40 ms around that middle.
"""

import asyncio
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.follow import baked
from bench.harness import Goal, Result, command, percentiles
from bench.judge import MouthJudge
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.portrait.sheet import public_domain_photo
from models.avatar.spec import MEI
from models.speech.espeak import EspeakVoice
from realtime.core.composite import compose
from realtime.core.facs import controls
from realtime.core.phones import Viseme, sounds
from realtime.core.plan import Plan
from realtime.core.units import AUDIO_RATE_HZ, FRAME_S
from realtime.core.values import I420, BaseKey, Pcm, Phoneme, Pose, VoiceSpec
from realtime.core.visemes import SHAPES, opening
from realtime.ports import Avatar

GOALS: Final = (
    Goal("viseme_offset_ms_p50", most=20.0),
    Goal("viseme_offset_ms_p95", most=20.0),
    Goal("openness_r", least=0.95),
    Goal("bilabial_closed_ratio", least=0.95),
)
SENTENCES: Final = (
    ("en", "Hello and welcome! My name is Mei, and today I have something beautiful for you."),
    ("en", "We moved both big ships beyond the far blue moon."),
    ("zh", "大家好，欢迎来到我的直播间，今天给你们看一个非常漂亮的包。"),
    ("en", "Put the paper boat by the pump, and pour a cup of warm milk before five."),
    ("zh", "我们的苹果又便宜又好吃，买一送一，快来吧。"),
    ("en", "She sells a simple maple bowl, maybe the best of all the shops in this town."),
)
Floats = NDArray[np.float64]

_GAP_S: Final = 0.6
_WINDOW: Final = 62
"""Frames of one window in which a shift is looked for."""
_LARGEST_SHIFT_S: Final = 0.12
_FINE_S: Final = 0.002
_SMOOTHING_S: Final = 0.030
_LEAST_SWING: Final = 0.08
"""A window in which the reference hardly moves (standard deviation) tells nothing about time."""
_CLOSURE_S: Final = 0.040
_REACH_MS: Final = 130
"""Lips that stay shut for longer than this to one side, as at the edge of a pause, have no middle to compare."""
_LARGE_IS_GOOD: Final = frozenset({
    "openness_r", "openness_r_by_phonemes", "bilabial_closed_ratio", "detected_ratio", "bilabials_between_open",
    "phrases",
})  # fmt: skip
_CLOSED_SHARE: Final = 0.12
"""Closed is what the judge sees of the lips at rest, plus this share of its range."""


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance on the timeline."""

    begin_s: float
    end_s: float
    phonemes: tuple[Phoneme, ...]
    pcm: Pcm


async def speak(n: int) -> list[Said]:
    """The first `n` sentences (over again beyond the last), one after another on one timeline."""
    voice, at_s = EspeakVoice(), 0.5
    said: list[Said] = []
    for index in range(n):
        language, text = SENTENCES[index % len(SENTENCES)]
        chunks = [chunk async for chunk in voice.speak(text, VoiceSpec(language=language))]
        phonemes = tuple(phoneme for chunk in chunks for phoneme in chunk.phonemes)
        pcm = np.concatenate([chunk.pcm for chunk in chunks])
        said.append(Said(at_s, at_s + len(pcm) / AUDIO_RATE_HZ, phonemes, pcm))
        at_s = said[-1].end_s + _GAP_S
    await voice.aclose()
    return said


def perform(said: Sequence[Said]) -> tuple[list[Pose], Floats]:
    """Every frame's pose, and the opening that the plan's mouth asks for."""
    plan = Plan(seed=1)
    for utterance in said:
        plan.speak(utterance.phonemes, utterance.begin_s, utterance.end_s)
    times_s = np.arange(0.0, said[-1].end_s + _GAP_S, FRAME_S)
    asked = np.array([plan.mouth.openness(s) for s in times_s])
    return [plan.sample(s) for s in times_s], asked


class Renderer:
    """Frames as the generator's first two levels make them, without a budget."""

    def __init__(self, avatar: Avatar) -> None:
        self._avatar = avatar
        self._bases: dict[BaseKey, I420] = {}

    def picture(self, pose: Pose) -> NDArray[np.uint8]:
        """A frame as BGR, uint8 of shape (height, width, 3)."""
        avatar, key = self._avatar, self._avatar.base_key(pose.controls)
        if key not in self._bases:
            self._bases[key] = avatar.render_base(key)
        base = self._bases[key]
        patches = [avatar.draw(base, key, pose.controls, r) for r in avatar.regions(key, pose.controls)]
        frame = compose(base, patches, np.empty_like(base))
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), np.uint8)


def heard(said: Sequence[Said], times_s: Floats) -> Floats:
    """Opening by phoneme times alone: each sound's own, from its start to its end, evenly smoothed."""
    level = np.zeros(len(times_s))
    for begin_s, end_s, viseme, amount in timed_sounds(said):
        level[(times_s >= begin_s) & (times_s < end_s)] = _own_opening(viseme) * amount
    reach = round(3 * _SMOOTHING_S / (times_s[1] - times_s[0]))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (reach / 3)) ** 2)
    return np.convolve(level, bell / bell.sum(), "same")


def timed_sounds(said: Sequence[Said]) -> list[tuple[float, float, Viseme, float]]:
    """Begin, end, shape and amount of every sound on the timeline."""
    found = []
    for utterance in said:
        for phoneme in utterance.phonemes:
            at_s = utterance.begin_s + phoneme.start_s
            for sound in sounds(phoneme.symbol):
                length_s = sound.share * (phoneme.end_s - phoneme.start_s)
                found.append((at_s, at_s + length_s, sound.viseme, sound.amount))
                at_s += length_s
    return found


def _own_opening(viseme: Viseme) -> float:
    return opening(controls(**SHAPES[viseme].targets))


def offsets_ms(judged: Floats, said: Sequence[Said]) -> list[float]:
    """Lag (+) or lead (-) of the judged opening in each window, in milliseconds."""
    times_s = np.arange(len(judged)) * FRAME_S
    fine_s = np.arange(-_LARGEST_SHIFT_S, times_s[-1] + _LARGEST_SHIFT_S, _FINE_S)
    reference = heard(said, fine_s)
    shifts_s = np.arange(-_LARGEST_SHIFT_S, _LARGEST_SHIFT_S + _FINE_S / 2, _FINE_S)
    found = []
    for first in range(0, len(judged) - _WINDOW, _WINDOW // 2):
        window = slice(first, first + _WINDOW)
        seen, at_s = judged[window], times_s[window]
        if np.interp(at_s, fine_s, reference).std() < _LEAST_SWING or np.isnan(seen).any():
            continue
        fits = [np.corrcoef(seen, np.interp(at_s - shift_s, fine_s, reference))[0, 1] for shift_s in shifts_s]
        found.append(1000.0 * float(shifts_s[int(np.argmax(fits))]))
    return found


def closure_middles_s(said: Sequence[Said]) -> list[float]:
    """When the lips meet for every P, B and M, by the sound; two in a row, as in "simple", meet once."""
    found: list[float] = []
    for utterance in said:
        met = False
        for phoneme in utterance.phonemes:
            meets = any(sound.viseme == "MBP" for sound in sounds(phoneme.symbol))
            if meets:
                middle_s = (phoneme.start_s + phoneme.end_s) / 2
                if not phoneme.symbol.startswith("m"):
                    middle_s = _quietest_s(utterance.pcm, phoneme.start_s - 0.06, phoneme.end_s)
                middle_s += utterance.begin_s
                if met:
                    middle_s = (found.pop() + middle_s) / 2
                found.append(middle_s)
            met = meets
    return found


def _quietest_s(pcm: Pcm, begin_s: float, end_s: float) -> float:
    """Middle of the quietest closure-long stretch that begins at or after `begin_s` and ends by `end_s`."""
    length = round(_CLOSURE_S * AUDIO_RATE_HZ)
    first, last = max(0, round(begin_s * AUDIO_RATE_HZ)), round(end_s * AUDIO_RATE_HZ)
    power = np.convolve(pcm[first:last].astype(np.float64) ** 2, np.ones(length), "valid")
    if not len(power):
        return (begin_s + end_s) / 2
    return (first + int(np.argmin(power)) + length / 2) / AUDIO_RATE_HZ


def closures(judged: Floats, said: Sequence[Said]) -> tuple[list[bool], list[float]]:
    """For every P, B and M whether the lips are seen closed; and the offset in ms where they part before and after."""
    rest = float(np.nanmedian(judged[: round(said[0].begin_s / FRAME_S) - 3]))
    closed = rest + _CLOSED_SHARE * float(np.nanpercentile(judged, 98) - rest)
    fine_s = np.arange(0.0, (len(judged) - 1) * FRAME_S, 0.001)
    seen = np.interp(fine_s, np.arange(len(judged)) * FRAME_S, judged)
    met, offsets = [], []
    for middle_s in closure_middles_s(said):
        at = round(middle_s * 1000)
        lowest = max(0, at - 20) + int(np.argmin(seen[max(0, at - 20) : at + 21]))
        met.append(bool(seen[lowest] <= closed))
        reach = slice(max(0, lowest - _REACH_MS), lowest + _REACH_MS + 1)
        apart = np.flatnonzero(seen[reach] > closed) + reach.start
        before, after = apart[apart < lowest], apart[apart > lowest]
        if met[-1] and len(before) and len(after):
            offsets.append((float(before[-1]) + float(after[0])) / 2 - at)
    return met, offsets


def measure(n: int) -> Result:
    """The published keys, for `n` sentences said by each kind of avatar."""
    cv2.setNumThreads(1)
    said = asyncio.run(speak(n))
    poses, asked = perform(said)
    kinds: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place:
        for kind, avatar in (
            ("illustrated", IllustratedHost(MEI, paint_layers(MEI))),
            ("portrait", baked(public_domain_photo(), Path(place) / "portrait")),
        ):
            renderer = Renderer(avatar)
            with MouthJudge(tracking=True) as judge:
                kinds[kind] = figures(judge.openness([renderer.picture(pose) for pose in poses]), asked, said)
    return {**worst(kinds), "kinds": kinds}


def worst(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of each figure the one furthest from its goal: the smallest of what should be large, the largest else."""
    found: dict[str, Any] = {}
    for key in next(iter(kinds.values())):
        values = [figures[key] for figures in kinds.values() if figures[key] is not None]
        pick = min if key in _LARGE_IS_GOOD else partial(max, key=abs)
        found[key] = pick(values) if values else None
    return found


def figures(judged: Floats, asked: Floats, said: Sequence[Said]) -> dict[str, Any]:
    """What is published of the judged openings."""
    known = ~np.isnan(judged)
    phrases_ms = offsets_ms(judged, said)
    met, visemes_ms = closures(judged, said)
    by_sound = heard(said, np.arange(len(judged)) * FRAME_S)
    return {
        **percentiles([abs(offset) for offset in visemes_ms], "viseme_offset_ms"),
        "viseme_lag_ms_median": _median(visemes_ms),
        **percentiles([abs(offset) for offset in phrases_ms], "phrase_offset_ms"),
        "phrase_lag_ms_median": _median(phrases_ms),
        "openness_r": round(float(np.corrcoef(judged[known], asked[known])[0, 1]), 4),
        "openness_r_by_phonemes": round(float(np.corrcoef(judged[known], by_sound[known])[0, 1]), 4),
        "bilabial_closed_ratio": round(float(np.mean(met)), 4),
        "bilabials": len(met),
        "bilabials_between_open": len(visemes_ms),
        "phrases": len(phrases_ms),
        "frames": len(judged),
        "detected_ratio": round(float(known.mean()), 4),
    }


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), 1) if values else None


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.sync`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mediapipe's generated modules
        return command("sync", measure, GOALS, n=len(SENTENCES), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
