"""The conductor of one session: turns what is to be said into sound, lips, gestures and events on media time."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from realtime.core import events
from realtime.core.clips import GESTURES
from realtime.core.errors import TooMany, UpstreamError
from realtime.core.facs import Emotion
from realtime.core.plan import Plan
from realtime.core.recording import Recording
from realtime.core.script import Beat, Feel, Gesture, Pause, Say, parse_script, strip_tags
from realtime.core.sound import SoundTimeline
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import SpeechChunk, VoiceSpec
from realtime.cues import CueSheet
from realtime.ports import Answerer, Clock, Gate, Turn, Voice

T = TypeVar("T")
log = logging.getLogger(__name__)

AHEAD_S: Final = 2.0
"""How far synthesis may run ahead of the sound: enough to never starve, little enough to lose on interruption."""
HISTORY_TURNS: Final = 12
"""Turns of the conversation an answerer is shown."""
MAX_WAITING: Final = 32
"""Scripts that may wait to be spoken."""
GAZE_HOLD_S: Final = 3.0


@dataclass(slots=True)
class ConductorCounters:
    """What a session has said so far."""

    turns: int = 0
    interruptions: int = 0
    dropped_s: float = 0.0
    """Seconds of sound that interruptions kept from being played."""
    voice_failures: int = 0


class Conductor:
    """Speaks scripts and answers one after another. All methods are called on the session's event loop.

    Every piece of work remembers the epoch it was begun in and stops as soon as that is over."""

    def __init__(
        self,
        *,
        plan: Plan,
        sound: SoundTimeline,
        voice: Voice,
        answerer: Answerer,
        clock: Clock,
        emit: Callable[[events.Event], None],
        spec: VoiceSpec,
        gate: Gate | None = None,
    ) -> None:
        self._plan = plan
        self._sound = sound
        self._voice = voice
        self._answerer = answerer
        self._clock = clock
        self._emit = emit
        self._spec = spec
        self._gate = gate
        self._cues = CueSheet(clock, emit)
        self._waiting: deque[AsyncIterator[Beat | Recording]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._history: deque[Turn] = deque(maxlen=HISTORY_TURNS)
        self._not_before_s = 0.0
        self._asked_s: float | None = None
        self._speaking = False
        self.counters = ConductorCounters()

    @property
    def busy(self) -> bool:
        """Whether something is being spoken or waits to be."""
        return self._task is not None or self._speaking or self._sound.pending_s(self._clock()) > 0

    @property
    def waiting(self) -> int:
        """Scripts and answers that wait their turn."""
        return len(self._waiting)

    # --- what can be asked of it

    def say(
        self,
        text: str,
        *,
        emotion: Emotion | None = None,
        intensity: float = 1.0,
        interrupt: bool = False,
    ) -> None:
        """Speak a script after what is being spoken, or instead of it. Raises `RequestError` for a bad script or
        when too many wait already, and then nothing changes."""
        script = parse_script(text, gestures=GESTURES, language=self._spec.language, strict=True)
        beats: tuple[Beat, ...] = script.beats
        if emotion is not None:
            beats = (Feel(emotion, intensity), *beats)
        if interrupt:
            self.interrupt()
        self._make_room()
        self._enqueue(_each(beats))

    def perform(self, beats: tuple[Beat | Recording, ...]) -> None:
        """Play beats nobody asked for, such as a run-down's or a recording. Raises `TooMany` when too much waits."""
        self._make_room()
        self._enqueue(_each(beats), asked=False)

    def chat(self, text: str, *, at_once: bool = True, aloud: bool = True, preface: str = "") -> None:
        """Answer the viewer: at once, in the place of an answer that is still being given, or after it. An answer that
        is not aloud is only reported; `preface` is a script said before it. Raises `TooMany` when too much waits
        already."""
        if at_once and self.busy:
            self.interrupt()
        self._make_room()
        now_s = self._clock()
        self._emit(events.UserSaid(text))
        self._plan.attend(now_s)
        self._plan.think(now_s)
        self._enqueue(self._answer(text, aloud, preface))

    def interrupt(self) -> int:
        """Silence and a closed mouth at once; what was not spoken is dropped. Returns the new epoch."""
        now_s = self._clock()
        epoch = self._plan.interrupt(now_s)
        self.counters.dropped_s += self._sound.cut(now_s)
        self.counters.interruptions += 1
        self._waiting.clear()
        self._cues.drop()
        self._not_before_s = 0.0
        self._asked_s = None
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._emit(events.Interrupted(epoch, now_s))
        self._stopped(now_s)
        return epoch

    def feel(self, emotion: Emotion, intensity: float) -> None:
        """Change the emotion now."""
        self._plan.feel(emotion, intensity, self._clock())
        self._emit(events.EmotionChanged(emotion, intensity))

    def gesture(self, name: str) -> None:
        """Make a gesture now."""
        for made in self._plan.gesture(name, self._clock()):
            self._emit(events.GestureStarted(made))

    def look(self, x: float, y: float) -> None:
        """Look somewhere for a few seconds."""
        self._plan.look(x, y, self._clock(), GAZE_HOLD_S)

    async def aclose(self) -> None:
        """Stop everything and wait until it has stopped."""
        task, self._task = self._task, None
        self._waiting.clear()
        self._cues.drop()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # --- performing

    def _make_room(self) -> None:
        if len(self._waiting) >= MAX_WAITING:
            retry_s = max(1.0, self._sound.pending_s(self._clock()))
            raise TooMany("too much waits to be spoken", retry_after_s=retry_s, limit=f"{MAX_WAITING} scripts")

    def _enqueue(self, beats: AsyncIterator[Beat | Recording], *, asked: bool = True) -> None:
        self._waiting.append(beats)
        if asked and self._asked_s is None and not self._speaking:
            self._asked_s = self._clock()
        if self._task is None:
            self._task = asyncio.create_task(self._perform(self._plan.epoch), name="conductor")

    async def _perform(self, epoch: int) -> None:
        """Speak what waits until nothing is left."""
        try:
            while self._waiting and epoch == self._plan.epoch:
                self.counters.turns += 1
                async with _closing(self._waiting.popleft()) as beats:
                    async for beat in beats:
                        await self._play(beat, epoch)
        except UpstreamError as error:
            self.counters.voice_failures += 1
            log.warning("speech failed: %s", error)
            self._emit(events.Failed("The voice failed; please try again."))
        except Exception:
            log.exception("a turn failed")
            self._emit(events.Failed("Something went wrong with this answer; please try again."))
        finally:
            if epoch == self._plan.epoch:
                self._task = None
                self._plan.settle()
                self._stop_when_silent()

    async def _play(self, beat: Beat | Recording, epoch: int) -> None:
        """Put one beat on the timeline, after everything before it."""
        at_s = self._position_s()
        match beat:
            case Say():
                if self._gate is not None:
                    beat = replace(beat, text=strip_tags(await self._gate.release(beat.text)))
                if beat.text and epoch == self._plan.epoch:
                    await self._speak(beat, epoch)
            case Recording(chunks):
                await self._put(Say(""), _each(chunks), epoch)
            case Feel(emotion, intensity):
                self._plan.feel(emotion, intensity, at_s)
                self._cues.at(at_s, events.EmotionChanged(emotion, intensity))
            case Gesture(name):
                for made in self._plan.gesture(name, at_s):
                    self._cues.at(at_s, events.GestureStarted(made))
            case Pause(duration_s):
                self._not_before_s = at_s + duration_s
            case _:
                self._cues.at(at_s, events.Report("mark", {"name": beat.name}))

    async def _speak(self, say: Say, epoch: int) -> None:
        spec = replace(
            self._spec,
            language=say.language or self._spec.language,
            rate=_factor(self._spec.rate * say.rate),
            pitch=_factor(self._spec.pitch * say.pitch),
        )
        await self._put(say, self._voice.speak(say.text, spec), epoch)

    async def _put(self, say: Say, stream: AsyncIterator[SpeechChunk], epoch: int) -> None:
        first = True
        async with _closing(stream) as chunks:
            async for chunk in chunks:
                if epoch != self._plan.epoch:
                    return
                if len(chunk.pcm) == 0 and not chunk.phonemes:
                    continue
                self._place(say, chunk, first=first)
                first = False
                await self._keep_pace()

    def _place(self, say: Say, chunk: SpeechChunk, *, first: bool) -> None:
        """Put one chunk of an utterance on the timeline: sound, lips, captions."""
        begin_s = self._sound.append(chunk.pcm, self._position_s())
        zero_s = begin_s - chunk.start_s
        self._plan.speak(chunk.phonemes, zero_s, begin_s + len(chunk.pcm) / AUDIO_RATE_HZ)
        epoch = self._plan.epoch
        if first:
            self._started(begin_s)
            if say.text:
                self._cues.at(zero_s, events.SentenceStarted(say.text, zero_s, epoch))
        for word in chunk.words:
            at_s = zero_s + word.start_s
            self._cues.at(at_s, events.WordSpoken(say.text[word.begin : word.end], at_s, epoch))

    def _position_s(self) -> float:
        """Media time at which the next thing can happen: after the waiting sound and any pause."""
        now_s = self._clock()
        waiting = now_s + self._sound.pending_s(now_s)
        return max(now_s, waiting, self._not_before_s)

    async def _keep_pace(self) -> None:
        ahead_s = self._sound.pending_s(self._clock()) - AHEAD_S
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)

    async def _answer(self, text: str, aloud: bool, preface: str) -> AsyncIterator[Beat]:
        """The beats of an answer as they are decided."""
        said: list[str] = []
        history = tuple(self._history)
        self._history.append(Turn("user", text))
        if preface and aloud:
            for beat in parse_script(preface, gestures=GESTURES, language=self._spec.language, strict=False).beats:
                yield beat
        try:
            async with _closing(self._answerer.answer(text, history, self._spec.language)) as parts:
                async for part in parts:
                    cleaned = part.text if self._gate is None else self._gate.clean(part.text)
                    script = parse_script(cleaned, gestures=GESTURES, language=self._spec.language, strict=False)
                    if not script.beats:
                        continue
                    self._emit(events.AnswerText(script.text, part.source))
                    said.append(script.text)
                    for beat in script.beats:
                        if aloud or not isinstance(beat, Say):
                            yield beat
        finally:
            if said:
                self._history.append(Turn("assistant", " ".join(said)))

    # --- begin and end of speaking

    def _started(self, begin_s: float) -> None:
        if self._asked_s is not None:
            delay_ms = round((begin_s - self._asked_s) * 1000, 1)
            self._cues.at(begin_s, events.Report("metrics", {"text_to_sound_ms": delay_ms}))
            self._asked_s = None
        if not self._speaking:
            self._speaking = True
            self._cues.at(begin_s, events.SpeakingStarted(begin_s, self._plan.epoch))

    def _stop_when_silent(self) -> None:
        """Report the end of speaking when the last sample has sounded, unless more was said meanwhile."""

        def check() -> None:
            if self._task is not None:
                return
            if self._sound.pending_s(self._clock()) > 0:
                self._stop_when_silent()
            else:
                self._stopped(self._clock())

        now_s = self._clock()
        self._cues.call_at(now_s + self._sound.pending_s(now_s), check)

    def _stopped(self, now_s: float) -> None:
        if self._speaking:
            self._speaking = False
            self._emit(events.SpeakingStopped(now_s, self._plan.epoch))


@asynccontextmanager
async def _closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """The stream, closed at the end however that comes, if it is one that can be closed."""
    try:
        yield stream
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


async def _each(items: tuple[T, ...]) -> AsyncIterator[T]:
    for item in items:
        yield item


def _factor(value: float) -> float:
    """A rate or pitch inside the range voices take."""
    return min(2.0, max(0.5, value))
