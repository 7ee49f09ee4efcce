"""The plan: everything that is going to happen on a session's media time, and the pose it adds up to at any moment."""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import numpy as np

from realtime.core.bearing import BearingTrack
from realtime.core.beats import BeatTrack
from realtime.core.body import Activity, Body
from realtime.core.clips import primitive
from realtime.core.emotion import EmotionTrack
from realtime.core.expressions import combine, expression
from realtime.core.eyes import Blinks, Gaze
from realtime.core.facs import CONTROL_INDEX, REST, Controls, Emotion
from realtime.core.physics import FOLLOWING, FollowThrough
from realtime.core.values import Phoneme, Pose
from realtime.core.visemes import MouthTrack, opening

THINK_AFTER_S: Final = 0.4
"""An answer that begins sooner than this needs no thinking pose."""
LISTEN_S: Final = 10.0
"""How long the host stays attentive after either side has spoken."""
SPEECH_TAIL_S: Final = 0.2
"""The body goes on talking over gaps between sentences shorter than this."""
ANTICIPATION_S: Final = 0.12
"""Lips move to a sound at most this long before it."""
OPEN_MOUTH: Final = 0.15
"""Mouth openness from which a frame may not lose its mouth to the budget."""

_GAZE_X, _GAZE_Y = CONTROL_INDEX["gaze_x"], CONTROL_INDEX["gaze_y"]
_FACES = np.stack([expression(emotion, 1.0).vector - REST.vector for emotion in Emotion])
"""Offsets from rest of each emotion at full intensity, float32 (7, CONTROL_COUNT)."""
_BROWS = [CONTROL_INDEX["AU1"], CONTROL_INDEX["AU2"]]
_BLINKS = [CONTROL_INDEX["blink_l"], CONTROL_INDEX["blink_r"]]


@dataclass(order=True, slots=True)
class _Scheduled:
    at_s: float
    order: int
    act: Callable[[float], None] = field(compare=False)


class Plan:
    """One session's plan. Written at any time, for any media time to come; sampled with rising media time."""

    def __init__(self, seed: int = 0) -> None:
        self.epoch = 0
        self.mouth = MouthTrack()
        self.mood = EmotionTrack()
        self._beats = BeatTrack()
        self._body = Body()
        self._blinks = Blinks(seed)
        self._gaze = Gaze()
        self._bearing = BearingTrack(seed)
        self._follow_through = FollowThrough()
        self._scheduled: list[_Scheduled] = []
        self._order = count()
        self._moods: list[tuple[float, Emotion, float]] = []
        self._speech_until_s = -1.0
        self._speech_from_s = float("inf")
        self._think_from_s = float("inf")
        self._listen_until_s = -1.0
        self._touched_s = math.inf

    # --- writing the plan

    def speak(self, phonemes: Sequence[Phoneme], start_s: float, end_s: float) -> None:
        """Speech sounds from `start_s` (media time of the utterance's zero) and lasts at least until `end_s`."""
        first_s = start_s + (phonemes[0].start_s if phonemes else 0.0)
        self._touch(first_s - ANTICIPATION_S)
        if start_s > self._speech_until_s + SPEECH_TAIL_S:
            self._speech_from_s = start_s
            self._schedule(start_s, self._blinks.prompt)
        self._speech_until_s = max(self._speech_until_s, end_s)
        self._think_from_s = float("inf")
        self.mouth.extend(phonemes, start_s)
        self._beats.extend(phonemes, start_s)
        self.mood.keep(self._speech_until_s)

    def think(self, now_s: float) -> None:
        """An answer is being looked for."""
        self._think_from_s = now_s + THINK_AFTER_S

    def settle(self) -> None:
        """The answer was found, or given up: no more thinking."""
        self._think_from_s = float("inf")

    def attend(self, now_s: float) -> None:
        """The viewer does something: be attentive for a while."""
        self._listen_until_s = now_s + LISTEN_S

    def feel(self, emotion: Emotion, intensity: float, at_s: float) -> None:
        """Move towards an emotion from a media time on."""
        self._schedule(at_s, lambda now_s: self.mood.set(emotion, intensity, now_s))

    def rest_at(self, mood: Emotion, intensity: float, at_s: float) -> None:
        """From a media time on, come to rest in this mood whenever no emotion is shown. Outlasts interruptions: a mood
        is no part of what is being said. The last one asked for holds."""
        self._moods = [one for one in self._moods if one[0] < at_s] + [(at_s, mood, intensity)]

    def gesture(self, name: str, at_s: float) -> tuple[str, ...]:
        """Make a gesture at a media time, or as soon as the one that runs then has ended. Returns the names of what
        will be made: a hand that holds something puts it down before it waves."""
        clip = primitive(name)

        def begin(now_s: float) -> None:
            if not self._body.begin(name, now_s):
                self._schedule(now_s + 0.1, begin)

        self._schedule(at_s, begin)
        frees = clip.needs_free_hand and not (clip.holds or clip.puts_down) and self._body.holding(at_s)
        return ("put_down", name) if frees else (name,)

    def look(self, x: float, y: float, at_s: float, hold_s: float) -> None:
        """Look somewhere for a while; x and y run -1..1."""
        self._schedule(at_s, lambda now_s: self._gaze.look(x, y, now_s, hold_s))

    def interrupt(self, now_s: float) -> int:
        """A new epoch: what was planned is dropped, the mouth closes, the host attends. Returns the epoch."""
        self.epoch += 1
        self._touch(now_s)
        self._scheduled.clear()
        self.mouth.cut(now_s)
        self._beats.cut(now_s)
        self._speech_until_s = min(self._speech_until_s, now_s)
        self._think_from_s = float("inf")
        self.attend(now_s)
        return self.epoch

    # --- reading it

    def felt(self, now_s: float) -> tuple[float, ...]:
        """The weights of the seven emotions at a media time, in FER order."""
        return self.mood.weights(now_s)

    def outdated(self, media_s: float) -> bool:
        """Whether what was planned since the last sample changes what is shown by a media time."""
        return self._touched_s <= media_s

    def activity(self, media_s: float) -> Activity:
        """What the body is about at a media time."""
        if self._speech_from_s <= media_s < self._speech_until_s + SPEECH_TAIL_S:
            return "speaking"
        if media_s >= self._think_from_s:
            return "thinking"
        heard_s = self._speech_until_s + LISTEN_S if self._speech_until_s >= 0 else -1.0
        return "listening" if media_s < max(self._listen_until_s, heard_s) else "idle"

    def sample(self, media_s: float) -> Pose:
        """The pose at a media time."""
        self._touched_s = math.inf
        while self._scheduled and self._scheduled[0].at_s <= media_s:
            heapq.heappop(self._scheduled).act(media_s)
        while self._moods and self._moods[0][0] <= media_s:
            _, mood, intensity = self._moods.pop(0)
            self.mood.rest_at(mood, intensity, media_s)
        activity = self.activity(media_s)
        self._body.turn_to(activity, media_s)

        weights = np.asarray(self.mood.weights(media_s), np.float32)
        borne = self._bearing.at(weights.tolist(), media_s)
        vector = REST.vector + weights @ _FACES + self._body.offsets(media_s, borne.size) + borne.posture
        averted = self._bearing.gaze(float(vector[_GAZE_X]), float(vector[_GAZE_Y]), media_s)
        vector[_GAZE_X], vector[_GAZE_Y] = self._gaze.mix(*averted, media_s)
        vector[_BROWS] += self._beats.lift(media_s)
        vector[_BLINKS] = vector[_BLINKS].clip(self._blinks.closure(media_s, borne.blinks), 1.0)
        vector[FOLLOWING] = self._follow_through.step(vector, media_s)
        mouth = self.mouth.sample(media_s)
        controls = combine(Controls(vector), mouth).clipped()
        return Pose(media_s, self.epoch, controls, activity, opening(mouth) >= OPEN_MOUTH)

    def _touch(self, at_s: float) -> None:
        self._touched_s = min(self._touched_s, at_s)

    def _schedule(self, at_s: float, act: Callable[[float], None]) -> None:
        self._touch(at_s)
        heapq.heappush(self._scheduled, _Scheduled(at_s, next(self._order), act))


